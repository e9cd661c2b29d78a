-- An event, as the HTTP routes answer it.
create or replace view api.event with (security_invoker = true) as
select
    e.id::text as id,
    e.at as time,
    e.level,
    e.type,
    e.message,
    e.actor,
    e.actor_role,
    e.actor_address,
    e.user_id,
    e.host_id,
    e.task_id,
    e.metadata::ccp.object as metadata
from ccp.events as e;
comment on view api.event is 'Something that happened.';
comment on column api.event.id is 'Identity.';
comment on column api.event.time is 'When.';
comment on column api.event.level is 'debug, info, warning or error.';
comment on column api.event.type is 'Dotted name, like host.started.';
comment on column api.event.message is 'What happened, as a sentence.';
comment on column api.event.actor is 'Who.';
comment on column api.event.actor_role is 'As what.';
comment on column api.event.actor_address is 'From where (or null).';
comment on column api.event.user_id is 'The user it is about (or null).';
comment on column api.event.host_id is 'The host it is about (or null).';
comment on column api.event.task_id is 'The task it is about (or null).';
comment on column api.event.metadata is 'Details.';
grant select on api.event to ccp_as_user;

create type api.event_page as (events api.event[], next_cursor text);
comment on type api.event_page is 'A page of events, newest first.';
comment on column api.event_page.events is 'The events.';
comment on column api.event_page.next_cursor is 'Where the next page begins (or null).';

create type api.event_chunk as (text text, next_cursor text);
comment on type api.event_chunk is 'A piece of an export.';
comment on column api.event_chunk.text is 'Its lines, each with its line break.';
comment on column api.event_chunk.next_cursor is 'Where the next piece begins (or null).';

create type api.event_change as (topic api.live_topic, action api.live_action, id text, payload api.event);
comment on type api.event_change is 'Something that happened, as a live stream tells it.';
comment on column api.event_change.topic is 'events.';
comment on column api.event_change.action is 'Always upsert.';
comment on column api.event_change.id is 'Identity.';
comment on column api.event_change.payload is 'It as the list has it.';
