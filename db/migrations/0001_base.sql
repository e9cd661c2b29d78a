-- Schemas, the domains that several tables use, the functions that tables hang on, and settings.

create schema if not exists ccp;
create schema access;
create schema account;
create schema api;
create schema clock;
create schema event;
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
comment on schema clock is 'Time, and the tick that makes time pass for the rules.';
comment on schema event is 'The audit log: written once, never changed.';
comment on schema host is 'Containers: what they are, what was seen, what is wanted.';
comment on schema node is 'Machines and what an agent needs to know about the hosts on them.';
comment on schema process is 'Running programs and their beats.';
comment on schema session is 'Live connections into hosts.';
comment on schema setting is 'Settings, read live.';
comment on schema ssh is 'What the ssh monitor asks.';
comment on schema task is 'Tasks: enqueue, claim, report.';
comment on schema token is 'Login tokens and the keys that sign them.';
comment on schema verification is 'Evidence of what a host''s traffic really does.';

grant usage on schema ccp, access, account, api, clock, event, host, node, process, session, setting, ssh, task, token,
verification to ccp_api, ccp_worker, ccp_agent, ccp_sshproxy, ccp_as_user;
grant usage on schema ccp to ccp_dba, ccp_automation, ccp_admin;
grant usage on schema account, setting to ccp_admin;
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
        'clock.touch', 'event.refuse_change', 'host.guard', 'host.guard_delete',
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

-- What one column says by itself is a domain, which is checked when that column is written. A table's constraints are
-- read and checked again by each write of a row, and tasks are written often: only what ties columns together is one.
create domain ccp.word as text constraint word_is_plain check (value ~ '^[a-z_]{1,60}$');
create domain ccp.sentence as text constraint sentence_is_short check (length(value) <= 2000);
create domain ccp.percentage as integer constraint percentage_is_within_bounds check (value between 0 and 100);
create domain ccp.request_key as text constraint request_key_is_short check (length(value) between 1 and 200);
create domain ccp.small_object as jsonb
constraint small_object_is_one check (jsonb_typeof(value) = 'object' and pg_column_size(value) <= 8192);
create domain ccp.stop_reason as text constraint stop_reason_is_known check (value in ('canceled', 'superseded', 'deadline'));
create domain ccp.report as text
constraint report_is_known check (value in ('succeeded', 'failed', 'retry', 'canceled', 'handed_back'));
create domain ccp.verdict as text
constraint verdict_is_known check (
    value in (
        'ok', 'too_many_attempts', 'auth_invalid', 'unauthenticated', 'account_disabled', 'account_expired',
        'host_not_found', 'host_not_running', 'egress_binding_missing', 'start_failed', 'ssh_not_ready',
        'session_ended', 'port_invalid'
    )
);
comment on domain ccp.verdict is 'What a function answers whose refusals are returned, because they must leave a trace.';
comment on domain ccp.word is 'A code or a stage: lower case letters and underscores.';
comment on domain ccp.sentence is 'Something for people to read, at most 2000 characters.';
comment on domain ccp.percentage is 'How far something is.';
comment on domain ccp.request_key is 'The name that a requester gives a request.';
comment on domain ccp.small_object is 'A JSON object of at most 8 KB.';
comment on domain ccp.stop_reason is 'Why a running task was asked to stop.';
comment on domain ccp.report is 'What the last final report on a task was answered.';

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
comment on table ccp.settings is
'Settings, read live by every program; a change works at the next use. A value that does not fit them is refused.';
comment on column ccp.settings.name is 'Name of the setting.';
comment on column ccp.settings.value is 'Its value as JSON; null when it was never set.';
comment on column ccp.settings.type is
'number (whole), text, or a list: of texts, or of networks (addresses are networks of one).';
comment on column ccp.settings.pattern is
'What the text, or each text of the list, must match; one of a list has at most 512 characters.';
comment on column ccp.settings.min is 'The least number, or the least length of the text or list.';
comment on column ccp.settings.max is 'The greatest.';
comment on column ccp.settings.optional is 'It may be null.';
comment on column ccp.settings.description is 'What it does, with its unit.';
comment on column ccp.settings.updated_at is 'When it last changed.';

create trigger settings_are_valid before insert or update on ccp.settings
for each row execute function setting.guard();
