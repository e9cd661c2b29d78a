-- Evidence of what a host's traffic did, as the HTTP routes answer it.
create type api.check as (name text, outcome text, ms numeric, detail text);
comment on type api.check is 'One thing that a verification looked at.';
comment on column api.check.name is 'What was looked at, like dns.';
comment on column api.check.outcome is 'passed, failed or inconclusive.';
comment on column api.check.ms is 'How long it took, in milliseconds.';
comment on column api.check.detail is 'What was seen, as a sentence.';

create or replace view api.verification with (security_invoker = true) as
select
    v.id::text as id,
    v.at as time,
    v.host_id,
    v.task_id,
    v.kind,
    v.outcome,
    v.error_code,
    v.exit_label,
    v.expected_ip,
    v.observed_ip,
    v.duration_ms,
    array(
        select row(c.one ->> 'name', c.one ->> 'outcome', (c.one ->> 'ms')::numeric, c.one ->> 'detail')::api.check
        from jsonb_array_elements(v.checks) with ordinality as c (one, n)
        order by c.n
    ) as checks
from ccp.verifications as v;
comment on view api.verification is 'Evidence: what one verification of a host saw.';
comment on column api.verification.id is 'Identity.';
comment on column api.verification.time is 'When.';
comment on column api.verification.host_id is 'The host.';
comment on column api.verification.task_id is 'The task it was part of (or null).';
comment on column api.verification.kind is 'start, light, full or task.';
comment on column api.verification.outcome is 'passed, failed or inconclusive.';
comment on column api.verification.error_code is 'What did not hold (or null).';
comment on column api.verification.exit_label is 'The exit at that time (or null).';
comment on column api.verification.expected_ip is 'The address the world should have seen (or null).';
comment on column api.verification.observed_ip is 'The address it saw (or null).';
comment on column api.verification.duration_ms is 'How long it took, in milliseconds.';
comment on column api.verification.checks is 'What was looked at, one after the other.';
grant select on api.verification to ccp_as_user;

create type api.verification_page as (verifications api.verification[], next_cursor text);
comment on type api.verification_page is 'A page of verifications, newest first.';
comment on column api.verification_page.verifications is 'The verifications.';
comment on column api.verification_page.next_cursor is 'Where the next page begins (or null).';
