-- What a user reads when a session is ended by the rules.
create or replace function session.sentence(p_end_reason text)
returns text
language sql
immutable
return case p_end_reason
    when 'expired' then 'This account has expired: the session ends.'
    when 'disabled' then 'This account was disabled: the session ends.'
    when 'process_gone' then 'The session was ended by a restart.'
    else 'The session was ended by an administrator.'
end;

revoke all on function session.sentence(text) from public;

comment on function session.sentence(text) is
'What a user reads when a session is ended by the rules.';
