-- What GET /metrics gives out. The labels of what programs count are followed by program and node, the number of its machine.
insert into pg_temp.metrics (name, type, labels, help)
values
    ('ccp_program_up', 'gauge', '{program,node}', 'Whether a program has been heard of lately: 1, or 0.'),
    (
        'ccp_program_info', 'gauge', '{program,node,version}',
        'Always 1; the version of a program that runs is a label.'
    ),
    (
        'ccp_program_start_time_seconds', 'gauge', '{program,node}',
        'When a program that runs registered, since the epoch.'
    ),
    ('ccp_process_resident_memory_bytes', 'gauge', '{}', 'Memory of a program, without that of its children.'),
    (
        'ccp_process_cpu_seconds_total', 'counter', '{}',
        'Time a program has had on processors, without its children''s.'
    ),
    (
        'ccp_http_requests_total', 'counter', '{method,route,status}',
        'Requests that were answered; route is empty where no path matched.'
    ),
    (
        'ccp_http_request_duration_seconds', 'histogram', '{method,route,status}',
        'From a request''s head until its answer was sent.'
    ),
    (
        'ccp_pool_wait_seconds', 'histogram', '{pool}',
        'How long jobs waited for a thread; those of a pool db get a connection with it.'
    ),
    ('ccp_pool_refusals_total', 'counter', '{pool}', 'Jobs for which a full queue had no place.'),
    ('ccp_tasks', 'gauge', '{queue,status}', 'Tasks that wait or run.'),
    (
        'ccp_queue_age_seconds', 'gauge', '{queue}',
        'For how long the oldest task that may be claimed has waited; 0: none waits.'
    ),
    ('ccp_task_wait_seconds', 'histogram', '{kind}', 'From when a task may run until a program had claimed it.'),
    ('ccp_task_duration_seconds', 'histogram', '{kind}', 'From the claim of a task until its end was reported.'),
    (
        'ccp_task_step_duration_seconds', 'histogram', '{kind,step}',
        'How long the steps of tasks took: of host.start, its stages.'
    ),
    ('ccp_task_ends_total', 'counter', '{kind,end}', 'Tries of tasks that ended in a program, by how.'),
    ('ccp_hosts', 'gauge', '{status}', 'Hosts by status.'),
    ('ccp_users', 'gauge', '{state}', 'Users by state.'),
    ('ccp_proof_age_median_seconds', 'gauge', '{}', 'Median age of the proofs of running hosts.'),
    ('ccp_proof_age_p95_seconds', 'gauge', '{}', 'Age that 95 % of the proofs of running hosts do not exceed.'),
    ('ccp_proof_age_max_seconds', 'gauge', '{}', 'Age of the oldest proof of a running host.'),
    (
        'ccp_proof_life_seconds', 'gauge', '{}',
        'Age at which a proof ends and the kernel closes its host: the setting proof_life_s.'
    ),
    ('ccp_sessions', 'gauge', '{kind}', 'Sessions that are open.'),
    ('ccp_ssh_connections_total', 'counter', '{}', 'Connections to the ssh proxy.'),
    ('ccp_ssh_sessions_ended_total', 'counter', '{reason}', 'Sessions of ssh that have ended, by why.'),
    (
        'ccp_ssh_bytes_total', 'counter', '{direction}',
        'Bytes from users (up) and to them (down), counted when a session ends.'
    ),
    (
        'ccp_node_disk_free_bytes', 'gauge', '{node}',
        'What users without privileges may still write on the disk with the state directory.'
    ),
    ('ccp_node_disk_bytes', 'gauge', '{node}', 'How large that disk is.'),
    ('ccp_node_troubles', 'gauge', '{node}', 'What an agent has found on its machine that is not as it should be.'),
    (
        'ccp_tick_age_seconds', 'gauge', '{who}',
        'How long ago the worker, or pg_cron, last made time pass for the rules.'
    ),
    ('ccp_tick_duration_seconds', 'histogram', '{}', 'How long a tick of all rules took.'),
    ('ccp_tick_failures_total', 'counter', '{}', 'Ticks of which a rule failed or was not answered.'),
    ('ccp_tick_rules_failing', 'gauge', '{}', 'Rules of the tick whose last try failed.'),
    ('ccp_database_locks_ratio', 'gauge', '{}', 'How full the table of locks is that all sessions share.');
