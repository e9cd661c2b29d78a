-- The steps that a host may take; docs/state-graph.md draws them.
insert into pg_temp.host_edges (from_status, to_status)
values
    ('pending', 'stopped'), ('pending', 'failed'), ('pending', 'deleting'),
    ('stopped', 'starting'), ('stopped', 'rebuilding'), ('stopped', 'unavailable'), ('stopped', 'deleting'),
    ('starting', 'running'), ('starting', 'unavailable'), ('starting', 'stopped'), ('starting', 'stopping'),
    ('starting', 'deleting'),
    ('running', 'stopping'), ('running', 'rebuilding'), ('running', 'unavailable'), ('running', 'deleting'),
    ('running', 'switching'), ('switching', 'running'), ('switching', 'unavailable'), ('switching', 'stopping'),
    ('switching', 'deleting'),
    ('stopping', 'stopped'), ('stopping', 'failed'), ('stopping', 'running'), ('stopping', 'unavailable'),
    ('stopping', 'deleting'),
    ('rebuilding', 'running'), ('rebuilding', 'stopped'), ('rebuilding', 'failed'), ('rebuilding', 'unavailable'),
    ('rebuilding', 'deleting'),
    ('unavailable', 'starting'), ('unavailable', 'stopping'), ('unavailable', 'rebuilding'), ('unavailable', 'deleting'),
    ('failed', 'pending'), ('failed', 'starting'), ('failed', 'stopping'), ('failed', 'rebuilding'), ('failed', 'deleting'),
    ('deleting', 'deleted'), ('deleting', 'failed');
