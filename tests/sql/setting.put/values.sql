-- Settings are read live, and only those that exist can be set.
begin;
select plan(53);

select is(setting.number('proof_life_s'), 900::numeric, 'a number is read as a number');
select is(setting.text('default_image'), 'cloud-cli-proxy/managed-user:latest', 'a text as a text');
select is(setting.get('echo_urls'), '[]'::jsonb, 'a list as JSON');
select is(setting.get('public_url'), null, 'one that was never set is null');
select is(setting.get('no_such_setting'), null, 'so is one that does not exist');
select lives_ok($$select setting.put('proof_life_s', '30')$$, 'it is set');
select is(setting.number('proof_life_s'), 30::numeric, 'and read at the next use');
select clock.now() + interval '1 minute' as later \gset
set local test.now = :'later';
select setting.put('proof_life_s', '30') is null as done \gset
select isnt(
    (select updated_at from ccp.settings where name = 'proof_life_s'), :'later'::timestamptz, 'setting the same again is no change'
);
select setting.put('proof_life_s', '60') is null as done \gset
select is((select updated_at from ccp.settings where name = 'proof_life_s'), :'later'::timestamptz, 'another value is');
select is(
    (select concat_ws(' ', version, updated_by) from ccp.settings where name = 'proof_life_s'), '3 ' || session_user, 'it is noted who did it'
);
select results_eq(
    $$select message, metadata from ccp.events where type = 'setting.changed' order by id$$,
    $$values
        ('the setting proof_life_s was changed', '{"name": "proof_life_s", "from": 900, "to": 30}'::jsonb),
        ('the setting proof_life_s was changed', '{"name": "proof_life_s", "from": 30, "to": 60}')$$,
    'each change is an event, the same value again is none'
);
select throws_ok($$select setting.put('proof_life_s', '61', '2')$$, 'CP412', null, 'who has read an older version is refused');
select lives_ok($$select setting.put('proof_life_s', '61', '1,3')$$, 'who has read the present one is not');
select is_empty($$select name from ccp.settings where value is distinct from default_value and updated_by is null$$, 'others have their default');
update ccp.settings set description = 'x' where name = 'ssh_port';
select is((select updated_by from ccp.settings where name = 'ssh_port'), null, 'another description is no change of the value');
select throws_ok($$select setting.put('prof_life_s', '60')$$, 'CP404', 'there is no setting ''prof_life_s''', 'a typing error is refused');

-- What does not fit is refused, whoever sets it, with the setting's name.
create function pg_temp.put(p_name text, p_value text) returns text language plpgsql as $$
begin
    perform setting.put(p_name, p_value::jsonb);
    return 'taken';
exception
    when sqlstate 'CP422' then return 'refused';
end
$$;
select is(pg_temp.put(name, value), 'refused', format('%s is not %s', name, coalesce(value, 'null')))
from (
    values
        ('proof_life_s', '2'), ('proof_life_s', '2.5'), ('proof_life_s', '"60"'), ('proof_life_s', 'null'), ('proof_life_s', null),
        ('verify_light_s', '0'), ('verify_light_s', '-1'), ('verify_full_s', '86401'), ('verify_full_s', '[60]'),
        ('ssh_port', '0'), ('ssh_port', '65536'), ('event_retention_days', '0'), ('tombstone_retention_days', '-1'),
        ('penalty_exempt', '"127.0.0.1"'), ('penalty_exempt', '["localhost"]'), ('penalty_exempt', '["10.0.0.0/33"]'),
        ('penalty_exempt', '[1]'), ('penalty_exempt', '{}'),
        ('echo_urls', '["ftp://a"]'), ('echo_urls', '["http://"]'), ('echo_urls', '["http://a b"]'), ('echo_urls', '{"a": "http://a"}'),
        ('echo_urls', (select jsonb_agg('http://a'::text)::text from generate_series(1, 17))),
        ('connect_targets', '["a"]'), ('connect_targets', '["a:65536"]'), ('connect_targets', '["a:0"]'),
        ('dns_check_zone', '"a zone"'), ('ssh_host', '"ssh -x"'), ('sealing_key', '"short"')
) as w (name, value);
select is(pg_temp.put(name, value), 'taken', format('%s may be %s', name, coalesce(value, 'null')))
from (
    values
        ('penalty_exempt', '["127.0.0.1", "2001:db8::/32"]'), ('echo_urls', '[]'), ('echo_urls', '["https://a.example:8443/ip?x"]'),
        ('connect_targets', '["198.51.100.1:443", "[2001:db8::1]:65535", "a.example:80"]'), ('dns_check_zone', null)
) as w (name, value);
select throws_ok(
    $$update ccp.settings set value = '1' where name = 'proof_life_s'$$, 'CP422',
    'proof_life_s must be a whole number from 3 to 86400', 'an update by hand is told the same'
);
set session authorization ccp_admin;
select lives_ok($$select setting.put('verify_light_s', '30')$$, 'the administrator sets');
set session authorization ccp_dba;
select throws_ok($$select setting.put('verify_light_s', '60')$$, '42501', null, 'the DBA reads');
reset session authorization;

select * from finish();
rollback;
