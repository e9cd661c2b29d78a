-- What a client learns with its token; the API puts the token itself into its place. expires_in is the life of one
-- token.
create or replace function token.answer(p_user_id uuid, p_by_cookie boolean)
returns api.login
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select row('', u.role, u.username, u.short_id, extract(epoch from token.life(p_by_cookie))::integer)::api.login
    from ccp.users as u
    where u.id = p_user_id
$$;

revoke all on function token.answer(uuid, boolean) from public;

comment on function token.answer(uuid, boolean) is
'What a client learns with its token; the API puts the token itself into its place.';
