-- Refuses when If-Match (versions, with commas) does not name the present one; null: there was none. The caller holds
-- the row's lock.
create or replace function account.require_version(p_if_match text, p_version integer)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_version::text <> all (string_to_array(p_if_match, ',')) then
        perform access.refuse(
            'CP412', 'precondition_failed', 'this was changed in between',
            jsonb_build_object('version', p_version::text), 'read it again, then repeat your change'
        );
    end if;
end
$$;

revoke all on function account.require_version(text, integer) from public;
grant execute on function account.require_version(text, integer) to ccp_as_user;

comment on function account.require_version(text, integer) is
'Refuses with CP412 when If-Match does not name the present version.';
