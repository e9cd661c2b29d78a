-- A signing key is worth nothing from now on: every token that it signed is refused as soon as the API processes hear of it,
-- and whose they are log in again. If no other signs now, one begins to at once: a process that has not heard of it yet may
-- refuse its first tokens for a moment.
create or replace function token.retire(p_kid text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    lock table ccp.signing_keys in share row exclusive mode;
    update ccp.signing_keys
    set
        retired_at = least(retired_at, clock.now()),
        expires_at = clock.now()
    where kid = p_kid
        and (expires_at is null or expires_at > clock.now());
    if not found then
        perform api.not_found('signing_key_not_found', 'signing key');
    end if;
    if not exists (
        select
        from ccp.signing_keys as k
        where k.signs_at <= clock.now()
            and (k.retired_at is null or k.retired_at > clock.now())
    ) then
        update ccp.signing_keys
        set signs_at = clock.now()
        where retired_at is null;
    end if;
    if not exists (select from ccp.signing_keys as k where k.retired_at is null) then
        perform token.make_key(clock.now());
    end if;
    perform event.write(
        'key.retired', format('signing key %s was retired; its tokens are invalid', p_kid), null, null, null,
        jsonb_build_object('kid', p_kid)
    );
    perform pg_notify('ccp_api', '');
end
$$;

revoke all on function token.retire(text) from public;
grant execute on function token.retire(text) to ccp_admin;

comment on function token.retire(text) is
'A signing key is worth nothing from now on.';
