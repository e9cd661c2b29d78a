-- A rule of the tick: looks again at exits of which a check that counts has become 10 minutes old. Reads nothing of the others.
-- Locked ones wait. Returns the last id if there may be more, else null.
create or replace function egress.note_states(p_after uuid default null, p_limit integer default 100)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids uuid[] := array(
        select s.egress_ip_id
        from ccp.exit_states as s
        where s.look_at <= clock.now()
        order by s.look_at
        limit p_limit
        for no key update skip locked
    );
begin
    perform egress.note_state(i.id) from unnest(v_ids) as i (id);
    return clock.batch_after(v_ids, p_limit);
end
$$;

revoke all on function egress.note_states(uuid, integer) from public;

comment on function egress.note_states(uuid, integer) is
'Looks again at a batch of exits whose state may have changed by itself.';
