-- What a session may take of what all share, and what is said when it takes more.
begin;
select plan(19);
create schema t;

-- A session in a state for so long, with a transaction and a statement that began then, and what the excess is for limits of
-- a minute for a statement, half a minute for waiting, two minutes for a transaction, and 10 locks.
create function t.excess(
    p_state text, p_statement text, p_state_for text, p_transaction text, p_locks bigint default 0, p_usage double precision default 0
) returns text language sql as $$
    select access.session_excess(
        jsonb_populate_record(
            null::pg_stat_activity,
            jsonb_build_object(
                'state', p_state,
                'query_start', clock_timestamp() - p_statement::interval,
                'state_change', clock_timestamp() - p_state_for::interval,
                'xact_start', clock_timestamp() - p_transaction::interval
            )
        ),
        p_locks, p_usage,
        row('someone', interval '1 minute', interval '30 seconds', interval '2 minutes', 10)::ccp.session_limits
    )
$$;
select is(t.excess('active', '59 s', '59 s', '59 s'), null, 'a statement may run for its time');
select is(t.excess('active', '61 s', '61 s', '61 s'), 'its statement ran for 61 s', 'and no longer');
select is(t.excess('idle', '1 h', '1 h', null), null, 'a session that is in no transaction may wait');
select is(t.excess('idle in transaction', '1 h', '29 s', '29 s'), null, 'a transaction may wait for its client for its time');
select is(
    t.excess('idle in transaction', '1 h', '31 s', '31 s'), 'its transaction waited for its client for 31 s', 'and no longer'
);
select is(
    t.excess('idle in transaction (aborted)', '1 h', '31 s', '31 s'), 'its transaction waited for its client for 31 s',
    'a failed one neither'
);
select is(t.excess('active', '1 s', '1 s', '119 s'), null, 'a transaction may be open for its time');
select is(t.excess('active', '1 s', '1 s', '121 s'), 'its transaction was open for 2 min', 'and no longer, however short its statements are');
select is(t.excess('active', '1 s', '1 s', '1 s', 10), null, 'it may hold its number of locks');
select is(t.excess('active', '1 s', '1 s', '1 s', 11), 'it held 11 locks', 'and no more');
select is(t.excess('active', '1 s', '1 s', '11 s', 0, 0.25), null, 'the queue of notifications may be used');
select is(
    t.excess('active', '1 s', '1 s', '11 s', 0, 0.26), 'the queue of notifications filled while its transaction was open',
    'and who is in a transaction while it fills is sent away'
);
select is(t.excess('active', '1 s', '1 s', '9 s', 0, 0.26), null, 'after ten seconds');
select is(t.excess('idle', '1 h', '1 h', null, 0, 0.9), null, 'and nobody else');

-- The limits there are.
select results_eq(
    $$select role::text from ccp.session_limits order by role::text$$,
    $$select rolname::text from pg_roles where rolname ~ '^ccp_' and rolcanlogin order by rolname::text$$,
    'every role that logs in has limits'
);
select is_empty(
    $$
    select l.role, s.name
    from ccp.session_limits as l
    join pg_roles as r on r.rolname = l.role
    cross join lateral (
        select split_part(c, '=', 1) as name, split_part(c, '=', 2)::interval as value from unnest(r.rolconfig) as c where c ~ '_timeout='
    ) as s
    where s.name = 'statement_timeout' and s.value > l.statement_max
        or s.name = 'idle_in_transaction_session_timeout' and s.value > l.idle_max
    $$,
    'its own settings end a statement first'
);
select is(access.limit_sessions(), 0, 'who takes no more than that goes on');
select cmp_ok(access.lock_share(), '<', 0.5::double precision, 'the table of locks has room');
select is((select ok from ccp.doctor where name = 'locks'), true, 'and the doctor says so');

select * from finish();
rollback;
