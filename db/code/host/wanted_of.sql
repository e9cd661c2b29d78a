-- What is wanted of a host whose owner desires this and whose user is in that state: nothing runs for an expired or disabled
-- user, nor what has to give way on its node (host.gives_way). It is inlined into the view, so its readers may call it.
create or replace function host.wanted_of(p_desired text, p_user_state text, p_gives_way boolean)
returns text
language sql
immutable
return case when p_desired = 'running' and (p_user_state <> 'active' or p_gives_way) then 'stopped' else p_desired end;

revoke all on function host.wanted_of(text, text, boolean) from public;
grant execute on function host.wanted_of(text, text, boolean) to ccp_automation, ccp_dba;

comment on function host.wanted_of(text, text, boolean) is
'What is wanted of a host, by its desired, the state of its user, and whether it has to give way.';
