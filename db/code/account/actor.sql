-- Who acts in this transaction. What account.act_as() noted counts only in sessions of the programs that let people in: any
-- other session could have set it itself, so there the actor is the session.
create or replace function account.actor(out who text, out role text, out address inet)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user in ('ccp_api', 'ccp_sshproxy') and nullif(current_setting('ccp.actor', true), '') is not null then
        who := current_setting('ccp.actor');
        role := current_setting('ccp.actor_role');
        address := nullif(current_setting('ccp.actor_address', true), '')::inet;
    else
        who := session_user;
        role := case when process.is_program(session_user) or session_user = 'ccp_cron' then 'program' else 'database' end;
    end if;
end
$$;

revoke all on function account.actor() from public;
grant execute on function account.actor() to ccp_as_user;

comment on function account.actor() is
'Who acts in this transaction: {who, role, address}.';
