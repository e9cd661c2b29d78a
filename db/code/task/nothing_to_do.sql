-- Why a task that ends unclaimed had nothing to do: what its host is now, and what of it does not hold although it runs.
create or replace function task.nothing_to_do(p_host ccp.hosts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select left(
        concat_ws(
            '; ',
            format('nothing to do: the host is %s', h.status),
            case
                when h.status = 'running' and o.proof_ends_at <= clock.now() then
                    host.proof_sentence(o.proven_at, o.proof_ends_at)
            end,
            host.ssh_sentence(h.ssh_silent_since, h.ssh_silent_message)
        ),
        2000
    )
    from api.host as h
    left join ccp.observations as o on o.host_id = h.id
    where h.id = p_host.id
$$;

revoke all on function task.nothing_to_do(ccp.hosts) from public;

comment on function task.nothing_to_do(ccp.hosts) is
'Why a task that ends unclaimed had nothing to do, as a sentence.';
