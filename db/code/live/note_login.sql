-- Trigger on logins: one may have ended.
create or replace function live.note_login()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform live.note('logins', coalesce(new.user_id, old.user_id)::text);
    return null;
end
$$;

revoke all on function live.note_login() from public;

comment on function live.note_login() is
'Trigger: notes users of whom a login may have ended.';
