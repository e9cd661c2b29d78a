-- The only way a task is made. p_by is null when a person asks, else the rule that does (reconcile, expiry, tick):
-- only a person changes what is desired. Locks the exit that is named, then the host's row, so requests for one host come
-- one after the other.
-- A known idempotency key returns the row it made, whatever became of it.
create or replace function task.submit(
    p_kind text,
    p_host_id uuid,
    p_params jsonb,
    p_idempotency_key text,
    p_by text
)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_kind ccp.task_kinds;
    v_params jsonb := coalesce(p_params, '{}');
    v_by text;
    v_task ccp.task_rows;
begin
    select k.*
    into v_kind
    from ccp.task_kinds as k
    where k.kind = p_kind;
    if not found then
        perform access.refuse(
            'CP422', 'invalid', format('there is no kind of task called %s', quote_literal(p_kind)),
            jsonb_build_object('field', 'kind'), 'ccp.rules lists the kinds'
        );
    end if;
    if (v_kind.subject = 'host') <> (p_host_id is not null) then
        perform access.refuse(
            'CP422', 'invalid',
            format('%s %s', p_kind, case v_kind.subject when 'host' then 'needs a host_id' else 'takes no host_id' end),
            jsonb_build_object('field', 'host_id'), ''
        );
    end if;
    v_params := task.read_params(p_kind, v_params);
    v_by := coalesce(p_by, (select a.who from account.actor() as a));

    -- What a rule submits is for the host's own exit, and its caller holds the host.
    if p_by is null and v_params ? 'egress_ip_id' then
        perform from ccp.egress_ips as e where e.id = (v_params ->> 'egress_ip_id')::uuid for no key update;
    end if;
    if p_host_id is not null then
        perform from ccp.hosts as h where h.id = p_host_id for no key update;
    end if;
    if p_idempotency_key is not null then
        select t.*
        into v_task
        from ccp.task_rows as t
        where t.created_by = v_by and t.idempotency_key = p_idempotency_key;
        if found then
            if (v_task.kind, v_task.host_id, v_task.params) is distinct from (p_kind, p_host_id, v_params) then
                perform access.refuse(
                    'CP409', 'idempotency_key_reused', 'this idempotency key was used for another request',
                    jsonb_build_object('task_id', v_task.id, 'kind', v_task.kind), 'use a new key'
                );
            end if;
            return v_task;
        end if;
    end if;

    if p_host_id is null then
        return task.submit_plain(v_kind, v_params, p_idempotency_key, v_by);
    end if;
    return task.submit_for_host(v_kind, p_host_id, v_params, p_idempotency_key, v_by, p_by is null);
end
$$;

revoke all on function task.submit(text, uuid, jsonb, text, text) from public;

comment on function task.submit(text, uuid, jsonb, text, text) is
'The only way a task is made: checks kind, parameters and idempotency key, then enqueues.';
