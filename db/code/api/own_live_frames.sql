-- What a user's stream is told of rows that were written: as ccp_as_user, so row-level security decides what of them the
-- user sees. live.read() alone calls it, and says who the user is.
create or replace function api.own_live_frames(p_topic text, p_ids text[], p_times timestamptz[])
returns setof text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query select f.text from live.frames(''::text, p_topic, p_ids, p_times) as f (text);
end
$$;

alter function api.own_live_frames(text, text[], timestamptz[]) owner to ccp_as_user;
revoke all on function api.own_live_frames(text, text[], timestamptz[]) from public;
grant execute on function api.own_live_frames(text, text[], timestamptz[]) to ccp_owner;

comment on function api.own_live_frames(text, text[], timestamptz[]) is
'What a user''s stream is told of rows that were written.';
