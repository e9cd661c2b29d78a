-- Schemas, tables, constraints, row-level security and the machine's data.
--
-- Read in this order: task_kinds (the machine), hosts, task_rows, then what hangs on them. Functions live in
-- db/code; the few that tables hang on (defaults, triggers) are only named here and get their bodies from there.

-- ---------------------------------------------------------------------------------------------------------------
-- Schemas: ccp holds tables and views; every other schema is a noun and holds verbs.
-- ---------------------------------------------------------------------------------------------------------------

create schema if not exists ccp;
create schema access;
create schema account;
create schema api;
create schema binding;
create schema clock;
create schema event;
create schema exit;
create schema host;
create schema node;
create schema process;
create schema session;
create schema setting;
create schema ssh;
create schema task;
create schema token;
create schema verification;

comment on schema ccp is 'Tables and views people look at. Every other schema is a noun and holds functions that are verbs.';
comment on schema access is 'Limits and penalties for those who knock: logins and ssh.';
comment on schema account is 'Users: who may come in, who has expired, who is acting.';
comment on schema api is 'One function per HTTP route and the composites they return.';
comment on schema binding is 'Which host leaves through which exit.';
comment on schema clock is 'Time, and the tick that makes time pass for the rules.';
comment on schema event is 'The audit log: written once, never changed.';
comment on schema exit is 'Exit addresses and the tunnels to them.';
comment on schema host is 'Containers: what they are, what was seen, what is wanted.';
comment on schema node is 'Machines and what an agent needs to know about the hosts on them.';
comment on schema process is 'Running programs and their beats.';
comment on schema session is 'Live connections into hosts.';
comment on schema setting is 'Settings, read live.';
comment on schema ssh is 'What the ssh authority asks.';
comment on schema task is 'Tasks: enqueue, claim, report.';
comment on schema token is 'Login tokens and the keys that sign them.';
comment on schema verification is 'Evidence of what a host''s traffic really does.';

grant usage on schema ccp, api, task, host, node, process, clock, event, account, access, token, ssh, session, setting, verification, binding, exit
to ccp_api, ccp_worker, ccp_agent, ccp_sshproxy, ccp_as_user;
grant usage on schema ccp to ccp_dba, ccp_automation, ccp_admin;
grant usage on schema account, setting to ccp_admin;
grant usage on schema clock to ccp_cron;

alter default privileges revoke execute on functions from public;

-- The names that defaults, triggers and views below hang on; the bodies are in db/code/<schema>/<verb>.sql.
create function clock.now() returns timestamptz language sql stable return pg_catalog.now();
create function clock.span(p_span interval) returns text language sql immutable return null::text;

do $$
declare
    v_name text;
begin
    foreach v_name in array array[
        'clock.touch', 'event.refuse_change', 'host.guard', 'host.guard_delete',
        'task.guard', 'task.guard_insert', 'task.guard_delete', 'task.insert_from_view', 'task.refuse_truncate',
        'account.reset_expiry_announced', 'setting.guard'
    ]
    loop
        execute format(
            'create function %s() returns trigger language plpgsql as $f$ begin raise ''db/code was not applied''; end $f$',
            v_name
        );
    end loop;
end
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Settings and machines
-- ---------------------------------------------------------------------------------------------------------------

create table ccp.settings (
    name text primary key,
    value jsonb,
    type text not null,
    pattern text,
    min integer not null,
    max integer not null,
    optional boolean not null default false,
    description text not null,
    updated_at timestamptz not null default clock.now(),
    constraint setting_name_is_a_word check (name ~ '^[a-z][a-z0-9_]{1,62}$'),
    constraint setting_type_is_known check (type in ('number', 'text', 'texts', 'networks')),
    constraint setting_text_has_a_pattern check ((type in ('text', 'texts')) = (pattern is not null)),
    constraint setting_bounds_are_ordered check (min <= max)
);
comment on table ccp.settings is 'Settings, read live by every program; a change works at the next use. A value that does not fit them is refused.';
comment on column ccp.settings.name is 'Name of the setting.';
comment on column ccp.settings.value is 'Its value as JSON; null when it was never set.';
comment on column ccp.settings.type is 'number (whole), text, or a list: of texts, or of networks (addresses are networks of one).';
comment on column ccp.settings.pattern is 'What the text, or each text of the list, must match; one of a list has at most 512 characters.';
comment on column ccp.settings.min is 'The least number, or the least length of the text or list.';
comment on column ccp.settings.max is 'The greatest.';
comment on column ccp.settings.optional is 'It may be null.';
comment on column ccp.settings.description is 'What it does, with its unit.';
comment on column ccp.settings.updated_at is 'When it last changed.';

insert into ccp.settings (name, value, type, pattern, min, max, optional, description)
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
        0, 8, false, 'host:port pairs that a proven host must reach; two are used.'
    ),
    (
        'dns_check_zone', null, 'text', '^[A-Za-z0-9_][A-Za-z0-9._-]*$', 1, 200, true,
        'Zone whose unique names prove which resolver answers.'
    ),
    ('ssh_host', null, 'text', '^[A-Za-z0-9.:_-]+$', 1, 253, true, 'Name or address at which users reach ssh.'),
    ('ssh_port', '2222', 'number', null, 1, 65535, false, 'Port at which users reach ssh.'),
    ('public_url', null, 'text', '.', 1, 2000, true, 'URL under which users reach the API, which checks it when it makes a script.'),
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
    ('penalty_exempt', '[]', 'networks', null, 0, 1000, false, 'Addresses or networks that are never limited.'),
    (
        'event_retention_days', '90', 'number', null, 1, 36500, false,
        'Days that events and verifications are kept; they leave a whole month at a time.'
    ),
    (
        'tombstone_retention_days', '90', 'number', null, 1, 36500, false,
        'Days that deleted hosts and finished tasks, sessions and grants are kept.'
    );
create trigger settings_are_valid before insert or update on ccp.settings
for each row execute function setting.guard();

create table ccp.nodes (
    id bigint generated always as identity primary key,
    name text not null,
    created_at timestamptz not null default clock.now(),
    constraint node_name_is_unique unique (name),
    constraint node_name_is_a_hostname check (name ~ '^[A-Za-z0-9]([A-Za-z0-9.-]{0,62})$')
);
comment on sequence ccp.nodes_id_seq is 'Ids of nodes.';
comment on table ccp.nodes is 'Machines. A row appears when a program first registers there and stays.';
comment on column ccp.nodes.id is 'Identity; part of the agent''s queue name.';
comment on column ccp.nodes.name is 'Host name of the machine.';
comment on column ccp.nodes.created_at is 'When a program first registered there.';

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
comment on column ccp.processes.end_reason is 'stopped (clean), replaced (its successor holds the lock), silent (no beat), overdue (kept a task past its deadline).';

create unique index one_live_process_per_program_and_node on ccp.processes (program, node_id) where ended_at is null;
create index processes_of_a_node on ccp.processes (node_id);

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

insert into ccp.ticks (who, gap_limit)
values
    ('worker', interval '5 seconds'),
    ('cron', interval '65 seconds');

-- ---------------------------------------------------------------------------------------------------------------
-- People
-- ---------------------------------------------------------------------------------------------------------------

create table ccp.users (
    id uuid primary key default gen_random_uuid(),
    username text not null,
    short_id text not null,
    role text not null default 'user',
    password_hash text,
    password_changed_at timestamptz,
    expires_at timestamptz,
    expiry_announced_at timestamptz,
    disabled_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint username_is_unique unique (username),
    constraint username_is_a_name check (username ~ '^[a-z0-9][a-z0-9._-]{2,49}$'),
    constraint user_short_id_is_unique unique (short_id),
    constraint user_short_id_is_a_word check (short_id ~ '^[a-z0-9]{6,16}$'),
    constraint role_is_known check (role in ('user', 'admin')),
    constraint password_is_bcrypt check (password_hash ~ '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$'),
    constraint announced_expiry_exists check (expiry_announced_at is null or expires_at is not null)
) with (fillfactor = 85);
comment on table ccp.users is 'People. Whether one has expired is computed from expires_at at each use and never stored.';
comment on column ccp.users.id is 'Identity.';
comment on column ccp.users.username is 'Name to log in with, lower case.';
comment on column ccp.users.short_id is 'Short public id, used in links; never reused.';
comment on column ccp.users.role is 'user (own things) or admin (everything).';
comment on column ccp.users.password_hash is 'bcrypt ($2b$) of the login password; null: cannot log in.';
comment on column ccp.users.password_changed_at is 'When the password last changed.';
comment on column ccp.users.expires_at is 'From then on nothing of this user runs or comes in; null: never.';
comment on column ccp.users.expiry_announced_at is 'When user.expired was written for this expires_at.';
comment on column ccp.users.disabled_at is 'When an admin disabled the user; null: enabled.';
comment on column ccp.users.version is 'Rises with each edit; the ETag.';
comment on column ccp.users.created_at is 'When the row was made.';
comment on column ccp.users.updated_at is 'When it was last edited.';

create index users_by_expiry on ccp.users (expires_at) where expires_at is not null;
create index users_by_creation on ccp.users (created_at);
create index users_disabled on ccp.users (id) where disabled_at is not null;

create trigger users_keep_expiry_announced before update of expires_at on ccp.users
for each row when (old.expires_at is distinct from new.expires_at)
execute function account.reset_expiry_announced();

create trigger users_touch before update of username, role, password_hash, expires_at, disabled_at on ccp.users
for each row when (old.* is distinct from new.*)
execute function clock.touch();

create table ccp.logins (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null,
    generation integer not null default 1,
    address inet,
    created_at timestamptz not null default clock.now(),
    refreshed_at timestamptz not null default clock.now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoke_reason text,
    constraint login_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint generation_is_positive check (generation > 0),
    constraint revocation_has_a_reason check ((revoked_at is null) = (revoke_reason is null))
);
comment on table ccp.logins is 'One row per token family: made by a login, revocable as a whole.';
comment on column ccp.logins.id is 'Identity; the claim lid of its tokens.';
comment on column ccp.logins.user_id is 'Whose login.';
comment on column ccp.logins.generation is 'Only tokens of this generation count; a refresh raises it.';
comment on column ccp.logins.address is 'Where the user came from.';
comment on column ccp.logins.created_at is 'When the user logged in.';
comment on column ccp.logins.refreshed_at is 'When a token was last made.';
comment on column ccp.logins.expires_at is 'No token of the family counts after this.';
comment on column ccp.logins.revoked_at is 'When it was logged out or revoked.';
comment on column ccp.logins.revoke_reason is 'Why: logout, reuse, password, admin.';
create index logins_of_a_user on ccp.logins (user_id);

create table ccp.signing_keys (
    kid text primary key,
    secret bytea not null,
    created_at timestamptz not null default clock.now(),
    retired_at timestamptz,
    expires_at timestamptz,
    constraint kid_is_a_word check (kid ~ '^[A-Za-z0-9_-]{4,64}$'),
    constraint secret_has_32_bytes check (octet_length(secret) = 32),
    constraint retired_key_expires check ((retired_at is null) = (expires_at is null))
);
comment on table ccp.signing_keys is 'HS256 keys of login tokens, by kid. The newest that is not retired signs; a retired one verifies until it expires.';
comment on column ccp.signing_keys.kid is 'Key id in the token''s header.';
comment on column ccp.signing_keys.secret is 'The key: 32 random bytes.';
comment on column ccp.signing_keys.created_at is 'When it was made.';
comment on column ccp.signing_keys.retired_at is 'When it stopped signing.';
comment on column ccp.signing_keys.expires_at is 'When it stops verifying.';
create unique index one_key_signs on ccp.signing_keys ((true)) where retired_at is null;

create table ccp.ssh_keys (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null,
    name text not null,
    public_key text not null,
    key_sha256 text not null,
    created_at timestamptz not null default clock.now(),
    last_used_at timestamptz,
    constraint ssh_key_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint ssh_key_is_registered_once unique (user_id, key_sha256),
    constraint ssh_key_name_is_short check (length(name) between 1 and 100),
    constraint ssh_key_is_one_line check (public_key ~ '^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$' and length(public_key) <= 8192),
    constraint ssh_key_digest_is_hex check (key_sha256 ~ '^[0-9a-f]{64}$')
);
comment on table ccp.ssh_keys is 'Public keys with which a user comes into all own hosts.';
comment on column ccp.ssh_keys.id is 'Identity.';
comment on column ccp.ssh_keys.user_id is 'Whose key.';
comment on column ccp.ssh_keys.name is 'What the user calls it.';
comment on column ccp.ssh_keys.public_key is 'type and base64, no comment.';
comment on column ccp.ssh_keys.key_sha256 is 'SHA-256 of the key blob, lower hex.';
comment on column ccp.ssh_keys.created_at is 'When it was registered.';
comment on column ccp.ssh_keys.last_used_at is 'When somebody last came in with it.';

create table ccp.penalties (
    source text primary key,
    expires_at timestamptz not null,
    refused boolean not null default false,
    reason text not null,
    updated_at timestamptz not null default clock.now(),
    constraint source_is_short check (length(source) <= 200)
);
comment on table ccp.penalties is 'Who has earned a wait, after OpenSSH''s PerSourcePenalties: each offence adds seconds; over a threshold the source is refused until they have passed.';
comment on column ccp.penalties.source is 'A network (/32 or /64), or a digest of the name that was tried there, @, and the network: the name may be a password typed into the wrong field.';
comment on column ccp.penalties.expires_at is 'When the penalty has passed.';
comment on column ccp.penalties.refused is 'The threshold was reached: refused until expires_at.';
comment on column ccp.penalties.reason is 'The last offence.';
comment on column ccp.penalties.updated_at is 'When the last offence was.';
create index penalties_by_expiry on ccp.penalties (expires_at);

create table ccp.penalty_rules (
    reason text primary key,
    seconds integer not null,
    description text not null,
    constraint penalty_is_bounded check (seconds between 1 and 600)
);
comment on table ccp.penalty_rules is 'How many seconds each offence costs.';
comment on column ccp.penalty_rules.reason is 'The offence.';
comment on column ccp.penalty_rules.seconds is 'Seconds it adds.';
comment on column ccp.penalty_rules.description is 'What happened.';
insert into ccp.penalty_rules (reason, seconds, description)
values
    ('auth_failed', 5, 'A wrong password or key.'),
    ('unknown_user', 5, 'A name that does not exist.'),
    ('no_auth', 1, 'Came and went without trying.'),
    ('grace', 10, 'Did not finish in time.'),
    ('crash', 90, 'Made a child of the ssh proxy die.');

-- ---------------------------------------------------------------------------------------------------------------
-- Exits
-- ---------------------------------------------------------------------------------------------------------------

create table ccp.egress_ips (
    id uuid primary key default gen_random_uuid(),
    label text not null,
    ip_address inet not null,
    provider text,
    status text not null default 'active',
    tunnel_type text not null default 'wireguard',
    wg_endpoint text not null,
    wg_public_key text not null,
    wg_preshared_key_sealed text,
    wg_allowed_ips cidr[] not null default '{0.0.0.0/0}',
    wg_dns_server inet not null,
    wg_peer_address inet not null,
    wg_mtu integer not null default 1420,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint exit_label_is_unique unique (label),
    constraint exit_label_is_short check (length(label) between 1 and 100),
    constraint exit_provider_is_short check (length(provider) <= 100),
    constraint exit_address_is_one_address check (host(ip_address)::inet = ip_address),
    constraint exit_status_is_known check (status in ('active', 'disabled')),
    constraint tunnel_type_is_known check (tunnel_type = 'wireguard'),
    constraint wg_endpoint_is_an_address_and_port check (
        (
            wg_endpoint ~ '^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d):\d{1,5}$'
            or wg_endpoint ~ '^\[[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}\]:\d{1,5}$'
        )
        and substring(wg_endpoint from '\d{1,5}$')::integer between 1 and 65535
    ),
    constraint wg_public_key_is_a_key check (wg_public_key ~ '^[A-Za-z0-9+/]{43}=$'),
    constraint wg_preshared_key_is_sealed check (wg_preshared_key_sealed ~ '^[A-Za-z0-9+/]+={0,2}$' and length(wg_preshared_key_sealed) between 60 and 400),
    constraint wg_allowed_ips_are_given check (cardinality(wg_allowed_ips) between 1 and 64),
    constraint wg_dns_server_is_one_address check (host(wg_dns_server)::inet = wg_dns_server),
    constraint wg_mtu_is_sane check (wg_mtu between 1280 and 9000)
);
comment on table ccp.egress_ips is 'Exits. A WireGuard row is one peer identity (their key, our inside address) and carries at most one host at a time; an exit address that several hosts share has several rows.';
comment on column ccp.egress_ips.id is 'Identity.';
comment on column ccp.egress_ips.label is 'What people call it.';
comment on column ccp.egress_ips.ip_address is 'Address the world must see; verified, never learnt.';
comment on column ccp.egress_ips.provider is 'Who sells it.';
comment on column ccp.egress_ips.status is 'active, or disabled: takes no new binding.';
comment on column ccp.egress_ips.tunnel_type is 'How traffic gets there.';
comment on column ccp.egress_ips.wg_endpoint is 'Address and port of the exit. Names are not resolved: who answers the question could choose the exit.';
comment on constraint wg_endpoint_is_an_address_and_port on ccp.egress_ips is
'must be an address and a port, such as 198.51.100.1:51820 or [2001:db8::1]:51820; names are not resolved, write the address that the name has';
comment on column ccp.egress_ips.wg_public_key is 'The exit''s public key (base64).';
comment on column ccp.egress_ips.wg_preshared_key_sealed is 'Preshared key, sealed to the installation (base64); only agents open it.';
comment on column ccp.egress_ips.wg_allowed_ips is 'What is routed into the tunnel.';
comment on column ccp.egress_ips.wg_dns_server is 'The only resolver a host behind this exit may ask.';
comment on column ccp.egress_ips.wg_peer_address is 'Our address inside the tunnel, host bits kept.';
comment on column ccp.egress_ips.wg_mtu is 'MTU of the tunnel in bytes.';
comment on column ccp.egress_ips.version is 'Rises with each edit; the ETag.';
comment on column ccp.egress_ips.created_at is 'When the row was made.';
comment on column ccp.egress_ips.updated_at is 'When it was last edited.';
create index egress_ips_by_creation on ccp.egress_ips (created_at);
create trigger egress_ips_touch before update on ccp.egress_ips
for each row when (old.* is distinct from new.*)
execute function clock.touch();

-- ---------------------------------------------------------------------------------------------------------------
-- The machine, as data
-- ---------------------------------------------------------------------------------------------------------------

create table ccp.host_statuses (
    status text primary key,
    description text not null
);
comment on table ccp.host_statuses is 'What can be said of a host.';
comment on column ccp.host_statuses.status is 'The word.';
comment on column ccp.host_statuses.description is 'What it means, as the end of "the host ...".';
insert into ccp.host_statuses (status, description)
values
    ('pending', 'has been ordered and is not made yet'),
    ('stopped', 'is made and does not run'),
    ('starting', 'is being started, or waits for it'),
    ('running', 'runs, and its exit is proven'),
    ('stopping', 'is being stopped, or waits for it'),
    ('rebuilding', 'is being made anew from its image'),
    ('unavailable', 'should run but its exit is not proven: it is closed'),
    ('failed', 'could not be made, stopped or deleted'),
    ('deleting', 'is being deleted, or waits for it'),
    ('deleted', 'is gone; its row is kept for a while');

create table ccp.host_edges (
    from_status text not null,
    to_status text not null,
    primary key (from_status, to_status),
    constraint edge_leaves_a_known_status foreign key (from_status) references ccp.host_statuses (status),
    constraint edge_leads_to_a_known_status foreign key (to_status) references ccp.host_statuses (status)
);
create index host_edges_by_target on ccp.host_edges (to_status);
comment on table ccp.host_edges is 'The steps a host may take; a trigger refuses every other.';
comment on column ccp.host_edges.from_status is 'Status before.';
comment on column ccp.host_edges.to_status is 'Status after.';
insert into ccp.host_edges (from_status, to_status)
values
    ('pending', 'stopped'), ('pending', 'failed'), ('pending', 'deleting'),
    ('stopped', 'starting'), ('stopped', 'rebuilding'), ('stopped', 'unavailable'), ('stopped', 'deleting'),
    ('starting', 'running'), ('starting', 'unavailable'), ('starting', 'stopped'), ('starting', 'stopping'),
    ('starting', 'deleting'),
    ('running', 'stopping'), ('running', 'rebuilding'), ('running', 'unavailable'), ('running', 'deleting'),
    ('stopping', 'stopped'), ('stopping', 'failed'), ('stopping', 'unavailable'), ('stopping', 'deleting'),
    ('rebuilding', 'running'), ('rebuilding', 'stopped'), ('rebuilding', 'failed'), ('rebuilding', 'unavailable'),
    ('rebuilding', 'deleting'),
    ('unavailable', 'starting'), ('unavailable', 'stopping'), ('unavailable', 'rebuilding'), ('unavailable', 'deleting'),
    ('failed', 'pending'), ('failed', 'starting'), ('failed', 'stopping'), ('failed', 'rebuilding'), ('failed', 'deleting'),
    ('deleting', 'deleted'), ('deleting', 'failed');

create table ccp.task_edges (
    from_status text not null,
    to_status text not null,
    description text not null,
    primary key (from_status, to_status)
);
comment on table ccp.task_edges is 'The steps a task may take; a trigger refuses every other.';
comment on column ccp.task_edges.from_status is 'Status before.';
comment on column ccp.task_edges.to_status is 'Status after.';
comment on column ccp.task_edges.description is 'When that happens.';
insert into ccp.task_edges (from_status, to_status, description)
values
    ('queued', 'running', 'claimed'),
    ('queued', 'succeeded', 'nothing left to do when its turn came'),
    ('queued', 'failed', 'its turn came and the host was in no status it can begin from'),
    ('queued', 'canceled', 'canceled or superseded before it began'),
    ('running', 'succeeded', 'done'),
    ('running', 'queued', 'to be tried again, handed back, or its process died'),
    ('running', 'failed', 'gave up'),
    ('running', 'canceled', 'stopped on request');

create table ccp.task_kinds (
    kind text primary key,
    description text not null,
    queue text not null,
    subject text not null,
    from_statuses text[],
    while_status text,
    done_status text,
    done_unwanted_status text,
    failed_status text,
    canceled_status text,
    desired text,
    desired_canceled text,
    deadline interval not null,
    attempts_max integer not null,
    losses_max integer not null default 3,
    waits boolean not null default false,
    stopped_by text[] not null default '{}',
    superseded_by text[] not null default '{}',
    needs_active_user boolean not null default false,
    needs_binding boolean not null default false,
    needs_creation boolean not null default false,
    constraint queue_is_known check (queue in ('ccp_agent', 'ccp_worker')),
    constraint subject_is_known check (subject in ('host', 'none')),
    constraint host_kinds_move_hosts check (
        (subject = 'host') = (from_statuses is not null) and
        (subject = 'host') = (while_status is not null) and
        (subject = 'host') = (done_status is not null) and
        (subject = 'host') = (failed_status is not null) and
        (subject = 'host') = (canceled_status is not null)
    ),
    constraint desired_is_known check (desired in ('running', 'stopped', 'absent')),
    constraint canceled_desire_is_known check (desired_canceled in ('running', 'stopped', 'absent')),
    constraint deadline_is_positive check (deadline > interval '0'),
    constraint attempts_are_positive check (attempts_max > 0 and losses_max > 0)
);
comment on table ccp.task_kinds is 'The machine: what each kind of task needs, does and leaves behind. Functions read it; edge tables only guard.';
comment on column ccp.task_kinds.kind is 'Name of the kind.';
comment on column ccp.task_kinds.description is 'What it does.';
comment on column ccp.task_kinds.queue is 'Who claims it: the worker, or the agent of the host''s node.';
comment on column ccp.task_kinds.subject is 'What it works on: a host, or nothing.';
comment on column ccp.task_kinds.from_statuses is 'Statuses it may begin from.';
comment on column ccp.task_kinds.while_status is 'Status of the host from the moment the task is its next one.';
comment on column ccp.task_kinds.done_status is 'Status of the host when it has succeeded.';
comment on column ccp.task_kinds.done_unwanted_status is 'That status when the host is not wanted running; null: the same.';
comment on column ccp.task_kinds.failed_status is 'Status of the host when it has failed.';
comment on column ccp.task_kinds.canceled_status is 'Status of the host when it was stopped on request.';
comment on column ccp.task_kinds.desired is 'What a person who asks for it wants from then on; null: unchanged.';
comment on column ccp.task_kinds.desired_canceled is 'What a person who cancels it wants from then on; null: unchanged.';
comment on column ccp.task_kinds.deadline is 'Time from claim until it is asked to stop.';
comment on column ccp.task_kinds.attempts_max is 'Tries, if the failure can pass.';
comment on column ccp.task_kinds.losses_max is 'How often it may lose its process before it fails.';
comment on column ccp.task_kinds.waits is 'A busy host lets it wait behind a running task it cannot stop; otherwise CP409.';
comment on column ccp.task_kinds.stopped_by is 'Kinds that ask a running task of this kind to stop.';
comment on column ccp.task_kinds.superseded_by is 'Kinds that cancel a queued task of this kind.';
comment on column ccp.task_kinds.needs_active_user is 'Refused when the host''s user is expired or disabled.';
comment on column ccp.task_kinds.needs_binding is 'Refused when the host has no exit.';
comment on column ccp.task_kinds.needs_creation is 'Cannot begin while the host was never created: reconciliation creates it first.';

insert into ccp.task_kinds (
    kind, description, queue, subject,
    from_statuses, while_status, done_status, done_unwanted_status, failed_status, canceled_status,
    desired, desired_canceled, deadline, attempts_max, waits, stopped_by, superseded_by, needs_active_user, needs_binding,
    needs_creation
)
values
    (
        'host.create', 'make keys, home and identity of a host', 'ccp_agent', 'host',
        '{pending,failed}', 'pending', 'stopped', null, 'failed', 'failed',
        null, null, '60 seconds', 3, false, '{}', '{host.delete}', false, false, false
    ),
    (
        'host.start', 'start the container, prove its exit, open it', 'ccp_agent', 'host',
        '{stopped,unavailable,failed}', 'starting', 'running', null, 'unavailable', 'stopped',
        'running', 'stopped', '60 seconds', 1, true, '{host.stop,host.delete}', '{host.stop,host.delete}', true, true, true
    ),
    (
        'host.stop', 'close the host and end everything in it', 'ccp_agent', 'host',
        '{starting,running,unavailable,failed}', 'stopping', 'stopped', null, 'failed', 'unavailable',
        'stopped', 'running', '30 seconds', 3, true, '{host.start,host.delete}', '{host.start,host.delete}', false, false, true
    ),
    (
        'host.rebuild', 'make the container anew from its image; keep or wipe the home', 'ccp_agent', 'host',
        '{stopped,running,unavailable,failed}', 'rebuilding', 'running', 'stopped', 'failed', 'unavailable',
        null, null, '120 seconds', 1, false, '{}', '{host.delete}', true, false, true
    ),
    (
        'host.verify', 'prove the exit again, now', 'ccp_agent', 'host',
        '{running}', 'running', 'running', null, 'unavailable', 'running',
        null, null, '60 seconds', 1, false,
        '{host.start,host.stop,host.rebuild,host.delete}', '{host.start,host.stop,host.rebuild,host.delete}', false, true, true
    ),
    (
        'host.delete', 'remove the container, its keys and, if asked, its home', 'ccp_agent', 'host',
        '{pending,stopped,starting,running,stopping,rebuilding,unavailable,failed,deleting}',
        'deleting', 'deleted', null, 'failed', 'failed',
        'absent', 'stopped', '60 seconds', 10, true, '{}', '{}', false, false, false
    ),
    (
        'events.retain', 'drop months of events and rows that are past their retention', 'ccp_worker', 'none',
        null, null, null, null, null, null,
        null, null, '60 seconds', 3, false, '{}', '{}', false, false, false
    ),
    (
        'system.noop', 'do nothing, slowly if asked; for tests and benchmarks', 'ccp_worker', 'none',
        null, null, null, null, null, null,
        null, null, '60 seconds', 3, false, '{}', '{}', false, false, false
    );

create table ccp.task_params (
    kind text not null,
    name text not null,
    pattern text not null,
    default_value text,
    description text not null,
    primary key (kind, name),
    constraint param_belongs_to_a_kind foreign key (kind) references ccp.task_kinds (kind)
);
comment on table ccp.task_params is 'The parameters a kind takes; others are refused.';
comment on column ccp.task_params.kind is 'The kind.';
comment on column ccp.task_params.name is 'Name of the parameter.';
comment on column ccp.task_params.pattern is 'Regular expression that the value must match as a whole.';
comment on column ccp.task_params.default_value is 'What its absence means: a request that says it is the same as one that does not.';
comment on column ccp.task_params.description is 'What it does.';
insert into ccp.task_params (kind, name, pattern, default_value, description)
values
    ('host.rebuild', 'mode', '(keep|wipe)', 'keep', 'keep or wipe the home'),
    ('host.delete', 'wipe', '(true|false)', 'false', 'remove the home too'),
    ('system.noop', 'hold_ms', '[0-9]{1,5}', null, 'milliseconds to hold the task'),
    ('system.noop', 'label', '.{0,100}', null, 'anything; two tasks with different labels are two tasks');

create table ccp.host_remedies (
    wanted text not null,
    status text not null,
    kind text not null,
    primary key (wanted, status),
    constraint remedy_is_for_a_known_status foreign key (status) references ccp.host_statuses (status),
    constraint remedy_is_a_task foreign key (kind) references ccp.task_kinds (kind),
    constraint wanted_is_known check (wanted in ('running', 'stopped', 'absent'))
);
create index host_remedies_by_status on ccp.host_remedies (status);
create index host_remedies_by_kind on ccp.host_remedies (kind);
comment on table ccp.host_remedies is 'Reconciliation: the task that brings a host without a live task from a status to what is wanted.';
comment on column ccp.host_remedies.wanted is 'What is wanted now: stopped for an expired or disabled user, else the host''s desired.';
comment on column ccp.host_remedies.status is 'The host''s status.';
comment on column ccp.host_remedies.kind is 'The task to enqueue.';
insert into ccp.host_remedies (wanted, status, kind)
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

-- ---------------------------------------------------------------------------------------------------------------
-- Hosts
-- ---------------------------------------------------------------------------------------------------------------

create table ccp.hosts (
    id uuid primary key default gen_random_uuid(),
    short_id text not null,
    user_id uuid not null,
    node_id bigint not null,
    status text not null default 'pending',
    desired text not null default 'stopped',
    image text not null,
    image_id text,
    timezone text not null default 'UTC',
    memory_limit_mb integer not null default 4096,
    cpu_limit numeric(5, 2) not null default 2,
    pids_limit integer not null default 4096,
    disk_limit_gb integer,
    sudo boolean not null default true,
    ssh_password_hash text,
    ssh_password_changed_at timestamptz,
    wg_public_key text,
    ssh_host_key text,
    failures integer not null default 0,
    retry_at timestamptz,
    error_code text,
    error_message text,
    status_changed_at timestamptz not null default clock.now(),
    finished_at timestamptz,
    deleted_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint host_short_id_is_unique unique (short_id),
    constraint host_short_id_is_a_word check (short_id ~ '^[a-z0-9]{6,16}$'),
    constraint host_belongs_to_a_user foreign key (user_id) references ccp.users (id),
    constraint host_lives_on_a_node foreign key (node_id) references ccp.nodes (id),
    constraint host_status_is_known foreign key (status) references ccp.host_statuses (status),
    constraint host_desired_is_known check (desired in ('running', 'stopped', 'absent')),
    constraint image_is_a_reference check (image ~ '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$'),
    constraint image_id_is_a_digest check (image_id ~ '^sha256:[0-9a-f]{64}$'),
    constraint timezone_is_a_name check (timezone ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$' and length(timezone) <= 64),
    constraint memory_limit_is_sane check (memory_limit_mb between 128 and 1048576),
    constraint cpu_limit_is_sane check (cpu_limit between 0.1 and 256),
    constraint pids_limit_is_sane check (pids_limit between 64 and 1048576),
    constraint disk_limit_is_sane check (disk_limit_gb between 1 and 65536),
    constraint ssh_password_is_yescrypt check (ssh_password_hash ~ '^\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9$]{20,200}$'),
    constraint wg_public_key_is_a_key check (wg_public_key ~ '^[A-Za-z0-9+/]{43}=$'),
    constraint ssh_host_key_is_one_line check (ssh_host_key ~ '^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$' and length(ssh_host_key) <= 8192),
    constraint failures_are_counted check (failures >= 0),
    constraint error_message_is_short check (length(error_message) <= 2000),
    constraint tombstone_has_its_time check ((status = 'deleted') = (deleted_at is not null)),
    constraint tombstone_is_not_wanted check (status not in ('deleting', 'deleted') or desired = 'absent')
) with (fillfactor = 70);
comment on table ccp.hosts is 'Containers. status is what is, desired what its owner wants; tasks and reconciliation close the difference.';
comment on column ccp.hosts.id is 'Identity.';
comment on column ccp.hosts.short_id is 'Short public id and ssh user name; never reused.';
comment on column ccp.hosts.user_id is 'Whose host.';
comment on column ccp.hosts.node_id is 'The machine it lives on.';
comment on column ccp.hosts.status is 'What is: see ccp.host_statuses.';
comment on column ccp.hosts.desired is 'What its owner wants: running, stopped or absent.';
comment on column ccp.hosts.image is 'Image by name.';
comment on column ccp.hosts.image_id is 'Image by digest, pinned by host.create and host.rebuild.';
comment on column ccp.hosts.timezone is 'TZ inside.';
comment on column ccp.hosts.memory_limit_mb is 'Memory limit in MiB.';
comment on column ccp.hosts.cpu_limit is 'CPU limit in cores.';
comment on column ccp.hosts.pids_limit is 'Limit on processes and threads.';
comment on column ccp.hosts.disk_limit_gb is 'Size of the home in GiB; null: unlimited.';
comment on column ccp.hosts.sudo is 'The user may become root inside.';
comment on column ccp.hosts.ssh_password_hash is 'yescrypt of the ssh password, checked by the ssh authority only; null: keys only.';
comment on column ccp.hosts.ssh_password_changed_at is 'When the ssh password last changed.';
comment on column ccp.hosts.wg_public_key is 'The host''s tunnel key, public half; to be registered at the exit.';
comment on column ccp.hosts.ssh_host_key is 'Public host key of the container''s own sshd.';
comment on column ccp.hosts.failures is 'Failures in a row; each doubles the wait before reconciliation tries again.';
comment on column ccp.hosts.retry_at is 'Reconciliation waits until then.';
comment on column ccp.hosts.error_code is 'What went wrong last; cleared by success.';
comment on column ccp.hosts.error_message is 'The same as a sentence.';
comment on column ccp.hosts.status_changed_at is 'When status last changed.';
comment on column ccp.hosts.finished_at is 'When its last task ended; an observation counts only if it is newer.';
comment on column ccp.hosts.deleted_at is 'When it was deleted; the row is purged after tombstone_retention_days.';
comment on column ccp.hosts.version is 'Rises with each edit by people; the ETag.';
comment on column ccp.hosts.created_at is 'When it was ordered.';
comment on column ccp.hosts.updated_at is 'When people last edited it.';

create index hosts_of_a_user on ccp.hosts (user_id, created_at);
create index hosts_by_creation on ccp.hosts (created_at) where deleted_at is null;
create index hosts_of_a_node on ccp.hosts (node_id);
create index hosts_alive_by_status on ccp.hosts (status) where status <> 'deleted';
create index tombstones_by_age on ccp.hosts (deleted_at) where deleted_at is not null;

create trigger hosts_take_allowed_steps before update of status on ccp.hosts
for each row when (old.status is distinct from new.status)
execute function host.guard();
create trigger hosts_are_deleted_as_tombstones before delete on ccp.hosts
for each row execute function host.guard_delete();
create trigger hosts_are_not_truncated before truncate on ccp.hosts
for each statement execute function task.refuse_truncate();
create trigger hosts_touch before update of image, timezone, memory_limit_mb, cpu_limit, pids_limit, disk_limit_gb, sudo on ccp.hosts
for each row when (old.* is distinct from new.*)
execute function clock.touch();

create table ccp.observations (
    host_id uuid primary key,
    process_id bigint not null,
    sequence bigint not null,
    state text not null,
    code text,
    message text,
    observed_at timestamptz not null,
    constraint observation_is_of_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint observation_comes_from_a_process foreign key (process_id) references ccp.processes (id),
    constraint observed_state_is_known check (state in ('running', 'closed', 'stopped', 'absent')),
    constraint observed_message_is_short check (length(message) <= 2000)
);
create index observations_by_process on ccp.observations (process_id);
comment on table ccp.observations is 'What the agent last saw of each host.';
comment on column ccp.observations.host_id is 'The host.';
comment on column ccp.observations.process_id is 'The agent that saw it.';
comment on column ccp.observations.sequence is 'Rises with each observation of one agent; an older one never overwrites a newer.';
comment on column ccp.observations.state is 'running (open and proven), closed (container runs, wall closed), stopped (container ended), absent (no container).';
comment on column ccp.observations.code is 'Why, as an error code.';
comment on column ccp.observations.message is 'Why, as a sentence.';
comment on column ccp.observations.observed_at is 'When it was seen, by the agent''s clock.';

create table ccp.bindings (
    id uuid primary key default gen_random_uuid(),
    host_id uuid not null,
    egress_ip_id uuid not null,
    user_id uuid not null,
    exit_label text not null,
    exit_address inet not null,
    created_at timestamptz not null default clock.now(),
    ended_at timestamptz,
    constraint binding_is_of_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint binding_leads_to_an_exit foreign key (egress_ip_id) references ccp.egress_ips (id),
    constraint binding_belongs_to_a_user foreign key (user_id) references ccp.users (id)
);
comment on table ccp.bindings is 'Which host leaves through which exit. An ended row is history.';
comment on column ccp.bindings.id is 'Identity.';
comment on column ccp.bindings.host_id is 'The host.';
comment on column ccp.bindings.egress_ip_id is 'The exit.';
comment on column ccp.bindings.user_id is 'The host''s user, who may see this row.';
comment on column ccp.bindings.exit_label is 'The exit''s label, copied for that user.';
comment on column ccp.bindings.exit_address is 'The exit''s address, copied for that user.';
comment on column ccp.bindings.created_at is 'Since when.';
comment on column ccp.bindings.ended_at is 'Until when; null: live.';
create unique index one_live_binding_per_host on ccp.bindings (host_id) where ended_at is null;
create unique index one_live_binding_per_exit on ccp.bindings (egress_ip_id) where ended_at is null;
create index bindings_of_a_host on ccp.bindings (host_id);
create index bindings_of_an_exit on ccp.bindings (egress_ip_id);
create index bindings_of_a_user on ccp.bindings (user_id);

-- ---------------------------------------------------------------------------------------------------------------
-- Tasks
-- ---------------------------------------------------------------------------------------------------------------

create sequence ccp.lease_ids;
comment on sequence ccp.lease_ids is 'Leases: a fresh number for each claim, so that a late report of an earlier claim changes nothing.';

-- What one column says by itself is a domain, which is checked when that column is written. A table's constraints are
-- read and checked anew by each write of a row, and tasks are written often: only what ties columns together is one.
create domain ccp.word as text constraint word_is_plain check (value ~ '^[a-z_]{1,60}$');
create domain ccp.sentence as text constraint sentence_is_short check (length(value) <= 2000);
create domain ccp.percentage as integer constraint percentage_is_within_bounds check (value between 0 and 100);
create domain ccp.request_key as text constraint request_key_is_short check (length(value) between 1 and 200);
create domain ccp.small_object as jsonb
constraint small_object_is_one check (jsonb_typeof(value) = 'object' and pg_column_size(value) <= 8192);
create domain ccp.stop_reason as text constraint stop_reason_is_known check (value in ('canceled', 'superseded', 'deadline'));
create domain ccp.report as text
constraint report_is_known check (value in ('succeeded', 'failed', 'retry', 'canceled', 'handed_back'));
comment on domain ccp.word is 'A code or a stage: lower case letters and underscores.';
comment on domain ccp.sentence is 'Something for people to read, at most 2000 characters.';
comment on domain ccp.percentage is 'How far something is.';
comment on domain ccp.request_key is 'The name that a requester gives a request.';
comment on domain ccp.small_object is 'A JSON object of at most 8 KB.';
comment on domain ccp.stop_reason is 'Why a running task was asked to stop.';
comment on domain ccp.report is 'What the last final report on a task was answered.';

create table ccp.task_rows (
    id uuid primary key default gen_random_uuid(),
    kind text not null,
    host_id uuid,
    user_id uuid,
    params ccp.small_object not null default '{}',
    status text not null default 'queued',
    queue text not null,
    run_at timestamptz not null default clock.now(),
    needs_active_user boolean not null default false,
    attempt integer not null default 0,
    losses integer not null default 0,
    process_id bigint,
    lease bigint,
    deadline_at timestamptz,
    stop_requested_at timestamptz,
    stop_reason ccp.stop_reason,
    stage ccp.word,
    progress ccp.percentage,
    message ccp.sentence,
    reported_lease bigint,
    reported ccp.report,
    result jsonb,
    error_code ccp.word,
    error_message ccp.sentence,
    retryable boolean,
    idempotency_key ccp.request_key,
    created_by text not null,
    created_at timestamptz not null default clock.now(),
    started_at timestamptz,
    progressed_at timestamptz,
    finished_at timestamptz,
    constraint task_kind_is_known foreign key (kind) references ccp.task_kinds (kind),
    constraint task_is_for_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint task_belongs_to_a_user foreign key (user_id) references ccp.users (id),
    constraint host_and_user_come_together check ((host_id is null) = (user_id is null)),
    constraint status_is_known check (status ~ '^(queued|running|succeeded|failed|canceled)$'),
    constraint only_running_has_a_lease check (num_nonnulls(lease, process_id, deadline_at) = case status when 'running' then 3 else 0 end),
    constraint running_has_begun check (status <> 'running' or started_at is not null),
    constraint finished_has_its_time check ((status ~ '^(queued|running)$') = (finished_at is null)),
    constraint failure_has_a_code check (status <> 'failed' or error_code is not null),
    constraint stop_has_a_reason check ((stop_requested_at is null) = (stop_reason is null)),
    constraint queued_was_not_asked_to_stop check (status <> 'queued' or stop_requested_at is null),
    constraint report_has_its_lease check ((reported is null) = (reported_lease is null)),
    constraint result_is_bounded check (pg_column_size(result) <= 262144)
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
comment on table ccp.task_rows is 'Tasks. Made by task.enqueue() only (people: insert into ccp.tasks); moved by claim and the reports, each guarded by its lease. It has no foreign key to processes: two claims of one process would fight over its row.';
comment on column ccp.task_rows.id is 'Identity.';
comment on column ccp.task_rows.kind is 'What to do: see ccp.task_kinds.';
comment on column ccp.task_rows.host_id is 'The host it works on.';
comment on column ccp.task_rows.user_id is 'That host''s user.';
comment on column ccp.task_rows.params is 'Parameters: see ccp.task_params.';
comment on column ccp.task_rows.status is 'queued, running, succeeded, failed or canceled.';
comment on column ccp.task_rows.queue is 'Channel and queue: ccp_worker, or ccp_agent_<node id>.';
comment on column ccp.task_rows.run_at is 'Not claimed before; moved only by a retry.';
comment on column ccp.task_rows.needs_active_user is 'Not claimed while its user is expired or disabled.';
comment on column ccp.task_rows.attempt is 'How many tries have begun and counted.';
comment on column ccp.task_rows.losses is 'How often its process died.';
comment on column ccp.task_rows.process_id is 'Who runs it.';
comment on column ccp.task_rows.lease is 'The claim''s number; reports must carry it.';
comment on column ccp.task_rows.deadline_at is 'Asked to stop after this.';
comment on column ccp.task_rows.stop_requested_at is 'When it was asked to stop.';
comment on column ccp.task_rows.stop_reason is 'Why: canceled, superseded, deadline.';
comment on column ccp.task_rows.stage is 'The step it is in.';
comment on column ccp.task_rows.progress is 'Percentage.';
comment on column ccp.task_rows.message is 'The step as a sentence.';
comment on column ccp.task_rows.reported_lease is 'Lease of the last final report.';
comment on column ccp.task_rows.reported is 'The answer it got; the same report again gets it again.';
comment on column ccp.task_rows.result is 'What it brought.';
comment on column ccp.task_rows.error_code is 'Why it failed or was canceled, or why the last try failed.';
comment on column ccp.task_rows.error_message is 'The same as a sentence.';
comment on column ccp.task_rows.retryable is 'Whether trying again may help.';
comment on column ccp.task_rows.idempotency_key is 'The enqueuer''s name for this request; the same again returns this row.';
comment on column ccp.task_rows.created_by is 'Who asked.';
comment on column ccp.task_rows.created_at is 'When it was asked for.';
comment on column ccp.task_rows.started_at is 'When it was last claimed.';
comment on column ccp.task_rows.progressed_at is 'When it last reported progress.';
comment on column ccp.task_rows.finished_at is 'When it ended.';

create index tasks_to_claim on ccp.task_rows (queue, run_at) where status = 'queued';
create unique index one_running_and_one_queued_task_per_host on ccp.task_rows (host_id, status)
where status in ('queued', 'running') and host_id is not null;
create unique index one_live_task_of_a_kind_without_subject on ccp.task_rows (kind, md5(params::text))
where status in ('queued', 'running') and stop_requested_at is null and host_id is null;
create unique index one_task_per_idempotency_key on ccp.task_rows (created_by, idempotency_key) where idempotency_key is not null;
create index tasks_running on ccp.task_rows (process_id) where status = 'running';
create index tasks_of_a_host on ccp.task_rows (host_id, created_at) where host_id is not null;
create index tasks_of_a_user on ccp.task_rows (user_id, created_at) where user_id is not null;
create index tasks_by_creation on ccp.task_rows (created_at);
create index retentions_by_creation on ccp.task_rows (created_at) where kind = 'events.retain';

create trigger tasks_take_allowed_steps before update of status on ccp.task_rows
for each row when (old.status is distinct from new.status)
execute function task.guard();
create trigger tasks_begin_queued before insert on ccp.task_rows
for each row when (new.status not in ('queued', 'succeeded') or new.attempt <> 0)
execute function task.guard_insert();
create trigger tasks_leave_when_finished before delete on ccp.task_rows
for each row when (old.finished_at is null)
execute function task.guard_delete();
create trigger tasks_are_not_truncated before truncate on ccp.task_rows
for each statement execute function task.refuse_truncate();

create view ccp.tasks with (security_barrier) as
select
    t.id,
    t.kind,
    t.host_id,
    t.params::jsonb as params,
    t.status,
    t.stage::text as stage,
    t.progress::integer as progress,
    t.message::text as message,
    t.attempt,
    t.result,
    t.error_code::text as error_code,
    t.error_message::text as error_message,
    t.idempotency_key::text as idempotency_key,
    t.created_by,
    t.created_at,
    t.started_at,
    t.finished_at
from ccp.task_rows as t;
comment on view ccp.tasks is 'Automation''s whole interface: insert into ccp.tasks (kind, host_id) values (...) returning id, status. Insertable: kind, host_id, params, idempotency_key.';
comment on column ccp.tasks.id is 'Identity.';
comment on column ccp.tasks.kind is 'What to do: see ccp.rules.';
comment on column ccp.tasks.host_id is 'The host it works on.';
comment on column ccp.tasks.params is 'Parameters, a JSON object.';
comment on column ccp.tasks.status is 'queued, running, succeeded, failed or canceled.';
comment on column ccp.tasks.stage is 'The step it is in.';
comment on column ccp.tasks.progress is 'Percentage.';
comment on column ccp.tasks.message is 'The step as a sentence.';
comment on column ccp.tasks.attempt is 'How many tries have begun.';
comment on column ccp.tasks.result is 'What it brought.';
comment on column ccp.tasks.error_code is 'Why it failed or was canceled.';
comment on column ccp.tasks.error_message is 'The same as a sentence.';
comment on column ccp.tasks.idempotency_key is 'Your name for this request; the same again returns the same row.';
comment on column ccp.tasks.created_by is 'Who asked.';
comment on column ccp.tasks.created_at is 'When it was asked for.';
comment on column ccp.tasks.started_at is 'When it was last claimed.';
comment on column ccp.tasks.finished_at is 'When it ended.';
create trigger tasks_are_enqueued instead of insert on ccp.tasks
for each row execute function task.insert_from_view();

-- ---------------------------------------------------------------------------------------------------------------
-- Ways in
-- ---------------------------------------------------------------------------------------------------------------

create table ccp.access_grants (
    id uuid primary key default gen_random_uuid(),
    purpose text not null,
    user_id uuid not null,
    host_id uuid not null,
    task_id uuid,
    key_sha256 text,
    poll_token_sha256 text not null,
    address inet,
    created_at timestamptz not null default clock.now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint grant_is_for_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint grant_is_for_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint grant_follows_a_task foreign key (task_id) references ccp.task_rows (id) on delete set null,
    constraint grant_purpose_is_known check (purpose in ('bootstrap', 'entry')),
    constraint grant_key_digest_is_hex check (key_sha256 ~ '^[0-9a-f]{64}$'),
    constraint poll_token_digest_is_hex check (poll_token_sha256 ~ '^[0-9a-f]{64}$'),
    constraint poll_token_is_unique unique (poll_token_sha256),
    constraint grant_ends check (expires_at > created_at)
);
comment on table ccp.access_grants is 'Short-lived rights of a bootstrap or entry hand-off: a poll token and a one-time ssh key.';
comment on column ccp.access_grants.id is 'Identity.';
comment on column ccp.access_grants.purpose is 'bootstrap or entry.';
comment on column ccp.access_grants.user_id is 'For whom.';
comment on column ccp.access_grants.host_id is 'Into which host.';
comment on column ccp.access_grants.task_id is 'The start it waits for.';
comment on column ccp.access_grants.key_sha256 is 'SHA-256 of the one-time key''s blob, lower hex; null: own keys or password.';
comment on column ccp.access_grants.poll_token_sha256 is 'SHA-256 of the poll token, lower hex.';
comment on column ccp.access_grants.address is 'Who asked for it.';
comment on column ccp.access_grants.created_at is 'When it was made.';
comment on column ccp.access_grants.expires_at is 'Worth nothing after this.';
comment on column ccp.access_grants.used_at is 'When the one-time key came in.';
create index grants_of_a_user on ccp.access_grants (user_id);
create index grants_of_a_host_by_key on ccp.access_grants (host_id, key_sha256);
create index grants_of_a_task on ccp.access_grants (task_id);

create table ccp.sessions (
    id uuid primary key default gen_random_uuid(),
    kind text not null default 'ssh',
    user_id uuid not null,
    host_id uuid not null,
    process_id bigint not null,
    method text not null,
    key_sha256 text,
    address inet not null,
    created_at timestamptz not null default clock.now(),
    opened_at timestamptz,
    confirmed_at timestamptz,
    end_requested_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    bytes_up bigint not null default 0,
    bytes_down bigint not null default 0,
    constraint session_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint session_goes_into_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint session_is_held_by_a_process foreign key (process_id) references ccp.processes (id),
    constraint session_kind_is_known check (kind in ('ssh', 'desktop')),
    constraint session_method_is_known check (method in ('key', 'grant', 'password', 'token')),
    constraint session_key_digest_is_hex check (key_sha256 ~ '^[0-9a-f]{64}$'),
    constraint confirmed_session_was_opened check (confirmed_at is null or opened_at is not null),
    constraint ended_session_has_a_reason check ((end_requested_at is null and ended_at is null) = (end_reason is null)),
    constraint session_end_reason_is_a_word check (end_reason ~ '^[a-z_]{1,40}$'),
    constraint session_bytes_are_counted check (bytes_up >= 0 and bytes_down >= 0)
);
comment on table ccp.sessions is 'Who is, and was, in which host.';
comment on column ccp.sessions.id is 'Identity.';
comment on column ccp.sessions.kind is 'ssh or desktop.';
comment on column ccp.sessions.user_id is 'Who.';
comment on column ccp.sessions.host_id is 'Where.';
comment on column ccp.sessions.process_id is 'The program that holds the connection; its death ends the session.';
comment on column ccp.sessions.method is 'How the user came in: key, grant (one-time key), password, token.';
comment on column ccp.sessions.key_sha256 is 'With which key.';
comment on column ccp.sessions.address is 'From where.';
comment on column ccp.sessions.created_at is 'When the user was let in.';
comment on column ccp.sessions.opened_at is 'When the agent was first asked to connect into the host.';
comment on column ccp.sessions.confirmed_at is 'When it first had connected.';
comment on column ccp.sessions.end_requested_at is 'When the rules asked for its end.';
comment on column ccp.sessions.ended_at is 'When it ended.';
comment on column ccp.sessions.end_reason is 'Why it ends or ended.';
comment on column ccp.sessions.bytes_up is 'Bytes from the user.';
comment on column ccp.sessions.bytes_down is 'Bytes to the user.';
create index sessions_of_a_user on ccp.sessions (user_id, created_at);
create index sessions_of_a_host on ccp.sessions (host_id, created_at);
create index sessions_of_a_process on ccp.sessions (process_id);
create index sessions_open on ccp.sessions (process_id, host_id) where ended_at is null;

create table ccp.idempotency_keys (
    user_id uuid not null,
    key text not null,
    route text not null,
    request_sha256 text not null,
    status integer not null,
    ids jsonb not null default '{}',
    created_at timestamptz not null default clock.now(),
    primary key (user_id, key),
    constraint key_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint key_is_short check (length(key) between 1 and 200),
    constraint request_digest_is_hex check (request_sha256 ~ '^[0-9a-f]{64}$'),
    constraint status_is_http check (status between 200 and 599),
    constraint ids_are_an_object check (jsonb_typeof(ids) = 'object')
);
comment on table ccp.idempotency_keys is 'HTTP requests that carried an Idempotency-Key: what they made, never a secret. Kept for a day.';
comment on column ccp.idempotency_keys.user_id is 'Who sent it.';
comment on column ccp.idempotency_keys.key is 'The header''s value.';
comment on column ccp.idempotency_keys.route is 'Method and path.';
comment on column ccp.idempotency_keys.request_sha256 is 'Digest of the request; the same key with another request is refused.';
comment on column ccp.idempotency_keys.status is 'HTTP status that was answered.';
comment on column ccp.idempotency_keys.ids is 'Ids of what was made.';
comment on column ccp.idempotency_keys.created_at is 'When.';
create index idempotency_keys_by_age on ccp.idempotency_keys (created_at);

create table ccp.webhooks (
    id uuid primary key default gen_random_uuid(),
    url text not null,
    event_types text[] not null default '{}',
    secret_sealed text not null,
    disabled_at timestamptz,
    created_at timestamptz not null default clock.now(),
    constraint webhook_url_is_http check (url ~ '^https?://' and length(url) <= 2000)
);
comment on table ccp.webhooks is 'Where to send events.';
comment on column ccp.webhooks.id is 'Identity.';
comment on column ccp.webhooks.url is 'Where to.';
comment on column ccp.webhooks.event_types is 'Which types; empty: all.';
comment on column ccp.webhooks.secret_sealed is 'Signing secret, sealed (base64).';
comment on column ccp.webhooks.disabled_at is 'When it was switched off; null: on.';
comment on column ccp.webhooks.created_at is 'When it was made.';

-- ---------------------------------------------------------------------------------------------------------------
-- What happened: monthly partitions, written once
-- ---------------------------------------------------------------------------------------------------------------

create sequence ccp.event_ids;
comment on sequence ccp.event_ids is 'Ids of events.';

create table ccp.events (
    id bigint not null default nextval('ccp.event_ids'),
    at timestamptz not null default clock.now(),
    xid xid8 not null default pg_current_xact_id(),
    level text not null,
    type text not null,
    message text not null,
    actor text not null,
    actor_role text not null,
    actor_address inet,
    user_id uuid,
    host_id uuid,
    task_id uuid,
    metadata jsonb not null default '{}',
    primary key (id, at),
    constraint level_is_known check (level in ('debug', 'info', 'warning', 'error')),
    constraint type_is_dotted check (type ~ '^[a-z_]+(\.[a-z_]+){1,4}$'),
    constraint event_message_is_short check (length(message) <= 2000),
    constraint metadata_is_an_object check (jsonb_typeof(metadata) = 'object' and pg_column_size(metadata) <= 65536)
) partition by range (at);
comment on table ccp.events is 'The audit log. Append-only even for the owner; leaves a whole month at a time (event.drop_month). Ids are copied and have no foreign keys: they survive what they name.';
comment on column ccp.events.id is 'Identity; not a cursor: ids are not committed in order.';
comment on column ccp.events.at is 'When.';
comment on column ccp.events.xid is 'Transaction that wrote it; the live stream reads by snapshot.';
comment on column ccp.events.level is 'debug, info, warning, error.';
comment on column ccp.events.type is 'Dotted name.';
comment on column ccp.events.message is 'What happened, as a sentence.';
comment on column ccp.events.actor is 'Who: a username, a program''s role, or the database session.';
comment on column ccp.events.actor_role is 'user, admin, program or database.';
comment on column ccp.events.actor_address is 'From where, if known.';
comment on column ccp.events.user_id is 'The user it is about.';
comment on column ccp.events.host_id is 'The host it is about.';
comment on column ccp.events.task_id is 'The task it is about.';
comment on column ccp.events.metadata is 'Details; never a secret.';
create index events_by_xid on ccp.events (xid);
create index events_of_a_user on ccp.events (user_id, at) where user_id is not null;
create index events_of_a_host on ccp.events (host_id, at) where host_id is not null;
create index events_of_a_task on ccp.events (task_id) where task_id is not null;
create index events_of_a_type on ccp.events (type, at);

create sequence ccp.verification_ids;
comment on sequence ccp.verification_ids is 'Ids of verifications.';

create table ccp.verifications (
    id bigint not null default nextval('ccp.verification_ids'),
    at timestamptz not null default clock.now(),
    host_id uuid not null,
    user_id uuid not null,
    task_id uuid,
    process_id bigint not null,
    kind text not null,
    outcome text not null,
    error_code text,
    exit_label text,
    expected_ip inet,
    observed_ip inet,
    checks jsonb not null,
    duration_ms integer not null,
    primary key (id, at),
    constraint verification_kind_is_known check (kind in ('start', 'light', 'full', 'task')),
    constraint outcome_is_known check (outcome in ('passed', 'failed', 'inconclusive')),
    constraint only_a_pass_has_no_code check ((outcome = 'passed') = (error_code is null)),
    constraint verification_code_is_a_word check (error_code ~ '^[a-z_]{1,60}$'),
    constraint checks_are_a_list check (jsonb_typeof(checks) = 'array' and pg_column_size(checks) <= 262144),
    constraint duration_is_positive check (duration_ms >= 0)
) partition by range (at);
comment on table ccp.verifications is 'Evidence: every full verification that passed and everything that did not pass. Append-only; ids are copied.';
comment on column ccp.verifications.id is 'Identity.';
comment on column ccp.verifications.at is 'When, by the agent''s clock.';
comment on column ccp.verifications.host_id is 'The host.';
comment on column ccp.verifications.user_id is 'That host''s user.';
comment on column ccp.verifications.task_id is 'The task it was part of.';
comment on column ccp.verifications.process_id is 'The agent that did it.';
comment on column ccp.verifications.kind is 'start, light, full or task.';
comment on column ccp.verifications.outcome is 'passed, failed or inconclusive.';
comment on column ccp.verifications.error_code is 'What did not hold.';
comment on column ccp.verifications.exit_label is 'The exit at that time.';
comment on column ccp.verifications.expected_ip is 'The address the world should have seen.';
comment on column ccp.verifications.observed_ip is 'The address it saw.';
comment on column ccp.verifications.checks is 'List of {name, outcome, ms, detail}.';
comment on column ccp.verifications.duration_ms is 'How long it took, in milliseconds.';
create index verifications_of_a_host on ccp.verifications (host_id, at);
create index verifications_of_a_user on ccp.verifications (user_id, at);

do $$
declare
    v_table text;
    v_month date;
    v_part text;
begin
    foreach v_table in array array['events', 'verifications']
    loop
        execute format(
            'create trigger %s_are_append_only before update or delete or truncate on ccp.%I '
            'for each statement execute function event.refuse_change()',
            v_table, v_table
        );
        for v_month in
            select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => m))::date
            from generate_series(-1, 3) as m
        loop
            v_part := v_table || to_char(v_month, '_YYYY_MM');
            execute format(
                'create table ccp.%I partition of ccp.%I for values from (%L) to (%L)',
                v_part, v_table,
                v_month::text || ' 00:00:00+00', (v_month + interval '1 month')::date::text || ' 00:00:00+00'
            );
            execute format(
                'create trigger %s_is_append_only before update or delete or truncate on ccp.%I '
                'for each statement execute function event.refuse_change()',
                v_part, v_part
            );
            execute format(
                'comment on table ccp.%I is %L',
                v_part, format('One month of ccp.%s.', v_table)
            );
        end loop;
    end loop;
end
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Who may see what. Functions of user routes run as ccp_as_user, and these policies bind exactly that role, by bare
-- equality with the actor that account.enter() set for the transaction.
-- ---------------------------------------------------------------------------------------------------------------

do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'logins', 'ssh_keys', 'hosts', 'bindings', 'task_rows', 'access_grants', 'sessions', 'idempotency_keys',
        'events', 'verifications', 'users'
    ]
    loop
        execute format('alter table ccp.%I enable row level security', v_table);
        execute format(
            'create policy own_rows_only on ccp.%I to ccp_as_user using (%I = nullif(current_setting(''ccp.user_id'', true), '''')::uuid)',
            v_table, case when v_table = 'users' then 'id' else 'user_id' end
        );
        execute format('comment on policy own_rows_only on ccp.%I is %L', v_table, 'A user route sees the rows of the user who entered.');
        execute format('create policy dba_reads_all on ccp.%I for select to ccp_dba using (true)', v_table);
        execute format('comment on policy dba_reads_all on ccp.%I is %L', v_table, 'The DBA reads every row.');
    end loop;
end
$$;

grant select on ccp.bindings, ccp.task_rows, ccp.events, ccp.verifications, ccp.sessions, ccp.ssh_keys,
ccp.task_kinds, ccp.host_statuses, ccp.settings to ccp_as_user;
grant insert, delete on ccp.ssh_keys to ccp_as_user;
grant update (end_requested_at, end_reason) on ccp.sessions to ccp_as_user;
grant select (
    id, username, short_id, role, password_changed_at, expires_at, disabled_at, version, created_at, updated_at
) on ccp.users to ccp_as_user;
grant select (
    id, short_id, user_id, node_id, status, desired, image, image_id, timezone, memory_limit_mb, cpu_limit, pids_limit,
    disk_limit_gb, sudo, ssh_password_changed_at, wg_public_key, ssh_host_key, error_code, error_message,
    status_changed_at, finished_at, deleted_at, version, created_at, updated_at
) on ccp.hosts to ccp_as_user;
grant update (ssh_password_hash, ssh_password_changed_at) on ccp.hosts to ccp_as_user;

-- The DBA reads every column that is not a secret.
do $$
declare
    v_table record;
begin
    for v_table in
        select
            c.oid::regclass as name,
            string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'ccp'::regnamespace
            and c.relkind in ('r', 'p')
            and not c.relispartition
            and a.attname not in ('password_hash', 'ssh_password_hash', 'secret', 'secret_sealed', 'wg_preshared_key_sealed', 'poll_token_sha256')
        group by c.oid
    loop
        execute format('grant select (%s) on %s to ccp_dba', v_table.columns, v_table.name);
    end loop;
end
$$;

grant select, insert (kind, host_id, params, idempotency_key) on ccp.tasks to ccp_automation;
grant select on ccp.tasks to ccp_dba;
