-- Tasks: the kinds there are and what each does to a host, then the tasks themselves.

create table ccp.task_edges (
    from_status text not null,
    to_status text not null,
    description text not null,
    primary key (from_status, to_status)
);
comment on table ccp.task_edges is 'The steps a task may take; a trigger refuses every other.';
comment on column ccp.task_edges.from_status is 'Status before.';
comment on column ccp.task_edges.to_status is 'Status after.';
comment on column ccp.task_edges.description is 'When that happens.';

create table ccp.task_kinds (
    kind ccp.task_kind primary key,
    description text not null,
    queue text not null,
    subject text not null,
    from_statuses text[],
    while_status text,
    done_status text,
    failed_status text,
    canceled_status text,
    desired ccp.desired_state,
    desired_canceled ccp.desired_state,
    deadline interval not null,
    attempts_max integer not null,
    pause_max interval not null default interval '1 minute',
    losses_max integer not null default 3,
    waits boolean not null default false,
    stopped_by text[] not null default '{}',
    superseded_by text[] not null default '{}',
    needs_active_user boolean not null default false,
    needs_binding boolean not null default false,
    needs_creation boolean not null default false,
    housekeeping boolean not null default false,
    constraint queue_is_known check (queue in ('ccp_agent', 'ccp_worker')),
    constraint subject_is_known check (subject in ('host', 'none')),
    constraint host_kinds_move_hosts check (
        (subject = 'host') = (from_statuses is not null) and
        (subject = 'host') = (while_status is not null) and
        (subject = 'host') = (done_status is not null) and
        (subject = 'host') = (failed_status is not null) and
        (subject = 'host') = (canceled_status is not null)
    ),
    constraint deadline_is_positive check (deadline > interval '0'),
    constraint attempts_are_positive check (attempts_max > 0 and losses_max > 0),
    constraint pause_is_positive check (pause_max > interval '0')
);
comment on table ccp.task_kinds is
'The machine: what each kind of task needs, does and leaves behind. Functions read it; edge tables only guard.';
comment on column ccp.task_kinds.kind is 'Name of the kind.';
comment on column ccp.task_kinds.description is 'What it does.';
comment on column ccp.task_kinds.queue is 'Who claims it: the worker, or the agent of the host''s node.';
comment on column ccp.task_kinds.subject is 'What it works on: a host, or nothing.';
comment on column ccp.task_kinds.from_statuses is 'Statuses it may begin from.';
comment on column ccp.task_kinds.while_status is 'Status of the host from the moment the task is its next one.';
comment on column ccp.task_kinds.done_status is 'Status of the host when it has succeeded.';
comment on column ccp.task_kinds.failed_status is 'Status of the host when it has failed.';
comment on column ccp.task_kinds.canceled_status is 'Status of the host when it was stopped on request.';
comment on column ccp.task_kinds.desired is 'What a person who asks for it wants from then on; null: unchanged.';
comment on column ccp.task_kinds.desired_canceled is 'What a person who cancels it wants from then on; null: unchanged.';
comment on column ccp.task_kinds.deadline is 'Time from claim until it is asked to stop.';
comment on column ccp.task_kinds.attempts_max is 'Tries, if the failure can pass.';
comment on column ccp.task_kinds.pause_max is
'Longest pause between two tries: a second after the first, twice as long after each.';
comment on column ccp.task_kinds.losses_max is 'How often it may lose its process before it fails.';
comment on column ccp.task_kinds.waits is 'A busy host lets it wait behind a running task it cannot stop; otherwise CP409.';
comment on column ccp.task_kinds.stopped_by is 'Kinds that ask a running task of this kind to stop.';
comment on column ccp.task_kinds.superseded_by is 'Kinds that cancel a queued task of this kind.';
comment on column ccp.task_kinds.needs_active_user is 'Refused when the host''s user is expired or disabled.';
comment on column ccp.task_kinds.needs_binding is 'Refused when the host has no exit.';
comment on column ccp.task_kinds.needs_creation is
'Cannot begin while the host was never created: reconciliation creates it first.';
comment on column ccp.task_kinds.housekeeping is
'The installation needs it whatever else there is to do: a place is kept for it that no other kind takes.';

create table ccp.task_outcomes (
    kind text not null,
    outcome text not null,
    left_state text not null,
    host_status text not null,
    primary key (kind, outcome, left_state),
    constraint outcome_is_of_a_kind foreign key (kind) references ccp.task_kinds (kind) deferrable,
    constraint outcome_is_an_end check (outcome in ('succeeded', 'failed', 'canceled')),
    constraint outcome_leaves_a_known_state check (left_state in ('running', 'stopped')),
    constraint outcome_leads_to_a_known_status foreign key (host_status) references ccp.host_statuses (status) deferrable
);
create index task_outcomes_by_status on ccp.task_outcomes (host_status);
comment on table ccp.task_outcomes is
'Where what a task left of its host, and not its end alone, decides the host''s status: see task.status_after().';
comment on column ccp.task_outcomes.kind is 'The kind of task.';
comment on column ccp.task_outcomes.outcome is 'How it ended.';
comment on column ccp.task_outcomes.left_state is
'What it left: running (open and proven) or stopped (nothing of the host runs).';
comment on column ccp.task_outcomes.host_status is 'What the host is then.';

create table ccp.task_params (
    kind text not null,
    name text not null,
    pattern text not null,
    default_value text,
    description text not null,
    primary key (kind, name),
    constraint param_belongs_to_a_kind foreign key (kind) references ccp.task_kinds (kind) deferrable
);
comment on table ccp.task_params is 'The parameters a kind takes; others are refused.';
comment on column ccp.task_params.kind is 'The kind.';
comment on column ccp.task_params.name is 'Name of the parameter.';
comment on column ccp.task_params.pattern is 'Regular expression that the value must match as a whole.';
comment on column ccp.task_params.default_value is
'What its absence means: a request that says it is the same as one that does not.';
comment on column ccp.task_params.description is 'What it does.';

create table ccp.host_remedies (
    wanted ccp.desired_state not null,
    status text not null,
    kind text not null,
    primary key (wanted, status),
    constraint remedy_is_for_a_known_status foreign key (status) references ccp.host_statuses (status) deferrable,
    constraint remedy_is_a_task foreign key (kind) references ccp.task_kinds (kind) deferrable
);
create index host_remedies_by_status on ccp.host_remedies (status);
create index host_remedies_by_kind on ccp.host_remedies (kind);
comment on table ccp.host_remedies is
'Reconciliation: the task that brings a host without a live task from a status to what is wanted.';
comment on column ccp.host_remedies.wanted is
'What is wanted now: stopped for an expired or disabled user, else the host''s desired.';
comment on column ccp.host_remedies.status is 'The host''s status.';
comment on column ccp.host_remedies.kind is 'The task to enqueue.';

create sequence ccp.lease_ids;
comment on sequence ccp.lease_ids is
'Leases: a fresh number for each claim, so that a late report of an earlier claim changes nothing.';

create table ccp.task_rows (
    id uuid primary key default gen_random_uuid(),
    kind text not null,
    host_id uuid,
    user_id uuid,
    params ccp.small_object not null default '{}',
    status ccp.task_state not null default 'queued',
    queue text not null,
    housekeeping boolean not null default false,
    turn bigint not null default 0,
    run_at timestamptz not null default clock.now(),
    needs_active_user boolean not null default false,
    attempt integer not null default 0,
    losses integer not null default 0,
    process_id bigint,
    lease bigint,
    deadline_at timestamptz,
    stop_requested_at timestamptz,
    stop_reason ccp.stop_reason,
    stage ccp.word,
    progress ccp.percentage,
    message ccp.sentence,
    reported_lease bigint,
    reported ccp.report,
    left_state ccp.seen_state,
    result jsonb,
    error_code ccp.word,
    error_message ccp.sentence,
    retryable boolean,
    idempotency_key ccp.request_key,
    created_by text not null,
    created_at timestamptz not null default clock.now(),
    started_at timestamptz,
    progressed_at timestamptz,
    finished_at timestamptz,
    constraint task_kind_is_known foreign key (kind) references ccp.task_kinds (kind),
    constraint task_is_for_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint task_belongs_to_a_user foreign key (user_id) references ccp.users (id),
    constraint host_and_user_come_together check ((host_id is null) = (user_id is null)),
    constraint only_running_has_a_lease check (
        num_nonnulls(lease, process_id, deadline_at) = case status when 'running' then 3 else 0 end
    ),
    constraint running_has_begun check (status <> 'running' or started_at is not null),
    constraint finished_has_its_time check ((status ~ '^(queued|running)$') = (finished_at is null)),
    constraint failure_has_a_code check (status <> 'failed' or error_code is not null),
    constraint stop_has_a_reason check ((stop_requested_at is null) = (stop_reason is null)),
    constraint queued_was_not_asked_to_stop check (status <> 'queued' or stop_requested_at is null),
    constraint report_has_its_lease check ((reported is null) = (reported_lease is null)),
    constraint result_is_bounded check (pg_column_size(result) <= 262144)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
comment on table ccp.task_rows is
'Tasks. Made by task.enqueue() only (people: insert into ccp.tasks); moved by claim and the reports, each guarded by its '
'lease. It has no foreign key to processes: two claims of one process would fight over its row.';
comment on column ccp.task_rows.id is 'Identity.';
comment on column ccp.task_rows.kind is 'What to do: see ccp.task_kinds.';
comment on column ccp.task_rows.host_id is 'The host it works on.';
comment on column ccp.task_rows.user_id is 'That host''s user.';
comment on column ccp.task_rows.params is 'Parameters: see ccp.task_params.';
comment on column ccp.task_rows.status is 'queued, running, succeeded, failed or canceled.';
comment on column ccp.task_rows.queue is 'Channel and queue: ccp_worker, or ccp_agent_<node id>.';
comment on column ccp.task_rows.housekeeping is 'Claimed by the place that is kept for such tasks, and by no other.';
comment on column ccp.task_rows.turn is
'Its place in the queue, lowest first, in which requesters and kinds take turns: see task.turn().';
comment on column ccp.task_rows.run_at is 'Not claimed before; moved by a retry, and back when what it waited for has come.';
comment on column ccp.task_rows.needs_active_user is 'Not claimed while its user is expired or disabled.';
comment on column ccp.task_rows.attempt is 'How many tries have begun and counted.';
comment on column ccp.task_rows.losses is 'How often its process died.';
comment on column ccp.task_rows.process_id is 'Who runs it.';
comment on column ccp.task_rows.lease is 'The claim''s number; reports must carry it.';
comment on column ccp.task_rows.deadline_at is 'Asked to stop after this.';
comment on column ccp.task_rows.stop_requested_at is 'When it was asked to stop.';
comment on column ccp.task_rows.stop_reason is 'Why: canceled, superseded, deadline.';
comment on column ccp.task_rows.stage is 'The step it is in.';
comment on column ccp.task_rows.progress is 'Percentage.';
comment on column ccp.task_rows.message is 'The step as a sentence.';
comment on column ccp.task_rows.reported_lease is 'Lease of the last final report.';
comment on column ccp.task_rows.reported is 'The answer it got; the same report again gets it again.';
comment on column ccp.task_rows.left_state is 'What its last try left of the host, as that report said; null: it did not know.';
comment on column ccp.task_rows.result is 'What it brought.';
comment on column ccp.task_rows.error_code is 'Why it failed or was canceled, or why the last try failed.';
comment on column ccp.task_rows.error_message is 'The same as a sentence.';
comment on column ccp.task_rows.retryable is 'Whether trying again may help.';
comment on column ccp.task_rows.idempotency_key is 'The enqueuer''s name for this request; the same again returns this row.';
comment on column ccp.task_rows.created_by is 'Who asked.';
comment on column ccp.task_rows.created_at is 'When it was asked for.';
comment on column ccp.task_rows.started_at is 'When it was last claimed.';
comment on column ccp.task_rows.progressed_at is 'When it last reported progress.';
comment on column ccp.task_rows.finished_at is 'When it ended.';

create index tasks_to_claim on ccp.task_rows (queue, housekeeping, turn, run_at) where status = 'queued';
create index tasks_in_turn on ccp.task_rows (queue, created_by, kind, turn) where status = 'queued';
create unique index one_running_and_one_queued_task_per_host on ccp.task_rows (host_id, status)
where status in ('queued', 'running') and host_id is not null;
create unique index one_live_task_of_a_kind_without_subject on ccp.task_rows (kind, md5(params::text))
where status in ('queued', 'running') and stop_requested_at is null and host_id is null;
create unique index one_task_per_idempotency_key on ccp.task_rows (created_by, idempotency_key) where idempotency_key is not null;
create index switches_to_an_exit on ccp.task_rows ((params ->> 'egress_ip_id'))
where kind = 'host.switch' and status in ('queued', 'running');
create index tasks_running on ccp.task_rows (process_id) where status = 'running';
create index tasks_of_a_host on ccp.task_rows (host_id, created_at, id) where host_id is not null;
create index tasks_of_a_user on ccp.task_rows (user_id, created_at, id) where user_id is not null;
create index tasks_by_creation on ccp.task_rows (created_at, id);
create index tasks_of_a_kind on ccp.task_rows (kind, created_at, id);
create index tasks_that_have_not_succeeded on ccp.task_rows (created_at, id) where status <> 'succeeded';

create trigger tasks_take_allowed_steps before update of status on ccp.task_rows
for each row when (old.status is distinct from new.status)
execute function task.guard();
create trigger tasks_begin_queued before insert on ccp.task_rows
for each row when (new.status not in ('queued', 'succeeded') or new.attempt <> 0)
execute function task.guard_insert();
create trigger tasks_leave_when_finished before delete on ccp.task_rows
for each row when (old.finished_at is null)
execute function task.guard_delete();
create trigger tasks_are_not_truncated before truncate on ccp.task_rows
for each statement execute function task.refuse_truncate();
