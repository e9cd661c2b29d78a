-- Ends the logins of a user, but the one p_except, and what they have granted by bootstrap or entry and nobody has used
-- yet. Returns how many logins. The caller holds the user's row, or a login that begins meanwhile may be missed.
create or replace function account.end_logins(p_user_id uuid, p_reason text, p_except uuid default null)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_count integer;
begin
    delete from ccp.access_grants
    where user_id = p_user_id
        and used_at is null;
    update ccp.logins
    set
        revoked_at = clock.now(),
        revoke_reason = p_reason
    where user_id = p_user_id
        and revoked_at is null
        and expires_at > clock.now()
        and id is distinct from p_except;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

revoke all on function account.end_logins(uuid, text, uuid) from public;

comment on function account.end_logins(uuid, text, uuid) is
'Ends the logins of a user and what they have granted; returns how many logins.';
