-- Why an import could not be saved: it is saved and that undone, so a preview says what saving would. A server that is a name is
-- no refusal, since saving it with an address is what the warning asks for.
create or replace function egress.import_refusals(p_read jsonb)
returns api.problem_field[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_sealed constant text := repeat('A', 60); -- stands for the secret, which is not sealed for a preview
    v_detail text;
begin
    if p_read ? 'refusal' then
        return array[jsonb_populate_record(null::api.problem_field, p_read -> 'refusal')];
    end if;
    if (egress.import_fields(p_read)).is_named then
        return '{}'::api.problem_field[];
    end if;
    perform egress.import(
        p_read || case when p_read -> 'secrets' <> '[]' then jsonb_build_object('secret_sealed', v_sealed) else '{}' end
    );
    raise exception using errcode = 'CP001', message = 'it is only a preview';
exception
    when sqlstate 'CP001' then
        return '{}'::api.problem_field[];
    when sqlstate 'CP409' then
        return array[('label', sqlerrm)::api.problem_field];
    when sqlstate 'CP422' then
        get stacked diagnostics v_detail = pg_exception_detail;
        return array(select jsonb_populate_recordset(null::api.problem_field, v_detail::jsonb -> 'errors'));
end
$$;

revoke all on function egress.import_refusals(jsonb) from public;

comment on function egress.import_refusals(jsonb) is
'Why an import could not be saved.';
