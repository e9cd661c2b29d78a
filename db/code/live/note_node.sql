-- Trigger on nodes. While a node is drained its hosts give way, and those that take too much of its disk while that is short;
-- both is shown by the hosts.
create or replace function live.note_node()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform live.note('nodes', coalesce(new.id, old.id)::text);
    if tg_op = 'UPDATE' then
        perform live.note('parts', h.id::text)
        from ccp.hosts as h
        left join ccp.observations as o on o.host_id = h.id
        where h.node_id = new.id
            and h.deleted_at is null
            and (
                new.drained_at is distinct from old.drained_at
                or o.disk_excess is not null and new.disk_short_since is distinct from old.disk_short_since
            );
    end if;
    return null;
end
$$;

revoke all on function live.note_node() from public;

comment on function live.note_node() is
'Trigger: notes nodes that were written.';
