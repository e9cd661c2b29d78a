-- What is not as it should be on an agent's machine, all of it, as {name: sentence}. What is new and what is over is
-- written into the audit log; the same again writes nothing. Two calls of one agent follow one another: its row is locked.
create or replace function node.set_troubles(p_process_id bigint, p_troubles jsonb)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_node record;
    v_trouble record;
begin
    select n.id, n.name
    into v_node
    from ccp.nodes as n
    where n.id = (process.require(p_process_id)).node_id
    for no key update;

    for v_trouble in
        delete from ccp.node_troubles as t
        where t.node_id = v_node.id
            and not coalesce(p_troubles, '{}') ? t.name
        returning t.name, t.since
    loop
        perform event.write(
            'node.trouble.over',
            format(
                '%s on %s is as it should be again, after %s', v_trouble.name, v_node.name,
                clock.span(clock.now() - v_trouble.since)
            )
        );
    end loop;
    for v_trouble in
        insert into ccp.node_troubles as t (node_id, name, message)
        select v_node.id, e.key, left(e.value, 2000)
        from jsonb_each_text(coalesce(p_troubles, '{}')) as e
        order by e.key
        on conflict (node_id, name) do update set message = excluded.message
        where t.message <> excluded.message
        returning t.name, t.message, (t.xmax = 0) as is_new
    loop
        if v_trouble.is_new then
            perform event.write(
                'node.trouble', format('%s on %s: %s', v_trouble.name, v_node.name, v_trouble.message)
            );
        end if;
    end loop;
end
$$;

revoke all on function node.set_troubles(bigint, jsonb) from public;
grant execute on function node.set_troubles(bigint, jsonb) to ccp_agent;

comment on function node.set_troubles(bigint, jsonb) is
'Everything that is not as it should be on an agent''s machine, as {name: sentence}.';
