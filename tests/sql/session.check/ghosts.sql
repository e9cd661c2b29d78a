-- A session whose making was never answered is nobody's: it ends when its program does not list it.
begin;
\ir ../hosts.psql
select plan(7);

select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.proxy() returns bigint language sql as $$
    select id from ccp.processes where program = 'ccp-sshproxy'
$$;
select t.at('2099-01-01');
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, p.id, m.method, '127.0.0.1'
from ccp.hosts as h, ccp.processes as p, (values ('key', 'ccp-sshproxy'), ('password', 'ccp-sshproxy'), ('token', 'ccp-worker')) as m (method, program)
where p.program = m.program;
create temporary table known as select id from ccp.sessions where method = 'key';
create function t.live() returns text language sql as $$
    select string_agg(method, ', ' order by method) from ccp.sessions where ended_at is null
$$;

select t.at('2099-01-01 00:00:10');
select is_empty($$select * from session.check(t.proxy(), array(select id from known))$$, 'nothing that is known has to end');
select is(t.live(), 'key, password, token', 'an answer may be on its way for ten seconds');
select t.at('2099-01-01 00:00:11');
select is_empty($$select * from session.check(t.proxy(), array(select id from known))$$, 'then neither');
select is(t.live(), 'key, token', 'but what the program does not know of is over; those of others are not its affair');
select is(
    (select message from ccp.events where type = 'ssh.session.closed'),
    'a session ended before it began: its program did not get the answer', 'the audit log says so'
);
update ccp.sessions set opened_at = clock.now() where method = 'key';
select session.check(t.proxy(), '{}');
select is(t.live(), 'key, token', 'one that began is ended by its program''s report, which may be on its way');
update ccp.sessions set opened_at = null;
select session.check(t.proxy(), '{}');
select is(t.live(), 'token', 'nor is anything left of a program that knows of none');

select * from finish();
rollback;
