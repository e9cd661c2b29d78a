-- Events as lines of an export, each with the cursor from which an export in that order goes on behind it; from where the
-- log is not whole yet (event.settled_until) they have the place where that begins. CSV that begins here has a line of names
-- first.
create or replace function event.lines(
    p_events api.event[],
    p_sort api.by_time,
    p_format api.export_format,
    p_begins boolean,
    p_settled_until timestamptz default 'infinity'
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        case when p_begins and p_format = 'csv' then
            'id,time,level,type,message,actor,actor_role,actor_address,user_id,host_id,task_id,metadata,cursor' || e'\r\n'
        else '' end
        || coalesce(
            string_agg(case p_format when 'csv' then event.csv(l.line) else l.line::text || e'\n' end, '' order by i.n), ''
        )
    from generate_subscripts(p_events, 1) as i (n)
    cross join lateral (
        select to_jsonb(p_events[i.n])
            || jsonb_build_object(
                'cursor',
                api.cursor(
                    'events', p_sort, least(p_events[i.n].time, p_settled_until),
                    case when p_events[i.n].time < p_settled_until then p_events[i.n].id else '0' end
                )
            ) as line
    ) as l
$$;

revoke all on function event.lines(api.event[], api.by_time, api.export_format, boolean, timestamptz) from public;

comment on function event.lines(api.event[], api.by_time, api.export_format, boolean, timestamptz) is
'Events as lines of an export.';
