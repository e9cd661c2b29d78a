-- That nobody can come in to a running host by ssh, since when and why; null: as far as is known, people can. It is inlined
-- into the view, so its readers may call it.
create or replace function host.ssh_sentence(p_since timestamptz, p_message text)
returns text
language sql
stable
return 'but nobody can come in by ssh: for ' || clock.span(clock.now() - p_since) || ' ' || p_message
|| '; if that lasts, rebuild it with mode keep (its user may)';

revoke all on function host.ssh_sentence(timestamptz, text) from public;
grant execute on function host.ssh_sentence(timestamptz, text) to ccp_automation, ccp_dba;

comment on function host.ssh_sentence(timestamptz, text) is
'That nobody can come in to a running host by ssh, since when and why; null: people can.';
