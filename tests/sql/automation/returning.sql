-- What INSERT INTO ccp.tasks ... RETURNING shows is the task's row, also of a request that was made before.
begin;
\ir ../hosts.psql
select plan(6);

select t.at('2099-01-01');
create temporary table shown (like ccp.tasks);
create function t.insert(p_kind text, p_host_id uuid, p_key text) returns void language sql as $$
    delete from shown;
    with made as (
        insert into ccp.tasks (kind, host_id, idempotency_key) values (p_kind, p_host_id, p_key) returning *
    )
    insert into shown select * from made;
$$;
select t.insert('host.start', t.host(), 'one');
select is((select concat_ws(' ', kind, status, params, attempt, created_by, created_at at time zone 'UTC') from shown),
    'host.start queued {} 0 postgres 2099-01-01 00:00:00', 'a new task');
select t.claim();
select task.progress(id, lease, 'verifying', 50, 'half') from ccp.task_rows;
select t.insert('host.start', t.host(), 'one');
select results_eq('select * from shown', 'select * from ccp.tasks', 'one that runs');
select is((select concat_ws(' ', stage, progress, message, started_at is not null) from shown), 'verifying 50 half t', 'with its progress');
select t.succeed('{"exit_ip": "198.51.100.1"}');
select t.insert('host.start', t.host(), 'one');
select results_eq('select * from shown', 'select * from ccp.tasks', 'one that has succeeded, by its key');
select is((select concat_ws(' ', result, finished_at is not null) from shown), '{"exit_ip": "198.51.100.1"} t', 'with its result');
select t.insert('host.stop', t.host(), 'two');
select task.fail(id, lease, 'docker_failed', 'no', false) from t.claim();
select t.insert('host.stop', t.host(), 'two');
select is((select concat_ws(' ', status, error_code, error_message) from shown), 'failed docker_failed no', 'one that has failed, with its error');

select * from finish();
rollback;
