-- What db/apply renews with: types and views whose file changed, and rows of rules that differ. All of it lives in pg_temp.

create temporary table relations_made (name text primary key) on commit drop;

create function pg_temp.columns_of(p_relation text)
returns text[]
language sql
as $$
    select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum)
    from pg_attribute as a
    where a.attrelid = p_relation::regclass and a.attnum > 0 and not a.attisdropped
$$;

-- Whether what a statement makes is there with the same columns; true for statements that make nothing. What cannot be made
-- yet, because it calls a function that comes later, has the columns that it had.
create function pg_temp.keeps_columns(p_statement text)
returns boolean
language plpgsql
as $$
declare
    v_kind text;
    v_name text;
    v_same boolean;
begin
    select m[1], m[2] into v_kind, v_name
    from regexp_match(p_statement, '^create (?:or replace )?(view|type) (\S+)', 'n') as m;
    if v_kind is null then
        return true;
    elsif to_regclass(v_name) is null then
        return false;
    end if;
    execute regexp_replace(p_statement, '^create (?:or replace )?(view|type) \S+', 'create \1 pg_temp.wanted', 'n');
    v_same := pg_temp.columns_of('pg_temp.wanted') = pg_temp.columns_of(v_name);
    execute format('drop %s pg_temp.wanted', v_kind);
    return v_same;
exception
    when undefined_function then
        return true;
end
$$;

-- Runs one statement of a file. What exists with other columns and cannot be replaced is dropped first, with the functions
-- and types that return it: their own files make them again.
create function pg_temp.renew_relation(p_statement text)
returns void
language plpgsql
as $$
declare
    v_kind text;
    v_name text;
begin
    select m[1], m[2] into v_kind, v_name
    from regexp_match(p_statement, '^create (?:or replace )?(view|type) (\S+)', 'n') as m;
    if v_kind = 'type' and to_regclass(v_name) is not null then
        if pg_temp.keeps_columns(p_statement) then
            return;
        end if;
        execute format('drop type %s cascade', v_name);
    end if;
    execute p_statement;
exception
    when invalid_table_definition then -- create or replace view
        if v_kind is distinct from 'view' then
            raise;
        end if;
        execute format('drop view %s cascade', v_name);
        execute p_statement;
end
$$;

-- Runs a file of types or views, whose statements end with ; at the end of a line, if its text is new or something that it
-- makes is missing. Otherwise it locks nothing. A view that is replaced is locked for all who read it until the commit: when
-- p_only_columns, it is left for later unless what it makes has other columns, which functions are made with.
create function pg_temp.renew_relations(p_file text, p_checksum text, p_text text, p_only_columns boolean)
returns void
language plpgsql
as $$
declare
    v_made text[] := array(
        select m[1] from regexp_matches(p_text, '^create (?:or replace )?(?:view|type) (\S+)', 'gn') as m
    );
    v_revoke text;
begin
    insert into relations_made (name)
    select m.name from unnest(v_made) as m (name)
    on conflict do nothing;
    if exists (select from ccp.applied_files as f where f.name = p_file and f.checksum = p_checksum)
        and not exists (select from unnest(v_made) as m (name) where to_regclass(m.name) is null)
    then
        return;
    end if;
    if p_only_columns
        and not exists (
            select from regexp_split_to_table(p_text, ';\n') as s (statement) where not pg_temp.keeps_columns(s.statement)
        )
    then
        return;
    end if;
    -- It begins without rights; its file grants them.
    for v_revoke in
        select format('revoke all on %s from %I', c.oid::regclass, r.rolname)
        from unnest(v_made) as m (name)
        join pg_class as c on c.oid = to_regclass(m.name) and c.relkind = 'v'
        cross join aclexplode(c.relacl) as a
        join pg_roles as r on r.oid = a.grantee and r.oid <> c.relowner
    loop
        execute v_revoke;
    end loop;
    perform pg_temp.renew_relation(s.statement)
    from regexp_split_to_table(p_text, ';\n') as s (statement)
    where s.statement <> '';
    insert into ccp.applied_files (name, checksum)
    values (p_file, p_checksum)
    on conflict (name) do update
    set
        checksum = excluded.checksum,
        applied_at = excluded.applied_at;
end
$$;

-- Makes the rows of ccp.TABLE those of pg_temp.TABLE. Columns that are kept get the file's value in new rows only.
create function pg_temp.renew_rules(p_table text, p_kept text[])
returns void
language plpgsql
as $$
declare
    v_columns text;
    v_same_key text;
    v_set text;
    v_differs text;
begin
    select
        string_agg(quote_ident(a.attname), ', '),
        string_agg(format('t.%1$I = w.%1$I', a.attname), ' and ') filter (where k.is_key),
        string_agg(format('%1$I = w.%1$I', a.attname), ', ') filter (where not k.is_key and not k.is_kept),
        string_agg(format('t.%1$I is distinct from w.%1$I', a.attname), ' or ') filter (where not k.is_key and not k.is_kept)
    into v_columns, v_same_key, v_set, v_differs
    from pg_attribute as a
    join pg_index as i on i.indrelid = a.attrelid and i.indisprimary
    cross join lateral (select a.attnum = any (i.indkey) as is_key, a.attname = any (p_kept) as is_kept) as k
    where a.attrelid = format('ccp.%I', p_table)::regclass and a.attnum > 0 and not a.attisdropped;
    execute format(
        'insert into ccp.%1$I (%2$s) select %2$s from pg_temp.%1$I as w where not exists (select from ccp.%1$I as t where %3$s)',
        p_table, v_columns, v_same_key
    );
    execute format(
        'delete from ccp.%1$I as t where not exists (select from pg_temp.%1$I as w where %2$s)',
        p_table, v_same_key
    );
    if v_set is not null then
        execute format(
            'update ccp.%1$I as t set %2$s from pg_temp.%1$I as w where %3$s and (%4$s)',
            p_table, v_set, v_same_key, v_differs
        );
    end if;
end
$$;
