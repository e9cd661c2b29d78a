-- Refuses a program's session that speaks for another program.
create or replace function process.require_program(p_program text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if session_user in ('ccp_api', 'ccp_worker', 'ccp_agent', 'ccp_sshproxy')
        and replace(p_program, '-', '_') <> session_user
    then
        perform access.refuse(
            'CP403', 'not_your_process', format('%s may not speak for %s', session_user, p_program), '{}',
            'connect as the role of your own program'
        );
    end if;
end
$$;

revoke all on function process.require_program(text) from public;

comment on function process.require_program(text) is
'Refuses a program''s session that speaks for another program.';
