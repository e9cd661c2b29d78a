-- Settings are read live, and only those that exist can be set.
begin;
select plan(12);

select is(setting.number('proof_life_s'), 900::numeric, 'a number is read as a number');
select is(setting.text('default_image'), 'cloud-cli-proxy/managed-user:latest', 'a text as a text');
select is(setting.get('echo_urls'), '[]'::jsonb, 'a list as JSON');
select is(setting.get('public_url'), null, 'one that was never set is null');
select is(setting.get('no_such_setting'), null, 'so is one that does not exist');
select lives_ok($$select setting.put('proof_life_s', '30')$$, 'it is set');
select is(setting.number('proof_life_s'), 30::numeric, 'and read at the next use');
set local test.now = '2099-01-01';
select setting.put('proof_life_s', '30') is null as done \gset
select isnt(
    (select updated_at from ccp.settings where name = 'proof_life_s'), timestamptz '2099-01-01', 'setting the same again is no change'
);
select setting.put('proof_life_s', '60') is null as done \gset
select is((select updated_at from ccp.settings where name = 'proof_life_s'), timestamptz '2099-01-01', 'another value is');
select throws_ok($$select setting.put('prof_life_s', '60')$$, 'CP404', 'there is no setting ''prof_life_s''', 'a typing error is refused');
set session authorization ccp_admin;
select lives_ok($$select setting.put('verify_light_s', '30')$$, 'the administrator sets');
set session authorization ccp_dba;
select throws_ok($$select setting.put('verify_light_s', '60')$$, '42501', null, 'the DBA reads');
reset session authorization;

select * from finish();
rollback;
