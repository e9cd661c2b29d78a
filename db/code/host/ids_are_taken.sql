-- Whether one of a slot's ids on a node belongs to somebody there.
create or replace function host.ids_are_taken(p_slot integer, p_taken_ids int8multirange)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select p_taken_ids && int8multirange(
        int8range((i.ids ->> 'base')::bigint, (i.ids ->> 'base')::bigint + 65536),
        int8range((i.ids ->> 'owner')::bigint, (i.ids ->> 'owner')::bigint, '[]'),
        int8range((i.ids ->> 'engine')::bigint, (i.ids ->> 'engine')::bigint, '[]')
    )
    from host.ids(p_slot) as i (ids)
$$;

revoke all on function host.ids_are_taken(integer, int8multirange) from public;
grant execute on function host.ids_are_taken(integer, int8multirange) to ccp_automation, ccp_dba;

comment on function host.ids_are_taken(integer, int8multirange) is
'Whether one of a slot''s ids is among those that are taken on its node.';
