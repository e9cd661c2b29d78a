-- Refuses: it does not exist, or is not the caller's; the answer does not say which.
create or replace function api.not_found(p_error_code text, p_noun text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse('CP404', p_error_code, format('There is no such %s.', p_noun));
end
$$;

revoke all on function api.not_found(text, text) from public;
grant execute on function api.not_found(text, text) to ccp_as_user;

comment on function api.not_found(text, text) is
'Refuses with CP404: it does not exist or is not yours.';
