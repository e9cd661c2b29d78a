-- Refuses: raises SQLSTATE CPnnn (nnn is the HTTP status) with a sentence, DETAIL as JSON with error_code, and a HINT.
-- Never use it where the refusal must leave a trace: the exception would erase it.
create or replace function access.refuse(
    p_sqlstate text,
    p_error_code text,
    p_message text,
    p_detail jsonb default '{}',
    p_hint text default ''
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = p_sqlstate,
        message = p_message,
        detail = (jsonb_build_object('error_code', p_error_code) || coalesce(p_detail, '{}'))::text,
        hint = coalesce(p_hint, '');
end
$$;

revoke all on function access.refuse(text, text, text, jsonb, text) from public;
grant execute on function access.refuse(text, text, text, jsonb, text) to ccp_as_user;

comment on function access.refuse(text, text, text, jsonb, text) is
'Refuses with SQLSTATE CPnnn, a sentence, DETAIL as JSON with error_code, and a HINT.';
