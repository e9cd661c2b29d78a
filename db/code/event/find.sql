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
    p_q api.filter,
    p_since timestamptz,
    p_until timestamptz
)
returns api.event[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record := api.cursor_read('events', p_sort, p_cursor);
    v_hosts uuid[];
    v_users uuid[];
    v_events api.event[];
begin
    -- What begins with a bound of time begins there, with ids from 1 on: of two bounds an index is entered at either.
    if v_after.relation = '>' and p_since > v_after.at then
        v_after.at := p_since;
        v_after.number := 0;
    elsif v_after.relation = '<' and p_until < v_after.at then
        v_after.at := p_until;
        v_after.number := 0;
    end if;
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
            cross join lateral (
                select i.*
                from ccp.events as i
                where i.at %1$s= $1
                    and (i.at, i.id) %1$s ($1, $2)
                    and i.at >= $6
                    and i.at < $7
                    %3$s
                order by i.at %2$s, i.id %2$s
                limit $3
            ) as e
            order by e.at %2$s, e.id %2$s
            limit $3
        )
        $query$,
        v_after.relation, v_after.direction,
        concat_ws(
            ' ',
            case when p_type is not null then 'and i.type = t.type' end,
            case
                when 'info' = any (p_level) then 'and i.level = any ($12)'
                when p_level is not null then 'and i.level = l.level and i.level <> ''info'''
            end,
            case when p_user_id is not null then 'and i.user_id = $8' end,
            case when p_host_id is not null then 'and i.host_id = $9' end,
            case when p_task_id is not null then 'and i.task_id = $10' end,
            case when p_q is not null then 'and (i.host_id = any ($11) or i.user_id = any ($13))' end
        )
    )
    into v_events
    using
        v_after.at, v_after.number, p_limit,
        coalesce((select array_agg(distinct a) from unnest(p_type) as a), array[null]::text[]),
        case
            when 'info' = any (p_level) then array[null]::text[]
            else coalesce((select array_agg(distinct a) from unnest(p_level) as a), array[null]::text[])
        end,
        p_since, p_until, p_user_id, p_host_id, p_task_id, v_hosts, p_level::text[], v_users;
    return v_events;
end
$$;

revoke all on function event.find(
    api.by_time, api.cursor, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, timestamptz,
    timestamptz
) from public;

comment on function event.find(
    api.by_time, api.cursor, integer, ccp.event_type[], uuid, uuid, uuid, ccp.event_level[], api.filter, timestamptz,
    timestamptz
) is
'Events that fit the filters, after a place, in the order of time and id.';
