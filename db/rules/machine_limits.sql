-- What a running host takes of the limits that it shares with the other hosts and the machine.
insert into pg_temp.machine_limits (name, per_host, reserve, description)
values
    ('fs.inotify.max_user_instances', 2, 128, 'of root''s inotify instances, for its tunnel and its supervision'),
    ('fs.inotify.max_user_watches', 8, 8192, 'of root''s inotify watches'),
    ('fs.file-max', 65536, 65536, 'open files'),
    ('fs.aio-max-nr', 1024, 65536, 'asynchronous requests'),
    ('kernel.pid_max', 4096, 4096, 'process ids'),
    ('kernel.pty.max', 256, 1024, 'terminals');
