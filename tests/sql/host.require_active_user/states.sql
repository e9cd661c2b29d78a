-- An administrator asks for what the host's user may not have: the refusal is about that user, not about the caller.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(9);

create function t.start() returns text language sql as $$
    select status from api.host_task(t.login('boss'), 1, t.host(), 'host.start')
$$;
update ccp.users set disabled_at = clock.now() where username = 'alice';
select throws_ok('select t.start()', 'CP409', 'User alice, whose host abcdef is, is disabled.', 'a disabled user''s host is not started');
select throws_ok($$insert into ccp.tasks (kind, host_id) values ('host.start', t.host())$$, 'CP409', null, 'by nobody');
create function t.detail() returns jsonb language plpgsql as $$
declare
    v_detail text;
begin
    perform t.start();
    return '{}';
exception
    when others then
        get stacked diagnostics v_detail = pg_exception_detail;
        return v_detail;
end
$$;
select is(t.detail(), jsonb_build_object('error_code', 'user_disabled', 'user_id', t.user('alice')), 'in a word for programs');
update ccp.users set disabled_at = null, expires_at = clock.now() where username = 'alice';
select throws_ok('select t.start()', 'CP409', 'User alice, whose host abcdef is, is expired.', 'nor an expired one''s');
select is(t.detail() ->> 'error_code', 'user_expired', 'which is another word');
select throws_ok(
    $$select api.own_host_task(t.login('alice'), 1, t.host(), 'host.start')$$, 'CP403', 'this account has expired', 'that user''s own request reads otherwise'
);
select lives_ok($$select api.host_task(t.login('boss'), 1, t.host(), 'host.stop')$$, 'what ends something is taken');
select is((select status from ccp.hosts where id = t.host()), 'stopped', 'and nothing was begun');
update ccp.users set expires_at = clock.now() + interval '1 hour' where username = 'alice';
select is(t.start(), 'queued', 'for a user who may come in it is started');

select * from finish();
rollback;
