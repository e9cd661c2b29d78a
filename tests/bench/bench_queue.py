"""Whole no-op tasks through a running worker: ours, ours with a million tasks that have ended, and graphile-worker.

It runs as many jobs at once as ours and has as many connections as ours has then.
"""

import os
import statistics
import subprocess
from contextlib import ExitStack, contextmanager
from time import perf_counter

from support.paths import CHECKOUT
from support.postgres import Connection, Database
from support.program import Program
from support.wait import WAIT_S, wait_until

from bench.bench_bus import database
from bench.stats import by_turns

TASKS = 5_000
ENDED = 1_000_000
ROUNDS = 5
JOBS = 12  # as many places as workers/main.c has for tasks that are not housekeeping

FILL = """
    insert into ccp.tasks (kind, params)
    select 'system.noop', jsonb_build_object('label', n::text) from generate_series(1, %s) as n
"""
LEFT = """
    select exists (select from ccp.task_rows where status = 'queued')
        or exists (select from ccp.task_rows where status = 'running')
"""
END_MANY = """
    insert into ccp.task_rows (kind, params, queue, created_by, status, attempt, started_at, finished_at)
    select 'system.noop', jsonb_build_object('label', 'old ' || n), 'ccp_worker', 'bench', 'succeeded', 0, now(), now()
    from generate_series(1, %s) as n
"""
CONNECTIONS = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'ccp_worker'"
GRAPHILE_FILL = """
    select count(*) from (
        select graphile_worker.add_job('noop', json_build_object('label', n::text)) from generate_series(1, %s) as n
    ) as j
"""
GRAPHILE_LEFT = "select exists (select from graphile_worker._private_jobs)"


class Queue:
    """A database whose worker runs: fills it in one transaction, and sees when all is done."""

    def __init__(self, conninfo, fill, left):
        self.connection = Connection(conninfo)
        self.fill = fill
        self.left = left

    def tasks_per_s(self):
        self.connection.rows(self.fill, [TASKS])
        begin = perf_counter()
        wait_until(lambda: not self.connection.value(self.left), f"{TASKS} tasks are done")
        return TASKS / (perf_counter() - begin)


@contextmanager
def ours(stack, directory, name, ended):
    with database(stack, name) as own:
        if ended:
            own.rows(END_MANY, [ended])
            own.rows("vacuum analyze")
        directory.mkdir()
        worker = Program("ccp-worker", own, directory)
        try:
            worker.wait_log("database connected")
            yield Queue(own.conninfo(), FILL, LEFT)
        finally:
            worker.stop()


def graphile_modules():
    script = ["bash", "-c", '. tools/pins && printf %s "$graphile_dir"']
    directory = subprocess.run(script, cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S, check=True).stdout
    return f"{directory}/node_modules"


@contextmanager
def graphile(stack, directory, connections):
    server = Database(stack, "postgres")
    server.rows("create database ccp_bench_graphile")
    own = Database(stack, "ccp_bench_graphile")
    parts = dict(part.split("=", 1) for part in own.conninfo().split())
    with (directory / "graphile.log").open("wb") as log:
        worker = subprocess.Popen(
            ["node", CHECKOUT / "tests/bench/graphile/worker.mjs", graphile_modules(), str(connections), str(JOBS)],
            env=os.environ | {"PGHOST": parts["host"], "PGUSER": parts["user"], "PGDATABASE": parts["dbname"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        ready = "select count(*) from pg_stat_activity where datname = 'ccp_bench_graphile' and query ilike 'listen%'"
        wait_until(lambda: server.value(ready) > 0, "graphile-worker listens")
        yield Queue(own.conninfo(), GRAPHILE_FILL, GRAPHILE_LEFT)
    finally:
        worker.terminate()
        worker.wait(WAIT_S)
        server.rows("drop database ccp_bench_graphile with (force)")


def tasks(stack, directory):
    with ExitStack() as exits:
        few = exits.enter_context(ours(stack, directory / "few", "ccp_bench_few", 0))
        many = exits.enter_context(ours(stack, directory / "many", "ccp_bench_many", ENDED))
        for queue in (few, many):
            queue.tasks_per_s()  # plans and connections are made
        connections = few.connection.value(CONNECTIONS)
        peer = exits.enter_context(graphile(stack, directory, connections))
        peer.tasks_per_s()
        ran = by_turns(ROUNDS, few.tasks_per_s, peer.tasks_per_s, many.tasks_per_s)
    few_per_s, peer_per_s, many_per_s = map(statistics.median, ran)
    return {
        "bus_connections": connections,
        "bus_tasks_per_s": few_per_s,
        "bus_baseline_per_s": peer_per_s,
        "bus_ratio": few_per_s / peer_per_s,
        "bus_million_ratio": many_per_s / few_per_s,
    }
