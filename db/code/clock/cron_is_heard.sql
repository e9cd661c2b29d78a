-- Whether pg_cron, which comes each minute, has come in time. It is inlined into the views, so their readers may call it.
create or replace function clock.cron_is_heard(p_seen_at timestamptz)
returns boolean
language sql
stable
return p_seen_at > clock.now() - interval '150 seconds';

revoke all on function clock.cron_is_heard(timestamptz) from public;
grant execute on function clock.cron_is_heard(timestamptz) to ccp_automation, ccp_dba;

comment on function clock.cron_is_heard(timestamptz) is
'Whether pg_cron has come in the last 150 s.';
