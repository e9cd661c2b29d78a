-- What was written by transactions that are visible in p_until and not in p_since, by topic: for administrators (user_id is
-- null) and for those of p_user_ids. A host also shows its parts, its task and its sessions, a node its hosts. '*' among the
-- ids: any row may have changed. Logins come as a topic of their own. Transactions of another server, which a restored dump
-- brought, are in no snapshot of this one. It is called at each change, so it is planned once; what is new is always little
-- beside what is kept, which a plan for no values in particular does not know.
create or replace function live.changed(
    p_since pg_snapshot, p_until pg_snapshot, p_topics text[], p_user_ids uuid[]
)
returns table (topic text, user_id uuid, ids text[], times timestamptz[])
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
begin
    return query
    with noted as materialized (
        select c.noun, c.row_id, c.host_id, c.user_id
        from ccp.changes as c
        where c.xid >= pg_snapshot_xmin(p_since)
            and not pg_visible_in_snapshot(c.xid, p_since)
            and pg_visible_in_snapshot(c.xid, p_until)
    ),
    hosts as (
        select n.row_id as id, n.noun = 'hosts' as counts
        from noted as n
        where n.noun in ('hosts', 'parts')
        union
        select n.host_id::text, false
        from noted as n
        where n.host_id is not null
    ),
    known_hosts as (
        select i.id, i.counts, h.user_id, h.node_id
        from hosts as i
        left join ccp.hosts as h on h.id = case when i.id <> '*' then i.id::uuid end
    ),
    changes as (
        select 'hosts' as topic, h.id, h.user_id, null::timestamptz as at
        from known_hosts as h
        union
        select 'nodes', h.node_id::text, null, null
        from known_hosts as h
        where h.counts and h.node_id is not null
        union
        select n.noun, n.row_id, n.user_id, null
        from noted as n
        where n.noun in ('tasks', 'sessions', 'nodes')
        union
        select 'events', e.id::text, e.user_id, e.at
        from ccp.events as e
        where 'events' = any (p_topics)
            and e.xid >= pg_snapshot_xmin(p_since)
            and not pg_visible_in_snapshot(e.xid, p_since)
            and pg_visible_in_snapshot(e.xid, p_until)
    )
    select 'logins', null::uuid, array_agg(distinct n.row_id), null::timestamptz[]
    from noted as n
    where n.noun = 'logins'
    having count(*) > 0
    union all
    (
        select c.topic, a.user_id, array_agg(c.id), array_agg(c.at)
        from changes as c
        cross join lateral (
            select null::uuid as user_id
            union all
            select c.user_id
            where c.user_id = any (p_user_ids)
        ) as a
        where c.topic = any (p_topics)
        group by a.user_id, c.topic
        order by a.user_id nulls first, c.topic
    );
end
$$;

revoke all on function live.changed(pg_snapshot, pg_snapshot, text[], uuid[]) from public;

comment on function live.changed(pg_snapshot, pg_snapshot, text[], uuid[]) is
'What was written between two snapshots, by topic, for administrators and for some users.';
