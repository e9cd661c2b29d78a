-- The settings of verifications, as agents are told them.
create or replace function verification.settings()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'light_s', setting.get('verify_light_s'),
        'full_s', setting.get('verify_full_s'),
        'proof_life_s', setting.get('proof_life_s'),
        'echo_urls', setting.get('echo_urls'),
        'connect_targets', setting.get('connect_targets'),
        'dns_check_zone', setting.get('dns_check_zone')
    )
$$;

revoke all on function verification.settings() from public;

comment on function verification.settings() is
'The settings of verifications, as agents are told them.';
