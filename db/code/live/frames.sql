-- The rows of a topic as a stream tells them, each as the list has it; a row that is not there, or that the caller may not
-- see, has left the list. Runs with the rights of its caller: for a user that is ccp_as_user. Events come in their order.
-- A plan is of one role, and PL/pgSQL keeps plans by the types of the arguments: each role gives p_reader a type of its own,
-- or the two would plan all of it again at each change.
create or replace function live.frames(p_reader anyelement, p_topic text, p_ids text[], p_times timestamptz[])
returns setof text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
    v_hosts api.host[];
begin
    case p_topic
        when 'hosts' then
            v_hosts := api.host_why(array(select h from api.host as h where h.id = any (p_ids::uuid[])));
            return query
            select to_json(row('hosts', live.action(r.id), i.id, r)::api.host_change)::text
            from unnest(p_ids::uuid[]) as i (id)
            left join unnest(v_hosts) as r on r.id = i.id;
        when 'tasks' then
            return query
            select to_json(row('tasks', live.action(r.id), i.id, r)::api.task_change)::text
            from unnest(p_ids::uuid[]) as i (id)
            left join api.task as r on r.id = i.id;
        when 'sessions' then
            return query
            select to_json(row('sessions', live.action(r.id), i.id, r)::api.session_change)::text
            from unnest(p_ids::uuid[]) as i (id)
            left join api.session as r on r.id = i.id;
        when 'nodes' then
            return query
            select to_json(row('nodes', live.action(r.id), i.id, r)::api.node_change)::text
            from unnest(p_ids::ccp.node_id[]) as i (id)
            left join api.node as r on r.id = i.id;
        when 'events' then
            return query
            select to_json(row('events', live.action(r.id), r.id, r)::api.event_change)::text
            from api.event as r
            where r.time = any (p_times) and r.id = any (p_ids)
            order by r.time, r.id::bigint;
    end case;
end
$$;

revoke all on function live.frames(anyelement, text, text[], timestamptz[]) from public;
grant execute on function live.frames(anyelement, text, text[], timestamptz[]) to ccp_as_user;

comment on function live.frames(anyelement, text, text[], timestamptz[]) is
'The rows of a topic as a stream tells them.';
