-- Notes a test that was asked for, with its task and in its transaction, and forgets those before the last 50. The caller holds
-- the exit's row, so that they come one after the other.
create or replace function egress.begin_test(p_task ccp.task_rows, p_exit ccp.egress_ips, p_node_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.exit_tests (id, egress_ip_id, node_id, expected_ip, created_at)
    values (p_task.id, p_exit.id, p_node_id, p_exit.ip_address, p_task.created_at);
    delete from ccp.exit_tests as t
    where t.id in (
        select o.id
        from ccp.exit_tests as o
        where o.egress_ip_id = p_exit.id
        order by o.created_at desc, o.id desc
        offset 50
    );
end
$$;

revoke all on function egress.begin_test(ccp.task_rows, ccp.egress_ips, bigint) from public;

comment on function egress.begin_test(ccp.task_rows, ccp.egress_ips, bigint) is
'Notes a test that was asked for, and forgets those before the last 50.';
