-- GET /v1/user/tasks/{id}: one task of my hosts.
create or replace function api.own_task_get(p_login_id uuid, p_generation integer, p_id uuid)
returns api.task
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_task api.task;
begin
    select *
    into v_task
    from api.task as t
    where t.id = p_id
        and t.user_id = v_user_id;
    if not found then
        perform api.not_found('task_not_found', 'task');
    end if;
    return v_task;
end
$$;

alter function api.own_task_get(uuid, integer, uuid) owner to ccp_as_user;
revoke all on function api.own_task_get(uuid, integer, uuid) from public;
grant execute on function api.own_task_get(uuid, integer, uuid) to ccp_api;

comment on function api.own_task_get(uuid, integer, uuid) is
'GET /v1/user/tasks/{id}: one task of my hosts.';
