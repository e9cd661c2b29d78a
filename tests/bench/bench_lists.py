"""Lists of an installation that has grown: each with every filter and order, and the page of users over HTTP."""

import random
import re
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from support.http import ApiServer
from support.paths import CHECKOUT
from support.program import Program

from bench.bench_bus import pgbench
from bench.stats import in_turn, percentile, timed

SIZES = {"users": 5_000, "hosts": 10_000, "tasks": 100_000, "events": 1_000_000}
FILL_S = 600
CONNECTIONS = 4
TURNS = 5  # of each connection through all lists
SECONDS = 4
ROUNDS = 3


def fill(database):
    sizes = [word for name, number in SIZES.items() for word in ("-v", f"{name}={number}")]
    script = CHECKOUT / "tests" / "sql" / "scale.psql"
    subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *sizes, "-f", script, database.conninfo()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=FILL_S,
        check=True,
    )


def walk(database, reads, seed):
    """Goes through all lists in an order of its own; the milliseconds of each."""
    took = {read: [] for read in reads}
    with database.connect() as connection, connection.cursor() as cursor:

        def ask(call):
            cursor.execute(call)
            cursor.fetchall()

        for turn in range(TURNS):
            order = random.Random(seed + turn).sample(sorted(reads), len(reads))
            for read in order:
                took[read].append(timed(ask, reads[read]) * 1000)
    return took


def all_lists(database):
    asked = "select list, what, call from scale.reads where list <> 'view'"
    reads = {(name, what): call for name, what, call in database.rows(asked)}
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        walks = list(pool.map(lambda seed: walk(database, reads, seed * TURNS), range(CONNECTIONS)))
    took = {read: [ms for one in walks for ms in one[read]] for read in reads}
    slowest = sorted(took, key=lambda read: percentile(took[read], 0.95), reverse=True)
    for name, what in slowest[:5]:
        print(f"  {name} {what}: {percentile(took[name, what], 0.95):.1f} ms")
    events = [ms for (name, _), many in took.items() if name == "event" for ms in many]
    return {
        "lists_slowest_ms_p95": percentile(took[slowest[0]], 0.95),
        "lists_ms_p95": percentile([ms for many in took.values() for ms in many], 0.95),
        "events_page_ms_p95": percentile(events, 0.95),
    }


@contextmanager
def api_server(database, directory):
    programs = []

    def program(name, database, *arguments, flavour="release"):
        programs.append(Program(name, database, directory, *arguments, flavour=flavour))
        return programs[-1]

    try:
        yield ApiServer(database, program)
    finally:
        for one in programs:
            one.stop()


def users_page(database, directory):
    """A page of users over HTTP beside the same statement in pgbench, with as many connections."""
    (call,) = database.rows("select call from scale.reads where list = 'user' and what = '-created_at'")[0]
    with api_server(database, directory) as server:
        token = server.admin().token
        url = f"http://127.0.0.1:{server.port}/v1/admin/users"

        def over_http():
            done = subprocess.run(
                ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Authorization: Bearer {token}", url],
                capture_output=True,
                text=True,
                timeout=SECONDS + 30,
                check=True,
            )
            if re.search(r"Non-2xx|Socket errors", done.stdout):
                raise RuntimeError(f"{url} answered with errors:\n{done.stdout}")
            return float(re.search(r"Requests/sec: *([0-9.]+)", done.stdout)[1])

        def in_sql():
            return pgbench(database, call + ";", directory / "users.sql", SECONDS, CONNECTIONS)

        ours, baseline = in_turn(over_http, in_sql, ROUNDS)
    return {
        "users_page_per_s": statistics.median(ours),
        "users_page_baseline_per_s": statistics.median(baseline),
        "users_page_ratio": statistics.median(ours) / statistics.median(baseline),
    }


def lists(database, directory):
    fill(database)
    return all_lists(database) | users_page(database, directory)
