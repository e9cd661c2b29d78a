-- What is too much about a host's files; null: nothing is. A file counts for the room that ext4 has for one, 16 KiB, so that
-- empty ones do not use up the inodes that all share; what is nested deeper than the agent looks may hide anything.
create or replace function host.disk_excess(p_bytes bigint, p_files bigint, p_depth integer)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_bytes > l.gb << 30 then format('its files take more than the %s GB of host_disk_gb', l.gb)
        when p_files > l.gb << 16 then format(
            'it has more than %s files, as many as the %s GB of host_disk_gb are good for', l.gb << 16, l.gb
        )
        when p_depth > 255 then 'its directories are nested deeper than 255, so that nobody knows what its files take'
    end
    from (select setting.number('host_disk_gb')::bigint as gb) as l
$$;

revoke all on function host.disk_excess(bigint, bigint, integer) from public;

comment on function host.disk_excess(bigint, bigint, integer) is
'What is too much about a host''s files, by their bytes, their number and the depth of directories; null: nothing is.';
