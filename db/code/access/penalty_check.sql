-- How many seconds this name has to wait at this address; 0: go on. Reads only. Neither a name alone nor an address alone
-- is refused, so attempts from elsewhere, or for other names, lock no user out.
create or replace function access.penalty_check(p_address inet, p_subject text)
returns integer
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(ceil(extract(epoch from max(p.expires_at) - clock.now()))::integer, 0)
    from ccp.penalties as p
    where p.source = access.penalty_source(p_address, p_subject)
    and p.refused
    and p.expires_at > clock.now()
$$;

revoke all on function access.penalty_check(inet, text) from public;

comment on function access.penalty_check(inet, text) is
'Seconds this name has to wait at this address; 0: go on.';
