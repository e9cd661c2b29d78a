-- What a value of each domain may be: bounds (of a number, of a text's length, of a list's items), a pattern, words, and
-- what it must be as a sentence's end where the comment on its constraint says that. The API reads it once, when it starts.
-- A domain without a constraint that is the key of a table has that table's words.
create or replace function api.value_rules()
returns table (type text, base text, lowest numeric, highest numeric, pattern text, words text, must text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
    v_range constant text := '^CHECK \(\(\((?:length\(|cardinality\()?VALUE\)? >= \(?([0-9.]+)\)?(?:::numeric)?\) '
        'AND \((?:length\(|cardinality\()?VALUE\)? <= \(?([0-9.]+)\)?(?:::numeric)?\)\)\)$';
    v_key record;
begin
    for type, base, lowest, highest, pattern, words, must in
        select
            format_type(t.oid, null),
            format_type(t.typbasetype, null),
            max((regexp_match(c.def, v_range))[1]::numeric),
            max((regexp_match(c.def, v_range))[2]::numeric),
            max(replace((regexp_match(c.def, '^CHECK \(\(VALUE ~ ''(.*)''::text\)\)$'))[1], '''''', '''')),
            max(case when c.def like 'CHECK ((VALUE = %' then
                (select string_agg(m[1], '|') from regexp_matches(c.def, '''([^'']*)''::text', 'g') as m)
            end),
            max(c.comment)
        from pg_type as t
        left join lateral (
            select
                pg_get_constraintdef(k.oid) as def,
                obj_description(k.oid, 'pg_constraint') as comment
            from pg_constraint as k
            where k.contypid = t.oid
        ) as c on true
        where t.typtype = 'd'
            and t.typnamespace in ('ccp'::regnamespace, 'api'::regnamespace)
        group by t.oid
    loop
        select a.attrelid::regclass as relation, a.attname as name
        into v_key
        from pg_index as i
        join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisprimary
            and i.indnkeyatts = 1
            and a.atttypid = type::regtype
            and words is null
            and pattern is null;
        if found then
            execute format('select string_agg(%I, ''|'' order by %I) from %s', v_key.name, v_key.name, v_key.relation)
            into words;
        end if;
        return next;
    end loop;
end
$$;

revoke all on function api.value_rules() from public;
grant execute on function api.value_rules() to ccp_api;

comment on function api.value_rules() is
'What a value of each domain may be; the API checks it and tells it in its document.';
