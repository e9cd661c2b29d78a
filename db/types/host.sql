-- A host, as the HTTP routes answer it. Each row takes a few index look-ups of its own, however many hosts there are.
create type api.proof as (at timestamptz, kind text, outcome text, observed_ip inet, expires_at timestamptz);
comment on type api.proof is 'The last proof of a host''s exit.';
comment on column api.proof.at is 'When it was made.';
comment on column api.proof.kind is 'start, light, full or task.';
comment on column api.proof.outcome is 'passed, failed or inconclusive.';
comment on column api.proof.observed_ip is 'The address that was last seen from outside (or null).';
comment on column api.proof.expires_at is 'Until when the last proof that passed keeps the host open (or null).';

create type api.live_task as (id uuid, kind text, status text, stage text, progress integer, message text);
comment on type api.live_task is 'The task that works on a host now, or that waits to.';
comment on column api.live_task.id is 'Identity.';
comment on column api.live_task.kind is 'What it does, like host.start.';
comment on column api.live_task.status is 'queued or running.';
comment on column api.live_task.stage is 'The step it is in (or null).';
comment on column api.live_task.progress is 'Percentage (or null).';
comment on column api.live_task.message is 'The step as a sentence (or null).';

create type api.ssh_way as (host text, port integer, user_name text, host_key text);
comment on type api.ssh_way is 'How to reach a host by ssh.';
comment on column api.ssh_way.host is 'Name or address of the ssh proxy (or null).';
comment on column api.ssh_way.port is 'Its port.';
comment on column api.ssh_way.user_name is 'The name to log in with.';
comment on column api.ssh_way.host_key is 'The proxy''s public host key, one line (or null).';

create or replace view api.host with (security_invoker = true) as
select
    h.id,
    h.short_id,
    h.label,
    h.user_id,
    u.username,
    h.status,
    h.desired,
    b.id as binding_id,
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
    h.idle_stop_minutes,
    h.wg_public_key,
    h.ssh_host_key,
    h.ssh_password_changed_at,
    h.error_code,
    h.error_message,
    f.since as ssh_silent_since,
    f.message as ssh_silent_message,
    -- Is filled in by api.host_why(): a page at a time, from the people's view.
    null::text as why,
    p.last_proof,
    k.live_task,
    (select count(*)::integer from ccp.sessions as s where s.host_id = h.id and s.ended_at is null) as session_count,
    row(
        (select s.value #>> '{}' from ccp.settings as s where s.name = 'ssh_host'),
        (select (s.value #>> '{}')::integer from ccp.settings as s where s.name = 'ssh_port'),
        h.short_id,
        (select s.value #>> '{}' from ccp.settings as s where s.name = 'ssh_host_key')
    )::api.ssh_way as ssh,
    h.status_changed_at,
    h.version::text as version,
    h.created_at,
    h.updated_at
from ccp.hosts as h
join ccp.users as u on u.id = h.user_id
left join ccp.bindings as b on b.host_id = h.id and b.ended_at is null
left join lateral (
    select
        min(s.since) as since,
        string_agg(s.message, '; ' order by s.since) as message
    from ccp.ssh_faults as s
    where s.host_id = h.id and s.since >= h.status_changed_at and h.status = 'running'
) as f on true
left join ccp.observations as o on o.host_id = h.id
-- A light proof that passes leaves no evidence but its time.
left join lateral (
    select
        case
            when o.proven_at > v.at or v.at is null and o.proven_at is not null then
                row(o.proven_at, 'light', 'passed', v.observed_ip, o.proof_ends_at)::api.proof
            when v.at is not null then row(v.at, v.kind, v.outcome, v.observed_ip, o.proof_ends_at)::api.proof
        end as last_proof
    from (select) as one
    left join lateral (
        select r.at, r.kind, r.outcome, r.observed_ip
        from ccp.verifications as r
        where r.host_id = h.id
        order by r.at desc
        limit 1
    ) as v on true
) as p on true
left join lateral (
    select row(t.id, t.kind, t.status, t.stage, t.progress, t.message)::api.live_task as live_task
    from ccp.task_rows as t
    where t.host_id = h.id and t.status in ('queued', 'running')
    order by t.status desc
    limit 1
) as k on true
where h.deleted_at is null;
comment on view api.host is 'A container and its exit.';
comment on column api.host.id is 'Identity.';
comment on column api.host.short_id is 'Short public id and ssh user name.';
comment on column api.host.label is 'What people call it (or null).';
comment on column api.host.user_id is 'Whose host.';
comment on column api.host.username is 'That user''s name.';
comment on column api.host.status is
'pending, starting, running, switching, stopping, stopped, rebuilding, unavailable, failed or deleting.';
comment on column api.host.desired is 'What its owner wants: running, stopped or absent.';
comment on column api.host.binding_id is 'What ties it to its exit (or null).';
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
comment on column api.host.idle_stop_minutes is
'It is stopped when nobody has been in it for so long; without it its user''s counts (or null).';
comment on column api.host.wg_public_key is 'The host''s tunnel key, to be registered at the exit (or null).';
comment on column api.host.ssh_host_key is 'Public host key of the container''s own sshd (or null).';
comment on column api.host.ssh_password_changed_at is 'When the ssh password last changed (or null).';
comment on column api.host.error_code is 'What went wrong last (or null).';
comment on column api.host.error_message is 'The same as a sentence (or null).';
comment on column api.host.ssh_silent_since is 'Since when nobody can come in by ssh although the host runs (or null).';
comment on column api.host.ssh_silent_message is 'Why; a rebuild with mode keep helps (or null).';
comment on column api.host.why is 'What it is and why, as a sentence.';
comment on column api.host.last_proof is 'The last proof of its exit (or null).';
comment on column api.host.live_task is 'What is being done with it (or null).';
comment on column api.host.session_count is 'How many are in it now.';
comment on column api.host.ssh is 'How to reach it by ssh.';
comment on column api.host.status_changed_at is 'When status last changed.';
comment on column api.host.version is 'Rises with each edit; the ETag.';
comment on column api.host.created_at is 'When it was ordered.';
comment on column api.host.updated_at is 'When it was last edited.';
grant select on api.host to ccp_as_user;

create type api.host_page as (hosts api.host[], next_cursor text);
comment on type api.host_page is 'A page of hosts, newest first.';
comment on column api.host_page.hosts is 'The hosts.';
comment on column api.host_page.next_cursor is 'Where the next page begins (or null).';

create type api.edited_host as (host api.host, applies text, version text);
comment on type api.edited_host is 'A host just edited, and when the change takes effect.';
comment on column api.edited_host.host is 'The host as it is now.';
comment on column api.edited_host.applies is 'When what was changed takes effect, as a sentence (or null).';
comment on column api.edited_host.version is 'Rises with each edit; the ETag.';

create type api.connection as (
    short_id text, ssh api.ssh_way, host_key_sha256 text, curl_line text, entry_line text, ssh_line text, known_hosts_line text
);
comment on type api.connection is 'How a host''s user comes in, ready to copy.';
comment on column api.connection.short_id is 'Short public id and ssh user name.';
comment on column api.connection.ssh is 'How to reach it by ssh.';
comment on column api.connection.host_key_sha256 is
'Fingerprint of the proxy''s key, as ssh shows it: SHA256: and base64 (or null).';
comment on column api.connection.curl_line is 'The line that signs in and opens a shell if public_url is set (or null).';
comment on column api.connection.entry_line is
'The same by the host''s own link, which asks for the password only (or null).';
comment on column api.connection.ssh_line is 'The line for ssh, if ssh_host is set (or null).';
comment on column api.connection.known_hosts_line is 'What pins the proxy''s key in known_hosts (or null).';

create type api.binding as (
    id uuid, host_id uuid, host_short_id text, user_id uuid, egress_ip_id uuid, exit_label text, exit_address inet,
    created_at timestamptz
);
comment on type api.binding is 'A host and the exit that it leaves through.';
comment on column api.binding.id is 'Identity.';
comment on column api.binding.host_id is 'The host.';
comment on column api.binding.host_short_id is 'That host''s short id.';
comment on column api.binding.user_id is 'Whose host.';
comment on column api.binding.egress_ip_id is 'The exit.';
comment on column api.binding.exit_label is 'That exit''s label.';
comment on column api.binding.exit_address is 'The address the world sees.';
comment on column api.binding.created_at is 'Since when.';

create type api.new_host as (
    id uuid, short_id text, ssh_password text, task_id uuid, status ccp.task_state, status_url text
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

create type api.host_change as (topic api.live_topic, action api.live_action, id uuid, payload api.host);
comment on type api.host_change is 'A host that was made, changed or deleted, as a live stream tells it.';
comment on column api.host_change.topic is 'hosts.';
comment on column api.host_change.action is 'What became of it.';
comment on column api.host_change.id is 'Identity.';
comment on column api.host_change.payload is 'It as the list has it; delete has none (or null).';
