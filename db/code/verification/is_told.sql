-- Whether a failure of this type has been found in a host since it last passed: then it is in the audit log.
create or replace function verification.is_told(p_host_id uuid, p_type text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from ccp.verifications as v
        where v.host_id = p_host_id
            and v.outcome = 'failed'
            and verification.event_type(v.error_code) = p_type
            and v.at > coalesce((
                select p.at
                from ccp.verifications as p
                where p.host_id = p_host_id and p.outcome = 'passed'
                order by p.at desc
                limit 1
            ), '-infinity')
    )
$$;

revoke all on function verification.is_told(uuid, text) from public;

comment on function verification.is_told(uuid, text) is
'Whether a failure of this type has been found in a host since it last passed.';
