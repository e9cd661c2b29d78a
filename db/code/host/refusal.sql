-- Why a host may not be started on its node as things are there, as a sentence; null: it may.
create or replace function host.refusal(p_host ccp.hosts)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when n.drained_at is not null then format(
            '%s is drained: its hosts run again when an administrator ends that', n.name
        )
        when n.disk_short_since is not null then format(
            'the disk of %s is nearly full (%s free): no host is started there before something has been removed',
            n.name, n.disk_short
        )
        when setting.text('user_namespaces') <> 'required' then null
        when n.engine_refusal is not null then format(
            'the Docker engine of %s gives containers no user namespaces of their own (%s): mend that, or set '
            'user_namespaces to off (ccp.doctor says what that costs)',
            n.name, n.engine_refusal
        )
        when host.ids_are_taken(p_host.slot, n.taken_ids) then format(
            'some of the user ids %s to %s, %s and %s, which are this host''s on %s, belong to an account there or are in '
            '/etc/subuid or /etc/subgid: move those, or order a new host',
            i.ids ->> 'base', (i.ids ->> 'base')::bigint + 65535, i.ids ->> 'owner', i.ids ->> 'engine', n.name
        )
    end
    from ccp.nodes as n
    cross join host.ids(p_host.slot) as i (ids)
    where n.id = p_host.node_id
$$;

revoke all on function host.refusal(ccp.hosts) from public;

comment on function host.refusal(ccp.hosts) is
'Why a host may not be started on its node as things are there; null: it may.';
