-- Refuses a value that broke a constraint of one column: the constraint's comment says what the value must be. Returns
-- if the constraint has none, so that the caller raises what it caught.
create or replace function api.broken_rule(p_table regclass, p_constraint text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_field text;
    v_rule text;
begin
    select a.attname, obj_description(c.oid, 'pg_constraint')
    into v_field, v_rule
    from pg_constraint as c
    join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.conrelid = p_table
        and c.conname = p_constraint;
    if v_rule is not null then
        perform api.bad_field(v_field, v_rule);
    end if;
end
$$;

revoke all on function api.broken_rule(regclass, text) from public;

comment on function api.broken_rule(regclass, text) is
'Refuses a value that broke a commented constraint, with CP422, the field''s name and what the value must be.';
