"""Lists of an installation that has grown, each with every filter and order; the page of users beside pgbench."""

import http.client
import random
import re
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlencode

from support.document import operations
from support.http import ApiServer, hash_password
from support.paths import CHECKOUT
from support.program import Program

from bench.bench_bus import pgbench
from bench.stats import in_turn, percentile, timed

SIZES = {"users": 5_000, "hosts": 10_000, "tasks": 100_000, "events": 1_000_000}
FILL_S = 600
CONNECTIONS = 4
TURNS = 3  # of each connection through all lists
SLOWEST = 40
TURNS_AGAIN = 50  # through those
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


class Reads:
    """The requests for every list with every filter and order, and who may make them."""

    ANSWER_S = 60

    def __init__(self, database, server):
        self.database = database
        self.port = server.port
        document = server.client().get("/v1/openapi.json").json
        self.paths = {operation["operationId"]: path for _, path, operation in operations(document)}
        database.rows("select account.rotate_password(account.id('user00002'), %s)", [hash_password(server.PASSWORD)])
        self.tokens = {True: server.client().login("user00002", server.PASSWORD).token, False: server.admin().token}
        asked = "select list, what, call from scale.reads where list <> 'view'"
        self.urls = {(name, what): self.url(call) for name, what, call in database.rows(asked)}

    def value(self, sql):
        """What a filter's value is in a query."""
        if sql.startswith("now()"):
            return self.database.rows(f"select to_json({sql}) #>> '{{}}'")[0][0]
        return sql.strip("'{}")

    def url(self, call):
        path = self.paths[re.match(r"select api\.(\w+)\(", call)[1]]
        fields = re.findall(r"p_(\w+) => ((?:now\(\)[^']*)?'[^']*'|\w+)", call)
        query = {name: self.value(sql) for name, sql in fields}
        if "{id}" in path:
            path = path.replace("{id}", query.pop("id"))
        return f"{path}?{urlencode(query)}"

    def walk(self, reads, turns, seed):
        """Goes through these in an order of its own, on one connection; the milliseconds of each."""
        took = {read: [] for read in reads}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.ANSWER_S)

        def ask(read):
            token = self.tokens[read[0].startswith("own_")]
            connection.request("GET", self.urls[read], headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{self.urls[read]}: {answer.status} {text!r}")

        for turn in range(turns):
            for read in random.Random(seed + turn).sample(sorted(reads), len(reads)):
                took[read].append(timed(ask, read) * 1000)
        connection.close()
        return took

    def measure(self, reads, turns):
        """The milliseconds of each, asked for on all connections at once."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            walks = list(pool.map(lambda seed: self.walk(reads, turns, seed * turns), range(CONNECTIONS)))
        return {read: [ms for one in walks for ms in one[read]] for read in reads}


def slow_first(took):
    return sorted(took, key=lambda read: percentile(took[read], 0.95), reverse=True)


def all_lists(database, server):
    """All lists over HTTP; those that look slowest once more, as often as a p95 needs."""
    reads = Reads(database, server)
    took = reads.measure(reads.urls, TURNS)
    again = reads.measure(slow_first(took)[:SLOWEST], TURNS_AGAIN)
    slowest = slow_first(again)
    for name, what in slowest[:5]:
        print(f"  {name} {what}: p95 {percentile(again[name, what], 0.95):.1f} ms of {len(again[name, what])}")
    events = [ms for (name, _), many in took.items() if name == "event" for ms in many]
    return {
        "lists_slowest_ms_p95": percentile(again[slowest[0]], 0.95),
        "lists_ms_p95": percentile([ms for many in took.values() for ms in many], 0.95),
        "events_page_ms_p95": percentile(events, 0.95),
    }


def users_page(database, server, directory):
    """A page of users over HTTP beside the same statement in pgbench, with as many connections."""
    (call,) = database.rows("select call from scale.reads where list = 'user' and what = '-created_at'")[0]
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
    with api_server(database, directory) as server:
        return all_lists(database, server) | users_page(database, server, directory)
