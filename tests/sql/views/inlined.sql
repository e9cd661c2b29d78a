-- Views that people read are one plan: what they call of ours for each row is inlined, for every reader. The clock is the
-- product's here, since the one that tests can set cannot be inlined.
begin;
\ir ../hosts.psql
select plan(10);

create or replace function clock.now() returns timestamptz language sql stable return pg_catalog.now();
-- The functions of ours that a plan for all rows of a view still calls.
create function t.calls(p_view text) returns text[] language plpgsql as $$
declare
    v_line text;
    v_plan text := '';
begin
    for v_line in execute 'explain (verbose, costs off) select * from ' || p_view loop
        v_plan := v_plan || v_line;
    end loop;
    return array(
        select distinct m[1]
        from regexp_matches(v_plan, '\m((?:access|account|clock|host|node|process|session|setting|task)\.[a-z_]+)\(', 'g') as m
        order by m[1]
    );
end
$$;
set local role ccp_dba;
select is(t.calls('ccp.host_status'), '{}', 'what is said of a host');
select is(t.calls('ccp.task_status'), '{}', 'what is said of a task');
select is(t.calls('ccp.workers'), '{}', 'what is said of a program');
select is(t.calls('ccp.now'), '{}', 'all that goes on');
select is(t.calls('ccp.stuck'), '{}', 'what does not');
select is(
    t.calls('ccp.doctor'), '{access.database_sessions,access.lock_share,clock.span,host.ids_are_taken}',
    'the doctor calls what is for sessions of the database and for hosts of nodes with taken ids'
);
set local role ccp_automation;
select is(t.calls('ccp.host_status'), '{}', 'automation');
select is(t.calls('ccp.task_status'), '{}', 'reads');
select is(t.calls('ccp.now'), '{}', 'the same');
select is(t.calls('ccp.stuck'), '{}', 'plans');

reset role;
select * from finish();
rollback;
