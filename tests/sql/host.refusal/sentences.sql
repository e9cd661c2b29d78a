-- Why a host may not be started on its machine, and what the doctor says of it.
begin;
\ir ../hosts.psql
select plan(25);

create function t.refusal() returns text language sql as $$ select host.spec(t.host()) ->> 'refusal' $$;
create function t.report(p_refusal text, p_taken int8multirange default '{}', p_limits jsonb default '{}') returns void
language sql as $$ select node.report(t.agent(), p_refusal, p_taken, p_limits) $$;
create function t.doctor(p_name text) returns text language sql as $$
    select case when ok then 'ok: ' else 'not ok: ' end || why from ccp.doctor where name = p_name
$$;

insert into ccp.nodes (name) values ('node2'); -- what is said of node1 is not said of it
select is(t.refusal(), null, 'before an agent has told anything nothing is refused');
select is(t.doctor('user_namespaces'), 'ok: a container that starts has user ids and a user namespace of its own', 'and the doctor is content');
select is(t.doctor('user_ids'), 'ok: no account has an id of a host', 'here too');

select t.report('it has no runtime ccp');
select is(
    t.refusal(),
    'the Docker engine of node1 gives containers no user namespaces of their own (it has no runtime ccp): mend that, or set '
    'user_namespaces to off (ccp.doctor says what that costs)',
    'an engine that cannot keep users apart starts nothing'
);
select is(
    t.doctor('user_namespaces'),
    'not ok: these start no host: node1 (it has no runtime ccp); mend that, or set user_namespaces to off', 'and the doctor says so'
);
update ccp.settings set value = '"off"' where name = 'user_namespaces';
select is(t.refusal(), null, 'unless the setting says that it need not');
select is(host.spec(t.host()) -> 'ids', 'null'::jsonb, 'then a container has no ids of its own');
select matches(
    t.doctor('user_namespaces'), '^not ok: user_namespaces is off: root and dev inside are uid 0 and 1000 of the machine',
    'and the doctor says what that costs'
);
select throws_ok(
    $$update ccp.settings set value = '"of"' where name = 'user_namespaces'$$, 'CP422', null, 'there is no third value'
);
update ccp.settings set value = '"required"' where name = 'user_namespaces';

select t.report(null, '{[2147300000,2147300001)}');
select is(
    t.refusal(),
    'some of the user ids 2147287040 to 2147352575, 2147418112 and 2147446782, which are this host''s on node1, belong to an account there '
    'or are in /etc/subuid or /etc/subgid: move those, or order a new host',
    'a host whose ids somebody has does not start'
);
select is(
    t.doctor('user_ids'),
    'not ok: these hosts have ids that an account or /etc/subuid or /etc/subgid has too, and do not start: abcdef on node1',
    'and the doctor names it'
);
update ccp.settings set value = '"off"' where name = 'user_namespaces';
select is(t.refusal(), null, 'without ids of its own it has none that somebody could have');
select is(t.doctor('user_ids'), 'ok: no account has an id of a host', 'nor has the doctor anything to say');
update ccp.settings set value = '"required"' where name = 'user_namespaces';
select t.report(null, '{[2147287000,2147287040)}');
select is(t.refusal(), null, 'ids beside its own are not its business');

-- Limits.
select is(t.doctor('kernel.pid_max'), null, 'of a limit that no agent has read nothing is said');
select t.report(null, '{}', '{"kernel.pid_max": 12416, "other": 1}');
select is(
    t.doctor('kernel.pid_max'), 'ok: node1 has 12416, which carries 2 hosts (there are 1); a host takes 4160 process ids at most',
    'a limit says how many hosts it carries'
);
select t.report(null, '{}', '{"kernel.pid_max": 8255}');
select is(
    t.doctor('kernel.pid_max'),
    'not ok: node1 has 8255, which carries 0 hosts (there are 1); a host takes 4160 process ids at most; raise it with sysctl or make up',
    'and that it does not carry those that there are'
);
select t.report(null, '{}', '{"kernel.pid_max": 1}');
select matches(t.doctor('kernel.pid_max'), 'carries 0 hosts', 'never fewer than none');

select matches(t.doctor('redirect_dir'), '^ok', 'what no agent has read is not complained about');
select t.report(null, '{}', '{"overlay.redirect_dir": 0}');
select matches(t.doctor('redirect_dir'), '^ok', 'nor what is as it should be');
select t.report(null, '{}', '{"overlay.redirect_dir": 1}');
select matches(
    t.doctor('redirect_dir'), '^not ok: .* on node1: write N to /sys/module/overlay/parameters/redirect_dir', 'the doctor names what is not'
);
select t.report(null, '{}', '{"kernel.pid_max": 1}');

create temporary table before as select xmin::text as version from ccp.nodes where name = 'node1';
select t.report(null, '{}', '{"kernel.pid_max": 1}');
select is((select n.xmin::text from ccp.nodes as n where n.name = 'node1'), (select b.version from before as b), 'what is said again is not written again');
select throws_ok(
    $$select t.report(null, '{}', '{"kernel.pid_max": "many"}')$$, '23514', null, 'a limit is a number: the doctor counts with it'
);
set session authorization ccp_automation;
select lives_ok('table ccp.doctor', 'who reads the doctor needs no right on what it asks');
reset session authorization;
set session authorization ccp_worker;
select throws_ok($$select node.report(1, null, '{}', '{}')$$, '42501', null, 'only agents tell');
reset session authorization;

select * from finish();
rollback;
