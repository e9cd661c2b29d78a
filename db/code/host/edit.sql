-- An administrator changes a host: the members of p_changes, which are columns of ccp.hosts. Returns when that takes
-- effect, as a sentence; null: it has. A container is made of what its host was when it was started, and of the image
-- that it was created or rebuilt with.
create or replace function host.edit(p_id uuid, p_changes jsonb, p_if_match text default null)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_columns constant text[] := array[
        'label', 'image', 'timezone', 'memory_limit_mb', 'cpu_limit', 'pids_limit', 'disk_limit_gb', 'sudo',
        'idle_stop_minutes'
    ];
    v_before ccp.hosts;
    v_after ccp.hosts;
    v_changed text[];
    v_start text[];
begin
    perform api.require_members(p_changes, v_columns, 'A host');
    select h.*
    into v_before
    from ccp.hosts as h
    where h.id = p_id
        and h.deleted_at is null
    for no key update;
    if not found then
        perform api.not_found('host_not_found', 'host');
    end if;
    perform account.require_version(p_if_match, v_before.version);
    v_after := jsonb_populate_record(v_before, p_changes);
    v_changed := api.changed_columns(to_jsonb(v_before), to_jsonb(v_after));
    if v_changed = '{}' then
        return null;
    end if;
    if 'timezone' = any (v_changed) and not exists (select from pg_timezone_names as z where z.name = v_after.timezone) then
        perform api.bad_field('timezone', 'names no time zone');
    end if;
    update ccp.hosts
    set
        label = v_after.label,
        image = v_after.image,
        timezone = v_after.timezone,
        memory_limit_mb = v_after.memory_limit_mb,
        cpu_limit = v_after.cpu_limit,
        pids_limit = v_after.pids_limit,
        disk_limit_gb = v_after.disk_limit_gb,
        sudo = v_after.sudo,
        idle_stop_minutes = v_after.idle_stop_minutes
    where id = p_id;
    perform event.write(
        'admin.host.action', format('host %s was changed: %s', v_before.short_id, array_to_string(v_changed, ', ')),
        v_before.user_id, p_id, null, jsonb_build_object('action', 'edit', 'changed', v_changed)
    );
    v_start := array_remove(array_remove(array_remove(v_changed, 'label'), 'idle_stop_minutes'), 'image');
    return nullif(
        concat_ws(
            ' ',
            case when v_start <> '{}' then format('With the next start: %s.', array_to_string(v_start, ', ')) end,
            case when 'image' = any (v_changed) then 'With the next rebuild: image.' end
        ), ''
    );
end
$$;

revoke all on function host.edit(uuid, jsonb, text) from public;
grant execute on function host.edit(uuid, jsonb, text) to ccp_admin;

comment on function host.edit(uuid, jsonb, text) is
'An administrator changes a host: the members of an object that are columns of ccp.hosts; returns when that takes effect.';
