-- The installation's sealing key is stored once: another would make every secret sealed so far unreadable.
begin;
\ir ../hosts.psql
select plan(9);

select t.at('2099-01-01');

select throws_ok(
    $$select node.set_sealing_key(t.agent(), 'short')$$, 'CP422', 'a sealing key is 32 bytes in base64', 'only a key is a key'
);
select throws_ok($$select node.set_sealing_key(t.agent(), null)$$, 'CP422', null, 'none is none');
select is(setting.text('sealing_key'), null, 'nothing was stored');
select is(node.set_sealing_key(t.agent(), repeat('A', 43) || '='), 'ok', 'the first agent stores its key');
select is((select updated_at from ccp.settings where name = 'sealing_key'), timestamptz '2099-01-01', 'with its time');
select is(node.set_sealing_key(t.agent(), repeat('A', 43) || '='), 'ok', 'the same again is the same');
select is(node.set_sealing_key(t.agent(), repeat('B', 43) || '='), 'other', 'another is told that there is one');
select is(setting.text('sealing_key'), repeat('A', 43) || '=', 'and changes nothing');
select throws_ok(
    $$select node.set_sealing_key(0, repeat('A', 43) || '=')$$, 'CP401', null, 'a process that is not registered is refused'
);

select * from finish();
rollback;
