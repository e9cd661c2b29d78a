-- Another key is to sign. It begins in two seconds, when every API process has been told of it, so that none meets a token
-- whose key it does not know; the one before signs until then, and verifies as long as a token of it may live. Nobody is
-- logged out. A program holds 16 keys: a rotation that would push out one that still verifies is refused. Two at once come
-- one after the other. Returns the new key's id.
create or replace function token.rotate()
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_signs_at timestamptz := clock.now() + interval '2 seconds';
    v_before text;
    v_kid text;
begin
    lock table ccp.signing_keys in share row exclusive mode;
    perform token.keys();
    if (select count(*) from ccp.signing_keys as k where k.expires_at is null or k.expires_at > clock.now()) >= 16 then
        perform access.refuse(
            'CP409', 'too_many_keys',
            'There are 16 signing keys that still verify; wait until one of them expires, or retire one.'
        );
    end if;
    update ccp.signing_keys
    set
        retired_at = v_signs_at,
        expires_at = v_signs_at + token.life(false) + interval '1 minute'
    where retired_at is null
    returning kid into v_before;
    v_kid := token.make_key(v_signs_at);
    perform event.write(
        'key.rotated', format('signing key %s takes the place of %s', v_kid, v_before), null, null, null,
        jsonb_build_object('kid', v_kid, 'before', v_before)
    );
    return v_kid;
end
$$;

revoke all on function token.rotate() from public;
grant execute on function token.rotate() to ccp_admin;

comment on function token.rotate() is
'Another key is to sign tokens; nobody is logged out. Returns its id.';
