-- The host that an entry link leads to; its columns are null when there is none, or when it is to go. No lock.
create or replace function host.of_link(p_short_id text)
returns ccp.hosts
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select h.*
    from ccp.hosts as h
    where h.short_id = lower(p_short_id)
        and h.desired <> 'absent'
$$;

revoke all on function host.of_link(text) from public;

comment on function host.of_link(text) is
'The host that an entry link leads to; null when there is none.';
