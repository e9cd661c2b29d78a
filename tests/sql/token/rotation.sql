-- Signing keys: rotated with overlap, retired at once, listed without their secrets.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(37);

select t.at('2099-01-01 12:00:00');
select token.keys() is null as made \gset
create function t.keys() returns text language sql as $$
    select string_agg(coalesce(signs_in_ms::text, 'none'), ' ') from token.keys()
$$;
create function t.states() returns text language sql as $$
    select string_agg(k.state, ' ') from unnest((api.signing_key_list(t.login('boss'), 1)).signing_keys) as k
$$;
create function t.kid(p_number integer) returns text language sql as $$
    select (array(select kid from token.keys()))[p_number]
$$;
select is(t.keys(), '0', 'one key signs');
create temporary table first_key as select t.kid(1) as kid;

-- Rotated.
create temporary table made as select * from api.signing_key_rotate(t.login('boss'), 1, 'k1', repeat('a', 64));
select is((select state from made), 'pending', 'another is made');
select is(t.keys(), '2000 0', 'which signs when everybody has heard of it; until then the one before does');
select is(t.kid(2), kid::text, 'which is the same') from first_key;
select is(t.states(), 'pending signing', 'people see that');
select is(
    t.last_event(),
    format('info | key.rotated | signing key %s takes the place of %s | {"kid": "%s", "before": "%s"}', m.kid, f.kid, m.kid, f.kid), 'the audit log has it'
)
from made as m, first_key as f;
select is((select k.kid::text from api.signing_key_rotate(t.login('boss'), 1, 'k1', repeat('a', 64)) as k), kid::text, 'the same request again shows it')
from made;
select is((select status from ccp.idempotency_keys), 200, 'the key keeps the answer''s status');
select is((select count(*)::integer from ccp.signing_keys), 2, 'and makes no other');
select t.at('2099-01-01 12:00:02');
select is(t.keys(), '0 none', 'then it signs alone');
select is(t.states(), 'signing verifying', 'the one before verifies');
select is((select expires_at from ccp.signing_keys as k join first_key as f on f.kid = k.kid), timestamptz '2099-01-01 13:01:02', 'as long as a token of it may live');
select t.at('2099-01-01 13:01:01');
select is(t.keys(), '0 none', 'to the end');
select t.at('2099-01-01 13:01:02');
select is(t.keys(), '0', 'then it is worth nothing');
select is(t.states(), 'signing', 'and not shown');
select is(token.life(false), interval '1 hour', 'a token lives for an hour');
select is((token.answer(t.user('boss'), false)).expires_in, 3600, 'and says so');
select throws_ok($$select api.signing_key_rotate(t.login('bobby'), 1)$$, 'CP403', null, 'only admins rotate');
select throws_ok($$select api.signing_key_list(t.login('bobby'), 1)$$, 'CP403', null, 'or see keys');
select is(
    (select string_agg(a.attname, ',' order by a.attnum) from pg_attribute as a where a.attrelid = 'api.signing_key'::regclass and a.attnum > 0),
    'kid,state,created_at,signs_at,retired_at,expires_at', 'nobody sees a secret'
);

-- Many at once push none out that still verifies.
select count(token.rotate()) as rotated from generate_series(1, 15) \gset
select is((select count(*)::integer from token.keys()), 16, 'sixteen keys verify');
select throws_ok(
    $$select token.rotate()$$, 'CP409', 'There are 16 signing keys that still verify; wait until one of them expires, or retire one.', 'and no more'
);
select is((select count(*)::integer from token.keys() where signs_in_ms = 0), 1, 'one of them signs now');
select t.at('2099-01-01 13:01:05');
select is((select count(*)::integer from token.keys() where signs_in_ms is not null), 1, 'and soon after one alone');
select t.at('2099-01-01 15:00:00');
select is((select count(*)::integer from token.keys()), 1, 'the rest pass');

-- Retired.
truncate first_key;
insert into first_key select t.kid(1);
select token.rotate() is null as rotated \gset
select is(t.keys(), '2000 0', 'one is pending');
select lives_ok($$select api.signing_key_retire(t.login('boss'), 1, kid, 'k2', repeat('a', 64)) from first_key$$, 'the one that signs is retired');
select is(t.keys(), '0', 'the next signs at once');
select is(t.last_event(), format('warning | key.retired | signing key %s was retired; its tokens are invalid | {"kid": "%s"}', kid, kid), 'the audit log has it')
from first_key;
select lives_ok($$select api.signing_key_retire(t.login('boss'), 1, kid, 'k2', repeat('a', 64)) from first_key$$, 'the same request again does nothing');
select throws_ok(format('select token.retire(%L)', kid), 'CP404', 'There is no such signing key.', 'one that is worth nothing is not found') from first_key;
select lives_ok(format('select token.retire(%L)', t.kid(1)), 'the only one is retired');
select is(t.keys(), '0', 'and another signs');
select token.rotate() is null as rotated \gset
select lives_ok(format('select token.retire(%L)', t.kid(1)), 'one that is pending is retired');
select is((select count(*)::integer from token.keys() where signs_in_ms = 0), 2, 'somebody signs');
select throws_ok($$select api.signing_key_retire(t.login('bobby'), 1, 'abcd')$$, 'CP403', null, 'only admins retire');
select is((select count(*)::integer from ccp.events where type = 'key.retired'), 3, 'each once');

select * from finish();
rollback;
