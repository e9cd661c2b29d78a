-- Schemas, the domains that several tables use, the functions that tables hang on, and settings.

create schema if not exists ccp;
create schema access;
create schema account;
create schema api;
create schema clock;
create schema egress;
create schema event;
create schema host;
create schema metric;
create schema node;
create schema process;
create schema session;
create schema setting;
create schema ssh;
create schema task;
create schema token;
create schema verification;
create schema webhook;

comment on schema ccp is 'Tables and views people look at. Every other schema is a noun and holds functions that are verbs.';
comment on schema access is 'Limits and penalties for clients: logins and ssh.';
comment on schema account is 'Users: who may come in, who has expired, who is acting.';
comment on schema api is 'One function per HTTP route and the composites they return.';
comment on schema clock is 'Time, and the tick that makes time pass for the rules.';
comment on schema egress is 'Exits: what may be changed of one, and when.';
comment on schema event is 'The audit log: written once, never changed.';
comment on schema host is 'Containers: what they are, what was seen, what is wanted.';
comment on schema metric is 'What there is to measure, and how Prometheus reads it.';
comment on schema node is 'Machines and what an agent needs to know about the hosts on them.';
comment on schema process is 'Running programs and their beats.';
comment on schema session is 'Live connections into hosts.';
comment on schema setting is 'Settings, read live.';
comment on schema ssh is 'What the ssh monitor asks.';
comment on schema task is 'Tasks: enqueue, claim, report.';
comment on schema token is 'Login tokens and the keys that sign them.';
comment on schema verification is 'Evidence of what a host''s traffic really does.';
comment on schema webhook is 'Events that are sent to other systems.';

grant usage on schema ccp, access, account, api, clock, egress, event, host, node, process, session, setting, ssh, task, token,
verification, webhook to ccp_api, ccp_worker, ccp_agent, ccp_sshproxy, ccp_as_user;
grant usage on schema ccp to ccp_dba, ccp_automation, ccp_admin;
grant usage on schema account, egress, host, node, session, setting, task, token, webhook to ccp_admin;
grant usage on schema clock to ccp_cron;

alter default privileges revoke execute on functions from public;

-- The names that tables and types hang on, which are made before code; the bodies are in db/code/<schema>/<verb>.sql.
create function clock.now() returns timestamptz language sql stable return pg_catalog.now();
create function account.state(p_disabled_at timestamptz, p_expires_at timestamptz) returns text
language sql stable return null::text;

do $$
declare
    v_name text;
begin
    foreach v_name in array array[
        'clock.touch', 'event.refuse_change', 'host.guard', 'host.guard_delete', 'host.take_slot', 'egress.guard',
        'egress.note_status',
        'task.guard', 'task.guard_insert', 'task.guard_delete', 'task.refuse_truncate',
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

-- What one value says by itself is a domain, and is said here only. Tables and the parameters of functions take it, and
-- the API reads from it what it lets through and what its document says. So a check is a range (of the value, its
-- length or cardinality), a pattern, a list of words, or else something that only the database knows. A domain
-- without a check has the words of the table whose key it is. Besides, a table's constraints are read and checked
-- again by each write of a row, a domain only when its column is written.
create domain ccp.username as text constraint username_is_a_name check (value ~ '^[a-z0-9][a-z0-9._-]{2,49}$');
create domain ccp.short_id as text constraint short_id_is_a_word check (value ~ '^[a-z0-9]{6,16}$');
create domain ccp.role as text constraint role_is_known check (value in ('user', 'admin'));
create domain ccp.user_state as text
constraint user_state_is_known check (value in ('active', 'disabled', 'expired', 'deleting'));
create domain ccp.activation as text constraint activation_is_known check (value in ('active', 'disabled'));
create domain ccp.label as text
constraint label_is_short check (length(value) between 1 and 100)
constraint label_is_one_line check (value !~ '[\x01-\x1f\x7f-\x9f\u2028\u2029]');
create domain ccp.bcrypt as text constraint hash_is_bcrypt check (value ~ '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$');
create domain ccp.yescrypt as text
constraint hash_is_yescrypt check (value ~ '^\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9$]{20,200}$');
create domain ccp.kid as text constraint kid_is_a_word check (value ~ '^[A-Za-z0-9_-]{4,64}$');
create domain ccp.sha256 as text constraint sha256_is_hex check (value ~ '^[0-9a-f]{64}$');
create domain ccp.ssh_public_key as text
constraint ssh_public_key_is_one_line check (value ~ '^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$')
constraint ssh_public_key_is_bounded check (length(value) between 1 and 8192);

create domain ccp.exit_state as text
constraint exit_state_is_known check (value in ('available', 'degraded', 'down', 'disabled'));
create domain ccp.tunnel_type as text constraint tunnel_type_is_known check (value in ('wireguard', 'proxy'));
create domain ccp.address as inet constraint address_is_one_address check (host(value)::inet = value);
create domain ccp.interface as inet;
create domain ccp.networks as cidr[] constraint networks_are_given check (cardinality(value) between 1 and 64);
create domain ccp.endpoint as text constraint endpoint_is_an_address_and_port check (
    (
        value ~ '^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d):\d{1,5}$'
        or value ~ '^\[[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}\]:\d{1,5}$'
    )
    and substring(value from '\d{1,5}$')::integer between 1 and 65535
);
create domain ccp.wg_key as text constraint wg_key_has_32_bytes check (value ~ '^[A-Za-z0-9+/]{43}=$');
create domain ccp.mtu as integer constraint mtu_is_sane check (value between 1280 and 1500);

create domain ccp.host_state as text;
create domain ccp.desired_state as text constraint desired_state_is_known check (value in ('running', 'stopped', 'absent'));
create domain ccp.image as text constraint image_is_a_reference check (value ~ '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$');
create domain ccp.timezone as text
constraint timezone_is_a_name check (value ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$')
constraint timezone_is_short check (length(value) between 1 and 64);
create domain ccp.idle_minutes as integer constraint idle_minutes_are_sane check (value between 10 and 525600);
create domain ccp.memory_limit_mb as integer constraint memory_limit_is_sane check (value between 128 and 1048576);
create domain ccp.cpu_limit as numeric(5, 2) constraint cpu_limit_is_sane check (value between 0.1 and 256);
create domain ccp.pids_limit as integer constraint pids_limit_is_sane check (value between 64 and 1048576);
create domain ccp.disk_limit_gb as integer constraint disk_limit_is_sane check (value between 1 and 65536);
create domain ccp.home_mode as text constraint home_mode_is_known check (value in ('keep', 'wipe'));

create domain ccp.session_kind as text constraint session_kind_is_known check (value in ('ssh', 'desktop'));

create domain ccp.word as text constraint word_is_plain check (value ~ '^[a-z_]{1,60}$');
create domain ccp.sentence as text constraint sentence_is_short check (length(value) <= 2000);
create domain ccp.percentage as integer constraint percentage_is_within_bounds check (value between 0 and 100);
create domain ccp.request_key as text constraint request_key_is_short check (length(value) between 1 and 200);
create domain ccp.small_object as jsonb
constraint small_object_is_one check (jsonb_typeof(value) = 'object' and pg_column_size(value) <= 8192);
create domain ccp.object as jsonb constraint object_is_one check (jsonb_typeof(value) = 'object');
create domain ccp.task_kind as text;
create domain ccp.task_state as text
constraint task_state_is_known check (value in ('queued', 'running', 'succeeded', 'failed', 'canceled'));
create domain ccp.stop_reason as text constraint stop_reason_is_known check (value in ('canceled', 'superseded', 'deadline'));
create domain ccp.seen_state as text
constraint seen_state_is_known check (value in ('running', 'closed', 'stopped', 'absent', 'unknown'));
create domain ccp.report as text
constraint report_is_known check (value in ('succeeded', 'failed', 'retry', 'canceled', 'handed_back'));
create domain ccp.verdict as text
constraint verdict_is_known check (
    value in (
        'ok', 'accepted', 'too_many_attempts', 'auth_invalid', 'unauthenticated', 'cookie_required', 'account_disabled',
        'account_expired', 'host_not_found', 'host_not_running', 'egress_binding_missing', 'start_failed', 'ssh_not_ready',
        'session_ended', 'port_invalid'
    )
);

create domain ccp.outcome as text constraint outcome_is_known check (value in ('passed', 'failed', 'inconclusive'));
create domain ccp.verification_kind as text
constraint verification_kind_is_known check (value in ('start', 'light', 'full', 'task'));
create domain ccp.node_id as bigint constraint node_id_is_positive check (value between 1 and 2147483647);
create domain ccp.setting_name as text;
create domain ccp.setting_type as text
constraint setting_type_is_known check (value in ('number', 'text', 'texts', 'networks'));
create domain ccp.error_code as text;
create domain ccp.event_level as text constraint event_level_is_known check (value in ('debug', 'info', 'warning', 'error'));
create domain ccp.event_type as text;
create domain ccp.webhook_url as text
constraint webhook_url_is_plain check (value ~ '^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?][!-~]*)?$')
constraint webhook_url_is_bounded check (length(value) between 1 and 2000);
create domain ccp.webhook_state as text
constraint webhook_state_is_known check (value in ('active', 'disabled', 'failing'));

-- What only the routes take.
create domain api.page_size as integer constraint page_size_is_bounded check (value between 1 and 200);
create domain api.cursor as text constraint cursor_is_short check (length(value) between 1 and 200);
create domain api.filter as text constraint filter_is_short check (length(value) between 1 and 100);
create domain api.export_format as text constraint export_format_is_known check (value in ('ndjson', 'csv'));
create domain api.by_creation as text constraint order_by_creation_is_known check (value in ('-created_at', 'created_at'));
create domain api.by_time as text constraint order_by_time_is_known check (value in ('-time', 'time'));
create domain api.login_name as text constraint login_name_is_short check (length(value) between 1 and 100);
create domain api.short_id as text constraint typed_short_id_is_a_word check (value ~ '^[A-Za-z0-9]{1,64}$');
create domain api.entry_state as text constraint entry_state_is_known check (value in ('ready', 'starting'));
create domain api.session_state as text constraint session_state_is_known check (value in ('open', 'ended', 'any'));
create domain api.health_state as text constraint health_state_is_known check (value in ('ok', 'degraded', 'unavailable'));
create domain api.proof_state as text constraint proof_state_is_known check (value in ('valid', 'stale', 'failed', 'none'));
create domain api.delivery_state as text
constraint delivery_state_is_known check (value in ('waiting', 'delivered', 'any'));
create domain api.json as jsonb;
create domain api.texts as jsonb constraint texts_are_an_object check (jsonb_typeof(value) = 'object');
create domain api.poll_wait_s as integer constraint poll_wait_is_bounded check (value between 0 and 25);
create domain api.poll_version as text constraint poll_version_is_short check (length(value) between 1 and 32);

comment on domain ccp.username is 'Name to log in with, lower case.';
comment on domain ccp.short_id is 'Short public id, used in links and as ssh user name; never reused.';
comment on domain ccp.role is 'user (own things) or admin (everything).';
comment on domain ccp.user_state is 'What a user is at a moment: active, disabled, expired or deleting.';
comment on domain ccp.activation is 'What an administrator sets: active or disabled.';
comment on domain ccp.exit_state is 'What checks of the last 10 minutes say of an exit: available, degraded, down, or disabled.';
comment on domain ccp.label is 'What people call a thing.';
comment on domain ccp.bcrypt is
'The bcrypt ($2b$) of a login password. A domain''s refusal does not repeat the value, unlike that of a table''s constraint.';
comment on domain ccp.yescrypt is 'The yescrypt ($y$) of a host''s SSH password.';
comment on domain ccp.kid is 'The name of a signing key in a token''s header.';
comment on domain ccp.sha256 is 'A SHA-256 digest, lower hex.';
comment on domain ccp.ssh_public_key is 'One line of an OpenSSH public key without its comment.';
comment on domain ccp.tunnel_type is 'How traffic gets to an exit.';
comment on domain ccp.address is 'One address, no network.';
comment on domain ccp.interface is 'An address inside a tunnel, with or without a prefix; host bits are kept.';
comment on domain ccp.networks is 'A list of networks.';
comment on constraint endpoint_is_an_address_and_port on domain ccp.endpoint is
'must be an address and a port, such as 198.51.100.1:51820 or [2001:db8::1]:51820; names are not resolved, write the '
'address that the name has';
comment on domain ccp.endpoint is
'Address and port of an exit. Names are not resolved: who answers the question could choose the exit.';
comment on domain ccp.wg_key is 'A WireGuard key (base64).';
comment on domain ccp.mtu is 'MTU of a tunnel in bytes.';
comment on domain ccp.host_state is 'What is said of a host: a word of ccp.host_statuses.';
comment on domain ccp.desired_state is 'What is wanted of a host.';
comment on domain ccp.image is 'Image by name.';
comment on domain ccp.timezone is 'Name of a time zone.';
comment on domain ccp.idle_minutes is 'Minutes after which a host is stopped that nobody is in.';
comment on domain ccp.memory_limit_mb is 'Memory limit of a host in MiB.';
comment on domain ccp.cpu_limit is 'CPU limit of a host in cores.';
comment on domain ccp.pids_limit is 'Limit on the processes and threads of a host.';
comment on domain ccp.disk_limit_gb is 'Size of a home in GiB.';
comment on domain ccp.home_mode is 'What becomes of the home when a host is rebuilt.';
comment on domain ccp.task_state is 'What is said of a task.';
comment on domain ccp.outcome is 'How a check or a verification ended.';
comment on domain ccp.verification_kind is 'Why a verification was made.';
comment on domain ccp.node_id is 'Identity of a node.';
comment on domain ccp.setting_name is 'A name of ccp.settings.';
comment on domain ccp.setting_type is 'What the value of a setting is.';
comment on domain ccp.error_code is 'Why a request is refused: a word of ccp.error_codes.';
comment on domain ccp.event_level is 'How serious an event is.';
comment on domain ccp.event_type is 'Dotted name of an event, like host.started.';
comment on constraint webhook_url_is_plain on domain ccp.webhook_url is
'must be an http or https URL of at most 2000 characters without user name and password, such as https://hooks.example/ccp';
comment on domain ccp.webhook_url is 'Where a webhook sends to.';
comment on domain ccp.webhook_state is 'How a webhook is: active or disabled, which an administrator sets, or failing.';
comment on domain ccp.verdict is 'What a function answers whose refusals are returned, because they must leave a trace.';
comment on domain ccp.session_kind is 'What a session is: a shell by ssh or a desktop.';
comment on domain ccp.word is 'A code or a stage: lower case letters and underscores.';
comment on domain ccp.sentence is 'Something for people to read, at most 2000 characters.';
comment on domain ccp.percentage is 'How far something is.';
comment on domain ccp.request_key is 'The name that a requester gives a request.';
comment on domain ccp.small_object is 'A JSON object of at most 8 KB.';
comment on domain ccp.object is 'A JSON object.';
comment on domain ccp.task_kind is 'What a task does: a word of ccp.task_kinds.';
comment on domain ccp.stop_reason is 'Why a running task was asked to stop.';
comment on domain ccp.seen_state is 'What an agent saw of a host, or what a task left of it.';
comment on domain ccp.report is 'What the last final report on a task was answered.';
comment on domain api.page_size is 'Longest page of a list.';
comment on domain api.cursor is 'Where a page begins.';
comment on domain api.filter is 'What to look for in a list.';
comment on domain api.export_format is 'How events are exported: an object a line, or CSV.';
comment on domain api.by_creation is 'Order of a list: newest first (-) or oldest first.';
comment on domain api.by_time is 'Order of a list: newest first (-) or oldest first.';
comment on domain api.login_name is 'A name as it was typed: whether it is right, a login answers the same way for all.';
comment on domain api.short_id is 'A short id as it was typed.';
comment on domain api.entry_state is 'Whether the host of an entry link runs, or is being started.';
comment on domain api.session_state is 'Which sessions a list has: those that are open, those that have ended, or both.';
comment on domain api.health_state is 'How the system is.';
comment on domain api.proof_state is
'Whether the last proof of a host''s exit holds, has ended, was followed by a check that failed, or never was made.';
comment on domain api.delivery_state is 'Which deliveries a list has: those that wait, those that were made, or both.';
comment on domain api.json is 'Any JSON value, which the function judges.';
comment on domain api.texts is 'Texts by name.';
comment on domain api.poll_wait_s is 'Seconds to wait until a task changes.';
comment on domain api.poll_version is 'The version of a task that a client knows.';

create table ccp.error_codes (
    code ccp.error_code primary key,
    statuses integer[] not null,
    meaning text not null,
    remedy text not null,
    constraint error_code_is_a_word check (code ~ '^[a-z_]{1,60}$'),
    constraint statuses_are_given check (cardinality(statuses) > 0)
);
comment on table ccp.error_codes is 'Why requests are refused, over HTTP and in psql.';
comment on column ccp.error_codes.code is 'The word: error_code of an HTTP answer, and in the DETAIL of an SQL error.';
comment on column ccp.error_codes.statuses is
'HTTP statuses that it comes with; in psql SQLSTATE is CP and the status.';
comment on column ccp.error_codes.meaning is 'What it means, as a sentence.';
comment on column ccp.error_codes.remedy is 'What to do about it, as a sentence.';

create table ccp.settings (
    name ccp.setting_name primary key,
    value jsonb,
    default_value jsonb,
    type ccp.setting_type not null,
    pattern text,
    min integer not null,
    max integer not null,
    optional boolean not null default false,
    description text not null,
    version integer not null default 1,
    updated_at timestamptz not null default clock.now(),
    updated_by text,
    constraint setting_name_is_a_word check (name ~ '^[a-z][a-z0-9_]{1,62}$'),
    constraint setting_text_has_a_pattern check ((type in ('text', 'texts')) = (pattern is not null)),
    constraint setting_bounds_are_ordered check (min <= max)
);
comment on table ccp.settings is
'Settings, read live by every program; a change works at the next use. A value that does not fit them is refused.';
comment on column ccp.settings.name is 'Name of the setting.';
comment on column ccp.settings.value is 'Its value as JSON; null when it was never set.';
comment on column ccp.settings.default_value is 'The value that a new installation has.';
comment on column ccp.settings.type is
'number (whole), text, or a list: of texts, or of networks (addresses are networks of one).';
comment on column ccp.settings.pattern is
'What the text, or each text of the list, must match; one of a list has at most 512 characters.';
comment on column ccp.settings.min is 'The least number, or the least length of the text or list.';
comment on column ccp.settings.max is 'The greatest.';
comment on column ccp.settings.optional is 'It may be null.';
comment on column ccp.settings.description is 'What it does, with its unit.';
comment on column ccp.settings.version is 'Rises with each change of the value; the ETag.';
comment on column ccp.settings.updated_at is 'When it last changed.';
comment on column ccp.settings.updated_by is 'Who changed it then; null: nobody has.';

create trigger settings_are_valid before insert or update on ccp.settings
for each row execute function setting.guard();
