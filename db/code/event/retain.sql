-- What events.retain does, a piece at a time so that each stays short: rows past tombstone_retention_days go, at most
-- p_rows of each sort, a host or a user only when nothing of them is left, a user besides only when no event is left that
-- may name them, a delivery not later than its event; then months past event_retention_days, unless they are
-- being read (months_in_use). "more" says that another piece is waiting. Called again after a crash it goes on where it
-- stopped.
create or replace function event.retain(p_rows integer default 1000)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows_before timestamptz := clock.now() - make_interval(days => setting.number('tombstone_retention_days')::integer);
    v_months_before date := (clock.now() - make_interval(days => setting.number('event_retention_days')::integer))::date;
    v_tasks integer;
    v_sessions integer;
    v_grants integer;
    v_logins integer;
    v_keys integer;
    v_deliveries integer;
    v_hosts integer;
    v_users integer;
    v_processes integer;
    v_months integer := 0;
    v_in_use boolean := false;
    v_part record;
begin
    delete from ccp.task_rows
    where id in (
        select t.id
        from ccp.task_rows as t
        where t.created_at < v_rows_before and t.finished_at < v_rows_before
        order by t.created_at
        limit p_rows
    );
    get diagnostics v_tasks = row_count;
    delete from ccp.sessions
    where id in (select s.id from ccp.sessions as s where s.ended_at < v_rows_before limit p_rows);
    get diagnostics v_sessions = row_count;
    delete from ccp.access_grants
    where id in (select g.id from ccp.access_grants as g where g.expires_at < v_rows_before limit p_rows);
    get diagnostics v_grants = row_count;
    delete from ccp.logins
    where id in (select l.id from ccp.logins as l where l.expires_at < v_rows_before limit p_rows);
    get diagnostics v_logins = row_count;
    delete from ccp.idempotency_keys
    where (user_id, key) in (
        select k.user_id, k.key
        from ccp.idempotency_keys as k
        where k.created_at < clock.now() - interval '1 day'
        limit p_rows
    );
    get diagnostics v_keys = row_count;
    delete from ccp.webhook_deliveries
    where (webhook_id, event_id) in (
        select d.webhook_id, d.event_id
        from ccp.webhook_deliveries as d
        where d.created_at < greatest(v_rows_before, v_months_before)
        limit p_rows
    );
    get diagnostics v_deliveries = row_count;
    delete from ccp.signing_keys
    where expires_at < clock.now();
    delete from ccp.hosts
    where id in (
        select h.id
        from ccp.hosts as h
        where h.deleted_at < v_rows_before
            and not exists (select from ccp.task_rows as t where t.host_id = h.id)
            and not exists (select from ccp.sessions as s where s.host_id = h.id)
            and not exists (select from ccp.access_grants as g where g.host_id = h.id)
        order by h.deleted_at
        limit p_rows
    );
    get diagnostics v_hosts = row_count;
    delete from ccp.users
    where id in (
        select u.id
        from ccp.users as u
        where u.deleted_at < least(v_rows_before, v_months_before)
            and not exists (select from ccp.hosts as h where h.user_id = u.id)
        limit p_rows
    );
    get diagnostics v_users = row_count;
    delete from ccp.processes
    where id in (
        select p.id
        from ccp.processes as p
        where p.ended_at < v_rows_before
            and not exists (select from ccp.sessions as s where s.process_id = p.id)
            and not exists (select from ccp.observations as o where o.process_id = p.id)
        limit p_rows
    );
    get diagnostics v_processes = row_count;

    -- Last, because dropping one blocks all writers of events until this commits.
    for v_part in
        select
            substring(c.relname from '^(.+)_\d{4}_\d{2}$') as name,
            to_date(substring(c.relname from '\d{4}_\d{2}$'), 'YYYY_MM') as month
        from pg_inherits as i
        join pg_class as c on c.oid = i.inhrelid
        where i.inhparent in ('ccp.events'::regclass, 'ccp.verifications'::regclass)
        order by 2, 1
    loop
        continue when v_part.month + interval '1 month' > v_months_before;
        if event.drop_month(v_part.name, v_part.month) then
            v_months := v_months + 1;
        else
            v_in_use := true;
        end if;
    end loop;

    return jsonb_build_object(
        'tasks', v_tasks, 'sessions', v_sessions, 'grants', v_grants, 'logins', v_logins, 'idempotency_keys', v_keys,
        'deliveries', v_deliveries,
        'hosts', v_hosts, 'users', v_users, 'processes', v_processes, 'months', v_months, 'months_in_use', v_in_use,
        'more', greatest(v_tasks, v_sessions, v_grants, v_logins, v_keys, v_deliveries, v_hosts, v_users, v_processes) >= p_rows
    );
end
$$;

revoke all on function event.retain(integer) from public;
grant execute on function event.retain(integer) to ccp_worker;

comment on function event.retain(integer) is
'Deletes one batch of what is past its retention; answers how many of each sort were deleted, months_in_use and more.';
