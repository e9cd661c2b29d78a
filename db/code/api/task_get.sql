-- GET /v1/admin/tasks/{id}.
create or replace function api.task_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.task
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task api.task;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    select *
    into v_task
    from api.task as t
    where t.id = p_id;
    if not found then
        perform api.not_found('task_not_found', 'task');
    end if;
    return v_task;
end
$$;

revoke all on function api.task_get(uuid, integer, uuid) from public;
grant execute on function api.task_get(uuid, integer, uuid) to ccp_api;

comment on function api.task_get(uuid, integer, uuid) is
'GET /v1/admin/tasks/{id}.';
