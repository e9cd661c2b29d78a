-- What can be said of a host.
insert into pg_temp.host_statuses (status, description)
values
    ('pending', 'has been ordered and is not made yet'),
    ('stopped', 'is made and does not run'),
    ('starting', 'is being started, or waits for it'),
    ('running', 'runs'),
    ('switching', 'runs and is being moved to another exit, or waits for it'),
    ('stopping', 'is being stopped, or waits for it'),
    ('rebuilding', 'is being made again from its image'),
    ('unavailable', 'is closed: its exit is not proven'),
    ('failed', 'could not be made, stopped or deleted'),
    ('deleting', 'is being deleted, or waits for it'),
    ('deleted', 'has been removed; its row is kept for a while');
