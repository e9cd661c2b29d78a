-- Has a host to give way to the others of its node? When the disk there is nearly full those have whose files take more than
-- they may, and nobody else: when there is room again, or it takes less, it is wanted as before. It is inlined into the views, so
-- their readers may call it.
create or replace function host.gives_way(p_excess text, p_disk_short_since timestamptz)
returns boolean
language sql
immutable
return p_excess is not null and p_disk_short_since is not null;

revoke all on function host.gives_way(text, timestamptz) from public;
grant execute on function host.gives_way(text, timestamptz) to ccp_automation, ccp_dba;

comment on function host.gives_way(text, timestamptz) is
'Do a host''s files take more than they may, and is the disk of its node nearly full?';
