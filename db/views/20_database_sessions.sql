-- Who is connected to the database, and what each holds.
create or replace view ccp.database_sessions with (security_barrier) as
select
    s.pid,
    s.role,
    s.program,
    s.state,
    s.since,
    s.locks,
    s.holds_up,
    concat(
        format('session %s of %s', s.pid, s.role),
        case
            when s.since is null then ' is between two transactions'
            else format(' has been in a transaction for %s and is %s', clock.span(clock_timestamp() - s.since), s.state)
        end,
        case when s.locks > 0 then format(', holds %s locks', s.locks) end,
        case
            when s.holds_up > 0 then format(
                ', and %s wait for it: select pg_terminate_backend(%s) ends it', s.holds_up, s.pid
            )
        end
    ) as why
from access.database_sessions() as s;
comment on view ccp.database_sessions is 'Who is connected to the database, since when in one transaction, and what each holds.';
comment on column ccp.database_sessions.pid is 'Process id of the server''s side.';
comment on column ccp.database_sessions.role is 'The role that logged in.';
comment on column ccp.database_sessions.program is 'What the client calls itself.';
comment on column ccp.database_sessions.state is 'active, idle, or idle in transaction.';
comment on column ccp.database_sessions.since is 'When its transaction began; null: it is in none.';
comment on column ccp.database_sessions.locks is 'Locks it holds in the table that all sessions share.';
comment on column ccp.database_sessions.holds_up is 'How many sessions wait for it.';
comment on column ccp.database_sessions.why is 'The answer, as a sentence.';
grant select on ccp.database_sessions to ccp_automation, ccp_dba;
