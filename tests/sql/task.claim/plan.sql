-- The claim's plan at 100,000 waiting tasks: it reads the index in order and stops. auto_explain shows the plans that the
-- function itself runs, the first and the cached ones, in a session of its own; so this file commits.
begin;
\ir ../hosts.psql
insert into ccp.task_rows (kind, params, queue, created_by)
select 'system.noop', jsonb_build_object('label', n::text), 'ccp_worker', 'test'
from generate_series(1, 100000) as n;
commit;
analyze ccp.task_rows;

\setenv PGOPTIONS '-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_level=notice -c auto_explain.log_nested_statements=on -c client_min_messages=notice'
\set claim `psql -XAtq -h :'HOST' -U :'USER' -d :'DBNAME' -c 'select count(*) from task.claim(t.worker(), 20)' 2>&1`

begin;
select plan(4);
create temporary table plans as
select p.text
from regexp_split_to_table(:'claim', 'NOTICE:  duration') as p (text)
where p.text like '%update ccp.task_rows as t%';
select matches(:'claim'::text, '(?n)^20$', 'twenty tasks are claimed');
select is((select count(*)::integer from plans), 1, 'by one update');
select is_empty($$select text from plans where text not like '%Index Scan using tasks_to_claim%'$$, 'which reads the index in order');
select is_empty($$select text from plans where text ~ 'Seq Scan on task_rows|Sort'$$, 'and neither scans nor sorts');
select * from finish();
rollback;
