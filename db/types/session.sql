-- A session, as the HTTP routes answer it.
create or replace view api.session with (security_invoker = true) as
select
    s.id,
    s.kind,
    s.user_id,
    u.username,
    s.host_id,
    h.short_id as host_short_id,
    s.method,
    s.address,
    s.created_at,
    s.end_requested_at,
    s.end_requested_by,
    s.ended_at,
    s.end_reason,
    s.bytes_up,
    s.bytes_down
from ccp.sessions as s
join ccp.users as u on u.id = s.user_id
join ccp.hosts as h on h.id = s.host_id;
comment on view api.session is 'Somebody in a host, now or once.';
comment on column api.session.id is 'Identity.';
comment on column api.session.kind is 'ssh or desktop.';
comment on column api.session.user_id is 'Who.';
comment on column api.session.username is 'That user''s name.';
comment on column api.session.host_id is 'Where.';
comment on column api.session.host_short_id is 'That host''s short id.';
comment on column api.session.method is 'How the user came in: key, grant (one-time key), password or token.';
comment on column api.session.address is 'From where.';
comment on column api.session.created_at is 'Since when.';
comment on column api.session.end_requested_at is 'When its end was asked for (or null).';
comment on column api.session.end_requested_by is 'The person who asked (or null).';
comment on column api.session.ended_at is 'When it ended (or null).';
comment on column api.session.end_reason is 'Why it ends or ended (or null).';
comment on column api.session.bytes_up is 'Bytes from the user, counted when it has ended.';
comment on column api.session.bytes_down is 'Bytes to the user, counted when it has ended.';
grant select on api.session to ccp_as_user;

create type api.session_page as (sessions api.session[], next_cursor text);
comment on type api.session_page is 'A page of sessions, newest first.';
comment on column api.session_page.sessions is 'The sessions.';
comment on column api.session_page.next_cursor is 'Where the next page begins (or null).';

create type api.ended as (sessions integer, logins integer);
comment on type api.ended is 'What of a user was ended.';
comment on column api.ended.sessions is 'How many sessions were asked to end.';
comment on column api.ended.logins is 'How many logins were ended.';

create type api.session_change as (topic api.live_topic, action api.live_action, id uuid, payload api.session);
comment on type api.session_change is 'A session that began, changed or ended, as a live stream tells it.';
comment on column api.session_change.topic is 'sessions.';
comment on column api.session_change.action is 'What became of it.';
comment on column api.session_change.id is 'Identity.';
comment on column api.session_change.payload is 'It as the list has it; delete has none (or null).';
