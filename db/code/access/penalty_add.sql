-- Adds the penalty of an offence (ccp.penalty_rules) to the address and to this name at that address, after OpenSSH's
-- PerSourcePenalties: seconds add up while they run, never to more than 10 minutes, and from 15 s a name at its address
-- is refused until they have passed. An address, which many people may share, is never refused. From 60 s it is
-- watched: there a name is refused from its first mistake on, and for as long as the address has left. So who tries many
-- names has one try each, and nobody else waits. Exempt addresses get no penalty. Offences at one address come one after
-- the other: each locks the row of the address first, then the name's.
create or replace function access.penalty_add(p_address inet, p_subject text, p_reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seconds integer;
    v_watched_until timestamptz;
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

    v_watched_until := access.penalty_put(access.penalty_network(p_address)::text, p_reason, v_seconds, 60);
    perform access.penalty_put(
        access.penalty_source(p_address, p_subject), p_reason,
        greatest(v_seconds, ceil(extract(epoch from v_watched_until - clock.now()))::integer),
        case when v_watched_until is null then 15 else 0 end
    );
end
$$;

revoke all on function access.penalty_add(inet, text, text) from public;

comment on function access.penalty_add(inet, text, text) is
'Adds the penalty of an offence (see ccp.penalty_rules) to an address and to this name at that address.';
