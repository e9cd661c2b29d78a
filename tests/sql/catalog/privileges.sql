-- What people and automation can do, as a list: whatever is not on it they cannot.
begin;
select plan(11);

create temporary view relations as
select c.oid, c.oid::regclass::text as name, c.relkind
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where (pg_get_userbyid(n.nspowner) = 'ccp_owner' or n.nspname = 'public')
    and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and c.relname <> 'test_clock';

create function pg_temp.rights(p_role text) returns table (name text, rights text) language sql as $$
    select r.name, string_agg(p.privilege, ', ' order by p.privilege)
    from relations as r
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'usage']) as p (privilege)
    where case
        when r.relkind = 'S' then p.privilege in ('select', 'update', 'usage') and has_sequence_privilege(p_role, r.oid, p.privilege)
        when p.privilege = 'usage' then false
        when p.privilege in ('delete', 'truncate', 'trigger') then has_table_privilege(p_role, r.oid, p.privilege)
        else has_any_column_privilege(p_role, r.oid, p.privilege)
    end
    group by r.name
$$;
create function pg_temp.functions(p_role text) returns table (name text) language sql as $$
    select p.oid::regprocedure::text
    from pg_proc as p
    join pg_namespace as n on n.oid = p.pronamespace
    where (pg_get_userbyid(n.nspowner) = 'ccp_owner' or n.nspname = 'public')
        and has_function_privilege(p_role, p.oid, 'execute')
        and has_schema_privilege(p_role, n.oid, 'usage')
$$;

select set_eq(
    $$select * from pg_temp.rights('ccp_automation')$$,
    $$values
        ('ccp.tasks', 'insert, select'),
        ('ccp.now', 'select'), ('ccp.stuck', 'select'), ('ccp.task_status', 'select'), ('ccp.host_status', 'select'),
        ('ccp.workers', 'select'), ('ccp.rules', 'select'), ('ccp.doctor', 'select'),
        ('ccp.database_sessions', 'select'), ('ccp.webhook_status', 'select')$$,
    'automation inserts tasks and reads the people''s views'
);
select set_eq(
    $$select a.attname
    from pg_attribute as a
    where a.attrelid = 'ccp.tasks'::regclass and a.attnum > 0
        and has_column_privilege('ccp_automation', a.attrelid, a.attnum, 'insert')$$,
    $$values ('kind'::name), ('host_id'), ('params'), ('idempotency_key')$$, 'a task''s kind, host, parameters and key, and no more'
);
select is_empty($$select * from pg_temp.functions('ccp_automation')$$, 'automation calls no function of ours');
select set_eq(
    $$select distinct rights from pg_temp.rights('ccp_dba')$$, $$values ('select')$$, 'the DBA reads and does nothing else'
);
select is_empty($$select * from pg_temp.functions('ccp_dba')$$, 'the DBA calls no function of ours');
select is_empty(
    $$select name from relations where relkind in ('r', 'p', 'v') and name !~ '^(api\.|ccp\.(events|verifications)_\d)'
    except
    select name from pg_temp.rights('ccp_dba')$$,
    'the DBA reads every table and view of ours'
);
select set_eq(
    $$select r.name || '.' || a.attname
    from relations as r
    join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    where r.relkind in ('r', 'p', 'v')
        and r.name in (select name from pg_temp.rights('ccp_dba'))
        and not has_column_privilege('ccp_dba', r.oid, a.attnum, 'select')$$,
    $$values
        ('ccp.users.password_hash'), ('ccp.hosts.ssh_password_hash'), ('ccp.signing_keys.secret'), ('ccp.webhooks.secret_sealed'),
        ('ccp.egress_ips.wg_preshared_key_sealed'), ('ccp.egress_ips.secret_sealed'),
        ('ccp.access_grants.poll_token_sha256'), ('ccp.logins.cookie_id'), ('ccp.webhooks.url')$$,
    'but no secret'
);
select set_eq(
    $$select * from pg_temp.functions('ccp_admin')$$,
    $$values
        ('account.create_admin(text,ccp.bcrypt)'), ('account.id(text)'),
        ('account.rotate_password(uuid,ccp.bcrypt)'), ('account.end_sessions(uuid)'),
        ('account.add_ssh_key(uuid,ccp.ssh_public_key,ccp.label)'), ('account.remove_ssh_key(uuid,uuid)'),
        ('egress.edit(uuid,jsonb,text)'), ('egress.remove(uuid)'), ('egress.test(uuid)'), ('egress.import(ccp.object)'),
        ('host.bind(uuid,uuid)'), ('host.switch(uuid,uuid)'), ('host.unbind(uuid)'), ('host.edit(uuid,jsonb,text)'),
        ('account.delete(uuid,boolean)'), ('account.keep(uuid)'),
        ('session.stop(uuid)'), ('node.cordon(bigint,boolean)'), ('node.drain(bigint,boolean)'), ('token.rotate()'), ('token.retire(text)'),
        ('setting.put(text,jsonb,text)'),
        ('account.add(ccp.username,ccp.bcrypt,ccp.role,timestamp with time zone)'),
        ('account.edit(uuid,ccp.activation,ccp.role,timestamp with time zone,text,integer)'),
        (
            'egress.add(ccp.label,ccp.address,ccp.endpoint,ccp.wg_key,ccp.address,ccp.interface,text,ccp.label,'
            'ccp.activation,ccp.tunnel_type,ccp.networks,ccp.mtu,ccp.object,ccp.address,text,ccp.wg_key,'
            'ccp.address,ccp.interface)'
        ),
        (
            'host.add(uuid,uuid,ccp.yescrypt,ccp.timezone,ccp.memory_limit_mb,ccp.cpu_limit,ccp.pids_limit,ccp.disk_limit_gb,'
            'ccp.image,boolean,ccp.label,ccp.idle_minutes)'
        ),
        ('host.act(uuid,text,jsonb)'), ('host.rotate_ssh_password(uuid,ccp.yescrypt)'),
        ('task.stop(uuid)'), ('task.repeat(uuid)'),
        ('webhook.add(ccp.label,ccp.webhook_url,text,ccp.event_type[],ccp.activation)'), ('webhook.edit(uuid,jsonb,text)'),
        ('webhook.remove(uuid)'), ('webhook.rotate_secret(uuid,text)'), ('webhook.test(uuid)')$$,
    'the administrator''s own functions are these; the rest takes "set role ccp_owner"'
);
select set_eq(
    $$select * from pg_temp.functions('ccp_cron')$$, $$values ('clock.tick(text,text)'), ('clock.rules()'), ('clock.tick_all(text)'), ('clock.now()'), ('clock.span(interval)')$$, 'pg_cron ticks'
);
select is_empty(
    $$select r.rolname, n.nspname
    from pg_roles as r, pg_namespace as n
    where r.rolname ~ '^ccp_' and r.rolname <> 'ccp_owner'
        and (pg_get_userbyid(n.nspowner) = 'ccp_owner' or n.nspname = 'public')
        and has_schema_privilege(r.rolname, n.oid, 'create')$$,
    'nobody but the owner creates anything'
);
select is_empty(
    $$select r.rolname
    from pg_roles as r
    where r.rolname ~ '^ccp_' and (has_database_privilege(r.rolname, current_database(), 'temporary')
        and r.rolname <> 'ccp_owner' or r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls)$$,
    'nobody makes temporary tables, roles or databases'
);

select * from finish();
rollback;
