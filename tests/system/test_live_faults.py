"""Everything that a live stream rests on ends in the middle: the API, PostgreSQL in order and at once. Whoever goes on
from where it was has, in the end, what the tables have."""

import os
import random
import signal
import threading
from contextlib import contextmanager, suppress

import psycopg2
import pytest
from support.postgres import postgres_ended
from support.sse import Replica, Stream, changes, tables
from support.wait import WAIT_S, wait_until

ALL = "/v1/admin/sse"
WRITERS = 6
HOSTS = 20
ENOUGH = 300  # commits after each fault
NUMBERS = 200  # of transactions: more than the programs take until a test gets the next

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


@contextmanager
def nothing_reaches_the_disk_by_itself(database):
    """Commits do not wait for the WAL, and the process that writes it later stands still. The crash ends it."""
    postgres = database.cluster.database("postgres")
    postgres.rows("alter system set synchronous_commit = off")
    postgres.rows("select pg_reload_conf()")
    wait_until(lambda: database.value("show synchronous_commit") == "off", "no commit waits")
    writer = os.pidfd_open(postgres.value("select pid from pg_stat_activity where backend_type = 'walwriter'"))
    signal.pidfd_send_signal(writer, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(writer, signal.SIGCONT)
        os.close(writer)
        postgres.rows("alter system reset synchronous_commit")
        postgres.rows("select pg_reload_conf()")


def numbers_spend(database, end):
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        for _ in range(NUMBERS):
            cursor.execute("select pg_current_xact_id()")
            cursor.execute(end)


def test_a_transaction_that_gets_the_number_of_one_that_a_crash_forgot_is_told(
    server, admin, database, hosts, stack_directory
):
    """A place in which a transaction has ended must not outlive it: after a crash its number is given out again."""
    with nothing_reaches_the_disk_by_itself(database):
        numbers_spend(database, "rollback")
        place = Stream(admin, f"{ALL}?topics=hosts").ready().where
        postgres_ended(stack_directory, database, signal.SIGQUIT)
        label = "update ccp.hosts set label = %s where id = %s"
        database.rows(label, ("told", hosts[0]))
        numbers_spend(database, "commit")  # the place is no longer ahead of the server, for which there is resync
        back = Stream(admin, f"{ALL}?topics=hosts", last=place).ready()
        database.rows(label, ("after", hosts[1]))
        seen = back.until(lambda e: e.name == "message" and e.data["payload"]["label"] == "after")
        assert {c["id"]: c["payload"]["label"] for c in changes(seen)} == {hosts[0]: "told", hosts[1]: "after"}
