-- Trigger: a changed expiry is announced again when it comes. Changes its own row only.
create or replace function account.reset_expiry_announced()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    new.expiry_announced_at := null;
    return new;
end
$$;

revoke all on function account.reset_expiry_announced() from public;

comment on function account.reset_expiry_announced() is
'Trigger: a changed expiry is announced again when it comes.';
