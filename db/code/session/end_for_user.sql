-- Asks for the end of a user's open sessions and rings who holds them; returns how many. p_by is the person who asks;
-- null: the rules. A reason that was given before stays.
create or replace function session.end_for_user(p_user_id uuid, p_reason text, p_by text)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_count integer;
begin
    update ccp.sessions
    set
        end_requested_at = clock.now(),
        end_requested_by = p_by,
        end_reason = p_reason
    where user_id = p_user_id
        and ended_at is null
        and end_requested_at is null;
    get diagnostics v_count = row_count;
    if v_count > 0 then
        perform pg_notify('ccp_sshproxy', '');
    end if;
    return v_count;
end
$$;

revoke all on function session.end_for_user(uuid, text, text) from public;

comment on function session.end_for_user(uuid, text, text) is
'Asks for the end of a user''s open sessions; returns how many.';
