-- Adds the penalty of an offence (ccp.penalty_rules) to the address and to this name at that address, after OpenSSH's
-- PerSourcePenalties: seconds add up while they run; from 15 s a name at its address is refused until they have passed,
-- from 60 s the whole address, which many people may share; never more than 10 minutes. Exempt addresses get no
-- penalty.
create or replace function access.penalty_add(p_address inet, p_subject text, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_network text := access.penalty_network(p_address)::text;
    v_seconds integer;
begin
    if exists (
        select
        from jsonb_path_query(setting.get('penalty_exempt'), '$[*]') as e (network)
        -- A value that cannot be read exempts no address.
        where case when setting.is_network(e.network #>> '{}') then p_address <<= (e.network #>> '{}')::inet end
    ) then
        return;
    end if;
    select r.seconds
    into strict v_seconds
    from ccp.penalty_rules as r
    where r.reason = p_reason;

    -- Ordered by source, so that two offences at once cannot deadlock.
    insert into ccp.penalties as p (source, expires_at, refused, reason, updated_at)
    select s.source, clock.now() + make_interval(secs => v_seconds), v_seconds >= s.refuse_from, p_reason, clock.now()
    from (
        values
            (v_network, 60),
            (access.penalty_source(p_address, p_subject), 15)
    ) as s (source, refuse_from)
    order by s.source
    on conflict (source) do update set
        expires_at = least(
            greatest(p.expires_at, excluded.updated_at) + make_interval(secs => v_seconds),
            excluded.updated_at + interval '10 minutes'
        ),
        refused = (p.refused and p.expires_at > excluded.updated_at)
        or greatest(p.expires_at, excluded.updated_at) + make_interval(secs => v_seconds)
        >= excluded.updated_at + make_interval(secs => case when p.source like '%@%' then 15 else 60 end),
        reason = excluded.reason,
        updated_at = excluded.updated_at;
end
$$;

revoke all on function access.penalty_add(inet, text, text) from public;

comment on function access.penalty_add(inet, text, text) is
'Adds the penalty of an offence (see ccp.penalty_rules) to an address and to this name at that address.';
