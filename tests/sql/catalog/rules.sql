-- Rules that hold for every object, now and later.
begin;
select plan(18);

create temporary view ours as
select p.*, n.nspname, p.oid::regprocedure as name, l.lanname
from pg_proc as p
join pg_namespace as n on n.oid = p.pronamespace
join pg_language as l on l.oid = p.prolang
where pg_get_userbyid(n.nspowner) = 'ccp_owner';

select is_empty(
    $$select name, m.status, m.code
    from
        ours,
        lateral (
            select r[1]::integer as status, r[2] as code
            from regexp_matches(prosrc, 'access\.refuse\(\s*''CP(\d+)'',\s*''([a-z_]+)''', 'g') as r
            union all
            select 404, r[1]
            from regexp_matches(prosrc, 'api\.not_found\(''([a-z_]+)''', 'g') as r
        ) as m
    where not exists (select from ccp.error_codes as c where c.code = m.code and m.status = any (c.statuses))$$,
    'every refusal has its row in ccp.error_codes'
);
select is_empty(
    $$select code from ccp.error_codes where meaning !~ '^[A-Z].*\.$' or remedy !~ '^([A-Z]|errors).*\.$'$$,
    'what it means and what to do are sentences'
);
select is_empty(
    $$select name from ours where prosecdef and not 'search_path=pg_catalog, pg_temp' = any (coalesce(proconfig, '{}'))$$,
    'every definer function has a safe search_path'
);
select is_empty(
    $$select name from ours where proowner not in ('ccp_owner'::regrole, 'ccp_as_user'::regrole)$$,
    'functions belong to ccp_owner or ccp_as_user'
);
select is_empty(
    $$select name from ours where proowner = 'ccp_as_user'::regrole and nspname <> 'api'$$,
    'ccp_as_user owns routes only'
);
select is_empty(
    $$select name
    from ours, aclexplode(coalesce(proacl, acldefault('f', proowner))) as a
    where a.grantee = 0 and (prosecdef and nspname <> 'clock')$$,
    'nobody but the named may call a definer function'
);
select is_empty(
    $$select name from ours where obj_description(oid, 'pg_proc') is null$$,
    'every function has a comment'
);
select is_empty(
    $$select c.oid::regclass
    from pg_class as c
    where c.relnamespace = 'ccp'::regnamespace
        and c.relkind in ('r', 'p', 'v', 'S')
        and obj_description(c.oid, 'pg_class') is null$$,
    'every table, view and sequence has a comment'
);
select is_empty(
    $$select t.oid::regtype from pg_type as t
    where t.typnamespace = 'ccp'::regnamespace and t.typtype in ('d', 'e') and obj_description(t.oid, 'pg_type') is null$$,
    'every domain has a comment'
);
select is_empty(
    $$select c.oid::regclass, a.attname
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace in ('ccp'::regnamespace, 'api'::regnamespace)
        and c.relkind in ('r', 'p', 'v', 'c')
        and not c.relispartition
        and col_description(c.oid, a.attnum) is null$$,
    'every column has a comment'
);
select is_empty(
    $$select c.relname from pg_class as c where c.relnamespace = 'public'::regnamespace
    union all
    select p.proname from pg_proc as p where p.pronamespace = 'public'::regnamespace$$,
    'nothing lives in public'
);
select is_empty(
    $$select c.oid::regclass
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attname = 'user_id'
    where c.relnamespace = 'ccp'::regnamespace
        and c.relkind in ('r', 'p')
        and not c.relispartition
        and not (c.relrowsecurity and exists (select from pg_policy as p where p.polrelid = c.oid and 'ccp_as_user'::regrole = any (p.polroles)))$$,
    'every table with a user_id is bound by row-level security for ccp_as_user'
);
select is_empty(
    $$select distinct c.oid::regclass, r.rolname
    from pg_class as c
    cross join (values ('ccp_api'), ('ccp_worker'), ('ccp_agent'), ('ccp_sshproxy'), ('ccp_cron')) as r (rolname)
    where c.relnamespace = 'ccp'::regnamespace
        and c.relkind in ('r', 'p', 'v')
        and (has_table_privilege(r.rolname, c.oid, 'select, insert, update, delete, truncate')
            or has_any_column_privilege(r.rolname, c.oid, 'select, insert, update'))$$,
    'programs have no right on any table or view'
);
select is_empty(
    $$select a.attrelid::regclass, a.attname
    from pg_attribute as a
    join pg_class as c on c.oid = a.attrelid
    where c.relnamespace = 'ccp'::regnamespace
        and a.attname in ('password_hash', 'ssh_password_hash', 'secret', 'secret_sealed', 'wg_preshared_key_sealed', 'poll_token_sha256')
        and (has_column_privilege('ccp_dba', a.attrelid, a.attname, 'select')
            or has_column_privilege('ccp_as_user', a.attrelid, a.attname, 'select'))$$,
    'neither the DBA nor a user route reads a secret'
);
select is_empty(
    $$select k.conrelid::regclass, k.conname
    from pg_constraint as k
    where k.contype = 'f'
        and k.connamespace = 'ccp'::regnamespace
        and k.confrelid not in ('ccp.task_kinds'::regclass, 'ccp.host_statuses'::regclass)
        and not exists (
            select from pg_index as i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1]
        )$$,
    'every foreign key is indexed, but those to the machine''s data, which is never deleted'
);
select is_empty(
    $$select t.tgrelid::regclass, t.tgname
    from pg_trigger as t
    join ours as p on p.oid = t.tgfoid
    where not t.tgisinternal
        and t.tgrelid <> 'ccp.tasks'::regclass
        and replace(regexp_replace(p.prosrc, $re$'([^']|'')*'$re$, '', 'g'), 'insert into ccp.changes ', '')
        ~* '(insert into|update ccp|delete from|\m(task|host|account|process)\.(?!actor\()[a-z_]+\()'$$,
    'no trigger on a table writes another table, but what it notes for the live streams'
);
select is_empty(
    $$select conrelid::regclass, conname from pg_constraint
    where connamespace = 'ccp'::regnamespace and contype in ('c', 'f') and conname ~ '_(check|fkey)\d*$'$$,
    'every constraint is named for the rule it keeps'
);
select is_empty(
    $$select p.name, c.message
    from ours as p
    left join lateral (
        select t.tgrelid, t.tgnewtable, t.tgoldtable
        from pg_trigger as t
        where t.tgfoid = p.oid and not t.tgisinternal
        order by t.tgrelid
        limit 1
    ) as t on true
    cross join lateral tap.plpgsql_check_function_tb(
        p.oid, coalesce(t.tgrelid, 0), fatal_errors => false, extra_warnings => false, performance_warnings => false,
        oldtable => t.tgoldtable, newtable => t.tgnewtable
    ) as c
    where p.lanname = 'plpgsql'
        and p.prokind = 'f'
        and (p.prorettype <> 'trigger'::regtype or t.tgrelid is not null)$$,
    'plpgsql_check finds nothing'
);

select * from finish();
rollback;
