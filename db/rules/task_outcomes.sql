-- What a host is after a task that left it running (open and proven) or stopped (nothing of it runs), where that differs from
-- the status its kind names. What it left is the agent's word; what was wanted meanwhile decides nothing here.
insert into pg_temp.task_outcomes (kind, outcome, left_state, host_status)
values
    -- It had not begun to end what runs.
    ('host.start', 'failed', 'running', 'running'),
    ('host.start', 'canceled', 'running', 'running'),
    ('host.stop', 'canceled', 'running', 'running'),
    ('host.rebuild', 'failed', 'running', 'running'),
    ('host.rebuild', 'canceled', 'running', 'running'),
    ('host.verify', 'failed', 'running', 'running'),
    -- It leaves through the exit that it had before.
    ('host.switch', 'failed', 'running', 'running'),
    -- It had ended it.
    ('host.stop', 'canceled', 'stopped', 'stopped'),
    ('host.rebuild', 'canceled', 'stopped', 'stopped'),
    ('host.switch', 'canceled', 'stopped', 'unavailable'),
    ('host.verify', 'canceled', 'stopped', 'unavailable'),
    -- It was wanted running when it was made again.
    ('host.rebuild', 'succeeded', 'running', 'running');
