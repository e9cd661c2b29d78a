-- What the bootstrap script and the hand-off to ssh are answered.
create type api.script as (public_url text, entry text);
comment on type api.script is 'What the script of a bootstrap or entry link must know.';
comment on column api.script.public_url is 'URL under which users reach the API (or null).';
comment on column api.script.entry is 'Short id of the host whose link it is (or null).';

create type api.bootstrap_session as (
    task_id uuid, status_url text, poll_token text, stage_code text, stage_text text
);
comment on type api.bootstrap_session is 'A sign-in and the start it waits for.';
comment on column api.bootstrap_session.task_id is 'The start of the host.';
comment on column api.bootstrap_session.status_url is 'Path where to ask for it with the poll token.';
comment on column api.bootstrap_session.poll_token is 'Send it as "Authorization: Bearer ...".';
comment on column api.bootstrap_session.stage_code is 'auth_passed.';
comment on column api.bootstrap_session.stage_text is 'The stage as a sentence.';

create type api.entry as (
    status api.entry_state, ssh_host text, ssh_port integer, ssh_user text, host_keys text[], task_id uuid, status_url text,
    poll_token text
);
comment on type api.entry is 'A sign-in by the link of a host, and the start it may wait for.';
comment on column api.entry.status is 'ready: ssh answers. starting: the task is to be waited for.';
comment on column api.entry.ssh_host is 'Name or address for ssh, when it is ready (or null).';
comment on column api.entry.ssh_port is 'Its port, when it is ready (or null).';
comment on column api.entry.ssh_user is 'User name: the host''s short id, when it is ready (or null).';
comment on column api.entry.host_keys is 'Public host keys to pin; none before it is ready.';
comment on column api.entry.task_id is 'The start of the host.';
comment on column api.entry.status_url is 'Path where to ask for it with the poll token.';
comment on column api.entry.poll_token is 'Send it as "Authorization: Bearer ...".';

create type api.bootstrap_task as (
    task_id uuid, task_status ccp.task_state, stage_code text, stage_text text, progress integer,
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
    ready boolean, host text, port integer, "user" text, host_keys text[], ssh_options text[], exit_address text
);
comment on type api.handoff is 'How to reach the host by ssh.';
comment on column api.handoff.ready is 'true.';
comment on column api.handoff.host is 'Name or address.';
comment on column api.handoff.port is 'Port.';
comment on column api.handoff."user" is 'User name: the host''s short id.';
comment on column api.handoff.host_keys is 'Public host keys to pin.';
comment on column api.handoff.ssh_options is 'Options for ssh, Name=value.';
comment on column api.handoff.exit_address is 'Address from which the world sees the host (or null).';
