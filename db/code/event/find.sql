-- Events that fit the filters, after a place, in the order of time and id. A query of its own for the filters that
-- there are, planned for their values. Types and levels are looked up one by one, each in the order of its index, and
-- put together: as many rows are read for each as the page takes. Most events are of level info, so that one is found
-- on the way, and the others have an index without it. The order is the one of time: ids are not committed in order.
create or replace function event.find(
    p_sort api.by_time,
    p_cursor api.cursor,
    p_limit integer,
    p_type ccp.event_type[],
    p_user_id uuid,
    p_host_id uuid,
    p_task_id uuid,
    p_level ccp.event_level[],
    p_actor api.filter,
    p_q api.filter,
    p_since timestamptz,
    p_until timestamptz
)
returns api.event[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('events', p_sort, p_cursor, p_since, p_until);
    v_hosts uuid[];
    v_users uuid[];
    v_many boolean := false;
    v_few boolean := false;
    v_filters text;
    v_found text := 'select i.* from ccp.events as i where %3$s order by i.at %2$s, i.id %2$s limit $3';
    v_events api.event[];
begin
    if p_q is not null then
        v_hosts := array(
            select h.id
            from ccp.hosts as h
            where starts_with(h.short_id, lower(p_q)) or starts_with(lower(h.label), lower(p_q))
        );
        v_users := array(
            select u.id
            from ccp.users as u
            where starts_with(u.username, lower(p_q)) or starts_with(u.short_id, lower(p_q))
        );
        v_many := greatest(cardinality(v_hosts), cardinality(v_users)) > 50;
        v_few := not v_many;
    end if;
    v_filters := concat_ws(
        ' and ',
        format('i.at %1$s= $1 and (i.at, i.id) %1$s ($1, $2) and i.at >= $6 and i.at < $7', v_after.relation),
        case
            when p_type is null then null
            when v_few then 'i.type = any ($15)'
            else 'i.type = t.type'
        end,
        case
            when p_level is null then null
            when v_few or 'info' = any (p_level) then 'i.level = any ($12)'
            else 'i.level = l.level and i.level <> ''info'''
        end,
        case when p_user_id is not null then 'i.user_id = $8' end,
        case when p_host_id is not null then 'i.host_id = $9' end,
        case when p_task_id is not null then 'i.task_id = $10' end,
        case when p_actor is not null then 'i.actor = $14' end,
        case
            when v_many then '(i.host_id in (select h from unnest($11) as h) or i.user_id in (select u from unnest($13) as u))'
        end
    );
    if v_few then
        v_found := $query$
            select r.*
            from (
                select p.at, p.id
                from unnest($11) as h (id)
                cross join lateral (
                    select i.at, i.id from ccp.events as i where i.host_id = h.id and %3$s order by i.at %2$s, i.id %2$s limit $3
                ) as p
                union
                select p.at, p.id
                from unnest($13) as u (id)
                cross join lateral (
                    select i.at, i.id from ccp.events as i where i.user_id = u.id and %3$s order by i.at %2$s, i.id %2$s limit $3
                ) as p
                order by at %2$s, id %2$s
                limit $3
            ) as p
            join ccp.events as r on r.at = p.at and r.id = p.id
        $query$;
    end if;
    execute format(
        $query$
        select array(
            select row(
                e.id::text, e.at, e.level, e.type, e.message, e.actor, e.actor_role, e.actor_address,
                e.user_id, e.host_id, e.task_id, e.metadata
            )::api.event
            from unnest($4) as t (type)
            cross join unnest($5) as l (level)
            cross join lateral ($query$ || v_found || $query$) as e
            order by e.at %2$s, e.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction, v_filters
    )
    into v_events
    using
        v_after.at, v_after.number, p_limit,
        case
            when v_few or p_type is null then array[null]::text[]
            else array(select distinct a::text from unnest(p_type) as a)
        end,
        case
            when v_few or p_level is null or 'info' = any (p_level) then array[null]::text[]
            else array(select distinct a::text from unnest(p_level) as a)
        end,
        p_since, p_until, p_user_id, p_host_id, p_task_id, v_hosts, p_level::text[], v_users, p_actor, p_type::text[];
    return v_events;
end
$$;

revoke all on function event.find(
    api.by_time, api.cursor, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter,
    timestamptz, timestamptz
) from public;

comment on function event.find(
    api.by_time, api.cursor, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, api.filter,
    timestamptz, timestamptz
) is
'Events that fit the filters, after a place, in the order of time and id.';
