-- What the first page of an administrator counts.
create type api.dashboard as (
    active_users integer, running_hosts integer, wanted_hosts integer, unavailable_hosts integer, failed_hosts integer,
    available_ips integer, bound_ips integer, degraded_ips integer, down_ips integer,
    open_sessions integer, queued_tasks integer, running_tasks integer
);
comment on type api.dashboard is 'How much there is of everything, now.';
comment on column api.dashboard.active_users is 'Users who are neither disabled nor expired.';
comment on column api.dashboard.running_hosts is 'Hosts that run.';
comment on column api.dashboard.wanted_hosts is 'Hosts that their owners want running.';
comment on column api.dashboard.unavailable_hosts is 'Hosts that are closed because their exit is not proven.';
comment on column api.dashboard.failed_hosts is 'Hosts of which something failed.';
comment on column api.dashboard.available_ips is 'Exits that a new host could get.';
comment on column api.dashboard.bound_ips is 'Exits that a host has.';
comment on column api.dashboard.degraded_ips is 'Exits of which some checks of the last 10 minutes did not pass.';
comment on column api.dashboard.down_ips is 'Exits of which the last checks failed.';
comment on column api.dashboard.open_sessions is 'Connections into hosts.';
comment on column api.dashboard.queued_tasks is 'Tasks that wait.';
comment on column api.dashboard.running_tasks is 'Tasks that are being done.';
