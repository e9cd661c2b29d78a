-- The kinds of tasks: what each needs, what it does to its host and what it leaves behind.
insert into pg_temp.task_kinds (
    kind, description, queue, subject,
    from_statuses, while_status, done_status, failed_status, canceled_status,
    desired, desired_canceled, deadline, attempts_max, waits, stopped_by, superseded_by, needs_active_user, needs_binding,
    needs_creation, housekeeping
)
values
    (
        'host.create', 'make keys, home and identity of a host', 'ccp_agent', 'host',
        '{pending,failed}', 'pending', 'stopped', 'failed', 'failed',
        null, null, '60 seconds', 3, false, '{}', '{host.delete}', false, false, false, false
    ),
    (
        'host.start', 'start the container, prove its exit, open it', 'ccp_agent', 'host',
        '{stopped,unavailable,failed}', 'starting', 'running', 'unavailable', 'stopped',
        'running', 'stopped', '60 seconds', 1, true, '{host.stop,host.delete}', '{host.stop,host.delete}', true, true, true, false
    ),
    (
        'host.stop', 'close the host and end everything in it', 'ccp_agent', 'host',
        '{starting,running,switching,unavailable,failed}', 'stopping', 'stopped', 'failed', 'unavailable',
        'stopped', 'running', '30 seconds', 3, true, '{host.start,host.delete}', '{host.start,host.delete}',
        false, false, true, false
    ),
    (
        'host.rebuild', 'make the container again from its image; keep or wipe the home', 'ccp_agent', 'host',
        '{stopped,running,unavailable,failed}', 'rebuilding', 'stopped', 'failed', 'unavailable',
        null, null, '120 seconds', 1, false, '{}', '{host.delete}', true, false, true, false
    ),
    (
        'host.verify', 'prove the exit again, now', 'ccp_agent', 'host',
        '{running}', 'running', 'running', 'unavailable', 'running',
        null, null, '60 seconds', 1, false,
        '{host.start,host.stop,host.rebuild,host.switch,host.delete}',
        '{host.start,host.stop,host.rebuild,host.switch,host.delete}',
        false, true, true, false
    ),
    (
        'host.switch', 'move a running host to another exit, closed in between', 'ccp_agent', 'host',
        '{running}', 'switching', 'running', 'unavailable', 'running',
        null, null, '60 seconds', 1, false, '{host.stop,host.rebuild,host.delete}', '{host.stop,host.rebuild,host.delete}',
        true, true, true, false
    ),
    (
        'host.delete', 'remove the container, its keys and, if asked, its home', 'ccp_agent', 'host',
        '{pending,stopped,starting,running,switching,stopping,rebuilding,unavailable,failed,deleting}',
        'deleting', 'deleted', 'failed', 'failed',
        'absent', 'stopped', '60 seconds', 10, true, '{}', '{}', false, false, false, false
    ),
    (
        'egress.test', 'prove an exit by a tunnel of its own, or by that of the host that runs through it', 'ccp_agent', 'none',
        null, null, null, null, null,
        null, null, '30 seconds', 3, false, '{}', '{}', false, false, false, false
    ),
    (
        'user.delete', 'delete a user once all hosts of that user are gone', 'ccp_worker', 'none',
        null, null, null, null, null,
        null, null, '60 seconds', 1500, false, '{}', '{}', false, false, false, false
    ),
    (
        'webhook.deliver', 'send a webhook what waits for it, in order', 'ccp_worker', 'none',
        null, null, null, null, null,
        null, null, '60 seconds', 100, false, '{}', '{}', false, false, false, false
    ),
    (
        'webhook.test', 'send a webhook one message, past its queue', 'ccp_worker', 'none',
        null, null, null, null, null,
        null, null, '60 seconds', 1, false, '{}', '{}', false, false, false, false
    ),
    (
        'events.retain', 'drop months of events and rows that are past their retention', 'ccp_worker', 'none',
        null, null, null, null, null,
        null, null, '60 seconds', 3, false, '{}', '{}', false, false, false, true
    ),
    (
        'system.noop', 'do nothing, slowly if asked; for tests and benchmarks', 'ccp_worker', 'none',
        null, null, null, null, null,
        null, null, '60 seconds', 3, false, '{}', '{}', false, false, false, false
    );

-- A receiver that is away for a day is not asked each minute.
update pg_temp.task_kinds
set pause_max = interval '1 hour'
where kind = 'webhook.deliver';
