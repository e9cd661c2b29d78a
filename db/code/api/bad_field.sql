-- Refuses a field that only the database can judge.
create or replace function api.bad_field(p_field text, p_message text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform access.refuse(
        'CP422', 'invalid', format('%s %s.', p_field, p_message),
        jsonb_build_object('errors', jsonb_build_array(jsonb_build_object('field', p_field, 'message', p_message)))
    );
end
$$;

revoke all on function api.bad_field(text, text) from public;
grant execute on function api.bad_field(text, text) to ccp_as_user;

comment on function api.bad_field(text, text) is
'Refuses with CP422 and the field''s name.';
