-- Trigger: an edit by people raises the row's version (its ETag) and stamps it. Touches its own row only.
create or replace function clock.touch()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.version := old.version + 1;
    new.updated_at := clock.now();
    return new;
end
$$;

revoke all on function clock.touch() from public;

comment on function clock.touch() is
'Trigger: an edit raises the row''s version and stamps it.';
