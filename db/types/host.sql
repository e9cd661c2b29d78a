-- A host, as the HTTP routes answer it.
create or replace view api.host with (security_invoker = true) as
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
    f.since as ssh_silent_since,
    f.message as ssh_silent_message,
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
comment on column api.host.ssh_silent_since is 'Since when nobody can come in by ssh although the host runs (or null).';
comment on column api.host.ssh_silent_message is 'Why; a rebuild with mode keep helps (or null).';
comment on column api.host.status_changed_at is 'When status last changed.';
comment on column api.host.version is 'Rises with each edit; the ETag.';
comment on column api.host.created_at is 'When it was ordered.';
comment on column api.host.updated_at is 'When it was last edited.';
grant select on api.host to ccp_as_user;

create type api.host_page as (hosts api.host[], next_cursor text);
comment on type api.host_page is 'A page of hosts, newest first.';
comment on column api.host_page.hosts is 'The hosts.';
comment on column api.host_page.next_cursor is 'Where the next page begins (or null).';

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
