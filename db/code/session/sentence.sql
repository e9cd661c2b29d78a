-- What a user reads when a session in the host p_short_id is ended by the rules, or by the person p_by.
create or replace function session.sentence(p_end_reason text, p_by text default null, p_short_id ccp.short_id default null)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case p_end_reason
        when 'expired' then 'This account has expired: the session ends.'
        when 'disabled' then 'This account was disabled: the session ends.'
        when 'deleted' then 'This account is being deleted: the session ends.'
        when 'user' then 'This session was ended by its user from elsewhere.'
        when 'admin' then format('This session was ended by %s.', coalesce('the administrator ' || p_by, 'an administrator'))
        when 'process_gone' then 'The session was ended by a restart.'
        when 'host_stopping' then 'This host was stopped; ' || session.way_back(p_short_id)
        when 'host_idle' then 'This host was stopped because nothing happened in it; ' || session.way_back(p_short_id)
        when 'host_rebuilding' then 'This host is being rebuilt: try again in a moment.'
        when 'host_unavailable' then
            'This host was closed because its exit could not be proven; it is started again by itself: try again in a minute.'
        when 'host_deleting' then 'This host was deleted.'
        else 'The session was ended by an administrator.'
    end
$$;

revoke all on function session.sentence(text, text, ccp.short_id) from public;

comment on function session.sentence(text, text, ccp.short_id) is
'What a user reads when a session is ended by the rules or by a person.';
