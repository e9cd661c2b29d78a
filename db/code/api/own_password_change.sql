-- POST /v1/user/change-password, after the old password was checked. A repeated request is answered as the first was,
-- though its old password is the old one by now; a refused one is not remembered. When the old password did not match, no hash
-- was made of the new one: it is empty.
create or replace function api.own_password_change(
    p_login_id uuid,
    p_generation integer,
    p_address inet,
    p_matched boolean,
    p_password_hash text,
    p_new_password_hash text,
    p_idempotency_key ccp.request_key default null,
    p_request_sha256 ccp.sha256 default null,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out answer api.password_change
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user_id uuid := account.enter(p_login_id, p_generation, 'user');
    v_ids jsonb := account.idempotency_begin('password', p_idempotency_key, p_request_sha256);
    v_change record;
begin
    verdict := 'ok';
    if v_ids is null then
        v_change := account.change_password(
            v_user_id, p_login_id, p_address, p_matched, p_password_hash, nullif(p_new_password_hash, '')
        );
        verdict := v_change.verdict;
        retry_after_s := v_change.retry_after_s;
        sentence := v_change.sentence;
        if verdict <> 'ok' then
            delete from ccp.idempotency_keys
            where user_id = v_user_id
                and key = p_idempotency_key;
            return;
        end if;
        v_ids := jsonb_build_object('logins', v_change.logins);
        perform account.idempotency_save(p_idempotency_key, 200, v_ids);
    end if;
    select u.password_changed_at, (v_ids ->> 'logins')::integer
    into answer
    from ccp.users as u
    where u.id = v_user_id;
end
$$;

revoke all on function api.own_password_change(
    uuid, integer, inet, boolean, text, text, ccp.request_key, ccp.sha256
) from public;
grant execute on function api.own_password_change(
    uuid, integer, inet, boolean, text, text, ccp.request_key, ccp.sha256
) to ccp_api;

comment on function api.own_password_change(uuid, integer, inet, boolean, text, text, ccp.request_key, ccp.sha256) is
'POST /v1/user/change-password.';
