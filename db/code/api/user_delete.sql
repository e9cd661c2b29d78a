-- DELETE /v1/admin/users/{id}: hosts first, the user last. The caller is looked at again when the rows are locked: of two
-- admins who delete each other one comes second, and is not an admin any more.
create or replace function api.user_delete(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_wipe boolean default null
)
returns api.task_ref
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_admin_id uuid := account.enter(p_login_id, p_generation, 'admin');
    v_task_id uuid := (account.delete(p_id, coalesce(p_wipe, false))).id;
begin
    perform account.enter(p_login_id, p_generation, 'admin');
    return api.task_answer('/v1/admin/tasks/', null, v_task_id);
end
$$;

revoke all on function api.user_delete(uuid, integer, uuid, boolean) from public;
grant execute on function api.user_delete(uuid, integer, uuid, boolean) to ccp_api;

comment on function api.user_delete(uuid, integer, uuid, boolean) is
'DELETE /v1/admin/users/{id}: hosts first, the user last.';
