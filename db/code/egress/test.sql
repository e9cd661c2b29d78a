-- An administrator has an exit proven now; returns the task. While one test of an exit is under way, every request is that one.
create or replace function egress.test(p_id uuid)
returns ccp.task_rows
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_exit ccp.egress_ips := egress.find(p_id);
    v_task ccp.task_rows;
begin
    v_task := task.submit('egress.test', null, jsonb_build_object('egress_ip_id', p_id), null, null);
    perform task.note_request(
        v_task, 'admin.egress_ip.tested', format('a test of exit %s was asked for', v_exit.label),
        jsonb_build_object('egress_ip_id', p_id)
    );
    return v_task;
end
$$;

revoke all on function egress.test(uuid) from public;
grant execute on function egress.test(uuid) to ccp_admin;

comment on function egress.test(uuid) is
'An administrator has an exit proven now; returns the task.';
