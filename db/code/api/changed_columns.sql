-- The columns in which a row differs from what it was, in the order of their names.
create or replace function api.changed_columns(p_before jsonb, p_after jsonb)
returns text[]
language sql
immutable
return array(
    select a.key
    from jsonb_each(p_after) as a
    where a.value is distinct from p_before -> a.key
    order by a.key
);

revoke all on function api.changed_columns(jsonb, jsonb) from public;

comment on function api.changed_columns(jsonb, jsonb) is
'The columns in which a row differs from what it was.';
