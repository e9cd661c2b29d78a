-- A task becomes its host's next. From a status it may begin from, the host takes the kind's while-status: false. If
-- what it would bring about holds already there is nothing to do: true. Anything else is refused with CP409, and so is
-- what needs a host that was created while its creation has only failed. The caller holds the host's row.
create or replace function task.begin_next(p_host ccp.hosts, p_kind ccp.task_kinds)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_kind.needs_creation and p_host.wg_public_key is null then
        perform access.refuse(
            'CP409', 'host_not_created', format('%s is not possible: host %s was never created', p_kind.kind, p_host.short_id),
            jsonb_build_object('host_id', p_host.id, 'kind', p_kind.kind, 'status', p_host.status),
            'host.create has to succeed first: it is tried again by itself, or at once on request'
        );
    end if;
    if p_host.status = any (p_kind.from_statuses) then
        update ccp.hosts
        set status = p_kind.while_status
        where id = p_host.id
            and status <> p_kind.while_status;
        if p_kind.while_status in ('stopping', 'rebuilding', 'deleting') then
            perform session.end_for_host(p_host.id, 'host_' || p_kind.while_status);
        end if;
        return false;
    end if;
    if p_host.status <> p_kind.done_status then
        perform access.refuse(
            'CP409', 'step_not_allowed', format('%s is not possible while the host is %s', p_kind.kind, p_host.status),
            jsonb_build_object('host_id', p_host.id, 'kind', p_kind.kind, 'status', p_host.status),
            format('possible from: %s', array_to_string(p_kind.from_statuses, ', '))
        );
    end if;
    return true;
end
$$;

revoke all on function task.begin_next(ccp.hosts, ccp.task_kinds) from public;

comment on function task.begin_next(ccp.hosts, ccp.task_kinds) is
'A task becomes its host''s next; true if there is nothing to do.';
