-- What the HTTP routes answer: one composite type a shape.
--
-- The nouns are views with security_invoker: the same columns serve admin routes, whose functions run as ccp_owner, and
-- user routes, whose functions run as ccp_as_user under row-level security. Comments become the OpenAPI document;
-- "(or null)" in one marks a member that may be null.

create view api.user with (security_invoker = true) as
select
    u.id,
    u.username,
    u.short_id,
    u.role,
    case
        when u.disabled_at is not null then 'disabled'
        when u.expires_at <= clock.now() then 'expired'
        else 'active'
    end as status,
    u.expires_at,
    u.disabled_at,
    u.password_changed_at,
    u.version::text as version,
    u.created_at,
    u.updated_at
from ccp.users as u;
comment on view api.user is 'A person who may log in.';
comment on column api.user.id is 'Identity.';
comment on column api.user.username is 'Name to log in with.';
comment on column api.user.short_id is 'Short public id.';
comment on column api.user.role is 'user or admin.';
comment on column api.user.status is 'active, disabled or expired, as of now.';
comment on column api.user.expires_at is 'From then on nothing of this user runs or comes in (or null).';
comment on column api.user.disabled_at is 'When an admin disabled the user (or null).';
comment on column api.user.password_changed_at is 'When the password last changed (or null).';
comment on column api.user.version is 'Rises with each edit; the ETag.';
comment on column api.user.created_at is 'When the user was made.';
comment on column api.user.updated_at is 'When the user was last edited.';

create view api.host with (security_invoker = true) as
select
    h.id,
    h.short_id,
    h.user_id,
    u.username,
    h.status,
    h.desired,
    b.egress_ip_id,
    b.exit_label,
    b.exit_address,
    h.image,
    h.image_id,
    h.timezone,
    h.memory_limit_mb,
    h.cpu_limit,
    h.pids_limit,
    h.disk_limit_gb,
    h.sudo,
    h.wg_public_key,
    h.ssh_host_key,
    h.ssh_password_changed_at,
    h.error_code,
    h.error_message,
    h.status_changed_at,
    h.version::text as version,
    h.created_at,
    h.updated_at
from ccp.hosts as h
join ccp.users as u on u.id = h.user_id
left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
where h.deleted_at is null;
comment on view api.host is 'A container and its exit.';
comment on column api.host.id is 'Identity.';
comment on column api.host.short_id is 'Short public id and ssh user name.';
comment on column api.host.user_id is 'Whose host.';
comment on column api.host.username is 'That user''s name.';
comment on column api.host.status is
'pending, starting, running, stopping, stopped, rebuilding, unavailable, failed or deleting.';
comment on column api.host.desired is 'What its owner wants: running, stopped or absent.';
comment on column api.host.egress_ip_id is 'The exit it leaves through (or null).';
comment on column api.host.exit_label is 'That exit''s label (or null).';
comment on column api.host.exit_address is 'The address the world sees (or null).';
comment on column api.host.image is 'Image by name.';
comment on column api.host.image_id is 'Image by digest (or null).';
comment on column api.host.timezone is 'TZ inside.';
comment on column api.host.memory_limit_mb is 'Memory limit in MiB.';
comment on column api.host.cpu_limit is 'CPU limit in cores.';
comment on column api.host.pids_limit is 'Limit on processes and threads.';
comment on column api.host.disk_limit_gb is 'Size of the home in GiB (or null).';
comment on column api.host.sudo is 'The user may become root inside.';
comment on column api.host.wg_public_key is 'The host''s tunnel key, to be registered at the exit (or null).';
comment on column api.host.ssh_host_key is 'Public host key of the container''s own sshd (or null).';
comment on column api.host.ssh_password_changed_at is 'When the ssh password last changed (or null).';
comment on column api.host.error_code is 'What went wrong last (or null).';
comment on column api.host.error_message is 'The same as a sentence (or null).';
comment on column api.host.status_changed_at is 'When status last changed.';
comment on column api.host.version is 'Rises with each edit; the ETag.';
comment on column api.host.created_at is 'When it was ordered.';
comment on column api.host.updated_at is 'When it was last edited.';

create view api.task with (security_invoker = true) as
select
    t.id,
    t.kind,
    t.host_id,
    t.user_id,
    t.params::jsonb as params,
    t.status,
    t.stage::text as stage,
    t.progress::integer as progress,
    t.message::text as message,
    t.attempt,
    t.result,
    t.error_code::text as error_code,
    t.error_message::text as error_message,
    t.retryable,
    t.stop_reason::text as stop_reason,
    t.created_by,
    t.created_at,
    t.started_at,
    t.finished_at
from ccp.task_rows as t;
comment on view api.task is 'A piece of long work.';
comment on column api.task.id is 'Identity.';
comment on column api.task.kind is 'What to do, like host.start.';
comment on column api.task.host_id is 'The host it works on (or null).';
comment on column api.task.user_id is 'That host''s user (or null).';
comment on column api.task.params is 'Parameters.';
comment on column api.task.status is 'queued, running, succeeded, failed or canceled.';
comment on column api.task.stage is 'The step it is in (or null).';
comment on column api.task.progress is 'Percentage (or null).';
comment on column api.task.message is 'The step as a sentence (or null).';
comment on column api.task.attempt is 'How many tries have begun.';
comment on column api.task.result is 'What it brought (or null).';
comment on column api.task.error_code is 'Why it failed or was canceled (or null).';
comment on column api.task.error_message is 'The same as a sentence (or null).';
comment on column api.task.retryable is 'Whether trying again may help (or null).';
comment on column api.task.stop_reason is 'Why it was asked to stop (or null).';
comment on column api.task.created_by is 'Who asked.';
comment on column api.task.created_at is 'When it was asked for.';
comment on column api.task.started_at is 'When it was last claimed (or null).';
comment on column api.task.finished_at is 'When it ended (or null).';

create view api.ssh_key with (security_invoker = true) as
select
    k.id,
    k.name,
    k.public_key,
    k.key_sha256,
    k.created_at,
    k.last_used_at
from ccp.ssh_keys as k;
comment on view api.ssh_key is 'A public key with which its user comes into all own hosts.';
comment on column api.ssh_key.id is 'Identity.';
comment on column api.ssh_key.name is 'What the user calls it.';
comment on column api.ssh_key.public_key is 'Type and base64.';
comment on column api.ssh_key.key_sha256 is 'SHA-256 of the key blob, lower hex.';
comment on column api.ssh_key.created_at is 'When it was registered.';
comment on column api.ssh_key.last_used_at is 'When somebody last came in with it (or null).';

create view api.egress_ip with (security_invoker = true) as
select
    e.id,
    e.label,
    e.ip_address,
    e.provider,
    e.status,
    e.tunnel_type,
    e.wg_endpoint,
    e.wg_public_key,
    e.wg_preshared_key_sealed is not null as has_preshared_key,
    e.wg_allowed_ips::text[] as wg_allowed_ips,
    e.wg_dns_server,
    e.wg_peer_address::text as wg_peer_address,
    e.wg_mtu,
    b.host_id,
    e.version::text as version,
    e.created_at,
    e.updated_at
from ccp.egress_ips as e
left join ccp.bindings as b on b.egress_ip_id = e.id and b.ended_at is null;
comment on view api.egress_ip is 'An exit and the tunnel to it.';
comment on column api.egress_ip.id is 'Identity.';
comment on column api.egress_ip.label is 'What people call it.';
comment on column api.egress_ip.ip_address is 'The address the world must see.';
comment on column api.egress_ip.provider is 'Who sells it (or null).';
comment on column api.egress_ip.status is 'active, or disabled: takes no new binding.';
comment on column api.egress_ip.tunnel_type is 'How traffic gets there.';
comment on column api.egress_ip.wg_endpoint is 'Address and port of the exit.';
comment on column api.egress_ip.wg_public_key is 'The exit''s public key (base64).';
comment on column api.egress_ip.has_preshared_key is 'Whether a preshared key is set; the key itself is never shown.';
comment on column api.egress_ip.wg_allowed_ips is 'Networks that are routed into the tunnel.';
comment on column api.egress_ip.wg_dns_server is 'The only resolver a host behind this exit may ask.';
comment on column api.egress_ip.wg_peer_address is 'Our address inside the tunnel.';
comment on column api.egress_ip.wg_mtu is 'MTU of the tunnel in bytes.';
comment on column api.egress_ip.host_id is 'The host that leaves through it now (or null).';
comment on column api.egress_ip.version is 'Rises with each edit; the ETag.';
comment on column api.egress_ip.created_at is 'When it was made.';
comment on column api.egress_ip.updated_at is 'When it was last edited.';

create view api.event with (security_invoker = true) as
select
    e.id::text as id,
    e.at as time,
    e.level,
    e.type,
    e.message,
    e.actor,
    e.actor_role,
    e.actor_address,
    e.user_id,
    e.host_id,
    e.task_id,
    e.metadata
from ccp.events as e;
comment on view api.event is 'Something that happened.';
comment on column api.event.id is 'Identity.';
comment on column api.event.time is 'When.';
comment on column api.event.level is 'debug, info, warning or error.';
comment on column api.event.type is 'Dotted name, like host.started.';
comment on column api.event.message is 'What happened, as a sentence.';
comment on column api.event.actor is 'Who.';
comment on column api.event.actor_role is 'As what.';
comment on column api.event.actor_address is 'From where (or null).';
comment on column api.event.user_id is 'The user it is about (or null).';
comment on column api.event.host_id is 'The host it is about (or null).';
comment on column api.event.task_id is 'The task it is about (or null).';
comment on column api.event.metadata is 'Details.';

grant select on api.user, api.host, api.task, api.ssh_key, api.event to ccp_as_user;

create type api.user_page as (users api.user[], next_cursor text);
comment on type api.user_page is 'A page of users, newest first.';
comment on column api.user_page.users is 'The users.';
comment on column api.user_page.next_cursor is 'Where the next page begins (or null).';

create type api.host_page as (hosts api.host[], next_cursor text);
comment on type api.host_page is 'A page of hosts, newest first.';
comment on column api.host_page.hosts is 'The hosts.';
comment on column api.host_page.next_cursor is 'Where the next page begins (or null).';

create type api.task_page as (tasks api.task[], next_cursor text);
comment on type api.task_page is 'A page of tasks, newest first.';
comment on column api.task_page.tasks is 'The tasks.';
comment on column api.task_page.next_cursor is 'Where the next page begins (or null).';

create type api.ssh_key_page as (ssh_keys api.ssh_key[], next_cursor text);
comment on type api.ssh_key_page is 'A page of keys, newest first.';
comment on column api.ssh_key_page.ssh_keys is 'The keys.';
comment on column api.ssh_key_page.next_cursor is 'Where the next page begins (or null).';

create type api.egress_ip_page as (egress_ips api.egress_ip[], next_cursor text);
comment on type api.egress_ip_page is 'A page of exits, newest first.';
comment on column api.egress_ip_page.egress_ips is 'The exits.';
comment on column api.egress_ip_page.next_cursor is 'Where the next page begins (or null).';

create type api.event_page as (events api.event[], next_cursor text);
comment on type api.event_page is 'A page of events, newest first.';
comment on column api.event_page.events is 'The events.';
comment on column api.event_page.next_cursor is 'Where the next page begins (or null).';

create type api.login as (token text, role text, username text, short_id text, expires_in integer);
comment on type api.login is 'A login token and whose it is.';
comment on column api.login.token is 'Send it as "Authorization: Bearer ...".';
comment on column api.login.role is 'user or admin.';
comment on column api.login.username is 'Who logged in.';
comment on column api.login.short_id is 'That user''s short public id.';
comment on column api.login.expires_in is 'Seconds until the token is worth nothing; refresh it before.';

create type api.new_user as (
    id uuid, username text, short_id text, role text, status text, expires_at timestamptz, version text,
    created_at timestamptz, password text
);
comment on type api.new_user is 'A user just made.';
comment on column api.new_user.id is 'Identity.';
comment on column api.new_user.username is 'Name to log in with.';
comment on column api.new_user.short_id is 'Short public id.';
comment on column api.new_user.role is 'user or admin.';
comment on column api.new_user.status is 'active, disabled or expired, as of now.';
comment on column api.new_user.expires_at is 'From then on nothing of this user runs or comes in (or null).';
comment on column api.new_user.version is 'Rises with each edit; the ETag.';
comment on column api.new_user.created_at is 'When the user was made.';
comment on column api.new_user.password is 'The password that was generated, shown this once (or null).';

create type api.task_ref as (task_id uuid, status text, status_url text);
comment on type api.task_ref is 'Work that has been accepted.';
comment on column api.task_ref.task_id is 'The task.';
comment on column api.task_ref.status is 'queued, running, succeeded, failed or canceled.';
comment on column api.task_ref.status_url is 'Where to ask for the task.';

create type api.new_host as (
    id uuid, short_id text, ssh_password text, task_id uuid, status text, status_url text
);
comment on type api.new_host is 'A host just ordered and the task that makes it.';
comment on column api.new_host.id is 'Identity of the host.';
comment on column api.new_host.short_id is 'Short public id and ssh user name.';
comment on column api.new_host.ssh_password is 'The ssh password that was generated, shown this once (or null).';
comment on column api.new_host.task_id is 'The task.';
comment on column api.new_host.status is 'Status of the task.';
comment on column api.new_host.status_url is 'Where to ask for the task.';

create type api.ssh_password as (id uuid, short_id text, ssh_password text);
comment on type api.ssh_password is 'A host''s new ssh password.';
comment on column api.ssh_password.id is 'Identity of the host.';
comment on column api.ssh_password.short_id is 'Short public id and ssh user name.';
comment on column api.ssh_password.ssh_password is 'The ssh password that was generated, shown this once (or null).';

create type api.script as (public_url text);
comment on type api.script is 'What the bootstrap script must know.';
comment on column api.script.public_url is 'URL under which users reach the API (or null).';

create type api.bootstrap_session as (
    task_id uuid, status_url text, poll_token text, stage_code text, stage_text text
);
comment on type api.bootstrap_session is 'A sign-in and the start it waits for.';
comment on column api.bootstrap_session.task_id is 'The start of the host.';
comment on column api.bootstrap_session.status_url is 'Path where to ask for it with the poll token.';
comment on column api.bootstrap_session.poll_token is 'Send it as "Authorization: Bearer ...".';
comment on column api.bootstrap_session.stage_code is 'auth_passed.';
comment on column api.bootstrap_session.stage_text is 'The stage as a sentence.';

create type api.bootstrap_task as (
    task_id uuid, task_status text, stage_code text, stage_text text, progress integer,
    error_code text, error_message text, retryable boolean, version text
);
comment on type api.bootstrap_task is 'How far the start of the host is.';
comment on column api.bootstrap_task.task_id is 'The start of the host.';
comment on column api.bootstrap_task.task_status is 'queued, running, succeeded, failed or canceled.';
comment on column api.bootstrap_task.stage_code is
'auth_passed, host_starting, image_ready, container_created, firewall_ready, tunnel_ready, verifying or ssh_ready.';
comment on column api.bootstrap_task.stage_text is 'The stage as a sentence.';
comment on column api.bootstrap_task.progress is 'Percentage (or null).';
comment on column api.bootstrap_task.error_code is 'Why it failed (or null).';
comment on column api.bootstrap_task.error_message is 'The same as a sentence (or null).';
comment on column api.bootstrap_task.retryable is 'Whether trying again may help (or null).';
comment on column api.bootstrap_task.version is 'Changes with any of these; give it back as ?after= to wait for the next.';

create type api.handoff as (
    ready boolean, host text, port integer, "user" text, host_keys text[], ssh_options text[]
);
comment on type api.handoff is 'How to reach the host by ssh.';
comment on column api.handoff.ready is 'true.';
comment on column api.handoff.host is 'Name or address.';
comment on column api.handoff.port is 'Port.';
comment on column api.handoff."user" is 'User name: the host''s short id.';
comment on column api.handoff.host_keys is 'Public host keys to pin.';
comment on column api.handoff.ssh_options is 'Options for ssh, Name=value.';

create type api.health as (status text, checks jsonb);
comment on type api.health is 'How the system is.';
comment on column api.health.status is 'ok or degraded; unavailable with 503.';
comment on column api.health.checks is 'Each part: ok, stale, absent or away.';

create type api.problem_field as (field text, message text);
comment on type api.problem_field is 'One thing that is wrong with the input.';
comment on column api.problem_field.field is 'Which field.';
comment on column api.problem_field.message is 'What is wrong with it.';

create type api.problem as (
    type text, title text, status integer, detail text, instance text, error_code text, message text,
    request_id text, errors api.problem_field[]
);
comment on type api.problem is 'A problem document (RFC 9457).';
comment on column api.problem.type is 'URN of the problem.';
comment on column api.problem.title is 'The status in words.';
comment on column api.problem.status is 'HTTP status.';
comment on column api.problem.detail is 'What went wrong, as a sentence.';
comment on column api.problem.instance is 'The path that was asked for.';
comment on column api.problem.error_code is 'The problem as one word, for programs.';
comment on column api.problem.message is 'The same as detail.';
comment on column api.problem.request_id is 'Id of the request, as in X-Request-Id and the log.';
comment on column api.problem.errors is 'What is wrong with the input (or null).';
