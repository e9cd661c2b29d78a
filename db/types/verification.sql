-- Evidence of what a host's traffic did, and of tests of exits, as the HTTP routes answer it.
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

create or replace view api.egress_test with (security_invoker = true) as
select
    t.id,
    t.egress_ip_id,
    n.name as node,
    t.host_id,
    t.outcome,
    t.error_code,
    t.message,
    t.expected_ip,
    t.exit_ip,
    t.duration_ms,
    array(
        select row(c.one ->> 'name', c.one ->> 'outcome', (c.one ->> 'ms')::numeric, c.one ->> 'detail')::api.check
        from jsonb_array_elements(t.checks) with ordinality as c (one, n)
        order by c.n
    ) as checks,
    t.created_at,
    t.ended_at
from ccp.exit_tests as t
join ccp.nodes as n on n.id = t.node_id;
comment on view api.egress_test is 'A test of an exit, and what it saw.';
comment on column api.egress_test.id is 'Identity: that of its task.';
comment on column api.egress_test.egress_ip_id is 'The exit.';
comment on column api.egress_test.node is 'The node whose agent made it.';
comment on column api.egress_test.host_id is 'The host through whose own tunnel it was made (or null: it had one of its own).';
comment on column api.egress_test.outcome is 'passed, failed or inconclusive (or null: it has not ended, or could not be made).';
comment on column api.egress_test.error_code is 'What did not hold, or why it could not be made (or null).';
comment on column api.egress_test.message is 'The same as a sentence (or null).';
comment on column api.egress_test.expected_ip is 'The address the world should have seen.';
comment on column api.egress_test.exit_ip is 'The address it saw (or null).';
comment on column api.egress_test.duration_ms is 'How long it took, in milliseconds (or null).';
comment on column api.egress_test.checks is 'What was looked at, one after the other.';
comment on column api.egress_test.created_at is 'When it was asked for.';
comment on column api.egress_test.ended_at is 'When it ended (or null).';

create type api.egress_test_page as (tests api.egress_test[], next_cursor text);
comment on type api.egress_test_page is 'A page of tests, newest first.';
comment on column api.egress_test_page.tests is 'The tests.';
comment on column api.egress_test_page.next_cursor is 'Where the next page begins (or null).';
