-- Labels as Prometheus reads them: a="1",b="2", those of p_names in that order and no others; what a value holds cannot leave its
-- quotes.
create or replace function metric.label_text(p_names text[], p_labels jsonb)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(string_agg(
        format(
            '%s="%s"', n.name,
            replace(replace(replace(left(p_labels ->> n.name, 200), '\', '\\'), '"', '\"'), e'\n', '\n')
        ),
        ',' order by n.place
    ), '')
    from unnest(p_names) with ordinality as n (name, place)
    where p_labels ->> n.name is not null
$$;

revoke all on function metric.label_text(text[], jsonb) from public;

comment on function metric.label_text(text[], jsonb) is
'Labels as Prometheus reads them: a="1",b="2".';
