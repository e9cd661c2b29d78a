-- When a receiver may be tried again that wants to be left alone for so many seconds: at most after the longest pause between
-- two tries. Null or nothing to wait for: null.
create or replace function webhook.retry_at(p_retry_after_s bigint)
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select clock.now() + least(make_interval(secs => least(p_retry_after_s, 1000000)), k.pause_max)
    from ccp.task_kinds as k
    where k.kind = 'webhook.deliver'
        and p_retry_after_s > 0
$$;

revoke all on function webhook.retry_at(bigint) from public;

comment on function webhook.retry_at(bigint) is
'When a receiver may be tried again that wants to be left alone for so many seconds.';
