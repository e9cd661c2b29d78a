-- Machines, the programs that run on them, the tick, and exits.

create table ccp.nodes (
    id bigint generated always as identity primary key,
    name text not null,
    cordoned_at timestamptz,
    drained_at timestamptz,
    engine_refusal ccp.sentence,
    taken_ids int8multirange not null default '{}',
    limits jsonb not null default '{}',
    disk_free_bytes bigint,
    disk_bytes bigint,
    disk_free_files bigint,
    disk_files bigint,
    disk_short text,
    disk_short_since timestamptz,
    created_at timestamptz not null default clock.now(),
    constraint node_name_is_unique unique (name),
    constraint drained_node_is_cordoned check (drained_at is null or cordoned_at is not null),
    constraint node_limits_are_numbers_by_name check (
        jsonb_typeof(limits) = 'object' and not limits @? '$.* ? (@.type() != "number")'
    ),
    constraint node_name_is_a_hostname check (name ~ '^[A-Za-z0-9]([A-Za-z0-9.-]{0,62})$')
);
comment on sequence ccp.nodes_id_seq is 'Ids of nodes.';
comment on table ccp.nodes is 'Machines. A row appears when a program first registers there and stays.';
comment on column ccp.nodes.id is 'Identity; part of the agent''s queue name.';
comment on column ccp.nodes.name is 'Host name of the machine.';
comment on column ccp.nodes.cordoned_at is 'Since when an administrator lets no new hosts come; null: they may.';
comment on column ccp.nodes.drained_at is 'Since when an administrator lets no host run there; null: they may.';
comment on column ccp.nodes.engine_refusal is
'Why its Docker engine gives containers no user namespaces of their own; null: it does, or no agent has told yet.';
comment on column ccp.nodes.taken_ids is
'User and group ids there, of those that hosts may get, which belong to accounts or to /etc/subuid and /etc/subgid.';
comment on column ccp.nodes.limits is 'The machine''s limits by name, as its agent last read them: see ccp.machine_limits.';
comment on column ccp.nodes.disk_free_bytes is
'What users without privileges may still write on the disk with the state directory; null: no agent has told.';
comment on column ccp.nodes.disk_bytes is 'How large that disk is.';
comment on column ccp.nodes.disk_free_files is 'How many more files, empty or not, that disk has inodes for.';
comment on column ccp.nodes.disk_files is 'How many it has in all; 0: it makes them as they are needed.';
comment on column ccp.nodes.disk_short is
'What of it is left, bytes or files, where that is less than disk_reserve_percent; null: more is, or no agent has told.';
comment on column ccp.nodes.disk_short_since is 'Since when; null as disk_short.';
comment on column ccp.nodes.created_at is 'When a program first registered there.';

create table ccp.machine_limits (
    name text primary key,
    per_host bigint not null,
    reserve bigint not null,
    description text not null,
    constraint machine_limit_is_used_by_hosts check (per_host > 0),
    constraint machine_limit_is_used_by_the_machine check (reserve >= 0)
);
comment on table ccp.machine_limits is
'Limits of the kernel that hosts share with each other and the machine, and what a host takes of each: ccp.doctor counts.';
comment on column ccp.machine_limits.name is 'Name as sysctl writes it.';
comment on column ccp.machine_limits.per_host is 'What one running host takes.';
comment on column ccp.machine_limits.reserve is 'What the machine and the programs need besides.';
comment on column ccp.machine_limits.description is 'What is counted, as the end of "a host takes N ...".';

create table ccp.processes (
    id bigint generated always as identity primary key,
    program text not null,
    node_id bigint not null,
    queue text not null,
    pid integer not null,
    version text not null,
    started_at timestamptz not null default clock.now(),
    beat_at timestamptz not null default clock.now(),
    ended_at timestamptz,
    end_reason text,
    constraint process_runs_on_a_node foreign key (node_id) references ccp.nodes (id),
    constraint program_is_known check (program in ('ccp-api', 'ccp-worker', 'ccp-agent', 'ccp-sshproxy')),
    constraint end_has_a_reason check ((ended_at is null) = (end_reason is null)),
    constraint end_reason_is_known check (end_reason in ('stopped', 'replaced', 'silent', 'overdue')),
    constraint version_is_short check (length(version) <= 100)
) with (fillfactor = 50);
comment on sequence ccp.processes_id_seq is 'Ids of processes.';
comment on table ccp.processes is 'One row per started program, with its beat. A restart is a new row.';
comment on column ccp.processes.id is 'Identity that the program passes in every call.';
comment on column ccp.processes.program is 'Which program.';
comment on column ccp.processes.node_id is 'The machine it runs on.';
comment on column ccp.processes.queue is 'NOTIFY channel it listens on, and queue it claims from.';
comment on column ccp.processes.pid is 'Process id on that machine, for people.';
comment on column ccp.processes.version is 'Version of the program.';
comment on column ccp.processes.started_at is 'When it registered.';
comment on column ccp.processes.beat_at is 'When it was last heard of.';
comment on column ccp.processes.ended_at is 'When it stopped or was declared dead.';
comment on column ccp.processes.end_reason is
'stopped (clean), replaced (its successor holds the lock), silent (no beat), overdue (kept a task past its deadline).';

create unique index one_live_process_per_program_and_node on ccp.processes (program, node_id) where ended_at is null;
create index processes_of_a_node on ccp.processes (node_id);

create table ccp.metrics (
    name text primary key,
    type text not null,
    labels text[] not null,
    help text not null,
    constraint metric_name_is_ours check (name ~ '^ccp_[a-z0-9_]+$'),
    constraint metric_type_is_known check (type in ('counter', 'gauge', 'histogram')),
    constraint counters_are_totals check ((type = 'counter') = (name ~ '_total$')),
    constraint metric_help_is_one_line check (help !~ '[\x01-\x1f\\]')
);
comment on table ccp.metrics is 'What there is to measure: by programs, who send it with their beats, or by the database itself.';
comment on column ccp.metrics.name is 'Name as Prometheus has it: base units, and _total for what is counted.';
comment on column ccp.metrics.type is 'counter, gauge or histogram.';
comment on column ccp.metrics.labels is
'Names of its labels, whose values are few and say nothing of anybody; program and node besides for what programs count.';
comment on column ccp.metrics.help is 'What it says.';

-- Not logged: after a crash of the server the next beats bring it again.
create unlogged table ccp.process_samples (
    process_id bigint primary key,
    at timestamptz not null,
    bounds jsonb not null,
    samples jsonb not null,
    constraint samples_are_of_a_process foreign key (process_id) references ccp.processes (id) on delete cascade,
    constraint samples_are_bounded check (pg_column_size(samples) <= 1048576),
    constraint samples_are_a_list check (
        jsonb_typeof(samples) = 'array' and not samples @? '$[*] ? (@.name.type() != "string")'
    ),
    constraint sample_labels_are_words check (
        not samples @? '$[*] ? (!exists(@.labels) || @.labels.type() != "object" || @.labels.*.type() != "string")'
    ),
    constraint samples_are_numbers check (
        not samples @? '$[*] ? (@.value.type() != "number" || @.sum.type() != "number" || @.buckets[*].type() != "number")'
    ),
    constraint sample_bounds_are_numbers check (jsonb_typeof(bounds) = 'array' and not bounds @? '$[*] ? (@.type() != "number")')
);
comment on table ccp.process_samples is 'What each process has counted since it started, as its last beat brought it.';
comment on column ccp.process_samples.process_id is 'Which process.';
comment on column ccp.process_samples.at is 'When it was brought.';
comment on column ccp.process_samples.bounds is 'Upper bounds of the buckets of all its histograms, in seconds.';
comment on column ccp.process_samples.samples is
'List of {name, labels, value}, or for a histogram {name, labels, sum, buckets}.';

create table ccp.node_troubles (
    node_id bigint not null,
    name text not null,
    message ccp.sentence not null,
    since timestamptz not null default clock.now(),
    primary key (node_id, name),
    constraint trouble_is_of_a_node foreign key (node_id) references ccp.nodes (id)
);
comment on table ccp.node_troubles is 'What an agent has found on its machine that is not as it should be.';
comment on column ccp.node_troubles.node_id is 'The machine.';
comment on column ccp.node_troubles.name is 'A word for it, such as disk or cgroups.';
comment on column ccp.node_troubles.message is 'What it is, what it costs, and what helps.';
comment on column ccp.node_troubles.since is 'Since when the agent has seen it.';

create table ccp.ticks (
    who text primary key,
    gap_limit interval not null,
    seen_at timestamptz,
    ticked_at timestamptz,
    grace_at timestamptz
);
comment on table ccp.ticks is 'Who makes time pass, and when it last did.';
comment on column ccp.ticks.who is 'worker (each second) or cron (each minute).';
comment on column ccp.ticks.gap_limit is 'A longer gap since anybody''s last tick means that the database was away.';
comment on column ccp.ticks.seen_at is 'When it last tried, even if another held the tick.';
comment on column ccp.ticks.ticked_at is 'When it last ticked.';
comment on column ccp.ticks.grace_at is 'Beats count from here at the earliest: set after an outage, so that it kills nobody.';

create table ccp.session_limits (
    role name primary key,
    statement_max interval not null,
    idle_max interval not null,
    transaction_max interval not null,
    locks_max integer not null,
    constraint session_limits_are_positive check (
        statement_max > interval '0' and idle_max > interval '0' and transaction_max > interval '0' and locks_max > 0
    )
);
comment on table ccp.session_limits is
'What a session of a role that logs in may take of what all share; one that takes more is ended.';
comment on column ccp.session_limits.role is 'The role that logged in.';
comment on column ccp.session_limits.statement_max is 'How long one statement may run.';
comment on column ccp.session_limits.idle_max is 'How long a transaction may wait for its client.';
comment on column ccp.session_limits.transaction_max is 'How long a transaction may be open.';
comment on column ccp.session_limits.locks_max is 'How many locks it may hold in the table that all share.';

create table ccp.tick_rules (
    rule text primary key,
    place integer not null,
    every interval not null,
    batch integer,
    last_at timestamptz,
    after_id uuid,
    failed_at timestamptz,
    error ccp.sentence,
    constraint tick_rules_have_an_order unique (place) deferrable,
    constraint batch_is_positive check (batch > 0),
    constraint failure_has_a_sentence check ((failed_at is null) = (error is null))
);
comment on table ccp.tick_rules is 'What a tick does, each in a transaction of its own; its row is locked meanwhile.';
comment on column ccp.tick_rules.rule is 'The function that does it.';
comment on column ccp.tick_rules.place is 'Its place in the order: what must not wait comes first.';
comment on column ccp.tick_rules.every is 'How long it rests between two times.';
comment on column ccp.tick_rules.batch is
'How many hosts, users or tasks it deals with at a time; null: it takes none and does all there is, which is little.';
comment on column ccp.tick_rules.last_at is 'When it was last done.';
comment on column ccp.tick_rules.after_id is 'Where the next batch begins; null: at the beginning.';
comment on column ccp.tick_rules.failed_at is 'Since when it fails; null: it does not.';
comment on column ccp.tick_rules.error is 'How.';

create table ccp.proxy_fields (
    part text not null,
    name text not null,
    type text not null,
    pattern text,
    min integer,
    max integer,
    required boolean not null,
    description text not null,
    primary key (part, name),
    constraint proxy_field_type_is_known check (
        type in ('text', 'number', 'flag', 'texts', 'address', 'tls', 'transport', 'secret', 'refused')
    )
);
comment on table ccp.proxy_fields is
'What ccp.egress_ips.proxy_config may hold, by part: a type of proxy, tls, or a transport. What has no row is refused.';
comment on column ccp.proxy_fields.part is
'The type of proxy, tls, transport and its type, or method and its name; type: the types themselves.';
comment on column ccp.proxy_fields.name is 'The member.';
comment on column ccp.proxy_fields.type is
'What its value is: a text, number, flag, list of texts, address, or another part. secret: it belongs into the sealed secret. '
'refused: it is known and not taken.';
comment on column ccp.proxy_fields.pattern is 'What a text matches as a whole.';
comment on column ccp.proxy_fields.min is 'The lowest number, or the least length of a text or list; of a key its bytes.';
comment on column ccp.proxy_fields.max is 'The highest number, or the greatest length; of keys how many there may be.';
comment on column ccp.proxy_fields.required is 'Whether it must be there.';
comment on column ccp.proxy_fields.description is 'What it is, or why it is refused.';

create table ccp.egress_ips (
    id uuid primary key default gen_random_uuid(),
    label ccp.label not null,
    ip_address ccp.address not null,
    ip_address6 ccp.address,
    provider ccp.label,
    status ccp.activation not null default 'active',
    tunnel_type ccp.tunnel_type not null default 'wireguard',
    wg_endpoint ccp.endpoint,
    wg_public_key ccp.wg_key,
    wg_preshared_key_sealed text,
    wg_own_public_key ccp.wg_key,
    wg_allowed_ips ccp.networks,
    wg_dns_server ccp.address,
    wg_peer_address ccp.interface,
    wg_peer_address6 ccp.interface,
    wg_mtu ccp.mtu,
    proxy_config ccp.object,
    dns_server ccp.address,
    secret_sealed text,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint exit_label_is_unique unique (label),
    constraint wg_preshared_key_is_sealed check (
        wg_preshared_key_sealed ~ '^[A-Za-z0-9+/]+={0,2}$'
        and length(wg_preshared_key_sealed) between 60 and 400
    ),
    constraint secret_is_sealed check (
        secret_sealed ~ '^[A-Za-z0-9+/]+={0,2}$'
        and length(secret_sealed) between 60 and 8192
    ),
    constraint wireguard_row_is_whole check (
        tunnel_type <> 'wireguard' or (
            wg_endpoint is not null
            and wg_public_key is not null
            and wg_allowed_ips is not null
            and wg_dns_server is not null
            and wg_peer_address is not null
            and (wg_own_public_key is null) = (secret_sealed is null)
            and proxy_config is null
            and dns_server is null
        )
    ),
    constraint exit_ipv6_is_whole check (
        (ip_address6 is null and wg_peer_address6 is null)
        or (
            tunnel_type = 'wireguard'
            and family(ip_address) = 4
            and family(wg_peer_address) = 4
            and ip_address6 << '2000::/3'
            and family(wg_peer_address6) = 6
        ) is true
    ),
    constraint proxy_row_is_whole check (
        tunnel_type <> 'proxy' or (
            proxy_config is not null
            and dns_server is not null
            and wg_endpoint is null
            and wg_public_key is null
            and wg_preshared_key_sealed is null
            and wg_own_public_key is null
            and wg_allowed_ips is null
            and wg_dns_server is null
            and wg_peer_address is null
            and wg_peer_address6 is null
            and wg_mtu is null
        )
    )
);
comment on table ccp.egress_ips is
'Exits. A WireGuard row is one peer identity (their key, our inside address) and carries at most one host at a time; an exit '
'address that several hosts share has several rows.';
comment on column ccp.egress_ips.id is 'Identity.';
comment on column ccp.egress_ips.label is 'What people call it.';
comment on column ccp.egress_ips.ip_address is 'Address the world must see; verified, never learnt.';
comment on column ccp.egress_ips.ip_address6 is
'IPv6 address the world must see besides; null: hosts behind this exit have no IPv6.';
comment on column ccp.egress_ips.provider is 'Who sells it.';
comment on column ccp.egress_ips.status is 'active, or disabled: takes no new binding.';
comment on column ccp.egress_ips.tunnel_type is 'How traffic gets there.';
comment on column ccp.egress_ips.wg_endpoint is
'Address and port of the exit. Names are not resolved: who answers the question could choose the exit.';
comment on column ccp.egress_ips.wg_public_key is 'The exit''s public key (base64).';
comment on column ccp.egress_ips.wg_preshared_key_sealed is
'Preshared key, sealed to the installation (base64); only agents open it. It goes before the one in secret_sealed.';
comment on column ccp.egress_ips.wg_own_public_key is
'Our own public key there, when a provider made the key pair; null: the host''s own.';
comment on column ccp.egress_ips.wg_allowed_ips is 'What is routed into the tunnel.';
comment on column ccp.egress_ips.wg_dns_server is 'The only resolver a host behind this exit may ask.';
comment on column ccp.egress_ips.wg_peer_address is 'Our address inside the tunnel, host bits kept.';
comment on column ccp.egress_ips.wg_peer_address6 is
'Our IPv6 address inside the tunnel, host bits kept: there if and only if ip_address6 is.';
comment on column ccp.egress_ips.wg_mtu is 'MTU of the tunnel in bytes; null: the largest that passes, found at each start.';
comment on column ccp.egress_ips.proxy_config is
'A proxy: its type, server and what else sing-box is told, without any secret. ccp.proxy_fields has what it may hold.';
comment on column ccp.egress_ips.dns_server is 'The only resolver a host behind this proxy may ask, which is asked through it.';
comment on column ccp.egress_ips.secret_sealed is
'An object of secrets, sealed to the installation (base64): a proxy''s password, uuid and obfs_password, or private_key and '
'preshared_key of WireGuard, the former that of wg_own_public_key. Only agents open it.';
comment on column ccp.egress_ips.version is 'Rises with each edit; the ETag.';
comment on column ccp.egress_ips.created_at is 'When the row was made.';
comment on column ccp.egress_ips.updated_at is 'When it was last edited.';
create index egress_ips_by_creation on ccp.egress_ips (created_at, id);
create index egress_ips_by_beginning_of_label on ccp.egress_ips (label text_pattern_ops);
create trigger egress_ips_are_valid before insert or update on ccp.egress_ips
for each row execute function egress.guard();
create trigger egress_ips_touch before update on ccp.egress_ips
for each row when (old.* is distinct from new.*)
execute function clock.touch();
create trigger status_of_exits_is_noted after update of status on ccp.egress_ips
for each row when (old.status is distinct from new.status)
execute function egress.note_status();
create trigger disabled_exits_are_noted after insert on ccp.egress_ips
for each row when (new.status = 'disabled')
execute function egress.note_status();

create table ccp.exit_states (
    egress_ip_id uuid primary key,
    state ccp.exit_state not null default 'available',
    since timestamptz not null default clock.now(),
    why text,
    look_at timestamptz,
    constraint state_is_of_an_exit foreign key (egress_ip_id) references ccp.egress_ips (id) on delete cascade
) with (fillfactor = 70);
comment on table ccp.exit_states is
'What the checks of the last 10 minutes say of each exit of which there was one. Written by egress.note_state() only; an exit '
'without a row is available.';
comment on column ccp.exit_states.egress_ip_id is 'The exit.';
comment on column ccp.exit_states.state is 'available, degraded, down or disabled.';
comment on column ccp.exit_states.since is 'When it became so.';
comment on column ccp.exit_states.why is 'Why, as a sentence; null: nothing speaks against it.';
comment on column ccp.exit_states.look_at is
'When the oldest check that counts will be 10 minutes old: then it is looked at again. Null: nothing will change by itself.';
create index exit_states_to_look_at on ccp.exit_states (look_at) where look_at is not null;

create table ccp.exit_tests (
    id uuid primary key,
    egress_ip_id uuid not null,
    node_id bigint not null,
    host_id uuid,
    expected_ip inet not null,
    exit_ip inet,
    outcome ccp.outcome,
    error_code ccp.word,
    message ccp.sentence,
    checks jsonb not null default '[]',
    duration_ms integer,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint test_is_of_an_exit foreign key (egress_ip_id) references ccp.egress_ips (id) on delete cascade,
    constraint test_runs_on_a_node foreign key (node_id) references ccp.nodes (id) on delete cascade,
    constraint test_that_has_not_ended_found_nothing check (
        ended_at is not null or num_nonnulls(outcome, error_code, message) = 0
    ),
    constraint ended_test_passed_or_has_a_code check (
        ended_at is null or coalesce(outcome = 'passed', false) = (error_code is null)
    ),
    constraint verdict_has_its_duration check ((outcome is null) = (duration_ms is null)),
    constraint checks_of_a_test_are_a_list check (jsonb_typeof(checks) = 'array' and pg_column_size(checks) <= 65536)
);
comment on table ccp.exit_tests is
'Tests of exits, the last 50 of each. Written with their tasks by egress.begin_test() and egress.end_test(); ids are copied.';
comment on column ccp.exit_tests.id is 'Identity: the task''s.';
comment on column ccp.exit_tests.egress_ip_id is 'The exit.';
comment on column ccp.exit_tests.node_id is 'The node whose agent makes it.';
comment on column ccp.exit_tests.host_id is 'The host through whose own tunnel it was made; null: it had a tunnel of its own.';
comment on column ccp.exit_tests.expected_ip is 'The address the world should have seen.';
comment on column ccp.exit_tests.exit_ip is 'The address it saw.';
comment on column ccp.exit_tests.outcome is 'passed, failed or inconclusive; null: there is no verdict, or none yet.';
comment on column ccp.exit_tests.error_code is 'What did not hold, or why the test could not be made.';
comment on column ccp.exit_tests.message is 'The same as a sentence.';
comment on column ccp.exit_tests.checks is 'List of {name, outcome, ms, detail}.';
comment on column ccp.exit_tests.duration_ms is 'How long it took, in milliseconds.';
comment on column ccp.exit_tests.created_at is 'When it was asked for.';
comment on column ccp.exit_tests.ended_at is 'When it ended.';
create index tests_of_an_exit on ccp.exit_tests (egress_ip_id, created_at, id);
create index tests_on_a_node on ccp.exit_tests (node_id);
