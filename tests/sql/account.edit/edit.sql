-- What an administrator changes of a user: what is absent stays, what is the same is no event.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(13);

select t.at('2099-01-01');
create function t.row() returns ccp.users language sql as $$ select * from ccp.users where username = 'bobby' $$;
create function t.events() returns bigint language sql as $$ select count(*) from ccp.events where type = 'admin.user.updated' $$;

select account.edit(t.user('bobby'), p_status => 'disabled');
select is((t.row()).disabled_at, clock.now(), 'a user is disabled');
select is(t.last_event(), 'info | admin.user.updated | user bobby was changed | bobby | {"status": "disabled"}', 'which is written down');
select t.at('2099-01-02');
select account.edit(t.user('bobby'), p_status => 'disabled');
select is((t.row()).disabled_at, timestamptz '2099-01-01', 'once');
select is(t.events(), 1::bigint, 'and written down once');
select account.edit(t.user('bobby'), p_expires_at => '2099-03-01');
select is((t.row()).disabled_at, timestamptz '2099-01-01', 'another change leaves that');
select is((t.row()).expires_at, timestamptz '2099-03-01', 'and is made');
select account.edit(t.user('bobby'), 'active', 'admin');
select is(
    ((t.row()).disabled_at is null, (t.row()).role::text, (t.row()).expires_at), (true, 'admin'::text, timestamptz '2099-03-01'),
    'several things change at once'
);
select account.edit(t.user('bobby'), p_expires_at => null);
select is((t.row()).expires_at, null, 'null is never');
select is(t.events(), 4::bigint, 'each is an event');
select account.edit(t.user('bobby'), 'active', 'admin', null);
select is(t.events(), 4::bigint, 'what changes nothing is none');
select throws_ok(
    format('select account.edit(%L, p_role => ''user'', p_if_match => ''1'')', t.user('bobby')), 'CP412', null, 'an old version is refused'
);
select lives_ok(
    format('select account.edit(%L, p_role => ''user'', p_if_match => %L)', t.user('bobby'), (t.row()).version), 'the present one is not'
);
select throws_ok($$select account.edit(gen_random_uuid(), p_role => 'user')$$, 'CP404', null, 'and only a user is changed');

select * from finish();
rollback;
