-- Lets a user whose password was right into a host: starts it unless it runs, and grants a poll token and, with a key, a
-- one-time key for 15 minutes. Of both only digests are kept. p_purpose: bootstrap or entry. Refusals are returned, as
-- the login before them has left its trace. A start that is asked for twice is joined (task.enqueue).
create or replace function access.grant_start(
    p_purpose text,
    p_host ccp.hosts,
    p_address inet,
    p_poll_token_sha256 text,
    p_public_key text,
    out verdict ccp.verdict,
    out sentence text,
    out task_id uuid
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (select from ccp.bindings as b where b.host_id = p_host.id and b.ended_at is null) then
        verdict := 'egress_binding_missing';
        sentence := format('Host %s has no exit; ask your administrator to bind one.', p_host.short_id);
        return;
    end if;

    if p_host.status = 'running' and p_host.desired = 'running' then
        select t.id
        into task_id
        from ccp.task_rows as t
        where t.host_id = p_host.id
            and t.kind = 'host.start'
            and t.status = 'succeeded'
        order by t.created_at desc
        limit 1;
    end if;
    if task_id is null then
        begin
            task_id := (task.enqueue('host.start', p_host.id, '{}', null)).id;
        exception
            when sqlstate 'CP409' then
                verdict := 'start_failed';
                sentence := concat_ws(': ', sqlerrm, p_host.error_message);
                return;
        end;
    end if;

    insert into ccp.access_grants (
        purpose, user_id, host_id, task_id, key_sha256, poll_token_sha256, address, expires_at
    )
    values (
        p_purpose, p_host.user_id, p_host.id, grant_start.task_id,
        encode(sha256(decode(split_part(p_public_key, ' ', 2), 'base64')), 'hex'),
        p_poll_token_sha256, p_address, clock.now() + interval '15 minutes'
    );
    verdict := 'ok';
end
$$;

revoke all on function access.grant_start(text, ccp.hosts, inet, text, text) from public;

comment on function access.grant_start(text, ccp.hosts, inet, text, text) is
'Starts a host unless it runs, and grants a poll token and a one-time key for it.';
