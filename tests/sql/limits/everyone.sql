-- What PostgreSQL lets everyone do in a new database and nobody may here: db/limits.sql.
begin;
select plan(7);
select is_empty(
    $$
    select r.rolname, p.oid::regprocedure
    from pg_proc as p
    cross join pg_roles as r
    where r.rolname ~ '^ccp_' and r.rolcanlogin
        and p.pronamespace = 'pg_catalog'::regnamespace
        and (
            p.proname ~ '^pg_(try_)?advisory' or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_unlink')
            or p.proname in ('pg_notify', 'pg_logical_emit_message', 'pg_export_snapshot')
        )
        and has_function_privilege(r.oid, p.oid, 'execute')
        and not (r.rolname = 'ccp_admin' and pg_has_role(r.oid, 'ccp_owner', 'member') and has_function_privilege('ccp_owner', p.oid, 'execute'))
    $$,
    'no role that logs in takes locks that mean nothing, makes large objects or rings by itself'
);
select is_empty(
    $$select rolname from pg_roles where rolname ~ '^ccp_' and rolcanlogin and rolname <> 'ccp_admin' and has_language_privilege(oid, 'plpgsql', 'usage')$$,
    'none runs blocks of its own'
);
select is_empty(
    $$select rolname from pg_roles where rolname ~ '^ccp_' and rolcanlogin and has_database_privilege(oid, current_database(), 'temporary') and rolname <> 'ccp_admin'$$,
    'none makes temporary tables'
);
select is_empty(
    $$select rolname from pg_roles where rolname ~ '^ccp_' and rolcanlogin and rolname <> 'ccp_admin' and pg_has_role(oid, 'pg_signal_backend', 'member')$$,
    'none ends the sessions of others'
);
select ok(has_function_privilege('ccp_owner', 'pg_notify(text, text)', 'execute'), 'the machine rings');
select ok(has_function_privilege('ccp_as_user', 'pg_notify(text, text)', 'execute'), 'also for users');
select ok(has_language_privilege('ccp_owner', 'plpgsql', 'usage'), 'and its functions are made');
select * from finish();
rollback;
