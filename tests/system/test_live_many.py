"""Many clients of the live streams and a steady load, while all that they rest on ends in the middle, and some clients
stand still. In the end each has exactly what the tables have.

CCP_LIVE_CLIENTS (200) and CCP_LIVE_SECONDS (10) say how many, and for how long; figures are printed.
"""

import os
import signal
import threading
import time

import psycopg2
import pytest
from support import proc, sse_clients
from support.postgres import postgres_ended
from support.sse import tables
from support.wait import WAIT_S, wait_until

CLIENTS = int(os.environ.get("CCP_LIVE_CLIENTS", "200"))
SECONDS = float(os.environ.get("CCP_LIVE_SECONDS", "10"))
PER_S = 200
SLOW = 10  # administrators' clients in the process that stands still at times
TOPICS = "hosts,sessions"

LABEL = "update ccp.hosts set label = %(label)s where id = %(host)s"
# A session begins, or the one that there is goes.
SESSION = """
    with gone as (
        delete from ccp.sessions where host_id = %(host)s returning id
    )
    insert into ccp.sessions (user_id, host_id, process_id, method, address)
    select h.user_id, h.id, p.id, 'key', '198.51.100.7'
    from ccp.hosts as h
    cross join (select max(id) as id from ccp.processes) as p
    where h.id = %(host)s and not exists (select from gone)
"""


class Load(threading.Thread):
    """So many changes a second, each a transaction. What PostgreSQL is not there for is left out."""

    def __init__(self, database, hosts):
        super().__init__(daemon=True)
        self.database, self.hosts = database, hosts
        self.over = threading.Event()
        self.begin = 0
        self.made = 0

    def change(self, cursor, n):
        label = f"t{time.monotonic_ns() // 1000}"
        sql = SESSION if n % 4 == 3 else LABEL
        cursor.execute(sql, {"label": label, "host": self.hosts[n % len(self.hosts)]})
        self.made += 1

    def changes(self, connection):
        """In step with the clock until it is over, or PostgreSQL is gone."""
        with connection.cursor() as cursor:
            while not self.over.is_set():
                n = int((time.monotonic() - self.begin) * PER_S) + 1
                self.over.wait(self.begin + n / PER_S - time.monotonic())
                self.change(cursor, n)

    def run(self):
        while not self.over.is_set():
            try:
                with self.database.connect() as connection:
                    self.changes(connection)
            except psycopg2.Error as error:  # what the server says of its end, or nothing, for a killed one
                if (error.pgcode or "57P01")[:2] not in ("57", "08"):
                    raise
                self.over.wait(0.05)

    def until(self, share):
        """Waits for a moment of the whole time."""
        self.over.wait(self.begin + share * SECONDS - time.monotonic())

    def end(self):
        self.over.set()
        self.join(WAIT_S)


@pytest.fixture
def load(server, database):
    hosts = database.hosts_make(sse_clients.USERS)
    database.rows("select process.register('ccp-agent', 'racer', 2, 'test')")
    return Load(database, hosts)


@pytest.fixture
def listening(server):
    """listening(GROUPS, receive_buffer=None): clients that listen until the test ends."""
    sse_clients.build()
    begun = []

    def listen(groups, **options):
        begun.append(sse_clients.Clients(server.port, groups, TOPICS, **options))
        return begun[-1]

    yield listen
    for clients in begun:
        clients.end()


def unlike(copy, table, group):
    """How many rows a client misses, has though they are gone, and has otherwise than the table."""
    expected = {
        (topic, row): payload
        for topic in TOPICS.split(",")
        for row, payload in table[topic].items()
        if group.role == "admin" or payload["user_id"] == group.user_id
    }
    copy = {key: {name: value for name, value in row.items() if name != "why"} for key, row in copy.items()}
    both = copy.keys() & expected.keys()
    return (
        len(expected.keys() - copy.keys()),
        len(copy.keys() - expected.keys()),
        sum(copy[key] != expected[key] for key in both),
    )


def wait_equal(clients, table):
    def off():
        copies = zip(clients.copies(), clients.groups, strict=True)
        all_of = [unlike(copy, table, group) for copy, group in copies]
        return [sum(kind) for kind in zip(*all_of, strict=True)]

    wait_until(lambda: off() == [0, 0, 0], "each client has what the tables have")


def api_ended(server, number):
    server.program.kill(number)
    server.program.wait()
    server.start()


def figures_print(calm, ended, kb_a_client, slow):
    """Of the first third of the time, in which nothing but the slow clients stands still, and of the rest."""
    named = {
        "clients": CLIENTS,
        "changes_per_s": PER_S,
        "calm_ms_p50": calm["p50_us"] / 1000,
        "calm_ms_p99": calm["p99_us"] / 1000,
        "calm_frames": calm["frames"],
        "api_kb_a_client": kb_a_client,
        "ended_frames": ended["frames"],
        "ended_ms_max": ended["max_us"] / 1000,
        "resumed": ended["resumed"],
        "resyncs": ended["resyncs"],
        "slow_resumed": slow["resumed"],
        "slow_resyncs": slow["resyncs"],
    }
    print(" ".join(f"{name} {value:.5g}" for name, value in named.items()))


def test_each_client_ends_with_what_the_tables_have(server, database, load, listening, stack_directory):
    groups = sse_clients.audience(server.port, database, CLIENTS)
    memory = proc.pss_kb(server.program.pid)
    many = listening(groups)
    slow = listening([sse_clients.Group(server.port, 0, "root", "admin", SLOW)], receive_buffer=4096)
    many.figures()
    load.begin = time.monotonic()
    load.start()
    slow.stop()
    load.until(1 / 3)
    calm = many.figures()
    grown = proc.pss_kb(server.program.pid) - memory
    slow.go_on()
    load.until(0.40)
    api_ended(server, signal.SIGKILL)
    load.until(0.45)
    slow.stop()
    load.until(0.50)
    api_ended(server, signal.SIGTERM)
    load.until(0.60)
    postgres_ended(stack_directory, database, signal.SIGINT)
    load.until(0.75)
    postgres_ended(stack_directory, database, signal.SIGQUIT)
    load.until(0.90)
    slow.go_on()
    load.until(1)
    load.end()
    table = tables(database)
    wait_equal(many, table)
    wait_equal(slow, table)
    ended, slowly = many.figures(), slow.figures()
    figures_print(calm, ended, grown / (CLIENTS + SLOW), slowly)
    assert calm["breaks"] == 0, "who stands still cuts off no other"
    assert [f["back"] for f in (calm, ended, slowly)] == [0, 0, 0], "no row goes back to what it was"
    assert ended["resumed"] >= CLIENTS and ended["listening"] == CLIENTS
