-- What a running host takes of the limits that it shares with the other hosts and the machine: outside its container its
-- tunnel's engine (10 threads, 1 inotify instance, 3 pipes; a proxy's has 8 threads and a user of its own) and its shim (12
-- threads, 4 pipes, with control groups of version 2 1 inotify instance), and where only other limits bind its users what those
-- let them take.
insert into pg_temp.machine_limits (name, per_host, reserve, description)
values
    ('fs.file-max', 268435456, 1048576, 'open files at most: 4096 processes with 65536 each'),
    ('fs.inotify.max_user_instances', 2, 128, 'of root''s inotify instances'),
    ('fs.inotify.max_user_watches', 4, 8192, 'of root''s inotify watches'),
    ('fs.pipe-user-pages-soft', 128, 16384, 'pages of root''s pipes'),
    ('kernel.pid_max', 4160, 4096, 'process ids at most'),
    ('kernel.pty.max', 1024, 1024, 'terminals at most'),
    ('kernel.threads-max', 4160, 4096, 'threads at most');
