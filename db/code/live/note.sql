-- Notes that this transaction has written a row. Waits for nobody.
create or replace function live.note(p_noun text, p_row_id text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into ccp.changes (noun, row_id)
    values (p_noun, p_row_id);
end
$$;

revoke all on function live.note(text, text) from public;

comment on function live.note(text, text) is
'Notes that this transaction has written a row.';
