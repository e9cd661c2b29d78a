-- Whether a role is a program's. The one list of them beside roles.sql.
create or replace function process.is_program(p_role name)
returns boolean
language sql
immutable
return p_role in ('ccp_api', 'ccp_worker', 'ccp_agent', 'ccp_sshproxy');

revoke all on function process.is_program(name) from public;
grant execute on function process.is_program(name) to ccp_as_user;

comment on function process.is_program(name) is
'Whether a role is a program''s.';
