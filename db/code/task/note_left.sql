-- A report says what the try left of its host, with the place of that among the agent's observations: it is one, so older
-- ones that come later change nothing, and newer ones that came before are not forgotten. Returns the state; null: the agent
-- does not know. The caller holds host and task.
create or replace function task.note_left(p_task ccp.task_rows, p_left_state text, p_sequence bigint)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_left_state is not null and p_task.host_id is not null then
        perform host.note_seen(p_task.host_id, p_task.process_id, p_sequence, p_left_state, null, null, clock.now());
    end if;
    return p_left_state;
end
$$;

revoke all on function task.note_left(ccp.task_rows, text, bigint) from public;

comment on function task.note_left(ccp.task_rows, text, bigint) is
'Stores what a try left of its host as an observation; returns it.';
