-- An administrator asks for a task of a host; returns it, or the live one of the same request, which is not written down again.
create or replace function host.act(p_host_id uuid, p_kind text, p_params jsonb default '{}')
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_short_id text;
    v_task ccp.task_rows;
begin
    select h.short_id
    into v_short_id
    from ccp.hosts as h
    where h.id = p_host_id
        and h.deleted_at is null;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    v_task := task.enqueue(p_kind, p_host_id, p_params, null);
    perform task.note_request(
        v_task, 'admin.host.action', format('%s was asked for host %s', p_kind, v_short_id),
        jsonb_build_object('action', split_part(p_kind, '.', 2)) || p_params
    );
    return v_task;
end
$$;

revoke all on function host.act(uuid, text, jsonb) from public;
grant execute on function host.act(uuid, text, jsonb) to ccp_admin;

comment on function host.act(uuid, text, jsonb) is
'An administrator asks for a task of a host; returns it, or the live one of the same request.';
