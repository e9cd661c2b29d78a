-- What the reader of the live streams finds from one place to the next, for whom. It reads what others have committed, so
-- this file commits.
begin;
\ir ../hosts.psql
\ir ../people.psql
\ir ../second_host.psql
select t.user('bobby') as bobby, t.user('alice') as alice, t.host() as host, t.second() as second \gset
update ccp.hosts set user_id = :'bobby' where short_id = 'ghijkl';
create function t.here() returns text language sql as $$
    select data from live.read(null, null, '{}', false, '{}') where what = 'cursor'
$$;
-- What it finds, in its order but for the cursor: for whom, what, which row.
create function t.found(
    p_from text, p_topics text[] default '{hosts,tasks,events,sessions,nodes}', p_admins boolean default true,
    p_users uuid[] default '{}', p_until text default null
) returns text language sql as $$
    select string_agg(
        concat_ws(
            ' ', case r.user_id when t.user('alice') then 'alice:' when t.user('bobby') then 'bobby:' end, r.what, r.topic,
            r.data::jsonb ->> 'action',
            coalesce(r.data::jsonb #>> '{payload,short_id}', r.data::jsonb #>> '{payload,kind}', r.data::jsonb #>> '{payload,message}',
                r.data::jsonb #>> '{payload,name}', r.data::jsonb #>> '{payload,host_short_id}')
        ),
        ', ' order by r.user_id nulls first, r.topic, r.data::jsonb #>> '{payload,short_id}'
    )
    from live.read(p_from, p_until, p_topics, p_admins, p_users) as r
    where r.what <> 'cursor'
$$;
commit;
select plan(30);

select is(t.found(t.here()), null, 'from here to here nothing');
select t.here() as began \gset
begin;
update ccp.hosts set label = 'y' where short_id = 'abcdef';
update ccp.hosts set label = 'x' where short_id = 'abcdef';
commit;
select is(t.found(:'began', '{hosts}'), 'frame hosts upsert abcdef', 'a host that was written, once');
select is(t.found(:'began', '{hosts,nodes}'), 'frame hosts upsert abcdef, frame nodes upsert node1', 'and its node, which counts hosts');
select is(t.found(:'began', '{tasks}'), null, 'to those who ask for such');
select is(t.found(:'began', '{hosts}', false), null, 'to administrators only if there are any');
select is(t.found(:'began', '{hosts}', false, array[:'alice', :'bobby']::uuid[]), 'alice: frame hosts upsert abcdef', 'to users what is theirs');
select is(t.found(:'began', '{hosts}', true, array[:'bobby']::uuid[]), 'frame hosts upsert abcdef', 'and nothing else');
select is(
    (select r.data::jsonb -> 'payload' from live.read(:'began', null, '{hosts}', true, '{}') as r where r.what = 'frame'),
    to_jsonb(api.host_get(t.login('boss'), 1, :'host')), 'it is told as the list has it'
);
select is(
    (select r.data::jsonb from live.read(:'began', null, '{hosts}', false, array[:'alice']::uuid[]) as r where r.what = 'frame'),
    (select r.data::jsonb from live.read(:'began', null, '{hosts}', true, '{}') as r where r.what = 'frame'), 'to its user too'
);
select t.here() as after_host \gset
select is(t.found(:'after_host'), null, 'behind that nothing');
select is(t.found(:'began', '{hosts}', p_until => :'began'), null, 'up to a place, nothing that came later');
select t.ask('host.start');
select is(
    t.found(:'after_host', '{hosts,tasks}', true, array[:'alice', :'bobby']::uuid[]),
    (select string_agg(w || l, ', ' order by w, l) from unnest(array['', 'alice: ']) as w, unnest(array['frame hosts upsert abcdef', 'frame tasks upsert host.start']) as l),
    'a task, and its host'
);
select is(
    t.found(:'began', '{hosts}', p_until => :'after_host'), 'frame hosts upsert abcdef', 'rows are told once, as they are now'
);
select t.here() as after_task \gset
select t.claim();
select is(t.found(:'after_task', '{hosts,tasks}'), 'frame hosts upsert abcdef, frame tasks upsert host.start', 'a task shows in its host');
select t.here() as after_claim \gset
select event.write('host.verified', 'for alice', :'alice');
select event.write('host.verified', 'for nobody');
select is(t.found(:'after_claim', '{events}'), 'frame events upsert for alice, frame events upsert for nobody', 'events');
select is(
    t.found(:'after_claim', '{events}', false, array[:'alice', :'bobby']::uuid[]), 'alice: frame events upsert for alice', 'what is about nobody is for administrators'
);
select t.here() as after_event \gset
select event.write('host.verified', 'later');
select is(
    t.found(:'after_claim', '{events}', p_until => :'after_event'), 'frame events upsert for alice, frame events upsert for nobody',
    'up to a place, no event that came later'
);
select is(
    (
        select string_agg(f.text::jsonb #>> '{payload,message}', ', ')
        from ccp.events as e, live.frames(0, 'events', array[e.id::text], array(select at from ccp.events)) as f (text)
        where e.message = 'later'
    ), 'later', 'an event is told by its id, and not with all of its time'
);
select t.here() as before_session \gset
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, t.agent(), 'key', '198.51.100.7' from ccp.hosts as h where h.short_id = 'abcdef';
select is(
    t.found(:'before_session', '{sessions}', true, array[:'bobby']::uuid[]), 'frame sessions upsert ssh', 'a session, to whom it concerns'
);
select is(
    (select r.data::jsonb #>> '{payload,id}' from live.read(:'before_session', null, '{sessions}', true, '{}') as r where r.what = 'frame'),
    (select s.id::text from ccp.sessions as s), 'and that one'
);
begin;
insert into ccp.changes (noun, row_id, user_id) values ('hosts', :'second', :'alice');
commit;
select is(
    t.found(:'after_event', '{tasks}', false, array[:'alice']::uuid[]), null, 'other topics are not told'
);
insert into ccp.changes (noun, row_id, user_id) values ('tasks', (select id from ccp.task_rows limit 1), :'bobby');
select is(
    t.found(:'after_event', '{tasks}', false, array[:'bobby']::uuid[]), 'bobby: frame tasks delete', 'row-level security has the last word: another''s row is not there'
);
select t.here() as after_foreign \gset
insert into ccp.changes (xid, noun, row_id) values ('9000000000', 'hosts', :'host');
select is(t.found(:'after_foreign'), null, 'transactions of another server, which a dump brought, are nobody''s');
select t.here() as before_gone \gset
insert into ccp.changes (noun, row_id) values ('hosts', gen_random_uuid());
select is(t.found(:'before_gone', '{hosts,nodes}'), 'frame hosts delete', 'a host that is gone tells of no node');
select t.here() as before_many \gset
insert into ccp.changes (noun, row_id, user_id) select 'tasks', gen_random_uuid(), :'bobby' from generate_series(1, 500);
select is((select count(*)::integer from live.read(:'before_many', null, '{tasks}', true, '{}') where what = 'frame'), 500, '500 rows are told one by one');
insert into ccp.changes (noun, row_id, user_id) values ('tasks', gen_random_uuid(), :'bobby');
select is(t.found(:'before_many', '{tasks}', true, array[:'bobby']::uuid[]), 'resync tasks', 'more are a list to read again, which is said once');
select t.here() as before_all \gset
update ccp.settings set value = '"ssh.example.org"' where name = 'ssh_host';
select is(t.found(:'before_all', '{hosts,tasks}'), 'resync hosts', 'what every host shows, too');
select t.here() as before_login \gset
update ccp.logins set revoked_at = now(), revoke_reason = 'logout' where user_id = :'bobby';
select is(t.found(:'before_login', '{tasks}', true), 'bobby: login', 'a login that may have ended is told to the program');
select is(t.found('x'), 'resync', 'what is not a place cannot be gone on from');
select is(
    (select data from live.read('x', null, '{hosts}', true, '{}') where what = 'cursor'), t.here(), 'but from here on'
);

select * from finish();
