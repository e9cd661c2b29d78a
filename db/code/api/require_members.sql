-- Refuses (CP422) an object of changes that has other members than the columns that may change; p_noun: of what, at the
-- beginning of a sentence.
create or replace function api.require_members(p_changes jsonb, p_known text[], p_noun text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_unknown text;
begin
    v_unknown := (select string_agg(c, ', ') from jsonb_object_keys(p_changes) as c where c <> all (p_known));
    if v_unknown is not null then
        perform access.refuse('CP422', 'invalid', format('%s has nothing to change that is called %s.', p_noun, v_unknown));
    end if;
end
$$;

revoke all on function api.require_members(jsonb, text[], text) from public;

comment on function api.require_members(jsonb, text[], text) is
'Refuses an object of changes that has other members than these.';
