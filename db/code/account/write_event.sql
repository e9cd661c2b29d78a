-- Writes an event about the user who entered. For functions of user routes, which cannot write events themselves.
create or replace function account.write_event(p_type text, p_message text, p_host_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform event.write(p_type, p_message, nullif(current_setting('ccp.user_id', true), '')::uuid, p_host_id);
end
$$;

revoke all on function account.write_event(text, text, uuid) from public;
grant execute on function account.write_event(text, text, uuid) to ccp_as_user;

comment on function account.write_event(text, text, uuid) is
'Writes an event about the user who entered, for functions of user routes.';
