-- An exit that is dead for long: told once when the tunnel is lost, once when it is back, whatever the tries between find.
begin;
\ir ../hosts.psql
select plan(17);

create function t.record(p_at timestamptz, p_outcome text, p_code text default null, p_kind text default 'light') returns void
language sql as $$
    select t.at(p_at);
    select verification.record(t.agent(), t.host(), null, p_kind, p_outcome, p_code, '198.51.100.1', '[]', 104, p_at);
$$;
-- Reconciliation's next try, which fails.
create function t.try(p_at timestamptz, p_code text) returns void language plpgsql as $$
declare
    v_task ccp.task_rows;
begin
    perform t.at(p_at);
    perform clock.tick('worker');
    v_task := t.claim();
    if v_task.created_by is distinct from 'reconcile' then
        raise exception 'reconciliation tried nothing';
    end if;
    perform task.fail(v_task.id, v_task.lease, p_code, 'nobody answers', false);
end
$$;
create function t.told() returns text language sql as $$
    select coalesce(string_agg(type || case when level = 'error' then '!' else '' end, ' ' order by id), '')
    from ccp.events
    where type ~ '^(tunnel|egress\.(mismatch|leak)|host\.unavailable|host\.restored|task|reconcile)'
$$;

select t.at('2099-01-01');
select t.run();
select host.observe(t.agent(), t.host(), 1, 'running', null, null, clock.now()) as seen \gset
select t.record('2099-01-01 00:00:10', 'passed');
select is(t.told(), '', 'a host runs');
select t.record('2099-01-01 00:01:00', 'failed', 'tunnel_lost');
select host.observe(t.agent(), t.host(), 2, 'stopped', 'tunnel_lost', 'no handshake for 180 s', clock.now()) as seen \gset
select is(t.told(), 'tunnel.lost! reconcile.host.drift host.unavailable!', 'its exit dies');
select t.try('2099-01-01 00:02:00', 'tunnel_no_handshake');
select t.record('2099-01-01 00:02:01', 'failed', 'tunnel_no_handshake', 'start');
select is(t.told(), 'tunnel.lost! reconcile.host.drift host.unavailable!', 'a try in vain is not told, though its code is another');
select t.record('2099-01-01 00:02:02', 'inconclusive', 'inconclusive');
select t.record('2099-01-01 00:02:03', 'failed', 'tunnel_lost');
select is(t.told(), 'tunnel.lost! reconcile.host.drift host.unavailable!', 'nor is the loss told again after a check that did not know');
select t.try('2099-01-01 01:00:00', 'tunnel_no_handshake');
select t.try('2099-01-01 03:00:00', 'tunnel_lost');
select is(t.told(), 'tunnel.lost! reconcile.host.drift host.unavailable!', 'three tries are no more errors than none');
select t.try('2099-01-01 06:00:00', 'image_missing');
select is(
    t.told(), 'tunnel.lost! reconcile.host.drift host.unavailable! task.failed! host.unavailable!', 'another failure is another matter'
);
select t.at('2099-01-01 12:00:00');
update ccp.hosts set retry_at = clock.now();
select clock.tick('worker') as ticked \gset
select t.work();
select t.record('2099-01-01 12:00:01', 'passed', null, 'start');
select matches(t.told(), 'host.restored tunnel.restored$', 'that all is well is told once');
select t.record('2099-01-01 12:10:00', 'passed', null, 'full');
select is((select count(*)::integer from ccp.events where type = 'tunnel.restored'), 1, 'and not with each pass');
select is((select count(*)::integer from ccp.events where type = 'tunnel.lost'), 1, 'one loss');
select t.record('2099-01-01 13:00:00', 'failed', 'proxy_unreachable');
select is((select count(*)::integer from ccp.events where type = 'tunnel.lost'), 2, 'the next one is told again, whatever carried it');
select t.record('2099-01-01 13:00:01', 'failed', 'exit_mismatch');
select t.record('2099-01-01 13:00:02', 'failed', 'tunnel_lost');
select t.record('2099-01-01 13:00:03', 'failed', 'exit_mismatch');
select is((select count(*)::integer from ccp.events where type = 'egress.mismatch'), 1, 'two failures that take turns');
select is((select count(*)::integer from ccp.events where type = 'tunnel.lost'), 2, 'are told once each');
select t.record('2099-01-01 13:00:04', 'failed', 'dns_failed');
select t.record('2099-01-01 13:00:05', 'passed');
select is((select count(*)::integer from ccp.events where type = 'tunnel.restored'), 2, 'whatever came last, the pass tells that the tunnel is back');
select t.record('2099-01-01 13:00:06', 'failed', 'exit_mismatch');
select t.record('2099-01-01 13:00:07', 'passed');
select is((select count(*)::integer from ccp.events where type = 'tunnel.restored'), 2, 'a tunnel that was not lost is not back');

-- A host that never failed before: the first failure of what reconciliation began is told.
update ccp.hosts set failures = 0, error_code = null, error_message = null, retry_at = null;
select t.ask('host.stop') is not null as asked \gset
select t.work();
update ccp.hosts set desired = 'running';
select is((select concat_ws(' ', status, desired, error_code) from ccp.hosts where id = t.host()), 'stopped running', 'a host that is to run and never failed');
select count(*) as told_before from ccp.events where type in ('task.failed', 'host.unavailable') \gset
select t.try('2099-01-02', 'docker_failed');
select is(
    (select count(*) - :told_before from ccp.events where type in ('task.failed', 'host.unavailable')), 2::bigint,
    'that it could not be started is told'
);
select t.try('2099-01-03', 'docker_failed');
select is((select count(*) - :told_before from ccp.events where type in ('task.failed', 'host.unavailable')), 2::bigint, 'once');

select * from finish();
rollback;
