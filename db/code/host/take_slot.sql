-- Trigger: a new host gets a slot on its node that no host has which is not deleted: the next above the highest, and when
-- there is none the lowest that is free again. A host keeps its slot until host.delete has succeeded. Locks the node, so
-- that concurrent inserts take one after the other. A statement may insert thousands, and the plans are made for its first,
-- when every way to read so few rows is as good: without sorting, they are read in the order of the slots' index.
create or replace function host.take_slot()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_sort = off
as $$
declare
    v_last constant integer := 28669;
    v_node ccp.nodes;
    v_found constant text := 'ccp.slot_found_on_' || new.node_id;
    v_next integer;
    v_from integer;
begin
    select n.* into strict v_node from ccp.nodes as n where n.id = new.node_id for no key update;
    v_next := 1 + coalesce(
        (
            select h.slot
            from ccp.hosts as h
            where h.node_id = new.node_id and h.status <> 'deleted'
            order by h.slot desc
            limit 1
        ),
        -1
    );

    -- The rows of a select's list are made one by one: with no id taken it ends after the first.
    select s.slot
    into new.slot
    from (select generate_series(v_next, v_last) as slot) as s
    where not host.ids_are_taken(s.slot, v_node.taken_ids)
    limit 1;
    -- What is free below each slot that is taken and above the one before, in their order: first from where this transaction
    -- found the last one, for it has found all below taken.
    foreach v_from in array array[coalesce(nullif(current_setting(v_found, true), ''), '0')::integer, 0]
    loop
        exit when new.slot is not null;
        select s.slot
        into new.slot
        from (
            select generate_series(g.before + 1, g.slot - 1) as slot
            from (
                select
                    h.slot,
                    lag(h.slot, 1, v_from - 1) over (order by h.slot) as before
                from ccp.hosts as h
                where h.node_id = new.node_id and h.status <> 'deleted' and h.slot >= v_from
            ) as g
            order by g.slot
        ) as s
        where not host.ids_are_taken(s.slot, v_node.taken_ids)
        limit 1;
        perform set_config(v_found, new.slot::text, true);
    end loop;
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
