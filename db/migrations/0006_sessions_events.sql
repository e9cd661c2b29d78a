-- Ways in, live connections, and what happened: events and verifications in monthly partitions, written once.

create table ccp.access_grants (
    id uuid primary key default gen_random_uuid(),
    purpose text not null,
    user_id uuid not null,
    host_id uuid not null,
    task_id uuid,
    key_sha256 ccp.sha256,
    poll_token_sha256 ccp.sha256 not null,
    address inet,
    created_at timestamptz not null default clock.now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint grant_is_for_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint grant_is_for_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint grant_follows_a_task foreign key (task_id) references ccp.task_rows (id) on delete set null,
    constraint grant_purpose_is_known check (purpose in ('bootstrap', 'entry')),
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
comment on column ccp.access_grants.expires_at is 'The grant is invalid from then on.';
comment on column ccp.access_grants.used_at is 'When the one-time key came in.';
create index grants_of_a_user on ccp.access_grants (user_id);
create index grants_of_a_host_by_key on ccp.access_grants (host_id, key_sha256);
create index grants_of_a_task on ccp.access_grants (task_id);

create table ccp.sessions (
    id uuid primary key default gen_random_uuid(),
    kind ccp.session_kind not null default 'ssh',
    user_id uuid not null,
    host_id uuid not null,
    process_id bigint not null,
    method text not null,
    key_sha256 ccp.sha256,
    address inet not null,
    created_at timestamptz not null default clock.now(),
    opened_at timestamptz,
    confirmed_at timestamptz,
    traffic_at timestamptz,
    idle_warned_at timestamptz,
    end_requested_at timestamptz,
    end_requested_by text,
    ended_at timestamptz,
    end_reason text,
    bytes_up bigint not null default 0,
    bytes_down bigint not null default 0,
    constraint session_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint session_goes_into_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint session_is_held_by_a_process foreign key (process_id) references ccp.processes (id),
    constraint session_method_is_known check (method in ('key', 'grant', 'password', 'token')),
    constraint confirmed_session_was_opened check (confirmed_at is null or opened_at is not null),
    constraint ended_session_has_a_reason check ((end_requested_at is null and ended_at is null) = (end_reason is null)),
    constraint who_asked_did_ask check (end_requested_by is null or end_requested_at is not null),
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
comment on column ccp.sessions.traffic_at is
'When bytes last came or went, as far as it was told; kept while the setting idle_means is no_traffic.';
comment on column ccp.sessions.idle_warned_at is 'When its terminal was told that the host will be stopped as idle.';
comment on column ccp.sessions.end_requested_at is 'When the rules or a person asked for its end.';
comment on column ccp.sessions.end_requested_by is 'The person who did; null: the rules.';
comment on column ccp.sessions.ended_at is 'When it ended.';
comment on column ccp.sessions.end_reason is 'Why it ends or ended.';
comment on column ccp.sessions.bytes_up is 'Bytes from the user.';
comment on column ccp.sessions.bytes_down is 'Bytes to the user.';
create index sessions_of_a_user on ccp.sessions (user_id, created_at, id);
create index sessions_of_a_host on ccp.sessions (host_id, created_at, id);
create index sessions_by_creation on ccp.sessions (created_at, id);
create index sessions_of_a_kind on ccp.sessions (kind, created_at, id);
create index sessions_of_a_process on ccp.sessions (process_id);
create index sessions_to_end on ccp.sessions (user_id) where ended_at is null and end_requested_at is null;
create index sessions_of_a_host_by_end on ccp.sessions (host_id, ended_at);
create index sessions_open_by_creation on ccp.sessions (created_at, id) where ended_at is null;
create index sessions_open on ccp.sessions (process_id, host_id) where ended_at is null;

create table ccp.webhooks (
    id uuid primary key default gen_random_uuid(),
    label ccp.label not null,
    url ccp.webhook_url not null,
    event_types ccp.event_type[],
    secret_sealed text not null,
    status ccp.activation not null default 'active',
    failing_since timestamptz,
    failing_reason ccp.sentence,
    retry_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint webhook_types_are_given check (cardinality(event_types) between 1 and 20),
    constraint webhook_secret_is_sealed check (
        secret_sealed ~ '^[A-Za-z0-9+/]+={0,2}$' and length(secret_sealed) between 64 and 400
    ),
    constraint failing_webhook_has_a_reason check ((failing_since is null) = (failing_reason is null))
);
comment on table ccp.webhooks is 'Where events are sent: see webhook.fan_out() and webhook.next().';
comment on column ccp.webhooks.id is 'Identity.';
comment on column ccp.webhooks.label is 'What people call it.';
comment on column ccp.webhooks.url is 'Where to; often a secret of the receiver''s, so it is in no event, task or log.';
comment on column ccp.webhooks.event_types is 'Which types of events; null: all.';
comment on column ccp.webhooks.secret_sealed is 'What its messages are signed with, sealed to the worker (base64).';
comment on column ccp.webhooks.status is 'active, or disabled: what happens meanwhile is not sent later.';
comment on column ccp.webhooks.failing_since is
'Since when nothing is sent, because a message was not taken for a day; null: it works.';
comment on column ccp.webhooks.failing_reason is 'Why, as a sentence.';
comment on column ccp.webhooks.retry_at is 'Until when the receiver has asked to be sent nothing; null: it has not.';
comment on column ccp.webhooks.version is 'Rises with each change; the ETag.';
comment on column ccp.webhooks.created_at is 'When it was made.';
comment on column ccp.webhooks.updated_at is 'When it was last changed.';
create index webhooks_by_creation on ccp.webhooks (created_at, id);
create trigger webhooks_are_touched before update on ccp.webhooks
for each row when (
    (old.label, old.url, old.event_types, old.secret_sealed, old.status)
    is distinct from (new.label, new.url, new.event_types, new.secret_sealed, new.status)
)
execute function clock.touch();

create table ccp.webhook_deliveries (
    webhook_id uuid not null,
    event_id bigint not null,
    event_at timestamptz not null,
    event_type ccp.event_type not null,
    attempts integer not null default 0,
    response_status integer,
    error_message ccp.sentence,
    created_at timestamptz not null default clock.now(),
    first_tried_at timestamptz,
    tried_at timestamptz,
    delivered_at timestamptz,
    primary key (webhook_id, event_id),
    constraint delivery_was_tried check ((attempts = 0) = (tried_at is null)),
    constraint delivered_or_not check (delivered_at is null or (tried_at is not null and error_message is null))
) with (fillfactor = 85);
comment on table ccp.webhook_deliveries is
'The queue of each webhook, and what became of it: a row for each event and webhook, written with the event. Its ids are copied: '
'it goes with its age, not with what it names.';
comment on column ccp.webhook_deliveries.webhook_id is 'To whom.';
comment on column ccp.webhook_deliveries.event_id is 'What: the place in the queue, and the id of the message.';
comment on column ccp.webhook_deliveries.event_at is 'When that happened.';
comment on column ccp.webhook_deliveries.event_type is 'Of which type that is.';
comment on column ccp.webhook_deliveries.attempts is 'How often it was tried.';
comment on column ccp.webhook_deliveries.response_status is 'HTTP status of the last answer; null: there was none.';
comment on column ccp.webhook_deliveries.error_message is 'Why the last try failed; null: it did not.';
comment on column ccp.webhook_deliveries.created_at is 'When it was queued.';
comment on column ccp.webhook_deliveries.first_tried_at is
'When it was tried first; a day later the webhook fails. Begins again when the webhook does.';
comment on column ccp.webhook_deliveries.tried_at is 'When it was tried last.';
comment on column ccp.webhook_deliveries.delivered_at is 'When the receiver took it; null: it has not.';
create index deliveries_waiting on ccp.webhook_deliveries (webhook_id, event_id) where delivered_at is null;
create index deliveries_of_a_webhook on ccp.webhook_deliveries (webhook_id, created_at, event_id);
create index deliveries_by_creation on ccp.webhook_deliveries (created_at);

create table ccp.refused_networks (
    network cidr primary key,
    description text not null
);
comment on table ccp.refused_networks is
'Where webhooks do not go unless the setting webhook_networks allows it: addresses that are not of the public internet.';
comment on column ccp.refused_networks.network is 'The network; of several that hold an address the smallest is named.';
comment on column ccp.refused_networks.description is 'What an address in it is.';

create table ccp.event_types (
    type ccp.event_type primary key,
    level ccp.event_level not null,
    audience text not null,
    meaning text not null,
    constraint event_type_is_dotted check (type ~ '^[a-z_]+(\.[a-z_]+){1,3}$'),
    constraint event_audience_is_known check (audience in ('user', 'admin')),
    constraint event_meaning_is_a_sentence check (meaning ~ '^[A-Z].*\.$')
);
comment on table ccp.event_types is
'What is written down, how grave it is, and who sees it. A type that is none of these cannot be written.';
comment on column ccp.event_types.type is 'Dotted name; what is acted on comes first, or admin where an administrator acts.';
comment on column ccp.event_types.level is 'debug, info, warning or error.';
comment on column ccp.event_types.audience is
'user: administrators, and the user whom the event is about; admin: administrators only.';
comment on column ccp.event_types.meaning is 'What has happened when it is written.';

create sequence ccp.event_ids;
comment on sequence ccp.event_ids is 'Ids of events.';

create table ccp.ssh_faults (
    host_id uuid not null,
    what text not null,
    user_id uuid not null,
    since timestamptz not null,
    message ccp.sentence not null,
    primary key (host_id, what),
    constraint ssh_fault_is_of_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint ssh_fault_concerns_a_user foreign key (user_id) references ccp.users (id),
    constraint ssh_fault_is_known check (what in ('port', 'login'))
);
create index ssh_faults_of_a_user on ccp.ssh_faults (user_id);
comment on table ccp.ssh_faults is
'What keeps people out of hosts although the exit is proven. A row older than the host''s present run says nothing of it.';
comment on column ccp.ssh_faults.host_id is 'The host.';
comment on column ccp.ssh_faults.what is
'port (no SSH server answers inside; the agent asks) or login (it refused the ssh proxy''s login as dev).';
comment on column ccp.ssh_faults.user_id is 'Whose host.';
comment on column ccp.ssh_faults.since is 'When it was seen first.';
comment on column ccp.ssh_faults.message is 'Why, as far as the container tells.';

create table ccp.events (
    id bigint not null default nextval('ccp.event_ids'),
    at timestamptz not null default clock.now(),
    xid xid8 not null default pg_current_xact_id(),
    level ccp.event_level not null,
    type ccp.event_type not null,
    message text not null,
    actor text not null,
    actor_role text not null,
    actor_address inet,
    user_id uuid,
    host_id uuid,
    task_id uuid,
    metadata jsonb not null default '{}',
    primary key (at, id),
    constraint event_message_is_short check (length(message) <= 2000),
    constraint metadata_is_an_object check (jsonb_typeof(metadata) = 'object' and pg_column_size(metadata) <= 65536)
) partition by range (at);
comment on table ccp.events is
'The audit log. Append-only even for the owner; leaves a whole month at a time (event.drop_month). Ids are copied and have no '
'foreign keys: they survive what they name.';
comment on column ccp.events.id is 'Identity; not a cursor: ids are not committed in order.';
comment on column ccp.events.at is 'When.';
comment on column ccp.events.xid is 'Transaction that wrote it; the live stream reads by snapshot.';
comment on column ccp.events.level is 'debug, info, warning, error: what its type had when it was written.';
comment on column ccp.events.type is 'Dotted name: see ccp.event_types.';
comment on column ccp.events.message is 'What happened, as a sentence.';
comment on column ccp.events.actor is 'Who: a username, a program''s role, or the database session.';
comment on column ccp.events.actor_role is 'user, admin, program or database.';
comment on column ccp.events.actor_address is 'From where, if known.';
comment on column ccp.events.user_id is 'The user it is about.';
comment on column ccp.events.host_id is 'The host it is about.';
comment on column ccp.events.task_id is 'The task it is about.';
comment on column ccp.events.metadata is 'Details; never a secret.';
create index events_by_xid on ccp.events (xid);
create index events_of_a_user on ccp.events (user_id, at, id) where user_id is not null;
create index events_of_a_host on ccp.events (host_id, at, id) where host_id is not null;
create index events_of_a_task on ccp.events (task_id) where task_id is not null;
create index events_of_an_actor on ccp.events (actor, at, id);
create index events_of_a_type on ccp.events (type, at, id);
create index events_of_a_level on ccp.events (level, at, id) where level <> 'info';

create sequence ccp.verification_ids;
comment on sequence ccp.verification_ids is 'Ids of verifications.';

create table ccp.verifications (
    id bigint not null default nextval('ccp.verification_ids'),
    at timestamptz not null default clock.now(),
    host_id uuid not null,
    user_id uuid not null,
    task_id uuid,
    process_id bigint not null,
    kind ccp.verification_kind not null,
    outcome ccp.outcome not null,
    error_code text,
    egress_ip_id uuid,
    exit_label text,
    expected_ip inet,
    observed_ip inet,
    checks jsonb not null,
    duration_ms integer not null,
    primary key (id, at),
    constraint only_a_pass_has_no_code check ((outcome = 'passed') = (error_code is null)),
    constraint verification_code_is_a_word check (error_code ~ '^[a-z_]{1,60}$'),
    constraint checks_are_a_list check (jsonb_typeof(checks) = 'array' and pg_column_size(checks) <= 262144),
    constraint duration_is_positive check (duration_ms >= 0)
) partition by range (at);
comment on table ccp.verifications is
'Evidence: every full verification that passed and everything that did not pass. Append-only; ids are copied.';
comment on column ccp.verifications.id is 'Identity.';
comment on column ccp.verifications.at is 'When, by the agent''s clock.';
comment on column ccp.verifications.host_id is 'The host.';
comment on column ccp.verifications.user_id is 'That host''s user.';
comment on column ccp.verifications.task_id is 'The task it was part of.';
comment on column ccp.verifications.process_id is 'The agent that did it.';
comment on column ccp.verifications.kind is 'start, light, full or task.';
comment on column ccp.verifications.outcome is 'passed, failed or inconclusive.';
comment on column ccp.verifications.error_code is 'What did not hold.';
comment on column ccp.verifications.egress_ip_id is 'The exit that was checked.';
comment on column ccp.verifications.exit_label is 'Its label at that time.';
comment on column ccp.verifications.expected_ip is 'The address the world should have seen.';
comment on column ccp.verifications.observed_ip is 'The address it saw.';
comment on column ccp.verifications.checks is 'List of {name, outcome, ms, detail}.';
comment on column ccp.verifications.duration_ms is 'How long it took, in milliseconds.';
create index verifications_of_a_host on ccp.verifications (host_id, at);
create index verifications_of_a_user on ccp.verifications (user_id, at);
create index verifications_of_an_exit on ccp.verifications (egress_ip_id, at);
create index verifications_that_failed on ccp.verifications (host_id, at) where outcome = 'failed';

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
