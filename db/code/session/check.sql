-- Which of the caller's sessions have to end: those that the rules or a person asked to end, and those that are over already.
-- Sessions of the caller that it does not list and never began, because the answer that made them was lost on the way,
-- end here: 10 s after they were made no answer is on its way any more. What began is ended by the caller's own report.
create or replace function session.check(p_process_id bigint, p_session_ids uuid[])
returns table (session_id uuid, end_reason text, sentence text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    perform process.require(p_process_id);
    perform session.abandon(
        array(
            select g.id
            from ccp.sessions as g
            where g.process_id = p_process_id
                and g.ended_at is null
                and g.opened_at is null
                and g.created_at < clock.now() - interval '10 seconds'
                and g.id <> all (p_session_ids)
        ),
        'unanswered', 'a session ended before it began: its program did not get the answer'
    );
    return query
    select a.id, coalesce(s.end_reason, 'process_gone'),
        session.sentence(coalesce(s.end_reason, 'process_gone'), s.end_requested_by)
    from unnest(p_session_ids) as a (id)
    left join ccp.sessions as s on s.id = a.id and s.process_id = p_process_id
    where s.id is null
        or s.end_requested_at is not null
        or s.ended_at is not null;
end
$$;

revoke all on function session.check(bigint, uuid[]) from public;
grant execute on function session.check(bigint, uuid[]) to ccp_sshproxy, ccp_api;

comment on function session.check(bigint, uuid[]) is
'Which of the caller''s sessions have to end, why, and what to tell their users.';
