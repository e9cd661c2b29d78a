-- The lists: their order, ties, pages, filters, and whose rows they hold.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(103);

-- Walks a list: pages are separated by "|", rows by ",". `%s` in the call takes the cursor.
create function t.walk(p_call text, p_items text, p_label text) returns text language plpgsql as $$
declare
    v_cursor text;
    v_part text;
    v_pages text[];
begin
    for v_page in 1..9 loop
        execute format(
            'select p.next_cursor, (select string_agg(i.%1$I::text, '','') from unnest(p.%2$I) as i) from %3$s as p',
            p_label, p_items, format(p_call, coalesce(', p_cursor => ' || quote_literal(v_cursor), ''))
        ) into v_cursor, v_part;
        v_pages := v_pages || coalesce(v_part, '-');
        exit when v_cursor is null;
    end loop;
    return array_to_string(v_pages, '|');
end
$$;
-- A list as an admin sees it, or as alice does her own.
create function t.list(p_name text, p_label text, p_arguments text) returns text language sql as $$
    select t.walk(
        format(
            'api.%s_list(%L, 1%s%%s)', p_name, case when p_name like 'own%' then t.login('alice') else t.login('boss') end,
            coalesce(', ' || nullif(p_arguments, ''), '')
        ),
        case p_name
            when 'egress_ip' then 'egress_ips' when 'own_ssh_key' then 'ssh_keys' when 'own_host' then 'hosts' when 'own_session' then 'sessions'
            else p_name || 's'
        end,
        p_label
    )
$$;

-- Users: a is the oldest, c and d came at once.
delete from ccp.logins where user_id <> t.user('boss');
insert into ccp.users (id, username, short_id, created_at, disabled_at, expires_at)
values
    ('00000000-0000-4000-8000-000000000001', 'anna', 'anna11', '2001-01-01', null, null),
    ('00000000-0000-4000-8000-000000000002', 'cora', 'cora11', '2001-01-02', '2001-01-03', null),
    ('00000000-0000-4000-8000-000000000003', 'cord', 'cord11', '2001-01-02', null, '2001-01-03'),
    ('00000000-0000-4000-8000-000000000004', 'dora', 'dora11', '2001-01-04', null, null);
update ccp.users set created_at = '2000-01-01' where username = 'boss';
update ccp.users set created_at = '2000-01-02' where username in ('alice', 'bobby');
delete from ccp.users where username = 'bobby';
select is(t.list('user', 'username', ''), 'dora,cord,cora,anna,alice,boss', 'users, newest first');
select is(t.list('user', 'username', 'p_sort => ''created_at'''), 'boss,alice,anna,cora,cord,dora', 'or oldest first');
select is(t.list('user', 'username', 'p_limit => 2'), 'dora,cord|cora,anna|alice,boss', 'in pages');
select is(t.list('user', 'username', 'p_limit => 4'), 'dora,cord,cora,anna|alice,boss', 'the last of which may be short');
select is(t.list('user', 'username', 'p_limit => 2, p_sort => ''created_at'''), 'boss,alice|anna,cora|cord,dora', 'both ways');
select is(t.list('user', 'username', 'p_limit => 6'), 'dora,cord,cora,anna,alice,boss', 'a full page need not have a next one');
select is(t.list('user', 'username', 'p_role => ''admin'''), 'boss', 'by role');
select is(t.list('user', 'username', 'p_status => ''{disabled}'''), 'cora', 'by status: disabled');
select is(t.list('user', 'username', 'p_status => ''{expired}'''), 'cord', 'expired');
select is(t.list('user', 'username', 'p_status => ''{active}'''), 'dora,anna,alice,boss', 'active');
select is(t.list('user', 'username', 'p_status => ''{expired,disabled}'''), 'cord,cora', 'or several');
select is(t.list('user', 'username', 'p_expires_before => ''2001-01-03 00:00:01'''), 'cord', 'by when they expire');
select is(t.list('user', 'username', 'p_expires_before => ''2001-01-03'''), '-', 'before, not then');
select is(t.list('user', 'username', 'p_username => ''cor'', p_limit => 1'), 'cord|cora', 'by the beginning of the name');
select is(t.list('user', 'username', 'p_username => ''ora'''), '-', 'which is not any part of it');
select is(t.list('user', 'username', 'p_q => ''COR'''), 'cord,cora', 'by the beginning of a name');
select is(t.list('user', 'username', 'p_q => ''dora1'''), 'dora', 'or of a short id');
select is(t.list('user', 'username', 'p_q => ''ora'''), '-', 'not by any part of it');
select throws_ok(format('select api.user_list(%L, 2)', t.login('boss')), 'CP401', null, 'an old token lists nothing');

-- Hosts.
insert into ccp.logins (user_id, expires_at) values (t.user('alice'), '2150-01-01');
update ccp.hosts set created_at = '2000-01-01';
insert into ccp.hosts (id, short_id, user_id, node_id, image, status, created_at)
select h.id::uuid, h.short_id, t.user(h.username), n.id, 'image', h.status, h.at::timestamptz
from ccp.nodes as n,
    (values
        ('00000000-0000-4000-8000-000000000001', 'hosta1', 'alice', 'failed', '2001-01-01'),
        ('00000000-0000-4000-8000-000000000002', 'hosta2', 'alice', 'running', '2001-01-01'),
        ('00000000-0000-4000-8000-000000000003', 'hostc1', 'cora', 'running', '2001-01-02')
    ) as h (id, short_id, username, status, at);
select is(t.list('host', 'short_id', ''), 'hostc1,hosta2,hosta1,abcdef', 'hosts, newest first');
select is(t.list('host', 'short_id', 'p_sort => ''created_at'', p_limit => 3'), 'abcdef,hosta1,hosta2|hostc1', 'or oldest first');
select is(t.list('host', 'short_id', 'p_status => ''{running,failed}'''), 'hostc1,hosta2,hosta1', 'by statuses');
select is(t.list('host', 'short_id', format('p_user_id => %L', t.user('alice'))), 'hosta2,hosta1,abcdef', 'by user');
select is(t.list('host', 'short_id', format('p_user_id => %L, p_status => ''{running}''', t.user('alice'))), 'hosta2', 'by both');
select is(t.list('own_host', 'short_id', ''), 'hosta2,hosta1,abcdef', 'alice lists her own');
select is(t.list('own_host', 'short_id', 'p_limit => 1'), 'hosta2|hosta1|abcdef', 'in pages');
select is(t.list('own_host', 'short_id', 'p_limit => 2, p_sort => ''created_at'''), 'abcdef,hosta1|hosta2', 'both ways');
select is(t.list('own_host', 'short_id', 'p_limit => 3'), 'hosta2,hosta1,abcdef', 'a full page need not have a next one');
update ccp.hosts set label = 'Laptop' where short_id = 'hostc1';
select is(t.list('host', 'short_id', 'p_q => ''HOSTA'''), 'hosta2,hosta1', 'by the beginning of a short id');
select is(t.list('host', 'short_id', 'p_q => ''lapt'''), 'hostc1', 'of a label');
select is(t.list('host', 'short_id', 'p_q => ''cora'''), 'hostc1', 'or of the user''s name');
select is(t.list('host', 'short_id', 'p_q => ''ora'''), '-', 'not by any part of it');
update ccp.hosts set label = null;
select is(t.list('host', 'short_id', format('p_egress_ip_id => %L', (select id from ccp.egress_ips))), 'abcdef', 'by the exit');
select is(t.list('host', 'short_id', 'p_egress_ip_id => ''00000000-0000-4000-8000-000000000001'''), '-', 'which is that one');
savepoint bound;
update ccp.bindings set ended_at = clock.now();
select is(t.list('host', 'short_id', format('p_egress_ip_id => %L', (select id from ccp.egress_ips))), '-', 'while it is bound to it');
rollback to bound;
insert into ccp.observations (host_id, process_id, sequence, state, observed_at, proven_at, proof_ends_at)
select h.id, t.agent(), 1, 'running', clock.now(), clock.now() - interval '1 hour', clock.now() + o.lives
from ccp.hosts as h
join (values ('hosta1', interval '0'), ('hosta2', interval '1 second'), ('hostc1', interval '1 second')) as o (short_id, lives) using (short_id);
update ccp.observations
set failed_at = clock.now() - interval '59 minutes'
where host_id = (select h.id from ccp.hosts as h where h.short_id = 'hostc1');
select is(t.list('host', 'short_id', 'p_proof => ''{valid}'''), 'hosta2', 'by its proof: it holds');
select is(t.list('host', 'short_id', 'p_proof => ''{stale}'''), 'hosta1', 'it has ended');
select is(t.list('host', 'short_id', 'p_proof => ''{failed}'''), 'hostc1', 'a check has failed since');
select is(t.list('host', 'short_id', 'p_proof => ''{none}'''), 'abcdef', 'there is none');
select is(t.list('host', 'short_id', 'p_proof => ''{stale,failed}'', p_status => ''{running,failed}'''), 'hostc1,hosta1', 'one of several');
update ccp.observations set proven_at = null, proof_ends_at = null where host_id <> '00000000-0000-4000-8000-000000000001';
select is(t.list('host', 'short_id', 'p_proof => ''{failed}'''), 'hostc1', 'one that never was proven may have failed too');
select is(t.list('host', 'short_id', 'p_proof => ''{none}'''), 'hosta2,abcdef', 'or was not tried');
select throws_ok(format('select api.host_list(%L, 1)', t.login('alice')), 'CP403', null, 'all hosts are for admins');
select throws_ok(format('select api.own_host_list(%L, 2)', t.login('alice')), 'CP401', null, 'an old token lists nothing');

-- Exits.
update ccp.egress_ips set created_at = '2000-01-01';
insert into ccp.egress_ips (id, label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address, status, created_at)
select e.id::uuid, e.label, e.address::inet, '198.51.100.1:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32', e.status, e.at::timestamptz
from (values
    ('00000000-0000-4000-8000-000000000001', 'exit2', '198.51.100.2', 'active', '2001-01-01'),
    ('00000000-0000-4000-8000-000000000002', 'other', '198.51.100.3', 'disabled', '2001-01-01')
) as e (id, label, address, status, at);
select is(t.list('egress_ip', 'label', ''), 'other,exit2,exit1', 'exits, newest first');
select is(t.list('egress_ip', 'label', 'p_sort => ''created_at'', p_limit => 2'), 'exit1,exit2|other', 'or oldest first, in pages');
select is(t.list('egress_ip', 'label', 'p_status => ''disabled'''), 'other', 'by status');
select is(t.list('egress_ip', 'label', 'p_bound => true'), 'exit1', 'those that are bound');
select is(t.list('egress_ip', 'label', 'p_bound => false'), 'other,exit2', 'or are free');
select is(t.list('egress_ip', 'label', 'p_label => ''exit'''), 'exit2,exit1', 'by the beginning of the label');
select is(t.list('egress_ip', 'label', 'p_label => ''xit'''), '-', 'which is not any part of it');
select is(t.list('egress_ip', 'label', 'p_limit => 3'), 'other,exit2,exit1', 'a full page need not have a next one');
select throws_ok(format('select api.egress_ip_list(%L, 1)', t.login('alice')), 'CP403', null, 'exits are for admins');

-- Tasks.
insert into ccp.task_rows (id, kind, host_id, user_id, params, queue, created_by, created_at)
select k.id::uuid, k.kind, k.host_id::uuid, k.user_id, jsonb_build_object('label', k.id), 'ccp_worker', 'test', k.at::timestamptz
from (values
    ('00000000-0000-4000-8000-000000000001', 'system.noop', null, null, '2001-01-01'),
    ('00000000-0000-4000-8000-000000000002', 'system.noop', null, null, '2001-01-01'),
    ('00000000-0000-4000-8000-000000000003', 'host.start', '00000000-0000-4000-8000-000000000001', t.user('alice'), '2001-01-02'),
    ('00000000-0000-4000-8000-000000000004', 'host.start', '00000000-0000-4000-8000-000000000003', t.user('cora'), '2001-01-03')
) as k (id, kind, host_id, user_id, at);
select task.cancel('00000000-0000-4000-8000-000000000002', 'x');
create function t.tasks(p_arguments text) returns text language sql as $$
    select regexp_replace(t.list('task', 'id', p_arguments), '0{8}-0{4}-4000-8000-0{11}', '', 'g')
$$;
select is(t.tasks(''), '4,3,2,1', 'tasks, newest first');
select is(t.tasks('p_sort => ''created_at'', p_limit => 3'), '1,2,3|4', 'or oldest first, in pages');
select is(t.tasks('p_status => ''{queued}'''), '4,3,1', 'by status');
select is(t.tasks('p_status => ''{queued,canceled}'''), '4,3,2,1', 'by several');
select is(t.tasks('p_kind => ''{host.start}'''), '4,3', 'by kind');
select is(t.tasks('p_kind => ''{host.start,system.noop}'', p_status => ''{canceled}'''), '2', 'by kinds');
select is(t.tasks('p_host_id => ''00000000-0000-4000-8000-000000000003'''), '4', 'by host');
select is(t.tasks(format('p_user_id => %L', t.user('alice'))), '3', 'by user');
select is(t.tasks('p_limit => 4'), '4,3,2,1', 'a full page need not have a next one');
select throws_ok(format('select api.task_list(%L, 1)', t.login('alice')), 'CP403', null, 'tasks are for admins');

-- Events: by id, from and until.
select t.at('2099-01-01');
select event.write('auth.success', 'one', t.user('alice'));
select t.at('2099-01-02');
select event.write('auth.failed', 'two', t.user('alice'), t.host());
select t.at('2099-01-03');
select event.write('task.failed', 'three', t.user('cora'), null, '00000000-0000-4000-8000-000000000003');
create function t.events(p_arguments text) returns text language sql as $$
    select t.list('event', 'message', concat_ws(', ', 'p_since => ''2099-01-01''', nullif(p_arguments, '')))
$$;
select is(t.events(''), 'three,two,one', 'events, newest first');
select is(t.events('p_sort => ''time'', p_limit => 2'), 'one,two|three', 'or oldest first, in pages');
select is(t.events('p_limit => 1'), 'three|two|one', 'both ways');
select is(t.events('p_limit => 3'), 'three,two,one', 'a full page need not have a next one');
select is(t.events('p_type => ''{auth.failed}'''), 'two', 'by type');
select is(t.events('p_type => ''{auth.failed,auth.success,x.y,auth.failed}'', p_limit => 1'), 'two|one', 'by types');
select is(t.events('p_level => ''{error}'''), 'three', 'by level');
select is(t.events('p_level => ''{warning,error}'', p_sort => ''time'', p_limit => 1'), 'two|three', 'by levels');
select is(t.events('p_level => ''{info,error}'''), 'three,one', 'the common one among them');
select is(t.events('p_level => ''{info,error}'', p_type => ''{auth.success,auth.failed}'''), 'one', 'and by types');
select is(t.events('p_level => ''{warning,debug}'', p_type => ''{auth.success,auth.failed}'''), 'two', 'so too');
select is(t.events('p_q => ''ALI'''), 'two,one', 'by the beginning of a user''s name');
select is(t.events('p_q => ''abc'''), 'two', 'of a host''s short id');
update ccp.hosts set label = 'Laptop' where id = t.host();
select is(t.events('p_q => ''lap'', p_level => ''{warning}'''), 'two', 'or of its label');
select is(t.events('p_q => ''cora1'''), 'three', 'or of a user''s short id');
select is(t.events('p_q => ''bcdef'''), '-', 'not by any part of it');
select is(t.events(format('p_user_id => %L', t.user('alice'))), 'two,one', 'by user');
select is(t.events(format('p_host_id => %L', t.host())), 'two', 'by host');
select is(t.events('p_task_id => ''00000000-0000-4000-8000-000000000003'''), 'three', 'by task');
select is(t.events('p_until => ''2099-01-02'''), 'one', 'until a time, which is not in it');
select is(t.events('p_until => ''2099-01-03'', p_limit => 1'), 'two|one', 'in pages too');
select is(t.list('event', 'message', 'p_since => ''2099-01-02'''), 'three,two', 'from a time, which is');
select is(t.events('p_sort => ''time'', p_until => ''2099-01-03'', p_limit => 1'), 'one|two', 'both ways');
update ccp.hosts set label = null where id = t.host();
set local session_replication_role = replica;
update ccp.events set actor = 'bob' where message in ('one', 'three');
set local session_replication_role = origin;
select is(t.events('p_actor => ''bob'''), 'three,one', 'by who did it');
select is(t.events('p_actor => ''bo'''), '-', 'which is the whole name');
-- Many begin so: they are met on the way, not looked up one by one.
insert into ccp.hosts (short_id, label, user_id, node_id, image, status)
select 'many' || to_char(n, 'FM000'), 'Team ' || n, t.user('cora'), d.id, 'image', 'stopped'
from ccp.nodes as d, generate_series(1, 100) as n;
update ccp.hosts set label = 'team' where id = t.host();
select is(t.events('p_q => ''TEAM'''), 'two', 'a hundred and one of which something is');
select is(t.events('p_q => ''team 1'''), '-', 'few of which nothing is');
select is(t.events('p_q => ''team'', p_level => ''{error}'''), '-', 'with another filter');
update ccp.hosts set label = 'alice''s' where label ^@ 'Team';
select is(t.events('p_q => ''alice'', p_sort => ''time'', p_limit => 1'), 'one|two', 'or that are many of one noun');
update ccp.hosts set label = null where label ^@ 'alice';
update ccp.hosts set label = 'alice''s' where id = t.host();
select is(t.events('p_q => ''alice'', p_sort => ''time'', p_limit => 1'), 'one|two', 'an event that fits twice is there once');
select throws_ok(format('select api.event_list(%L, 1)', t.login('alice')), 'CP403', null, 'events are for admins');

-- Sessions.
insert into ccp.sessions (id, user_id, host_id, process_id, method, address, created_at)
select s.id::uuid, t.user('alice'), t.host(), t.agent(), s.method, '192.0.2.1', s.at::timestamptz
from (values
    ('00000000-0000-4000-8000-000000000001', 'key', '2099-01-01'), ('00000000-0000-4000-8000-000000000002', 'grant', '2099-01-02'),
    ('00000000-0000-4000-8000-000000000003', 'password', '2099-01-03')
) as s (id, method, at);
select is(
    t.list(n, 'method', 'p_since => ''2099-01-02'''), 'password,grant', 'sessions from a time, which is in it: ' || n
) from unnest(array['session', 'own_session']) as n;
select is(
    t.list(n, 'method', 'p_until => ''2099-01-03'', p_limit => 1'), 'grant|key', 'or until one, which is not: ' || n
) from unnest(array['session', 'own_session']) as n;
select is(
    t.list(n, 'method', 'p_since => ''2099-01-01 01:00'', p_sort => ''created_at'', p_limit => 1'), 'grant|password', 'both ways: ' || n
) from unnest(array['session', 'own_session']) as n;

-- Keys.
insert into ccp.ssh_keys (id, user_id, name, public_key, key_sha256, created_at)
select k.id::uuid, t.user(k.username), k.name, 'ssh-ed25519 AAAA', repeat(k.digit, 64), k.at::timestamptz
from (values
    ('00000000-0000-4000-8000-000000000001', 'alice', 'one', '1', '2001-01-01'),
    ('00000000-0000-4000-8000-000000000002', 'alice', 'two', '2', '2001-01-01'),
    ('00000000-0000-4000-8000-000000000003', 'alice', 'three', '3', '2001-01-02')
) as k (id, username, name, digit, at);
select is(t.list('own_ssh_key', 'name', ''), 'three,two,one', 'keys, newest first');
select is(t.list('own_ssh_key', 'name', 'p_sort => ''created_at'', p_limit => 2'), 'one,two|three', 'or oldest first, in pages');
select is(t.list('own_ssh_key', 'name', 'p_limit => 3'), 'three,two,one', 'a full page need not have a next one');

select * from finish();
rollback;
