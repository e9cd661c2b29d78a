-- Stores what the host's next container is made of, once the old one is removed: whatever becomes of the task, no start
-- uses the old image again. A lease that is not the task's changes nothing: stale. The same again: ok again.
create or replace function host.pin_image(p_task_id uuid, p_lease bigint, p_image_id text)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task ccp.task_rows;
begin
    v_task := task.lock(p_task_id);
    if v_task.lease is distinct from p_lease then
        return 'stale';
    end if;
    update ccp.hosts
    set image_id = p_image_id
    where id = v_task.host_id;
    return 'ok';
end
$$;

revoke all on function host.pin_image(uuid, bigint, text) from public;
grant execute on function host.pin_image(uuid, bigint, text) to ccp_agent;

comment on function host.pin_image(uuid, bigint, text) is
'Pins the image of a host''s next container: ok or stale.';
