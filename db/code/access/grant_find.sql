-- The live grant of a poll token for a task. Refusals are returned, not raised: a wrong token costs its address a
-- penalty, which an exception would erase.
create or replace function access.grant_find(
    p_poll_sha256 text,
    p_address inet,
    p_task_id uuid,
    out verdict ccp.verdict,
    out retry_after_s integer,
    out sentence text,
    out host_id uuid
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_state text;
begin
    select g.host_id, account.state(u.disabled_at, u.expires_at)
    into host_id, v_state
    from ccp.access_grants as g
    join ccp.users as u on u.id = g.user_id
    where g.poll_token_sha256 = p_poll_sha256
        and g.task_id = p_task_id
        and g.expires_at > clock.now();
    if found then
        verdict := case v_state when 'active' then 'ok' else 'account_' || v_state end;
        sentence := case v_state when 'active' then null else format('This account is %s; ask your administrator.', v_state) end;
        return;
    end if;
    retry_after_s := access.penalty_check(p_address, 'poll token');
    if retry_after_s > 0 then
        verdict := 'too_many_attempts';
        sentence := format('Too many attempts; try again in %s seconds.', retry_after_s);
        return;
    end if;
    perform access.penalty_add(p_address, 'poll token', 'auth_failed');
    verdict := 'auth_invalid';
    sentence := 'This poll token is invalid or has expired; run the script again.';
end
$$;

revoke all on function access.grant_find(text, inet, uuid) from public;

comment on function access.grant_find(text, inet, uuid) is
'The live grant of a poll token for a task; refusals are returned and cost a penalty.';
