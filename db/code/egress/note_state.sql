-- Brings an exit's row of ccp.exit_states up to date, and tells a change once: in the audit log, and to those who look at its
-- host. An exit that is gone meanwhile is left out. Two that have found something at once come one after the other: the row is
-- locked before the checks are read, so that the second one reads what the first one wrote.
create or replace function egress.note_state(p_egress_ip_id uuid)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit record;
    v_was ccp.exit_states;
    v_now record;
begin
    insert into ccp.exit_states (egress_ip_id)
    select e.id
    from ccp.egress_ips as e
    where e.id = p_egress_ip_id
    for key share
    on conflict do nothing;
    select s.*
    into v_was
    from ccp.exit_states as s
    where s.egress_ip_id = p_egress_ip_id
    for no key update;
    if not found then
        return;
    end if;
    select e.label, e.status into v_exit from ccp.egress_ips as e where e.id = p_egress_ip_id;
    if v_exit.status = 'disabled' then
        select 'disabled'::ccp.exit_state as state, 'an administrator has disabled it' as why, null::timestamptz as look_at
        into v_now;
    else
        select j.* into v_now from egress.judge(p_egress_ip_id) as j;
    end if;
    update ccp.exit_states
    set
        state = v_now.state,
        since = case when v_now.state = v_was.state then since else clock.now() end,
        why = v_now.why,
        look_at = v_now.look_at
    where egress_ip_id = p_egress_ip_id
        and (state, why, look_at) is distinct from (v_now.state, v_now.why, v_now.look_at);
    if v_now.state = v_was.state then
        return;
    end if;
    perform event.write(
        'egress.state', concat_ws(': ', format('exit %s is %s', v_exit.label, v_now.state), v_now.why), null, null, null,
        jsonb_build_object('egress_ip_id', p_egress_ip_id, 'state', v_now.state, 'was', v_was.state)
    );
    perform live.note('parts', b.host_id::text)
    from ccp.bindings as b
    where b.egress_ip_id = p_egress_ip_id
        and b.ended_at is null;
end
$$;

revoke all on function egress.note_state(uuid) from public;

comment on function egress.note_state(uuid) is
'Brings the state of an exit up to date, and tells a change once.';
