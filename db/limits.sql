-- What PostgreSQL lets everyone do in a new database and this one's roles shall not, by a superuser in the product's database.
-- Reading does not need it, and each fills what all sessions share: the table of locks, the queue of notifications, the disk,
-- the log. Changes something only if it differs. How long a session may go on, access.limit_sessions() decides.
\set ON_ERROR_STOP on
begin;
set local search_path = pg_catalog, pg_temp;

select pg_advisory_xact_lock(hashtext('cloud-cli-proxy limits')) \g /dev/null

-- Advisory locks; large objects; anonymous blocks and functions (RAISE writes into the log); notifications by the million in one
-- statement; messages in the log of changes; files of snapshots.
select format('revoke execute on function %s from public', p.oid::regprocedure)
from pg_proc as p
where p.pronamespace = 'pg_catalog'::regnamespace
    and p.proname ~ (
        '^(pg_(try_)?advisory_.*|lo_(creat|create|from_bytea|put|truncate|truncate64|unlink)|lowrite'
        '|pg_notify|pg_logical_emit_message|pg_export_snapshot)$'
    )
    and (p.proacl is null or exists (select from aclexplode(p.proacl) as a where a.grantee = 0))
order by 1
\gexec
select 'revoke usage on language plpgsql from public'
from pg_language as l
where l.lanname = 'plpgsql' and (l.lanacl is null or exists (select from aclexplode(l.lanacl) as a where a.grantee = 0))
\gexec

-- The machine's functions ring doorbells and wait for the disk, and db/apply makes functions and takes one lock.
select format('grant execute on function %s to %I', f.signature, f.role)
from (
    values
        ('pg_notify(text, text)', 'ccp_owner'),
        ('pg_notify(text, text)', 'ccp_as_user'),
        ('pg_advisory_xact_lock(bigint)', 'ccp_owner')
) as f (signature, role)
where not has_function_privilege(f.role, f.signature, 'execute')
\gexec
-- Its signature is another one from version 17 on.
select format('grant execute on function %s to ccp_owner', p.oid::regprocedure)
from pg_proc as p
where p.pronamespace = 'pg_catalog'::regnamespace
    and p.proname = 'pg_logical_emit_message'
    and 'bytea'::regtype <> all (p.proargtypes)
    and not has_function_privilege('ccp_owner', p.oid, 'execute')
\gexec
select format('grant usage on language plpgsql to %I', r.name)
from (values ('ccp_owner'), ('ccp_as_user')) as r (name)
where not has_language_privilege(r.name, 'plpgsql', 'usage')
\gexec

commit;
