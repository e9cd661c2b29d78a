-- The body of a message, as the Standard Webhooks specification recommends it.
create or replace function webhook.message(p_type text, p_at timestamptz, p_data jsonb)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select json_build_object('type', p_type, 'timestamp', p_at, 'data', p_data)::text
$$;

revoke all on function webhook.message(text, timestamptz, jsonb) from public;

comment on function webhook.message(text, timestamptz, jsonb) is
'The body of a message.';
