-- Which of these logins may no longer do what they did as users or as administrators, and why: the error code and the
-- sentence that the routes give. A login goes on while its tokens are renewed.
create or replace function live.ended(p_login_ids uuid[], p_roles text[])
returns table (login_id uuid, error_code text, sentence text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select i.login_id, r.error_code, r.sentence
    from unnest(p_login_ids, p_roles) as i (login_id, role)
    left join ccp.logins as l on l.id = i.login_id and l.revoked_at is null and l.expires_at > clock.now()
    left join ccp.users as u on u.id = l.user_id
    cross join lateral (
        select
            case
                when l.id is null then 'token_invalid'
                when account.state(u.disabled_at, u.expires_at) <> 'active' then
                    'account_' || account.state(u.disabled_at, u.expires_at)
                when i.role = 'admin' and u.role <> 'admin' then 'forbidden'
            end as error_code
    ) as c
    join ccp.error_codes as w on w.code = c.error_code
    cross join lateral (select c.error_code, w.meaning as sentence) as r
$$;

revoke all on function live.ended(uuid[], text[]) from public;
grant execute on function live.ended(uuid[], text[]) to ccp_api;

comment on function live.ended(uuid[], text[]) is
'Which of these logins may no longer do what they did, and why.';
