-- Functions of routes: what their owners see, pages, cursors, edits.
begin;
\ir ../hosts.psql
select plan(30);

create function t.user_make(p_name text, p_role text) returns uuid language sql as $$
    insert into ccp.users (username, short_id, role) values (p_name, account.short_id(), p_role);
    insert into ccp.logins (user_id, expires_at) select id, clock.now() + interval '1 day' from ccp.users where username = p_name
    returning id
$$;
create temporary table who as
select t.user_make('boss', 'admin') as boss, t.user_make('bobby', 'user') as bobby;
insert into ccp.logins (user_id, expires_at) select id, clock.now() + interval '1 day' from ccp.users where username = 'alice';
alter table who add alice uuid;
update who set alice = (select l.id from ccp.logins as l join ccp.users as u on u.id = l.user_id where u.username = 'alice');
grant select on who to public;

select is((api.own_user_get((select bobby from who), 1)).username, 'bobby', 'me is me');
select is(cardinality((api.own_host_list((select alice from who), 1)).hosts), 1, 'alice sees her host');
select is(cardinality((api.own_host_list((select bobby from who), 1)).hosts), 0, 'bobby sees none');
select throws_ok($$select api.own_host_get((select bobby from who), 1, t.host())$$, 'CP404', null, 'nor by its id');
select throws_ok($$select api.own_host_task((select bobby from who), 1, t.host(), 'host.start')$$, 'CP404', null, 'nor can he start it');
select throws_ok(
    format('select api.own_host_task((select alice from who), 1, t.host(), %L)', kind), 'CP403', null, kind || ' is not for users'
)
from ccp.task_kinds
where subject = 'host' and kind not in ('host.start', 'host.stop', 'host.rebuild')
order by kind;
select throws_ok(
    $$select api.own_host_rotate_ssh_password((select bobby from who), 1, t.host(), '$y$j9T$' || repeat('a', 60))$$,
    'CP404', null, 'nor change its password'
);
select is((api.own_host_task((select alice from who), 1, t.host(), 'host.start')).status, 'queued', 'alice can');
select is(
    (api.own_task_get((select alice from who), 1, (select id from ccp.task_rows where status = 'queued'))).kind,
    'host.start', 'and sees the task'
);
select throws_ok(
    $$select api.own_task_get((select bobby from who), 1, (select id from ccp.task_rows where status = 'queued'))$$,
    'CP404', null, 'which bobby does not'
);
select throws_ok($$select api.user_list((select bobby from who), 1)$$, 'CP403', null, 'users are for admins');
select throws_ok(
    $$select api.host_task((select alice from who), 1, t.host(), 'host.delete')$$, 'CP403', null, 'so is the end of a host'
);
select is(cardinality((api.user_list((select boss from who), 1, p_limit => 2)).users), 2, 'a page has its length');
select is(
    cardinality((api.user_list((select boss from who), 1, p_limit => 2, p_cursor => (api.user_list((select boss from who), 1, p_limit => 2)).next_cursor)).users),
    1, 'the next one has the rest'
);
select is((api.user_list((select boss from who), 1, p_limit => 3)).next_cursor, null, 'the last one says so');
select throws_ok($$select api.cursor_read('users', '-created_at', 'x')$$, 'CP422', null, 'a cursor that is none is refused');
select throws_ok($$select api.cursor_read('users', '-created_at', '!!!!')$$, 'CP422', null, 'so are other letters');
select is(
    (select at from api.cursor_read('events', '-time', api.cursor('events', '-time', '2026-01-02 03:04:05.678901+00', '42'))),
    '2026-01-02 03:04:05.678901+00'::timestamptz, 'a cursor keeps microseconds'
);
select throws_ok(
    $$select api.task_list((select boss from who), 1, p_cursor => (api.user_list((select boss from who), 1, p_limit => 2)).next_cursor)$$,
    'CP422', null, 'a cursor of another list is refused'
);
select throws_ok(
    $$select api.user_list(
        (select boss from who), 1, p_sort => 'created_at',
        p_cursor => (api.user_list((select boss from who), 1, p_limit => 2)).next_cursor
    )$$,
    'CP422', null, 'and one of the same list in another order'
);
select is(
    array(select u.username from unnest((api.user_list((select boss from who), 1, p_sort => 'created_at')).users) as u),
    array(select u.username from ccp.users as u order by u.created_at, u.id), 'a list goes both ways'
);
select is(
    array(select u.username::text from unnest((api.user_list((select boss from who), 1, p_role => 'user', p_username => 'al')).users) as u),
    array['alice'], 'filters narrow a list together'
);
select throws_ok(
    $$select api.user_update((select boss from who), 1, (select id from ccp.users where username = 'alice'), 'disabled', p_if_match => '7')$$,
    'CP412', null, 'an edit of an old version is refused'
);
select is(
    (api.user_update((select boss from who), 1, (select id from ccp.users where username = 'alice'), p_expires_at => '2098-01-01', p_if_match => '1')).version,
    '2', 'an edit makes a new version'
);
select is(
    (api.user_update((select boss from who), 1, (select id from ccp.users where username = 'alice'), p_role => 'user')).expires_at,
    '2098-01-01'::timestamptz, 'what is absent stays'
);
select is(
    (api.user_set_expiry((select boss from who), 1, (select id from ccp.users where username = 'alice'), null)).expires_at,
    null, 'null means never'
);
select is(
    (select count(*)::integer from ccp.events where type = 'admin.user.updated'), 2, 'what changed something is in the audit log'
);

select * from finish();
rollback;
