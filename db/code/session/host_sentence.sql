-- Why nobody comes into a host that does not run, and what to do.
create or replace function session.host_sentence(p_status ccp.host_state, p_short_id ccp.short_id)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_status in ('stopped', 'failed') then format('This host is %s: %s', p_status, session.way_back(p_short_id))
        when p_status in ('deleting', 'deleted') then 'This host is deleted.'
        when p_status = 'unavailable' then 'This host is unavailable: it is started again by itself; try again in a minute.'
        else format('This host is %s: try again in a moment.', p_status)
    end
$$;

revoke all on function session.host_sentence(ccp.host_state, ccp.short_id) from public;

comment on function session.host_sentence(ccp.host_state, ccp.short_id) is
'Why nobody comes into a host of this status, and what to do.';
