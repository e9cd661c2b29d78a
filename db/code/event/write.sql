-- Writes one event in the name of this transaction's actor, queues it for the webhooks that want it, and rings ccp_event when it
-- commits. How grave it is says its type.
create or replace function event.write(
    p_type text,
    p_message text,
    p_user_id uuid default null,
    p_host_id uuid default null,
    p_task_id uuid default null,
    p_metadata jsonb default '{}'
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_actor record;
    v_id bigint;
    v_at timestamptz;
begin
    v_actor := account.actor();
    insert into ccp.events (level, type, message, actor, actor_role, actor_address, user_id, host_id, task_id, metadata)
    select
        t.level, t.type, left(p_message, 2000), v_actor.who, v_actor.role, v_actor.address, p_user_id, p_host_id, p_task_id,
        coalesce(p_metadata, '{}')
    from ccp.event_types as t
    where t.type = p_type
    returning id, at into v_id, v_at;
    if v_id is null then
        raise exception 'ccp.event_types has no row %', p_type;
    end if;
    perform webhook.fan_out(v_id, v_at, p_type);
    perform pg_notify('ccp_event', '');
    return v_id;
end
$$;

revoke all on function event.write(text, text, uuid, uuid, uuid, jsonb) from public;

comment on function event.write(text, text, uuid, uuid, uuid, jsonb) is
'Writes one event of a type of ccp.event_types in the name of this transaction''s actor, and rings ccp_event.';
