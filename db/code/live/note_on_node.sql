-- Trigger on what a node shows: its programs and its troubles. The hosts that run there say so when their agent is gone.
create or replace function live.note_on_node()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_node_id bigint := coalesce(new.node_id, old.node_id);
begin
    perform live.note('nodes', v_node_id::text);
    if tg_table_name = 'processes' then
        perform live.note('parts', h.id::text)
        from ccp.hosts as h
        where h.node_id = v_node_id and h.status in ('running', 'switching') and new.program = 'ccp-agent';
    end if;
    return null;
end
$$;

revoke all on function live.note_on_node() from public;

comment on function live.note_on_node() is
'Trigger: notes nodes of which something was written that they show.';
