-- A person asks for a task: what they want from now on is noted on the host and earlier failures are forgotten. The
-- same live request again returns the row that is there. See task.submit() for all the rules. A user who came in
-- through the API reaches own hosts only, whatever the calling route forgot to check. A transaction whose snapshot is
-- too old to see what stands in its way is refused like any other request that comes too late.
create or replace function task.enqueue(
    p_kind text,
    p_host_id uuid default null,
    p_params jsonb default '{}',
    p_idempotency_key text default null
)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (select a.role from account.actor() as a) = 'user'
        and not exists (
            select
            from ccp.hosts as h
            where h.id = p_host_id and h.user_id::text = current_setting('ccp.user_id', true)
        )
    then
        perform access.refuse(
            'CP404', 'host_not_found', 'there is no such host', jsonb_build_object('host_id', p_host_id), ''
        );
    end if;
    if current_setting('transaction_isolation') = 'read committed' then
        return task.submit(p_kind, p_host_id, p_params, p_idempotency_key, null);
    end if;
    begin
        return task.submit(p_kind, p_host_id, p_params, p_idempotency_key, null);
    exception
        when unique_violation or serialization_failure then
            perform access.refuse(
                'CP409', 'snapshot_too_old', format('%s met a task that this transaction is too old to see', p_kind),
                jsonb_build_object('kind', p_kind, 'host_id', p_host_id),
                'roll back and ask again; isolation level read committed never meets this'
            );
    end;
    return null;
end
$$;

revoke all on function task.enqueue(text, uuid, jsonb, text) from public;
grant execute on function task.enqueue(text, uuid, jsonb, text) to ccp_as_user;

comment on function task.enqueue(text, uuid, jsonb, text) is
'A person asks for a task; returns its row, or the live row of the same request.';
