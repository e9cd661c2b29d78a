-- Has a host to give way to what its node is needed for? Each does on a node that is drained. When the disk there is nearly full
-- those do whose files take more than they may, and nobody else. When that has ended, or it takes less, it is wanted as before.
-- It is inlined into the views, so their readers may call it.
create or replace function host.gives_way(p_excess text, p_disk_short_since timestamptz, p_drained_at timestamptz)
returns boolean
language sql
immutable
return p_drained_at is not null or (p_excess is not null and p_disk_short_since is not null);

revoke all on function host.gives_way(text, timestamptz, timestamptz) from public;
grant execute on function host.gives_way(text, timestamptz, timestamptz) to ccp_automation, ccp_dba;

comment on function host.gives_way(text, timestamptz, timestamptz) is
'Is a host''s node drained, or do its files take more than they may of a disk that is nearly full?';
