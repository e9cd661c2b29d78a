-- Hosts: their statuses and the steps between them, what was seen of them, and their exits.
--
-- What refers from one table of rules (db/rules) to another is deferrable: db/apply renews them in any order.

create table ccp.host_statuses (
    status ccp.host_state primary key,
    description text not null
);
comment on table ccp.host_statuses is 'What can be said of a host.';
comment on column ccp.host_statuses.status is 'The word.';
comment on column ccp.host_statuses.description is 'What it means, as the end of "the host ...".';

create table ccp.host_edges (
    from_status text not null,
    to_status text not null,
    primary key (from_status, to_status),
    constraint edge_leaves_a_known_status foreign key (from_status) references ccp.host_statuses (status) deferrable,
    constraint edge_leads_to_a_known_status foreign key (to_status) references ccp.host_statuses (status) deferrable
);
create index host_edges_by_target on ccp.host_edges (to_status);
comment on table ccp.host_edges is 'The steps a host may take; a trigger refuses every other.';
comment on column ccp.host_edges.from_status is 'Status before.';
comment on column ccp.host_edges.to_status is 'Status after.';

create table ccp.hosts (
    id uuid primary key default gen_random_uuid(),
    short_id ccp.short_id not null,
    label ccp.label,
    user_id uuid not null,
    node_id bigint not null,
    slot integer not null,
    status ccp.host_state not null default 'pending',
    desired ccp.desired_state not null default 'stopped',
    image ccp.image not null,
    image_id text,
    timezone ccp.timezone not null default 'UTC',
    memory_limit_mb ccp.memory_limit_mb not null default 4096,
    cpu_limit ccp.cpu_limit not null default 2,
    pids_limit ccp.pids_limit not null default 4096,
    disk_limit_gb ccp.disk_limit_gb,
    sudo boolean not null default true,
    idle_stop_minutes ccp.idle_minutes,
    ssh_password_hash ccp.yescrypt,
    ssh_password_changed_at timestamptz,
    wg_public_key ccp.wg_key,
    ssh_host_key ccp.ssh_public_key,
    failures integer not null default 0,
    retry_at timestamptz,
    error_code text,
    error_message ccp.sentence,
    status_changed_at timestamptz not null default clock.now(),
    finished_at timestamptz,
    deleted_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint host_short_id_is_unique unique (short_id),
    constraint host_belongs_to_a_user foreign key (user_id) references ccp.users (id),
    constraint host_lives_on_a_node foreign key (node_id) references ccp.nodes (id),
    constraint host_status_is_known foreign key (status) references ccp.host_statuses (status),
    constraint slot_has_ids check (slot between 0 and 28669),
    constraint image_id_is_a_digest check (image_id ~ '^sha256:[0-9a-f]{64}$'),
    constraint failures_are_counted check (failures >= 0),
    constraint tombstone_has_its_time check ((status = 'deleted') = (deleted_at is not null)),
    constraint tombstone_is_not_wanted check (status not in ('deleting', 'deleted') or desired = 'absent')
) with (fillfactor = 70);
comment on table ccp.hosts is
'Containers. status is what is, desired what its owner wants; tasks and reconciliation close the difference.';
comment on column ccp.hosts.id is 'Identity.';
comment on column ccp.hosts.short_id is 'Short public id and ssh user name; never reused.';
comment on column ccp.hosts.label is 'What people call it.';
comment on column ccp.hosts.user_id is 'Whose host.';
comment on column ccp.hosts.node_id is 'The machine it lives on.';
comment on column ccp.hosts.slot is
'Which range of user ids on its node is the container''s (host.ids): its own until nothing of it is left.';
comment on column ccp.hosts.status is 'What is: see ccp.host_statuses.';
comment on column ccp.hosts.desired is 'What its owner wants: running, stopped or absent.';
comment on column ccp.hosts.image is 'Image by name.';
comment on column ccp.hosts.image_id is 'Image by digest, pinned by host.create and host.rebuild.';
comment on column ccp.hosts.timezone is 'TZ inside.';
comment on column ccp.hosts.memory_limit_mb is 'Memory limit in MiB.';
comment on column ccp.hosts.cpu_limit is 'CPU limit in cores.';
comment on column ccp.hosts.pids_limit is 'Limit on processes and threads.';
comment on column ccp.hosts.disk_limit_gb is 'Size of the home in GiB; null: what is in it counts towards host_disk_gb.';
comment on column ccp.hosts.sudo is 'The user may become root inside.';
comment on column ccp.hosts.idle_stop_minutes is
'It is stopped when nobody has been in it for so long; null: as its user''s idle_stop_minutes says.';
comment on column ccp.hosts.ssh_password_hash is
'yescrypt of the ssh password, checked by the ssh monitor only; null: keys only.';
comment on column ccp.hosts.ssh_password_changed_at is 'When the ssh password last changed.';
comment on column ccp.hosts.wg_public_key is 'The host''s tunnel key, public half; to be registered at the exit.';
comment on column ccp.hosts.ssh_host_key is 'Public host key of the container''s own sshd.';
comment on column ccp.hosts.failures is 'Failures in a row; each doubles the wait before reconciliation tries again.';
comment on column ccp.hosts.retry_at is
'Reconciliation waits until then; infinity: until somebody has changed something (host.retry_at, clock.resume).';
comment on column ccp.hosts.error_code is 'What went wrong last; cleared by success.';
comment on column ccp.hosts.error_message is 'The same as a sentence.';
comment on column ccp.hosts.status_changed_at is 'When status last changed.';
comment on column ccp.hosts.finished_at is 'When its last task ended.';
comment on column ccp.hosts.deleted_at is 'When it was deleted; the row is purged after tombstone_retention_days.';
comment on column ccp.hosts.version is 'Rises with each edit by people; the ETag.';
comment on column ccp.hosts.created_at is 'When it was ordered.';
comment on column ccp.hosts.updated_at is 'When people last edited it.';

create index hosts_of_a_user on ccp.hosts (user_id, created_at, id);
create index hosts_by_creation on ccp.hosts (created_at, id) where deleted_at is null;
create index hosts_by_beginning_of_short_id on ccp.hosts (short_id text_pattern_ops);
create index hosts_by_beginning_of_label on ccp.hosts (lower(label) text_pattern_ops);
create index hosts_of_a_node on ccp.hosts (node_id);
create unique index slot_belongs_to_one_host on ccp.hosts (node_id, slot) where status <> 'deleted';
create index hosts_alive_by_status on ccp.hosts (status) where status <> 'deleted';
create index hosts_not_as_desired on ccp.hosts (id)
where status in ('pending', 'stopped', 'running', 'unavailable', 'failed') and status <> desired;
create index hosts_that_run_of_a_user on ccp.hosts (user_id) where status in ('starting', 'running', 'switching', 'rebuilding');
create index hosts_that_wait_for_somebody on ccp.hosts (id) where retry_at = 'infinity';
create index hosts_that_failed on ccp.hosts (id) where failures > 0;
create index tombstones_by_age on ccp.hosts (deleted_at) where deleted_at is not null;

create trigger hosts_take_a_slot before insert on ccp.hosts
for each row when (new.slot is null)
execute function host.take_slot();
create trigger hosts_take_allowed_steps before update of status on ccp.hosts
for each row when (old.status is distinct from new.status)
execute function host.guard();
create trigger hosts_are_deleted_as_tombstones before delete on ccp.hosts
for each row execute function host.guard_delete();
create trigger hosts_are_not_truncated before truncate on ccp.hosts
for each statement execute function task.refuse_truncate();
create trigger hosts_touch
before update of label, image, timezone, memory_limit_mb, cpu_limit, pids_limit, disk_limit_gb, sudo, idle_stop_minutes
on ccp.hosts
for each row when (old.* is distinct from new.*)
execute function clock.touch();

create table ccp.lasting_failures (
    code text primary key,
    remedy text not null
);
comment on table ccp.lasting_failures is
'Failures that do not pass by themselves: reconciliation waits until somebody has changed what they come from.';
comment on column ccp.lasting_failures.code is 'The error code.';
comment on column ccp.lasting_failures.remedy is 'What helps, as the end of "it waits until ...".';

create table ccp.observations (
    host_id uuid primary key,
    process_id bigint not null,
    sequence bigint not null,
    state ccp.seen_state not null,
    code text,
    message text,
    observed_at timestamptz not null,
    proven_at timestamptz,
    proof_ends_at timestamptz,
    failed_at timestamptz,
    disk_bytes bigint,
    disk_files bigint,
    disk_depth integer,
    disk_excess ccp.sentence,
    constraint observation_is_of_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint observation_comes_from_a_process foreign key (process_id) references ccp.processes (id),
    constraint observed_message_is_short check (length(message) <= 2000)
) with (fillfactor = 70);
create index observations_by_process on ccp.observations (process_id);
comment on table ccp.observations is 'What the agent last saw of each host.';
comment on column ccp.observations.host_id is 'The host.';
comment on column ccp.observations.process_id is 'The agent that saw it.';
comment on column ccp.observations.sequence is 'Rises with each observation of one agent; an older one never overwrites a newer.';
comment on column ccp.observations.state is
'running (open and proven), closed (container runs, wall closed), stopped (container ended), absent (no container), unknown (a '
'task has ended since and did not say what it left, or nothing was seen yet but a verification).';
comment on column ccp.observations.code is 'Why, as an error code.';
comment on column ccp.observations.message is 'Why, as a sentence.';
comment on column ccp.observations.observed_at is 'When it was seen, by the agent''s clock.';
comment on column ccp.observations.proven_at is 'When its exit was last proven, by a light or a full check.';
comment on column ccp.observations.proof_ends_at is
'When that proof ends, or ended: then the kernel closes the host, whoever else is away.';
comment on column ccp.observations.failed_at is 'When a verification last failed since its exit was proven.';
comment on column ccp.observations.disk_bytes is
'What its files take of the disk, as last measured: at least that, for measuring ends where host_disk_gb does. Null: not yet.';
comment on column ccp.observations.disk_files is 'How many they are.';
comment on column ccp.observations.disk_depth is 'How deep its directories are nested, as far as the agent looks.';
comment on column ccp.observations.disk_excess is
'What was too much about that, as the beginning of a sentence; null: nothing.';

create table ccp.bindings (
    id uuid primary key default gen_random_uuid(),
    host_id uuid not null,
    egress_ip_id uuid,
    user_id uuid not null,
    exit_label text not null,
    exit_address inet not null,
    created_at timestamptz not null default clock.now(),
    ended_at timestamptz,
    outdated boolean not null default false,
    constraint binding_is_of_a_host foreign key (host_id) references ccp.hosts (id) on delete cascade,
    constraint binding_leads_to_an_exit foreign key (egress_ip_id) references ccp.egress_ips (id) on delete set null,
    constraint live_binding_has_an_exit check (egress_ip_id is not null or ended_at is not null),
    constraint binding_belongs_to_a_user foreign key (user_id) references ccp.users (id)
);
comment on table ccp.bindings is 'Which host leaves through which exit. An ended row is history.';
comment on column ccp.bindings.id is 'Identity.';
comment on column ccp.bindings.host_id is 'The host.';
comment on column ccp.bindings.egress_ip_id is 'The exit; null: it has been deleted since.';
comment on column ccp.bindings.user_id is 'The host''s user, who may see this row.';
comment on column ccp.bindings.exit_label is 'The exit''s label, copied for that user.';
comment on column ccp.bindings.exit_address is 'The exit''s address, copied for that user.';
comment on column ccp.bindings.created_at is 'Since when.';
comment on column ccp.bindings.ended_at is 'Until when; null: live.';
comment on column ccp.bindings.outdated is
'The exit was changed since the host that runs was proven with it: it is moved to what the exit is now.';
create unique index one_live_binding_per_host on ccp.bindings (host_id) where ended_at is null;
create unique index one_live_binding_per_exit on ccp.bindings (egress_ip_id) where ended_at is null;
create index bindings_outdated on ccp.bindings (host_id) where outdated and ended_at is null;
create index bindings_of_a_host on ccp.bindings (host_id);
create index bindings_of_an_exit on ccp.bindings (egress_ip_id);
create index bindings_of_a_user on ccp.bindings (user_id);
