-- Refuses a program's session that speaks for another program.
create or replace function process.require_program(p_program text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not process.may_speak_for(p_program) then
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
