-- Makes an administrator without the API: the first one. The hash comes from "ccp-api hash".
create or replace function account.create_admin(p_username text, p_password_hash ccp.bcrypt)
returns uuid
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select account.add(lower(p_username), p_password_hash, 'admin')
$$;

revoke all on function account.create_admin(text, ccp.bcrypt) from public;
grant execute on function account.create_admin(text, ccp.bcrypt) to ccp_admin;

comment on function account.create_admin(text, ccp.bcrypt) is
'Makes the first administrator; for people, as ccp_admin.';
