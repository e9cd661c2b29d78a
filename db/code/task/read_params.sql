-- Refuses parameters that the kind does not take (ccp.task_params), naming the first wrong one. Returns them without
-- those that say what their absence means too, so that the same request always looks the same.
create or replace function task.read_params(p_kind text, p_params jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_name text;
begin
    if p_params = '{}' then
        return p_params;
    end if;
    if jsonb_typeof(p_params) <> 'object' then
        perform access.refuse(
            'CP422', 'invalid', 'params must be a JSON object', jsonb_build_object('field', 'params'), ''
        );
    end if;
    select g.key
    into v_name
    from jsonb_each_text(p_params) as g
    where not exists (
        select
        from ccp.task_params as p
        where p.kind = p_kind and p.name = g.key and g.value ~ ('^(' || p.pattern || ')$')
    )
    order by g.key
    limit 1;
    if found then
        perform access.refuse(
            'CP422', 'invalid', format('%s does not take this %s', p_kind, v_name),
            jsonb_build_object('field', 'params.' || v_name), 'ccp.task_params lists what each kind takes'
        );
    end if;
    return p_params - array(
        select p.name
        from ccp.task_params as p
        where p.kind = p_kind and p.default_value = p_params ->> p.name
    );
end
$$;

revoke all on function task.read_params(text, jsonb) from public;

comment on function task.read_params(text, jsonb) is
'Refuses parameters that the kind does not take; returns them without those that equal the default.';
