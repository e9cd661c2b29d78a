-- The SSH keys of users as an administrator handles them.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(19);

select t.at('2099-01-01');
create function t.add(p_blob text, p_key text default null) returns api.ssh_key language sql as $$
    select api.ssh_key_create(
        t.login('boss'), 1, t.user('alice'), 'ssh-ed25519 ' || encode(p_blob::bytea, 'base64'), 'laptop', p_key, repeat('a', 64)
    )
$$;
create function t.names(p_user text, p_limit integer default 50) returns text language sql as $$
    select concat_ws('|', string_agg(k.name, ','), case when p.next_cursor is not null then 'more' end)
    from api.ssh_key_list(t.login('boss'), 1, t.user(p_user), p_limit => p_limit) as p, unnest(p.ssh_keys) as k
    group by p.next_cursor
$$;
create temporary table made as select * from t.add('one', 'k1');
select is(
    (select concat_ws(' ', user_id = t.user('alice'), name, public_key, key_sha256 = encode(sha256('one'), 'hex')) from made),
    't laptop ssh-ed25519 ' || encode('one', 'base64') || ' t', 'an admin registers a key for a user'
);
select is(
    t.last_event(), format('info | key.registered | a public key named laptop was registered for alice | alice | {"key_id": "%s"}', id),
    'the audit log has it'
)
from made;
select is((select k.id from t.add('one', 'k1') as k), id, 'the same request again shows it') from made;
select is((select status from ccp.idempotency_keys), 201, 'the key keeps the answer''s status');
select throws_ok($$select t.add('one')$$, 'CP409', 'This key is registered already.', 'a key is registered once');
select is((api.ssh_key_create(t.login('boss'), 1, t.user('alice'), 'ssh-ed25519 AAAA')).name, 'key', 'it need not have a name');
select throws_ok(
    $$select api.ssh_key_create(t.login('boss'), 1, gen_random_uuid(), 'ssh-ed25519 AAAA')$$, 'CP404', 'There is no such user.', 'but a user'
);
select throws_ok(
    $$select api.ssh_key_create(t.login('bobby'), 1, t.user('alice'), 'ssh-ed25519 AAAA')$$, 'CP403', null, 'only admins do'
);
select is((select count(*)::integer from unnest((api.ssh_key_list(t.login('boss'), 1, t.user('alice'))).ssh_keys)), 2, 'they are listed');
select is(cardinality((api.ssh_key_list(t.login('boss'), 1, t.user('bobby'))).ssh_keys), 0, 'each user''s own');
select matches(t.names('alice', 1), '\|more$', 'in pages');
select throws_ok($$select api.ssh_key_list(t.login('boss'), 1, gen_random_uuid())$$, 'CP404', 'There is no such user.', 'of a user there is');
select throws_ok($$select api.ssh_key_list(t.login('bobby'), 1, t.user('alice'))$$, 'CP403', null, 'for admins');
select throws_ok(
    format('select api.ssh_key_delete(t.login(''boss''), 1, t.user(''bobby''), %L)', id), 'CP404', 'There is no such key.', 'a key of another user is not found'
)
from made;
select throws_ok(format('select api.ssh_key_delete(t.login(''bobby''), 1, t.user(''alice''), %L)', id), 'CP403', null, 'only admins remove')
from made;
select lives_ok(format('select api.ssh_key_delete(t.login(''boss''), 1, t.user(''alice''), %L)', id), 'it is removed') from made;
select is(t.names('alice'), 'key', 'that one and no other');
select is(
    t.last_event(), format('info | key.removed | the public key named laptop of alice was removed | alice | {"key_id": "%s"}', id),
    'the audit log has it'
)
from made;
select throws_ok($$select t.add('one', 'k1')$$, 'CP404', 'There is no such key.', 'the request that made it finds it gone');

select * from finish();
rollback;
