"""Everything that a live stream rests on ends in the middle: the API, PostgreSQL in order and at once. Whoever goes on
from where it was has, in the end, what the tables have."""

import random
import signal
import threading

import psycopg2
import pytest
from support.sse import Replica, Stream, changes
from support.wait import WAIT_S, wait_until

ALL = "/v1/admin/sse"
WRITERS = 6
HOSTS = 20
ENOUGH = 300  # commits after each fault

# What a list shows of each, without what only time changes.
TABLES = {
    "hosts": "select h.id, to_json(h)::jsonb - 'why' from api.host as h",
    "tasks": "select t.id, to_json(t)::jsonb from api.task as t",
    "sessions": "select s.id, to_json(s)::jsonb from api.session as s",
}
WRITES = (
    "update ccp.hosts set label = md5(random()::text) where id = %(host)s",
    "insert into ccp.tasks (kind, host_id) values ('host.start', %(host)s)",
    "insert into ccp.tasks (kind, host_id) values ('host.stop', %(host)s)",
    "select task.progress(c.task_id, c.lease, 'verifying', (random() * 100)::integer, 'x')"
    " from task.claim(%(agent)s, 2) as c",
    "select task.succeed(t.id, t.lease, '{}') from ccp.task_rows as t"
    " where t.status = 'running' and t.host_id = %(host)s",
    "insert into ccp.sessions (user_id, host_id, process_id, method, address)"
    " select user_id, id, %(agent)s, 'key', '198.51.100.7' from ccp.hosts where id = %(host)s",
    "delete from ccp.sessions where host_id = %(host)s",
    "delete from ccp.task_rows where finished_at is not null and host_id = %(host)s",
)


class Writer(threading.Thread):
    """Random writes, some rolled back, some held open for a while; whatever fails is tried otherwise."""

    def __init__(self, database, hosts, number, over):
        super().__init__(daemon=True)
        self.database, self.hosts, self.over = database, hosts, over
        self.random = random.Random(number)
        self.commits = 0

    def write(self, connection, agent):
        with connection.cursor() as cursor:
            host = self.random.choice(self.hosts)
            for _ in range(self.random.choice((1, 1, 2))):
                cursor.execute(self.random.choice(WRITES), {"host": host, "agent": agent})
            if self.random.random() < 0.1:
                self.over.wait(self.random.random() / 10)
            if self.random.random() < 0.2:
                connection.rollback()
                return
            connection.commit()
            self.commits += 1

    def run(self):
        agent = self.database.value("select max(id) from ccp.processes where program = 'ccp-agent'")
        while not self.over.is_set():
            try:
                with self.database.connect(autocommit=False) as connection:
                    while not self.over.is_set():
                        try:
                            self.write(connection, agent)
                        except psycopg2.OperationalError:
                            raise
                        except psycopg2.DatabaseError:
                            connection.rollback()
            except psycopg2.Error:
                self.over.wait(0.05)


@pytest.fixture
def hosts(database):
    ids = database.hosts_make(HOSTS)
    database.rows("select process.register('ccp-agent', 'racer', 2, 'test')")
    return ids


def postgres_ended(stack, database, number):
    """The supervisor starts it again."""
    pid = stack.pid("postgres")
    stack.kill("postgres", number)
    stack.wait_restarted("postgres", pid)

    def answers():
        try:
            return database.value("select true")
        except psycopg2.OperationalError:
            return False

    wait_until(answers, "PostgreSQL answers")


def tables(database):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'; set transaction isolation level repeatable read")
        found = {}
        for topic, sql in TABLES.items():
            cursor.execute(sql)
            found[topic] = dict(cursor.fetchall())
        return found


def test_whoever_goes_on_has_in_the_end_what_the_tables_have(server, admin, database, hosts, stack_directory):
    over = threading.Event()
    replicas = [Replica(admin, f"{ALL}?topics=hosts,tasks,sessions") for _ in range(3)]
    for replica in replicas:
        replica.begin()
    writers = [Writer(database, hosts, number, over) for number in range(WRITERS)]
    for writer in writers:
        writer.start()

    def written(fault):
        commits = sum(writer.commits for writer in writers)
        fault()
        wait_until(lambda: sum(writer.commits for writer in writers) > commits + ENOUGH, f"{ENOUGH} commits")

    def api_ended():
        server.program.kill()
        server.program.wait()
        server.start()

    try:
        written(lambda: None)
        written(api_ended)
        written(lambda: postgres_ended(stack_directory, database, signal.SIGINT))
        written(lambda: postgres_ended(stack_directory, database, signal.SIGQUIT))
        written(api_ended)
    finally:
        over.set()
    for writer in writers:
        writer.join(WAIT_S)
    table = tables(database)
    for replica in replicas:
        wait_until(
            lambda replica=replica: all(replica.rows[topic] == table[topic] for topic in replica.topics),
            f"{replica.topics} are as the tables",
        )
        assert replica.steps_back == []
        assert replica.resyncs == 0, "nobody was away for long"
        replica.end()


def test_a_transaction_that_gets_the_number_of_one_that_a_crash_forgot_is_told(
    server, admin, database, hosts, stack_directory
):
    """A rollback is not brought to the disk by itself: after a crash its number is given out again."""
    postgres = database.cluster.database("postgres")
    postgres.rows("alter system set wal_writer_delay = '10s'")
    postgres.rows("select pg_reload_conf()")
    try:
        forgotten = []
        for _ in range(5):
            with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
                cursor.execute("select pg_current_xact_id()::text::bigint")
                forgotten.append(cursor.fetchone()[0])
                cursor.execute("update ccp.hosts set label = 'never'")
                connection.rollback()
            stream = Stream(admin, f"{ALL}?topics=hosts").ready()
        place = stream.where
        postgres_ended(stack_directory, database, signal.SIGQUIT)
        database.rows("update ccp.hosts set label = 'told' where id = %s", (hosts[0],))
        back = Stream(admin, f"{ALL}?topics=hosts", last=place).ready()
        seen = back.until(lambda e: e.name == "message" and e.data["payload"]["label"] == "told")
        assert {c["id"] for c in changes(seen)} == {hosts[0]}
    finally:
        postgres.rows("alter system reset wal_writer_delay")
        postgres.rows("select pg_reload_conf()")
