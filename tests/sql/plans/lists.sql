-- The plans of every list, as its function runs them, with each filter and in both orders, and of views, at numbers that an installation
-- reaches: no table of more than 10,000 rows is read whole, and no index is walked past thousands of rows that do not fit.
-- auto_explain shows the plans in a session of its own; so this file commits.
\set users 2000
\set hosts 4000
\set tasks 40000
\set events 200000
\ir ../scale.psql

\set explained `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c "select call || ';' from scale.reads where filters < 2" | PGOPTIONS='-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_level=notice -c auto_explain.log_nested_statements=on -c auto_explain.log_analyze=on -c auto_explain.log_timing=off -c client_min_messages=notice' psql -Xq -o /dev/null -h :'HOST' -U :'USER' -d :'DBNAME' 2>&1`

begin;
select plan(5);
-- A list or a filter that is made later has to be here too.
select is_empty(
    $$select p.proname::text, n.name
    from pg_proc as p
    cross join lateral unnest(p.proargnames[:p.pronargs]) as n (name)
    where p.pronamespace = 'api'::regnamespace
        and p.proname ~ '_list$'
        and 'p_limit' = any (p.proargnames)
        and n.name not in ('p_login_id', 'p_generation', 'p_id', 'p_sort', 'p_limit', 'p_cursor')
        and p.proname || ' ' || n.name not in (select format('%s_list p_%s', f.list, f.filter) from scale.filters as f)
    union all
    select p.proname::text, null
    from pg_proc as p
    where p.pronamespace = 'api'::regnamespace
        and p.proname ~ '_list$'
        and 'p_limit' = any (p.proargnames)
        and p.proname not in (select r.list || '_list' from scale.reads as r)$$,
    'every list and every filter is looked at'
);
create temporary table plans as
select p.text
from regexp_split_to_table(:'explained', 'NOTICE:  duration') as p (text);
select is(
    (select count(*) from plans where text ~ 'Query Text: select (api|\* from ccp)\.'),
    (select count(*) from scale.reads where filters < 2), 'each list has shown its plan'
);
select is_empty($$select text from plans where text like '%ERROR:%'$$, 'and was answered');
select is_empty(
    (
        select format($$select text from plans where text ~ 'Seq Scan on (%s)\M'$$, string_agg(c.relname, '|'))
        from pg_class as c
        where c.relkind = 'r' and c.relnamespace = 'ccp'::regnamespace and c.reltuples > 10000
    ),
    'no big table is read whole'
);
select is_empty(
    $$select text from plans where text ~ 'Rows Removed by Filter: ([5-9][0-9]{3}|[0-9]{5})'$$,
    'and no index is walked past thousands of rows that do not fit'
);
select * from finish();
rollback;
