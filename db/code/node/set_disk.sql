-- How much of the disk with the state directory is free, by an agent: room and files, since many empty files use up a disk
-- that has room. While less than the reserve of either is free, none of its hosts is started (host.refusal) and those give way
-- that take more than they may (host.gives_way): the others go on, and a database or a home on the same disk has room to end
-- its work. The begin and the end of that are events; where a full disk has no room for one, the state is set all the same.
create or replace function node.set_disk(
    p_process_id bigint, p_free bigint, p_size bigint, p_free_files bigint, p_files bigint
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_node ccp.nodes;
    v_reserve numeric := setting.number('disk_reserve_percent') / 100.0;
    v_short text := nullif(
        concat_ws(
            ' and ',
            case when p_free < p_size * v_reserve then pg_size_pretty(p_free) || ' of ' || pg_size_pretty(p_size) end,
            case when p_free_files < p_files * v_reserve then p_free_files || ' of ' || p_files || ' files' end
        ),
        ''
    );
begin
    select n.*
    into v_node
    from ccp.nodes as n
    where n.id = (process.require(p_process_id)).node_id
    for no key update;
    update ccp.nodes as n
    set
        disk_free_bytes = p_free,
        disk_bytes = p_size,
        disk_free_files = p_free_files,
        disk_files = p_files,
        disk_short = v_short,
        disk_short_since = case when v_short is not null then coalesce(n.disk_short_since, clock.now()) end
    where n.id = v_node.id
        and (n.disk_free_bytes, n.disk_bytes, n.disk_free_files, n.disk_files, n.disk_short)
        is distinct from (p_free, p_size, p_free_files, p_files, v_short);
    begin
        if v_short is not null and v_node.disk_short is null then
            perform event.write(
                'node.disk.short',
                format('the disk of %s is nearly full (%s free): none of its hosts is started', v_node.name, v_short)
            );
        elsif v_node.disk_short is not null and v_short is null then
            perform event.write(
                'node.disk.enough', format('the disk of %s has room again (%s free)', v_node.name, pg_size_pretty(p_free))
            );
        end if;
    exception
        when disk_full then
            raise log 'no room for the event that the disk of % is short or has room again', v_node.name;
    end;
end
$$;

revoke all on function node.set_disk(bigint, bigint, bigint, bigint, bigint) from public;
grant execute on function node.set_disk(bigint, bigint, bigint, bigint, bigint) to ccp_agent;

comment on function node.set_disk(bigint, bigint, bigint, bigint, bigint) is
'How many bytes and files are free of an agent''s disk, and of how many.';
