-- What a user does to one host leaves the user's other host alone.
begin;
select plan(2);
\ir ../hosts.psql
\ir ../second_host.psql

select t.at('2099-01-02');
insert into ccp.logins (user_id, address, expires_at) select id, '127.0.0.1', clock.now() + interval '1 hour' from ccp.users;
select is(
    (api.own_host_rotate_ssh_password((select id from ccp.logins), 1, t.second(), '$y$j9T$' || repeat('d', 60))).short_id::text, 'ghijkl',
    'the ssh password of one host is changed'
);
select results_eq(
    'select short_id::text, ssh_password_hash::text, ssh_password_changed_at from ccp.hosts order by short_id',
    $$values ('abcdef', null, null::timestamptz), ('ghijkl', '$y$j9T$' || repeat('d', 60), timestamptz '2099-01-02')$$,
    'and only that one is, as of now'
);

select * from finish();
rollback;
