-- Reconciliation: the task that brings a host from a status to what is wanted.
insert into pg_temp.host_remedies (wanted, status, kind)
values
    ('running', 'pending', 'host.create'),
    ('running', 'stopped', 'host.start'),
    ('running', 'unavailable', 'host.start'),
    ('running', 'failed', 'host.start'),
    ('stopped', 'pending', 'host.create'),
    ('stopped', 'running', 'host.stop'),
    ('stopped', 'unavailable', 'host.stop'),
    ('stopped', 'failed', 'host.stop'),
    ('absent', 'pending', 'host.delete'),
    ('absent', 'stopped', 'host.delete'),
    ('absent', 'running', 'host.delete'),
    ('absent', 'unavailable', 'host.delete'),
    ('absent', 'failed', 'host.delete');
