-- Whether a program counts as alive: heard of in the last 15 s. A program beats more often, and is declared dead a little
-- later (process.silence_limit). It is inlined into the views, so their readers may call it.
create or replace function process.is_heard(p_beat_at timestamptz)
returns boolean
language sql
stable
return p_beat_at > clock.now() - interval '15 seconds';

revoke all on function process.is_heard(timestamptz) from public;
grant execute on function process.is_heard(timestamptz) to ccp_automation, ccp_dba;

comment on function process.is_heard(timestamptz) is
'Whether a program has been heard of in the last 15 s.';
