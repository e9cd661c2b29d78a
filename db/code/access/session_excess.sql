-- What a session takes more of than its role may, as the end of a sentence; null: nothing. A queue of notifications that is a
-- quarter full is kept by a transaction that does not end: every session that is in one for 10 s then goes.
create or replace function access.session_excess(
    p_session pg_stat_activity,
    p_locks bigint,
    p_queue_usage double precision,
    p_limits ccp.session_limits
)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_session.state = 'active' and c.at - p_session.query_start > p_limits.statement_max then
            format('its statement ran for %s', clock.span(c.at - p_session.query_start))
        when p_session.state like 'idle in transaction%' and c.at - p_session.state_change > p_limits.idle_max then
            format('its transaction waited for its client for %s', clock.span(c.at - p_session.state_change))
        when c.at - p_session.xact_start > p_limits.transaction_max then
            format('its transaction was open for %s', clock.span(c.at - p_session.xact_start))
        when p_locks > p_limits.locks_max then
            format('it held %s locks', p_locks)
        when p_queue_usage > 0.25 and c.at - p_session.xact_start > interval '10 seconds' then
            'the queue of notifications filled while its transaction was open'
    end
    from (values (clock_timestamp())) as c (at)
$$;

revoke all on function access.session_excess(pg_stat_activity, bigint, double precision, ccp.session_limits) from public;

comment on function access.session_excess(pg_stat_activity, bigint, double precision, ccp.session_limits) is
'What a session takes more of than its role may; null: nothing.';
