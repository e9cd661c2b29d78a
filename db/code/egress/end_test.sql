-- Notes how a test has ended, in the transaction that ends its task. A verdict, also a bad one, is what a task brings that has
-- succeeded; it counts for the exit's state. One that could not be made has no outcome and says why. The exit may be gone.
create or replace function egress.end_test(
    p_task ccp.task_rows, p_error_code text, p_error_message text, p_result jsonb
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_test ccp.exit_tests;
    v_label text;
begin
    update ccp.exit_tests
    set
        outcome = p_result ->> 'outcome',
        error_code = coalesce(
            p_error_code, p_result ->> 'error_code', case when p_result ->> 'outcome' is null then 'internal' end
        ),
        message = left(coalesce(p_error_message, p_result ->> 'message'), 2000),
        exit_ip = (p_result ->> 'exit_ip')::inet,
        checks = coalesce(p_result -> 'checks', checks),
        duration_ms = (p_result ->> 'duration_ms')::integer,
        host_id = (p_result ->> 'host_id')::uuid,
        ended_at = clock.now()
    where id = p_task.id
    returning * into v_test;
    if v_test.outcome is null then
        return;
    end if;
    select e.label into v_label from ccp.egress_ips as e where e.id = v_test.egress_ip_id;
    perform event.write(
        case v_test.outcome when 'passed' then 'egress.test.passed' else 'egress.test.failed' end,
        concat_ws(
            ': ',
            format(
                case v_test.outcome
                    when 'passed' then 'exit %s passed its test'
                    when 'failed' then 'exit %s failed its test'
                    else 'a test of exit %s showed nothing'
                end,
                v_label
            ),
            v_test.message
        ),
        null, null, p_task.id,
        jsonb_build_object('egress_ip_id', v_test.egress_ip_id, 'outcome', v_test.outcome, 'error_code', v_test.error_code)
    );
    if verification.is_of_exit(v_test.error_code) then
        perform egress.note_state(v_test.egress_ip_id);
    end if;
end
$$;

revoke all on function egress.end_test(ccp.task_rows, text, text, jsonb) from public;

comment on function egress.end_test(ccp.task_rows, text, text, jsonb) is
'Notes how a test of an exit has ended.';
