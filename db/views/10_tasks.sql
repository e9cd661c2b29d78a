-- Automation's interface: one INSERT asks for a task, one SELECT tells what became of it.
create or replace view ccp.tasks with (security_barrier) as
select
    t.id,
    t.kind,
    t.host_id,
    t.params::jsonb as params,
    t.status,
    t.stage::text as stage,
    t.progress::integer as progress,
    t.message::text as message,
    t.attempt,
    t.result,
    t.error_code::text as error_code,
    t.error_message::text as error_message,
    t.idempotency_key::text as idempotency_key,
    t.created_by,
    t.created_at,
    t.started_at,
    t.finished_at
from ccp.task_rows as t;
comment on view ccp.tasks is
'Automation''s whole interface: insert into ccp.tasks (kind, host_id) values (...) returning id, status. Insertable: kind, '
'host_id, params, idempotency_key.';
comment on column ccp.tasks.id is 'Identity.';
comment on column ccp.tasks.kind is 'What to do: see ccp.rules.';
comment on column ccp.tasks.host_id is 'The host it works on.';
comment on column ccp.tasks.params is 'Parameters, a JSON object.';
comment on column ccp.tasks.status is 'queued, running, succeeded, failed or canceled.';
comment on column ccp.tasks.stage is 'The step it is in.';
comment on column ccp.tasks.progress is 'Percentage.';
comment on column ccp.tasks.message is 'The step as a sentence.';
comment on column ccp.tasks.attempt is 'How many tries have begun.';
comment on column ccp.tasks.result is 'What it brought.';
comment on column ccp.tasks.error_code is 'Why it failed or was canceled.';
comment on column ccp.tasks.error_message is 'The same as a sentence.';
comment on column ccp.tasks.idempotency_key is 'Your name for this request; the same again returns the same row.';
comment on column ccp.tasks.created_by is 'Who asked.';
comment on column ccp.tasks.created_at is 'When it was asked for.';
comment on column ccp.tasks.started_at is 'When it was last claimed.';
comment on column ccp.tasks.finished_at is 'When it ended.';
create or replace trigger tasks_are_enqueued instead of insert on ccp.tasks
for each row execute function task.insert_from_view();
grant select, insert (kind, host_id, params, idempotency_key) on ccp.tasks to ccp_automation;
grant select on ccp.tasks to ccp_dba;
