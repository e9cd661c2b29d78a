-- The steps that a task may take; docs/state-graph.md draws them.
insert into pg_temp.task_edges (from_status, to_status, description)
values
    ('queued', 'running', 'claimed'),
    ('queued', 'succeeded', 'nothing left to do when its turn came'),
    ('queued', 'failed', 'its turn came and the host was in no status it can begin from'),
    ('queued', 'canceled', 'canceled or superseded before it began'),
    ('running', 'succeeded', 'done'),
    ('running', 'queued', 'to be tried again, handed back, or its process died'),
    ('running', 'failed', 'gave up'),
    ('running', 'canceled', 'stopped on request');
