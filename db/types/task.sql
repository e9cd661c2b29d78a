-- A task, as the HTTP routes answer it.
create or replace view api.task with (security_invoker = true) as
select
    t.id,
    t.kind::ccp.task_kind as kind,
    t.host_id,
    t.user_id,
    t.params::ccp.object as params,
    t.status,
    t.stage::text as stage,
    t.progress::integer as progress,
    t.message::text as message,
    t.attempt,
    t.result::ccp.object as result,
    t.error_code::text as error_code,
    t.error_message::text as error_message,
    t.retryable,
    t.stop_reason,
    t.created_by,
    t.created_at,
    t.started_at,
    t.finished_at
from ccp.task_rows as t;
comment on view api.task is 'A piece of long work.';
comment on column api.task.id is 'Identity.';
comment on column api.task.kind is 'What to do, like host.start.';
comment on column api.task.host_id is 'The host it works on (or null).';
comment on column api.task.user_id is 'That host''s user (or null).';
comment on column api.task.params is 'Parameters.';
comment on column api.task.status is 'queued, running, succeeded, failed or canceled.';
comment on column api.task.stage is 'The step it is in (or null).';
comment on column api.task.progress is 'Percentage (or null).';
comment on column api.task.message is 'The step as a sentence (or null).';
comment on column api.task.attempt is 'How many tries have begun.';
comment on column api.task.result is 'What it brought (or null).';
comment on column api.task.error_code is 'Why it failed or was canceled (or null).';
comment on column api.task.error_message is 'The same as a sentence (or null).';
comment on column api.task.retryable is 'Whether trying again may help (or null).';
comment on column api.task.stop_reason is 'Why it was asked to stop (or null).';
comment on column api.task.created_by is 'Who asked.';
comment on column api.task.created_at is 'When it was asked for.';
comment on column api.task.started_at is 'When it was last claimed (or null).';
comment on column api.task.finished_at is 'When it ended (or null).';
grant select on api.task to ccp_as_user;

create type api.task_page as (tasks api.task[], next_cursor text);
comment on type api.task_page is 'A page of tasks, newest first.';
comment on column api.task_page.tasks is 'The tasks.';
comment on column api.task_page.next_cursor is 'Where the next page begins (or null).';

create type api.task_ref as (task_id uuid, status ccp.task_state, status_url text);
comment on type api.task_ref is 'Work that has been accepted.';
comment on column api.task_ref.task_id is 'The task.';
comment on column api.task_ref.status is 'queued, running, succeeded, failed or canceled.';
comment on column api.task_ref.status_url is 'Where to ask for the task.';

create type api.task_change as (topic api.live_topic, action api.live_action, id uuid, payload api.task);
comment on type api.task_change is 'A task that was asked for, moved on or was forgotten, as a live stream tells it.';
comment on column api.task_change.topic is 'tasks.';
comment on column api.task_change.action is 'What became of it.';
comment on column api.task_change.id is 'Identity.';
comment on column api.task_change.payload is 'It as the list has it; delete has none (or null).';
