-- Makes an administrator without the API: the first one. The hash comes from "ccp-api hash".
create or replace function account.create_admin(p_username text, p_password_hash text)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid;
begin
    insert into ccp.users (username, short_id, role, password_hash, password_changed_at)
    values (lower(p_username), account.short_id(), 'admin', p_password_hash, clock.now())
    on conflict (username) do nothing
    returning id into v_id;
    if v_id is null then
        perform account.refuse_name(lower(p_username));
    end if;
    perform event.write('info', 'admin.user.created', format('administrator %s was made', lower(p_username)), v_id);
    return v_id;
end
$$;

revoke all on function account.create_admin(text, text) from public;
grant execute on function account.create_admin(text, text) to ccp_admin;

comment on function account.create_admin(text, text) is
'Makes the first administrator; for people, as ccp_admin.';
