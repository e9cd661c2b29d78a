-- Token families: refresh, reuse, logout; and the keys.
begin;
\ir ../hosts.psql
select plan(18);

insert into ccp.logins (user_id, address, expires_at)
select id, '198.51.100.7', clock.now() + interval '1 day' from ccp.users;
create function t.family() returns uuid language sql as $$ select id from ccp.logins $$;
create function t.refresh(p_generation integer) returns text language sql as $$
    select verdict from api.refresh(t.family(), p_generation)
$$;

select lives_ok($$select account.enter(t.family(), 1, 'user')$$, 'the first token counts');
select is(t.refresh(1), 'ok', 'it is refreshed');
select throws_ok($$select account.enter(t.family(), 1, 'user')$$, 'CP401', null, 'the old one is worth nothing');
select lives_ok($$select account.enter(t.family(), 2, 'user')$$, 'the new one counts');
select is(t.refresh(1), 'unauthenticated', 'a second refresh with the old one is refused');
select is((select revoked_at from ccp.logins), null, 'and forgiven while the first is fresh: two tabs do that');
update ccp.logins set refreshed_at = refreshed_at - interval '11 seconds';
select is(t.refresh(1), 'unauthenticated', 'later it is refused as well');
select is((select revoke_reason from ccp.logins), 'reuse', 'and ends the family');
select is(t.refresh(2), 'unauthenticated', 'with its newest token');
update ccp.logins set revoked_at = null, revoke_reason = null;
select lives_ok($$select api.logout(t.family(), 2)$$, 'logout takes the newest');
select is(t.refresh(2), 'unauthenticated', 'after it nothing counts');
update ccp.logins set revoked_at = null, revoke_reason = null, expires_at = clock.now() - interval '1 second';
select is(t.refresh(2), 'unauthenticated', 'a family ends after its time');
select is((select count(*)::integer from token.keys() where signs_in_ms = 0), 1, 'a signing key is made at first need');
select is((select min(length(secret)) from token.keys()), 64, 'of 32 bytes');
select is((select count(*)::integer from ccp.signing_keys), 1, 'once');
update ccp.signing_keys set retired_at = clock.now(), expires_at = clock.now() + interval '1 hour';
select is((select string_agg(coalesce(signs_in_ms::text, 'none'), ' ' order by signs_in_ms) from token.keys()), '0 none', 'a retired key verifies, a new one signs');
update ccp.signing_keys set expires_at = clock.now() where retired_at is not null;
select is((select string_agg(coalesce(signs_in_ms::text, 'none'), ' ' order by signs_in_ms) from token.keys()), '0', 'until it has expired');
select ok(
    not has_column_privilege('ccp_dba', 'ccp.signing_keys', 'secret', 'select')
    and not has_function_privilege('ccp_dba', 'token.keys()', 'execute')
    and not has_function_privilege('ccp_automation', 'token.keys()', 'execute')
    and has_function_privilege('ccp_api', 'token.keys()', 'execute'),
    'only the API gets at it'
);

select * from finish();
rollback;
