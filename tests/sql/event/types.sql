-- Types of events are rows: each is written somewhere, nothing else is, and who sees it is said there.
begin;
\ir ../hosts.psql
select plan(17);

-- What functions write: literals, and the words that a host's task makes of its kind.
create temporary view written as
select distinct m[1] as type
from
    pg_proc as p,
    regexp_matches(
        p.prosrc,
        $re$(?:event\.write|account\.write_event|task\.note_request)\((?:\s*\w+,)?\s*(?:case when[^']*?then\s*)?'([a-z_]+(?:\.[a-z_]+)+)'$re$,
        'g'
    ) as m
where p.pronamespace in (select oid from pg_namespace where pg_get_userbyid(nspowner) = 'ccp_owner');
create temporary view named as
select distinct m[1] as type
from
    pg_proc as p,
    regexp_matches(p.prosrc, $re$'([a-z_]+(?:\.[a-z_]+)+)'$re$, 'g') as m
where p.pronamespace in (select oid from pg_namespace where pg_get_userbyid(nspowner) = 'ccp_owner')
union
select 'host.' || m[1]
from
    pg_proc as p,
    regexp_matches(p.prosrc, $re$then '([a-z]+)'$re$, 'g') as m
where p.proname = 'write_events';
select cmp_ok((select count(*) from written), '>', 35::bigint, 'what is written is found in the functions');
select is_empty(
    $$select type from written except select type from ccp.event_types$$, 'what is written has its row'
);
select is_empty(
    $$select type from ccp.event_types except select type from named$$, 'and each row is written somewhere'
);
select is_empty(
    $$values
        ('auth.success'), ('auth.failed'), ('user.expired'), ('host.stop.expired'), ('admin.user.created'), ('admin.user.updated'),
        ('admin.user.deleted'), ('admin.user.password_rotated'), ('admin.binding.created'), ('admin.binding.deleted'),
        ('admin.host.action'), ('reconcile.host.drift'), ('reconcile.task.stale'), ('host.started'), ('host.verified'),
        ('host.unavailable'), ('tunnel.lost'), ('tunnel.restored'), ('egress.mismatch'), ('egress.leak_blocked'),
        ('ssh.session.opened'), ('ssh.session.closed'), ('ssh.auth.failed'), ('key.rotated'), ('task.failed')
    except
    select type::text from ccp.event_types$$, 'what clients rely on is among them'
);
select is(
    (select words from api.value_rules() where type = 'ccp.event_type'),
    (select string_agg(type, '|' order by type) from ccp.event_types), 'they are the words of the API''s filter'
);
select throws_ok($$select event.write('no.such.thing', 'x')$$, 'P0001', 'ccp.event_types has no row no.such.thing', 'another cannot be written');
select event.write('auth.failed', 'x') is not null as done \gset
select is((select level::text from ccp.events where type = 'auth.failed'), 'warning', 'how grave it is says the row');
update ccp.event_types set level = 'error' where type = 'auth.failed';
select is((select level::text from ccp.events where type = 'auth.failed'), 'warning', 'what was written stays what it was');
select is_empty(
    $$select type from ccp.event_types where type like 'node.%' and audience <> 'admin' or type like 'setting.%' and audience <> 'admin'$$,
    'what is about machines is for administrators'
);

-- A user route sees of its user what is for users.
insert into ccp.logins (user_id, expires_at) select id, clock.now() + interval '1 hour' from ccp.users;
create function t.mine() returns text language sql as $$ select string_agg(type, ' ' order by id) from ccp.events $$;
grant ccp_as_user to current_user;
grant usage on schema t to ccp_as_user;
select event.write(e.type, 'x', h.user_id, h.id) is not null as done
from ccp.hosts as h
cross join unnest(array['host.started', 'reconcile.task.stale', 'tunnel.lost', 'admin.user.updated']) with ordinality as e (type, n)
order by e.n;
select is(
    (select string_agg(type, ' ' order by id) from ccp.events where user_id is not null),
    'host.started reconcile.task.stale tunnel.lost admin.user.updated', 'four things have happened'
);
select account.enter((select l.id from ccp.logins as l), 1, 'user') is not null as entered \gset
set local role ccp_as_user;
select is((select string_agg(type, ' ' order by id) from ccp.events), 'host.started tunnel.lost', 'two of them are for the user to see');
reset role;
update ccp.event_types set audience = 'user' where type = 'reconcile.task.stale';
set local role ccp_as_user;
select is(
    (select string_agg(type, ' ' order by id) from ccp.events), 'host.started reconcile.task.stale tunnel.lost', 'as the row says'
);
select is((select count(*)::integer from ccp.events where user_id is null), 0, 'and nothing of others');
reset role;
select is(
    (
        select string_agg(e.type::text, ' ' order by e.id)
        from unnest((api.own_host_event_list((select l.id from ccp.logins as l), 1, t.host())).events) as e
    ), 'host.started reconcile.task.stale tunnel.lost', 'the route shows these'
);

-- Three requests that are one task write one event.
select host.act(t.host(), 'host.start') is not null as one, host.act(t.host(), 'host.start') is not null as two \gset
select host.act(t.host(), 'host.start') is not null as three \gset
select is((select count(*)::integer from ccp.events where type = 'admin.host.action'), 1, 'three requests that fold into one task are one event');
select is((select count(*)::integer from ccp.task_rows where kind = 'host.start'), 1, 'of one task');
select is((select level::text from ccp.events where type = 'admin.host.action'), 'info', 'at its level');

select * from finish();
rollback;
