-- Whether this session may act for processes of a program: a program for its own kind, everyone else (people, tests) for any.
create or replace function process.may_speak_for(p_program text)
returns boolean
language sql
stable
return not process.is_program(session_user) or session_user = replace(p_program, '-', '_');

revoke all on function process.may_speak_for(text) from public;

comment on function process.may_speak_for(text) is
'Whether this session may act for processes of a program.';
