"""PostgreSQL for tests: a cluster per worker, and a fresh database per test, cloned from an applied template."""

import itertools
import subprocess
from contextlib import closing, contextmanager

import psycopg2
from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until

GRANT_AS_IN_TEMPLATE = """
    select format('grant %%s on database %%I to %%I', a.privilege_type, %(name)s, r.rolname)
    from pg_database as d, aclexplode(d.datacl) as a
    join pg_roles as r on r.oid = a.grantee
    where d.datname = %(template)s
"""
HOSTS_MAKE = """
    with node as (
        insert into ccp.nodes (name) values ('racer')
        on conflict (name) do update set name = excluded.name
        returning id
    ),
    people as (
        insert into ccp.users (username, short_id)
        select 'racer' || n, 'racer' || to_char(n, 'FM000') from generate_series(1, %(count)s) as n
        returning id, short_id
    ),
    exits as (
        insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)
        select short_id, '198.51.100.1', '198.51.100.1:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32'
        from people
        returning id, label
    ),
    made as (
        insert into ccp.hosts (short_id, user_id, node_id, image, status, wg_public_key)
        select p.short_id, p.id, node.id, 'image', 'stopped', repeat('B', 43) || '=' from people as p, node
        returning id, user_id, short_id
    )
    insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
    select m.id, e.id, m.user_id, e.label, '198.51.100.1'
    from made as m
    join exits as e on e.label = m.short_id
    returning host_id
"""


class Connection:
    """A connection that is kept. After the server went away it is made again: a statement may have run twice then."""

    def __init__(self, conninfo):
        self.conninfo = conninfo
        self.connection = None

    def rows(self, sql, parameters=None):
        """Runs one statement; its rows, or [] when it returns none."""
        try:
            return self._rows(sql, parameters)
        except psycopg2.Error as error:
            if not self.connection or (error.pgcode and not self.connection.closed):
                raise
            self.connection.close()  # libpq may know before psycopg2 does that it is lost
            return self._rows(sql, parameters)

    def value(self, sql, parameters=None):
        return self.rows(sql, parameters)[0][0]

    def _rows(self, sql, parameters):
        if not self.connection or self.connection.closed:
            self.connection = psycopg2.connect(self.conninfo)
            self.connection.autocommit = True
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


class Database:
    """One database. Root may connect as postgres, ccp_admin, ccp_dba, ccp_automation and ccp_agent."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    def conninfo(self, user="postgres"):
        return self.cluster.conninfo(user, self.name)

    @contextmanager
    def connect(self, user="postgres", autocommit=True):
        connection = psycopg2.connect(self.conninfo(user))
        try:
            connection.autocommit = autocommit
            yield connection
        finally:
            connection.close()

    def rows(self, sql, parameters=None, user="postgres"):
        """Runs one statement in a connection of its own; its rows, or [] when it returns none."""
        with self.connect(user) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, parameters=None, user="postgres"):
        return self.rows(sql, parameters, user)[0][0]

    def apply(self, folder=CHECKOUT / "db"):
        """db/apply --test: schema, functions, pgTAP and the clock that tests can set; the ended process."""
        return subprocess.run(
            [folder / "apply", "--test", "--database", self.conninfo()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    def hosts_make(self, count):
        """Ids of new hosts on the node `racer`, each with a user and an exit, as if an agent had made them."""
        return [row[0] for row in self.rows(HOSTS_MAKE, {"count": count})]


class Cluster:
    """The running cluster of a stack's directory."""

    TEMPLATE = "ccp_template"

    def __init__(self, state_dir):
        self.socket_dir = state_dir / "run" / "pg"
        self.numbers = itertools.count(1)

    def hurry(self):
        """Nothing in it outlives the kernel, and the kernel outlives every crash that a test causes."""
        for sql in ("alter system set fsync = off", "select pg_reload_conf()"):
            self.database("postgres").rows(sql)
        return self

    def conninfo(self, user="postgres", dbname="postgres"):
        return f"host={self.socket_dir} user={user} dbname={dbname}"

    def database(self, name):
        return Database(self, name)

    def template_make(self):
        """Applied once."""
        if self.database("postgres").rows("select 1 from pg_database where datname = %s", [self.TEMPLATE]):
            return
        done = self.database(self.TEMPLATE).apply()
        if done.returncode != 0:
            self.database("postgres").rows(f"drop database if exists {self.TEMPLATE}")
            raise RuntimeError(f"db/apply failed:\n{done.stdout}{done.stderr}")

    def database_make(self):
        """A clone of the template, with the template's rights, which a clone loses."""
        self.template_make()
        name = f"test_{next(self.numbers)}"
        server = self.database("postgres")
        server.rows(f"drop database if exists {name}")
        server.rows(f"create database {name} template {self.TEMPLATE} owner ccp_owner")
        server.rows(f"revoke all on database {name} from public")
        for (grant,) in server.rows(GRANT_AS_IN_TEMPLATE, {"name": name, "template": self.TEMPLATE}):
            server.rows(grant)
        return Database(self, name)

    def database_drop(self, database):
        self.database("postgres").rows(f"drop database if exists {database.name} with (force)")


def postgres_ended(stack, database, number):
    """A stack's server gets a signal and ends; its supervisor starts it again."""
    pid = stack.pid("postgres")
    stack.kill("postgres", number)
    stack.wait_restarted("postgres", pid)

    def answers():
        try:
            return database.value("select true")
        except psycopg2.OperationalError:
            return False

    wait_until(answers, "PostgreSQL answers")


def cron_run(server, dbname):
    """Does now what pg_cron does each minute in a database of `server` (a Cluster or a Stack): its job, as its user."""
    jobs = server.conninfo("postgres", "postgres")
    with closing(psycopg2.connect(jobs)) as connection, connection.cursor() as cursor:
        cursor.execute("select username, command from cron.job where database = %s and active", [dbname])
        ((user, command),) = cursor.fetchall()
    with closing(psycopg2.connect(server.conninfo("postgres", dbname))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"set session authorization {user}")
            cursor.execute(command)
