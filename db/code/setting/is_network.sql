-- Whether a text is an address or a network.
create or replace function setting.is_network(p_text text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_text::inet is not null;
exception
    when invalid_text_representation then
        return false;
end
$$;

revoke all on function setting.is_network(text) from public;

comment on function setting.is_network(text) is
'Whether a text is an address or a network.';
