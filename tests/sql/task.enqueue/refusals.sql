-- Requests that are refused, each with its SQLSTATE, and those that need nothing done.
begin;
\ir ../hosts.psql
select plan(17);

select throws_ok($$select task.enqueue('host.dance', t.host())$$, 'CP422', null, 'an unknown kind is refused');
select throws_ok($$select task.enqueue('host.start')$$, 'CP422', null, 'a host kind needs a host');
select throws_ok($$select task.enqueue('system.noop', t.host())$$, 'CP422', null, 'a plain kind takes no host');
select throws_ok(
    $$select task.enqueue('host.start', gen_random_uuid())$$, 'CP404', 'there is no such host', 'an unknown host is not found'
);
select throws_ok($$select task.enqueue('host.start', t.host(), '{"x": 1}')$$, 'CP422', null, 'unknown parameters are refused');
select throws_ok(
    $$select task.enqueue('host.rebuild', t.host(), '{"mode": "burn"}')$$, 'CP422', null, 'wrong values are refused'
);
select throws_ok($$select task.enqueue('host.start', t.host(), '[]')$$, 'CP422', null, 'params must be an object');
select is((t.ask('host.stop')).status, 'succeeded', 'a stop of a stopped host has succeeded unclaimed');
select lives_ok($$select t.run()$$, 'the host runs');
select is((t.ask('host.start')).status, 'succeeded', 'a start of a running host has succeeded unclaimed');
select throws_ok($$select t.ask('host.create')$$, 'CP409', null, 'a running host cannot be created');
select is((t.ask('host.verify')).status, 'queued', 'a running host is verified although running is what it leaves behind');
select is((t.ask('host.stop')).status, 'queued', 'a verify gives way to any other request');
update ccp.users set expires_at = now() - interval '1 second';
select throws_ok(
    $$select t.ask('host.start')$$, 'CP409', 'User alice, whose host abcdef is, is expired.', 'an expired user''s host is not started'
);
select is((t.ask('host.stop')).kind, 'host.stop', 'an expired user''s host can be stopped');
update ccp.users set expires_at = null, disabled_at = now();
select throws_ok($$select t.ask('host.start')$$, 'CP409', null, 'nor a disabled one''s');
update ccp.users set disabled_at = null;
update ccp.bindings set ended_at = now();
select throws_ok(
    $$select t.ask('host.start')$$, 'CP409', 'host abcdef has no exit', 'a host without an exit is not started'
);

select * from finish();
rollback;
