-- The key in ccp.penalties for a subject at an address. A digest stands for the subject, which may be a password typed
-- into the wrong field.
create or replace function access.penalty_source(p_address inet, p_subject text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select left(encode(sha256(convert_to(lower(coalesce(p_subject, '')), 'UTF8')), 'hex'), 16)
        || '@' || access.penalty_network(p_address)
$$;

revoke all on function access.penalty_source(inet, text) from public;

comment on function access.penalty_source(inet, text) is
'The key in ccp.penalties for a subject at an address.';
