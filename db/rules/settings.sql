-- The settings there are and what may be their values. A value here is the first one: the administrator's stays.
insert into pg_temp.settings (name, value, type, pattern, min, max, optional, description)
values
    ('verify_light_s', '60', 'number', null, 1, 86400, false, 'Seconds between two light verifications of a running host.'),
    ('verify_full_s', '600', 'number', null, 1, 86400, false, 'Seconds between two full verifications of a running host.'),
    ('proof_life_s', '900', 'number', null, 3, 86400, false, 'Seconds a proof keeps the wall open.'),
    (
        'echo_urls', '[]', 'texts', '^https?://[^\s/]\S*$', 0, 16, false,
        'URLs that answer with the caller''s address; at least 3 for a start.'
    ),
    (
        'connect_targets', '[]', 'texts',
        '^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$',
        0, 8, false, 'host:port pairs, one of which must answer; asked by TLS at port 443, else by HTTP.'
    ),
    (
        'dns_check_zone', null, 'text', '^[A-Za-z0-9_][A-Za-z0-9._-]*$', 1, 200, true,
        'Zone whose unique names prove which resolver answers.'
    ),
    (
        'switch_fallback', '"back"', 'text', '^(back|closed)$', 4, 6, false,
        'What a running host does whose other exit is not proven: back to the exit it had, or closed.'
    ),
    ('ssh_host', null, 'text', '^[A-Za-z0-9.:_-]+$', 1, 253, true, 'Name or address at which users reach ssh.'),
    ('ssh_port', '2222', 'number', null, 1, 65535, false, 'Port at which users reach ssh.'),
    (
        'public_url', null, 'text', '.', 1, 2000, true,
        'URL under which users reach the API, which checks it when it makes a script.'
    ),
    (
        'ssh_host_key', null, 'text', '^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$', 1, 8192, true,
        'The ssh proxy''s public host key, one line; written by the ssh proxy.'
    ),
    (
        'sealing_key', null, 'text', '^[A-Za-z0-9+/]{43}=$', 44, 44, true,
        'Public key (base64 X25519) to which exit secrets are sealed; written by the agent.'
    ),
    (
        'default_image', '"cloud-cli-proxy/managed-user:latest"', 'text', '^[A-Za-z0-9][A-Za-z0-9._/:@-]*$', 1, 255, false,
        'Image of new hosts that name none.'
    ),
    (
        'user_namespaces', '"required"', 'text', '^(required|off)$', 3, 8, false,
        'required: each container has user ids of its own, else it does not start; off: it has the machine''s.'
    ),
    (
        'tunnel_cpu_percent', '50', 'number', null, 1, 1000, false,
        'What the tunnel of a host may use beside it, in percent of its cpu_limit; a tenth of a core at least.'
    ),
    (
        'tunnel_memory_mb', '256', 'number', null, 32, 65536, false,
        'Memory limit of each host''s tunnel in MiB; it tidies up from half of it on.'
    ),
    (
        'wireguard_engine', '"auto"', 'text', '^(auto|kernel|user)$', 4, 6, false,
        'What carries WireGuard, from each host''s next start: the kernel, user (a process), or auto, the kernel where it has it.'
    ),
    (
        'import_dns_server', '"9.9.9.9"', 'text', '^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$',
        7, 15, false, 'Resolver (IPv4) of an exit that is imported from a text that names none; it is asked through the exit.'
    ),
    (
        'disk_reserve_percent', '5', 'number', null, 0, 90, false,
        'Percent of a node''s disk, room and files, that are kept back: with less free none of its hosts is started.'
    ),
    (
        'host_disk_gb', '20', 'number', null, 1, 65536, false,
        'GiB that a host''s files may take, as its agent counts them; a home with disk_limit_gb is not among them.'
    ),
    (
        'idle_stop_minutes', null, 'number', null, 10, 525600, true,
        'Minutes after which a host is stopped that nobody is in, unless it or its user says otherwise; null: never.'
    ),
    (
        'idle_means', '"no_session"', 'text', '^(no_session|no_traffic)$', 10, 10, false,
        'no_session: nobody is in a host without a session; no_traffic: nor in one whose sessions are silent, after a warning.'
    ),
    ('penalty_exempt', '[]', 'networks', null, 0, 1000, false, 'Addresses or networks that are never limited.'),
    (
        'requests_per_minute', '3000', 'number', null, 60, 1000000, false,
        'Requests that each login may make a minute, and as many of them at once, at each API process; others are answered 429.'
    ),
    (
        'webhook_networks', '[]', 'networks', null, 0, 100, false,
        'Networks that webhooks may reach although they are loopback, private or link-local.'
    ),
    (
        'webhook_sealing_key', null, 'text', '^[A-Za-z0-9+/]{43}=$', 44, 44, true,
        'Public key (base64 X25519) to which secrets of webhooks are sealed; written by the worker.'
    ),
    (
        'event_retention_days', '90', 'number', null, 1, 36500, false,
        'Days that events and verifications are kept; they leave a whole month at a time.'
    ),
    (
        'tombstone_retention_days', '90', 'number', null, 1, 36500, false,
        'Days that deleted hosts, finished tasks, sessions and grants, and deliveries to webhooks are kept.'
    );

update pg_temp.settings
set default_value = value;
