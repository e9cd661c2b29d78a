-- DELETE /v1/admin/hosts/{id}: a task removes it; wipe removes its home too.
create or replace function api.host_delete(
    p_login_id uuid,
    p_generation integer,
    p_id uuid,
    p_wipe boolean default false
)
returns api.task_ref
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select api.host_task(
        p_login_id, p_generation, p_id, 'host.delete', jsonb_build_object('wipe', p_wipe::text), null, null
    )
$$;

revoke all on function api.host_delete(uuid, integer, uuid, boolean) from public;
grant execute on function api.host_delete(uuid, integer, uuid, boolean) to ccp_api;

comment on function api.host_delete(uuid, integer, uuid, boolean) is
'DELETE /v1/admin/hosts/{id}: a task removes it; wipe removes its home too.';
