-- As the owner, whom no privilege stops: a task begins queued, takes the steps of ccp.task_edges and no other, and leaves
-- when it has ended.
begin;
\ir ../hosts.psql
select plan(8);

create function t.make(p_status text) returns uuid language plpgsql as $$
declare
    v_id uuid;
begin
    insert into ccp.task_rows (kind, params, queue, created_by)
    values ('system.noop', jsonb_build_object('label', gen_random_uuid()), 'ccp_worker', 'test')
    returning id into v_id;
    if p_status <> 'queued' then
        perform t.take(v_id, p_status);
    end if;
    return v_id;
end
$$;
-- Sets a status with all that belongs to it.
create function t.take(p_id uuid, p_status text) returns void language sql as $$
    update ccp.task_rows
    set
        status = p_status,
        lease = case p_status when 'running' then 1 end,
        process_id = case p_status when 'running' then t.worker() end,
        started_at = clock.now(),
        deadline_at = case p_status when 'running' then clock.now() end,
        finished_at = case when p_status in ('succeeded', 'failed', 'canceled') then clock.now() end,
        error_code = case p_status when 'failed' then 'internal' end
    where id = p_id
$$;
create function t.step(p_from text, p_to text) returns text language plpgsql as $$
begin
    perform t.take(t.make(p_from), p_to);
    raise exception 'taken';
exception
    when others then
        return case sqlerrm when 'taken' then 'taken' else sqlstate end;
end
$$;
grant usage on schema t to ccp_owner;
set local role ccp_owner;
create temporary table steps as
select f.status as from_status, s.status as to_status, t.step(f.status, s.status) as answer
from unnest('{queued,running,succeeded,failed,canceled}'::text[]) as f (status)
cross join unnest('{queued,running,succeeded,failed,canceled}'::text[]) as s (status)
where f.status <> s.status;

select is((select count(*)::integer from steps), 20, 'every pair of statuses was tried');
select is_empty(
    $$select * from steps where (from_status, to_status) in (select from_status, to_status from ccp.task_edges) and answer <> 'taken'$$,
    'every step of ccp.task_edges is taken'
);
select is_empty(
    $$select * from steps where (from_status, to_status) not in (select from_status, to_status from ccp.task_edges) and answer <> 'CP409'$$,
    'every other is refused with CP409'
);
select throws_ok(
    $$insert into ccp.task_rows (kind, queue, created_by, status, finished_at, error_code)
    values ('system.noop', 'ccp_worker', 'test', 'failed', clock.now(), 'x')$$,
    'CP409', 'a task does not begin as failed', 'a task begins queued'
);
select throws_ok(
    $$insert into ccp.task_rows (kind, queue, created_by, attempt) values ('system.noop', 'ccp_worker', 'test', 1)$$,
    'CP409', null, 'and untried'
);
create temporary table made as select t.make('running') as live, t.make('failed') as ended;
select throws_matching(
    $$delete from ccp.task_rows where id = (select live from made)$$, 'is running: its row cannot be deleted', 'a live task''s row stays'
);
select lives_ok($$delete from ccp.task_rows where id = (select ended from made)$$, 'that of one that has ended may go');
select throws_ok($$truncate ccp.task_rows cascade$$, 'CP403', null, 'all at once they do not go');

select * from finish();
rollback;
