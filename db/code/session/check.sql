-- Which of the caller's sessions have to end: those that the rules or a person asked to end, and those that are over already.
-- Besides, which are only to be told something (not ends): with the setting idle_means no_traffic the caller says for how many
-- seconds nothing has moved in each, and a terminal is warned before its host is stopped.
-- Sessions of the caller that it does not list and never began, because the answer that made them was lost on the way,
-- end here: 10 s after they were made no answer is on its way any more. What began is ended by the caller's own report.
create or replace function session.check(p_process_id bigint, p_session_ids uuid[], p_silent_s integer[] default null)
returns table (session_id uuid, end_reason text, sentence text, ends boolean)
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
        session.sentence(coalesce(s.end_reason, 'process_gone'), s.end_requested_by, h.short_id), true
    from unnest(p_session_ids) as a (id)
    left join ccp.sessions as s on s.id = a.id and s.process_id = p_process_id
    left join ccp.hosts as h on h.id = s.host_id
    where s.id is null
        or s.end_requested_at is not null
        or s.ended_at is not null;
    if p_silent_s is not null and setting.text('idle_means') = 'no_traffic' then
        perform session.note_traffic(p_process_id, p_session_ids, p_silent_s);
        return query
        select w.session_id, null::text, w.sentence, false
        from session.warn_idle(p_process_id, p_session_ids) as w;
    end if;
end
$$;

revoke all on function session.check(bigint, uuid[], integer[]) from public;
grant execute on function session.check(bigint, uuid[], integer[]) to ccp_sshproxy, ccp_api;

comment on function session.check(bigint, uuid[], integer[]) is
'Which of the caller''s sessions have to end or be told something, and what.';
