-- How old the proofs of running hosts are. Nothing but the life of a proof when none runs.
create or replace function metric.proofs()
returns table (name text, value double precision)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select v.name, v.value
    from (
        select percentile_cont(array[0.5, 0.95, 1]) within group (order by extract(epoch from clock.now() - o.proven_at)) as ages
        from ccp.hosts as h
        join ccp.observations as o on o.host_id = h.id
        where h.status = 'running' and o.proven_at is not null
    ) as p
    cross join lateral (
        values
            ('ccp_proof_age_median_seconds', p.ages[1]),
            ('ccp_proof_age_p95_seconds', p.ages[2]),
            ('ccp_proof_age_max_seconds', p.ages[3]),
            ('ccp_proof_life_seconds', setting.number('proof_life_s')::double precision)
    ) as v (name, value)
    where v.value is not null
$$;

revoke all on function metric.proofs() from public;

comment on function metric.proofs() is
'How old the proofs of running hosts are.';
