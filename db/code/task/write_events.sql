-- Writes the events of a host task that has ended.
create or replace function task.write_events(
    p_task ccp.task_rows,
    p_host ccp.hosts,
    p_status text,
    p_error_code text,
    p_error_message text
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_word text := case p_task.kind
        when 'host.create' then 'created'
        when 'host.start' then 'started'
        when 'host.stop' then 'stopped'
        when 'host.rebuild' then 'rebuilt'
        when 'host.verify' then 'verified'
        when 'host.delete' then 'deleted'
    end;
begin
    if p_status = 'succeeded' and v_word is not null then
        perform event.write(
            'host.' || v_word, format('host %s was %s', p_host.short_id, v_word),
            p_host.user_id, p_host.id, p_task.id
        );
    elsif p_status = 'failed' then
        perform event.write(
            'task.failed', format('%s of host %s failed: %s', p_task.kind, p_host.short_id, p_error_message),
            p_host.user_id, p_host.id, p_task.id,
            jsonb_build_object('error_code', p_error_code, 'attempt', p_task.attempt)
        );
        if p_host.status = 'unavailable' then
            perform event.write(
                'host.unavailable', format('host %s is unavailable: %s', p_host.short_id, p_error_message),
                p_host.user_id, p_host.id, p_task.id, jsonb_build_object('error_code', p_error_code)
            );
        end if;
    end if;
end
$$;

revoke all on function task.write_events(ccp.task_rows, ccp.hosts, text, text, text) from public;

comment on function task.write_events(ccp.task_rows, ccp.hosts, text, text, text) is
'Writes the events of a host task that has ended.';
