-- Trigger: a new host gets a slot on its node that no host has which is not deleted: the next above the highest, and when
-- there is none the lowest that is free again. A host keeps its slot until host.delete has succeeded. Locks the node, so
-- that concurrent inserts take one after the other.
create or replace function host.take_slot()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_last constant integer := 28669;
    v_node ccp.nodes;
    v_next integer;
begin
    select n.* into strict v_node from ccp.nodes as n where n.id = new.node_id for no key update;
    select coalesce(max(h.slot) + 1, 0)
    into v_next
    from ccp.hosts as h
    where h.node_id = new.node_id and h.status <> 'deleted';

    -- The rows of a select's list are made one by one: with no id taken it ends after the first.
    select s.slot
    into new.slot
    from (select generate_series(v_next, v_last) as slot) as s
    where not host.ids_are_taken(s.slot, v_node.taken_ids)
    limit 1;
    if new.slot is null then
        select min(s.slot)
        into new.slot
        from generate_series(0, v_next - 1) as s (slot)
        where not host.ids_are_taken(s.slot, v_node.taken_ids)
            and not exists (
                select from ccp.hosts as h where h.node_id = new.node_id and h.slot = s.slot and h.status <> 'deleted'
            );
    end if;
    if new.slot is null then
        perform access.refuse(
            'CP409', 'node_full', format('Node %s has no user ids left for another host.', v_node.name),
            jsonb_build_object('node_id', v_node.id), 'delete hosts there, or start an agent on another machine'
        );
    end if;
    return new;
end
$$;

revoke all on function host.take_slot() from public;

comment on function host.take_slot() is
'Trigger: a new host gets a slot on its node that no other host has.';
