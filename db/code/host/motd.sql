-- What a login into a host is shown: computed when it comes in, so that each line is true then.
create or replace function host.motd(p_host_id uuid)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg('  ' || rpad(l.name, 14) || l.what || e'\n', '' order by l.number)
    from ccp.hosts as h
    join ccp.users as u on u.id = h.user_id
    left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
    left join lateral (
        select v.at
        from ccp.verifications as v
        where v.host_id = h.id and v.outcome = 'passed'
        order by v.at desc
        limit 1
    ) as p on true,
    lateral (
        values
        (1, 'Exit address', host(b.exit_address) || ' (' || b.exit_label || ')'),
        (
            2, 'Proof', 'last proven in full ' || host.motd_time(p.at) || '; checked each ' || setting.number('verify_light_s')
            || ' s, and closed when it does not hold'
        ),
        (
            3, 'Limits', concat_ws(
                ', ', trim_scale(h.cpu_limit) || ' processors', h.memory_limit_mb || ' MB of memory',
                h.pids_limit || ' processes',
                h.disk_limit_gb || ' GB in your home', setting.number('host_disk_gb') || ' GB of files'
                || case when h.disk_limit_gb is null then '' else ' elsewhere' end
            )
        ),
        (4, 'A rebuild', 'keeps your home directory; the rest is made anew from the image'),
        (5, 'Access', coalesce('ends ' || host.motd_time(u.expires_at), 'has no end'))
    ) as l (number, name, what)
    where h.id = p_host_id and l.what is not null
$$;

revoke all on function host.motd(uuid) from public;

comment on function host.motd(uuid) is
'What a login into a host is shown: exit address, proof, limits, what a rebuild keeps, when access ends.';
