-- Adds seconds to the penalty of one source; until when it is over its threshold now, null when it is not. A threshold
-- that was reached stays so until the penalty has passed.
create or replace function access.penalty_put(p_source text, p_reason text, p_seconds integer, p_refuse_from integer)
returns timestamptz
language sql
set search_path = pg_catalog, pg_temp
as $$
    insert into ccp.penalties as p (source, expires_at, refused, reason, updated_at)
    values (
        p_source, clock.now() + make_interval(secs => p_seconds), p_seconds >= p_refuse_from, p_reason, clock.now()
    )
    on conflict (source) do update set
        expires_at = least(
            greatest(p.expires_at, excluded.updated_at) + make_interval(secs => p_seconds),
            excluded.updated_at + interval '10 minutes'
        ),
        refused = (p.refused and p.expires_at > excluded.updated_at)
        or greatest(p.expires_at, excluded.updated_at) + make_interval(secs => p_seconds)
        >= excluded.updated_at + make_interval(secs => p_refuse_from),
        reason = excluded.reason,
        updated_at = excluded.updated_at
    returning case when refused then expires_at end
$$;

revoke all on function access.penalty_put(text, text, integer, integer) from public;

comment on function access.penalty_put(text, text, integer, integer) is
'Adds seconds to the penalty of one source; until when it is over its threshold, null when it is not.';
