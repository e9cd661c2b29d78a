-- Which doorbells each change rings: whatever a list shows the live view's. A notification is sent when its transaction
-- commits, so this file commits; psql prints what it hears into a file, which heard.psql reads back.
begin;
\ir ../hosts.psql
select process.register('ccp-sshproxy', 'node1', 3, 'test');
create function t.live(p_status text) returns ccp.task_rows language sql as $$
    select * from ccp.task_rows where status = p_status and kind <> 'events.retain'
$$;
create function t.noop() returns uuid language sql as $$ select (task.enqueue('system.noop')).id $$;
create function t.work_noop() returns bigint language sql as $$ select lease from task.claim(t.worker(), 1) $$;
commit;
select queue as agent_queue from ccp.processes where program = 'ccp-agent' \gset
\set file `mktemp`
listen ccp_event; listen ccp_worker; listen ccp_sshproxy; listen :agent_queue;
select plan(26);

\o :file
select event.write('auth.success', 'x');
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'an event rings the live view');

\o :file
select t.ask('host.start');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'a request for a host rings its agent');
\o :file
select task.cancel((t.live('queued')).id, 'x');
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'the end of a task that nothing runs rings the live view');

\o :file
select t.ask('host.stop');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'what is done already rings the queue like any other request');

select t.ask('host.start');
\o :file
select t.claim();
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'a claim rings the live view');
\o :file
select task.progress(id, lease, 'verifying', 10, 'x') from t.live('running');
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'progress rings the live view');
\o :file
select t.ask('host.stop');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'a request that stops a running task rings');
\o :file
select task.cancel((t.live('queued')).id, 'x');
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'so does the end of one that waited behind it');
update ccp.task_rows set stop_requested_at = null, stop_reason = null where status = 'running';
\o :file
select task.cancel((t.live('running')).id, 'x');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'a running task that is to stop: its agent');
select t.ask('host.start');
\o :file
select task.canceled(id, lease, 'x') from t.live('running');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'the end of a task for which another waits rings for that one');
\o :file
select t.work();
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'the last one''s the live view');

select t.ask('host.stop');
select t.claim();
\o :file
select task.fail(id, lease, 'docker_failed', 'x', true) from t.live('running');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'a task to be tried again rings its queue');
update ccp.task_rows set run_at = clock.now() where status = 'queued';
select t.claim();
\o :file
select task.hand_back(id, lease) from t.live('running');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event', 'so does one that is handed back');
select t.work();

\o :file
select t.noop();
\ir heard.psql
select is(:'heard'::text, 'ccp_event ccp_worker', 'a request without a host rings the worker');
\o :file
select t.noop();
\ir heard.psql
select is(:'heard'::text, '', 'the same again nothing');
\o :file
select t.work_noop();
\ir heard.psql
select is(:'heard'::text, '', 'nor does its claim');
\o :file
select task.progress(id, lease, 'busy', 10, 'x') from t.live('running');
\ir heard.psql
select is(:'heard'::text, '', 'nor its progress');
\o :file
select task.cancel((t.live('running')).id, 'x');
\ir heard.psql
select is(:'heard'::text, 'ccp_event ccp_worker', 'a cancellation the worker that runs it');
\o :file
select task.canceled(id, lease, 'x') from t.live('running');
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'its end the live view');
select t.noop();
\o :file
select task.succeed((select (t.live('queued')).id), t.work_noop(), '{}');
\ir heard.psql
select is(:'heard'::text, 'ccp_event', 'as does a good one');

select t.noop();
select t.work_noop();
update ccp.test_clock set shift = interval '2 minutes';
update ccp.processes set beat_at = clock.now();
\o :file
select clock.enforce_deadlines();
\ir heard.psql
select is(:'heard'::text, 'ccp_event ccp_worker', 'a deadline the queue of its task');
\o :file
select clock.enforce_deadlines();
\ir heard.psql
select is(:'heard'::text, '', 'once');
select task.canceled(id, lease, 'x') from t.live('running');
select task.cancel(id, 'x') from ccp.task_rows where status = 'queued';
delete from ccp.task_rows;

select t.run();
insert into ccp.sessions (user_id, host_id, process_id, method, address)
select h.user_id, h.id, p.id, 'key', '127.0.0.1'
from ccp.hosts as h, ccp.processes as p where p.program = 'ccp-sshproxy';
update ccp.users set disabled_at = clock.now();
\o :file
select account.enforce();
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event ccp_sshproxy', 'a disabled user: the ssh proxy, and the agent that stops the host');
\o :file
select account.enforce();
\ir heard.psql
select is(:'heard'::text, '', 'once');
select t.work();
insert into ccp.hosts (short_id, user_id, node_id, image, status) select 'ghijkl', user_id, node_id, 'image', 'stopped' from ccp.hosts;
update ccp.users set disabled_at = null;
select task.cancel(id, 'x') from ccp.task_rows where status = 'queued';
delete from ccp.task_rows;
\o :file
select clock.tick('cron');
\ir heard.psql
select is(:'heard'::text, 'ccp_agent ccp_event ccp_worker', 'a tick that brings a host back and asks for the retention: agent and worker');
\o :file
select clock.tick('cron');
\ir heard.psql
select is(:'heard'::text, '', 'the next has nothing to ring for');
select * from finish();
