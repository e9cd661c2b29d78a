-- Penalties after OpenSSH's model.
begin;
select plan(19);

set local test.now = '2099-01-01 00:00:00';
select is(access.penalty_check('198.51.100.7', 'alice'), 0, 'who did nothing waits for nothing');
select access.penalty_add('198.51.100.7', 'alice', 'auth_failed') from generate_series(1, 2);
select is(access.penalty_check('198.51.100.7', 'alice'), 0, 'two mistakes are free');
select access.penalty_add('198.51.100.7', 'alice', 'auth_failed');
select is(access.penalty_check('198.51.100.7', 'alice'), 15, 'the third makes this name wait at this address');
select is(access.penalty_check('198.51.100.7', 'bob'), 0, 'others at that address do not');
select is(access.penalty_check('198.51.100.8', 'alice'), 0, 'nor the same name elsewhere');
select access.penalty_add('198.51.100.7', 'x' || n, 'unknown_user') from generate_series(1, 8) as n;
select is(access.penalty_check('198.51.100.7', 'x8'), 0, 'until then each name''s first mistake is free');
select access.penalty_add('198.51.100.7', 'x9', 'unknown_user');
select is(access.penalty_check('198.51.100.7', 'x9'), 60, 'the twelfth of an address makes its name wait at once');
select is(access.penalty_check('198.51.100.7', 'x8'), 0, 'names whose mistakes came before do not');
select is(access.penalty_check('198.51.100.7', 'bob'), 0, 'who made none goes on: others'' mistakes lock nobody out');
select access.penalty_add('198.51.100.7', 'bob', 'auth_failed');
select is(access.penalty_check('198.51.100.7', 'bob'), 65, 'one mistake there costs as much as the address has left');
select is(access.penalty_check('198.51.100.8', 'bob'), 0, 'and nothing elsewhere');
select access.penalty_add('198.51.100.7', 'mallory', 'crash') from generate_series(1, 20);
select is(access.penalty_check('198.51.100.7', 'mallory'), 600, 'never longer than ten minutes');
select is(access.penalty_check('198.51.100.7', 'carol'), 0, 'whatever was done there');
set local test.now = '2099-01-01 00:10:02';
select is(access.penalty_check('198.51.100.7', 'mallory'), 0, 'then it is over');
select access.penalty_add('198.51.100.7', 'bob', 'auth_failed');
select is(access.penalty_check('198.51.100.7', 'bob'), 0, 'and a mistake is free again');
select access.penalty_add('2001:db8::1', 'alice', 'crash');
select ok(access.penalty_check('2001:db8::2', 'alice') > 0, 'an IPv6 /64 is one source');
update ccp.settings set value = '["198.51.100.0/24"]' where name = 'penalty_exempt';
select access.penalty_add('198.51.100.9', 'alice', 'crash');
select is(access.penalty_check('198.51.100.9', 'alice'), 0, 'exempt networks earn nothing');
alter table ccp.settings disable trigger settings_are_valid;
update ccp.settings set value = '["198.51.100.0/33", 7, null]' where name = 'penalty_exempt';
select access.penalty_add('198.51.100.10', 'alice', 'crash');
select ok(access.penalty_check('198.51.100.10', 'alice') > 0, 'what cannot be read there exempts nobody and stops no limit');

delete from ccp.penalties;
insert into ccp.penalties (source, expires_at, refused, reason)
values ('198.51.100.1/32', clock.now() - interval '1 second', true, 'grace'), ('198.51.100.2/32', clock.now() + interval '1 second', true, 'grace');
select access.penalties_forget();
select is((select string_agg(source, ' ') from ccp.penalties), '198.51.100.2/32', 'what has passed is forgotten');

select * from finish();
rollback;
