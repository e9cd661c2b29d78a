-- What a value must be, in words; null if it is.
begin;
\ir ../hosts.psql
select plan(19);

create function t.error(p_type text, p_value jsonb, p_pattern text default null, p_optional boolean default false) returns text language sql as $$
    select setting.validation_error(row('x', p_value, null, p_type, p_pattern, 2, 5, p_optional, 'x', 1, clock.now(), null)::ccp.settings)
$$;
select is(t.error('number', '2'), null, 'the least number');
select is(t.error('number', '5'), null, 'the greatest');
select is(t.error('number', '1'), 'a whole number from 2 to 5', 'not less');
select is(t.error('number', '6'), 'a whole number from 2 to 5', 'nor more');
select is(t.error('number', '2.5'), 'a whole number from 2 to 5', 'nor between');
select is(t.error('number', '"3"'), 'a whole number from 2 to 5', 'nor a text');
select is(t.error('text', '"aa"', '^a+$'), null, 'a text of its length and pattern');
select is(t.error('text', '"a"', '^a+$'), 'a text of 2 to 5 characters that matches ^a+$', 'not a shorter one');
select is(t.error('text', '"aaaaaa"', '^a+$'), 'a text of 2 to 5 characters that matches ^a+$', 'nor a longer one');
select is(t.error('text', '"ab"', '^a+$'), 'a text of 2 to 5 characters that matches ^a+$', 'nor another one');
select is(t.error('text', '22', '^2+$'), 'a text of 2 to 5 characters that matches ^2+$', 'nor a number');
select is(t.error('texts', '["1", "22"]', '^[12]+$'), null, 'a list');
select is(t.error('texts', '["1"]', '^[12]+$'), 'a list of 2 to 5 texts of up to 512 characters that match ^[12]+$', 'not a shorter one');
select is(t.error('texts', '["1", 2]', '^[12]+$'), 'a list of 2 to 5 texts of up to 512 characters that match ^[12]+$', 'nor one with a number');
select is(
    t.error('texts', jsonb_build_array('1', repeat('2', 512)), '^[12]+$') || t.error('texts', jsonb_build_array('1', repeat('2', 513)), '^[12]+$'), null,
    'a text of it may be long'
);
select isnt(t.error('texts', jsonb_build_array('1', repeat('2', 513)), '^[12]+$'), null, 'but not endless');
select is(t.error('networks', '["192.0.2.1", 7]'), 'a list of 2 to 5 addresses or networks, such as 192.0.2.1 or 2001:db8::/32', 'a network is a text');
select is(t.error('number', null), 'set', 'a value is there');
select is(t.error('number', null, null, true), null, 'unless it is optional');

select * from finish();
rollback;
