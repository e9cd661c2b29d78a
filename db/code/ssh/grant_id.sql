-- The live one-time grant of this key for this host; null if there is none.
create or replace function ssh.grant_id(p_host_id uuid, p_key_sha256 text)
returns uuid
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select g.id
    from ccp.access_grants as g
    where g.host_id = p_host_id
        and g.key_sha256 = p_key_sha256
        and g.used_at is null
        and g.expires_at > clock.now()
    order by g.expires_at desc
    limit 1
$$;

revoke all on function ssh.grant_id(uuid, text) from public;

comment on function ssh.grant_id(uuid, text) is
'The live one-time grant of a key for a host.';
