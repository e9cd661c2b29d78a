"""The bus: INSERT to the woken worker, claims beside those of a bare queue, whole tasks per second."""

import re
import statistics
import subprocess
import time
from contextlib import contextmanager
from uuid import UUID

import psycopg2
from support.paths import CHECKOUT
from support.postgres import Database
from support.wait import wait_until

from bench.stats import in_turn, percentile

WAKES = 400
QUIET_S = 0.002  # longer, and a virtual machine falls asleep between two: then its own waking up is what is measured
CLAIM_SECONDS = 4
ROUNDS = 3
QUEUED = 60_000  # more than are claimed in that time

# What a worker does for a task, without the worker: three calls on a connection that it keeps. With several connections
# a claim may find nothing, when another has just taken what was there: then the last lease is reported again (\aset).
WHOLE_TASK = """
select (task.enqueue('system.noop', null, jsonb_build_object('label', :client_id || '-' || random()), null)).id
\\gset
select task_id, lease from task.claim({process}, 1)
\\aset
select task.succeed(:task_id, :lease, '{{}}');
"""
CLAIM = "select task_id from task.claim({process}, 1);\n"
# What any queue in a table does at least: a row is locked past what others have locked, and marked as taken.
BARE_QUEUE = """
    drop table if exists public.bench_queue;
    create table public.bench_queue (id bigint primary key, status text not null default 'queued');
    create index bench_queue_queued on public.bench_queue (id) where status = 'queued';
    insert into public.bench_queue select generate_series(1, %s);
"""
BARE_CLAIM = """
update public.bench_queue set status = 'running'
where ctid = (select ctid from public.bench_queue where status = 'queued' order by id limit 1 for update skip locked)
returning id;
"""


def wakes(stack):
    """Milliseconds from before an INSERT is sent until, one after the other: the worker is awake and what its doorbell
    made it ask has reached the server (wake); the task's first step begins (begin); its end is written (done)."""
    connection = psycopg2.connect(stack.env["CCP_OWNER_URL"])
    connection.autocommit = True
    took = {"wake": [], "begin": [], "done": []}
    with connection.cursor() as cursor:
        cursor.execute(
            "prepare wake (text) as"
            " insert into ccp.tasks (kind, params) values ('system.noop', jsonb_build_object('label', $1)) returning id"
        )
        for number in range(WAKES):
            before = time.time()
            cursor.execute("execute wake (%s)", [f"wake {number} {before}"])
            (task_id,) = cursor.fetchone()
            time.sleep(QUIET_S)  # asking meanwhile would be work beside the work that is measured

            def ended(task_id=task_id):
                cursor.execute(
                    "select extract(epoch from started_at)::float8, (result ->> 'began_at')::float8,"
                    " extract(epoch from finished_at)::float8"
                    " from ccp.task_rows where id = %s and status = 'succeeded'",
                    [task_id],
                )
                return cursor.fetchone()

            for moments, at in zip(took.values(), wait_until(ended, "a no-op task succeeds"), strict=True):
                moments.append((at - before) * 1000)
    connection.close()
    return {
        f"bus_{name}_ms_p{share * 100:.0f}": percentile(moments, share)
        for name, moments in took.items()
        for share in (0.5, 0.99)
    }


@contextmanager
def database(stack, name="ccp_bench"):
    """A database as the product's own, beside it, with the same settings of the server."""
    subprocess.run(
        [CHECKOUT / "db" / "apply", "--no-cron", "--database", stack.conninfo("postgres", name)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )
    try:
        yield Database(stack, name)
    finally:
        Database(stack, "postgres").rows(f"drop database {name} with (force)")


def pgbench(database, script, path, seconds, clients=4):
    """Transactions per second of one script, prepared, over kept connections."""
    path.write_text(script)
    done = subprocess.run(
        [
            "/usr/lib/postgresql/15/bin/pgbench",
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            "2",
            "-T",
            str(seconds),
            "-D",
            f"task_id={UUID(int=0)}",
            "-D",
            "lease=0",
            "-f",
            path,
            database.conninfo(),
        ],
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    match = re.search(r"^tps = ([0-9.]+)", done.stdout, re.M)
    if done.returncode != 0 or not match:
        raise RuntimeError(f"pgbench failed: {done.stdout}{done.stderr}")
    return float(match[1])


def prepare(database, queued):
    """A registered worker that no program is, and `queued` tasks for it."""
    process = database.value("select process_id from process.register('ccp-worker', 'bench', 1, 'bench')")
    database.rows(
        """
        select count(
            task.enqueue('system.noop', null, jsonb_build_object('label', n || '-' || clock_timestamp()), null)
        )
        from generate_series(1, %s) as n
        """,
        [queued],
    )
    database.rows("vacuum analyze")
    return process


def claims(database, directory):
    def claim():
        script = CLAIM.format(process=prepare(database, QUEUED))
        rate = pgbench(database, script, directory / "claim.sql", CLAIM_SECONDS)
        not_dry("select count(*) from ccp.task_rows where status = 'queued'")
        return rate

    def bare():
        database.rows(BARE_QUEUE, [QUEUED])
        database.rows("vacuum analyze public.bench_queue")
        rate = pgbench(database, BARE_CLAIM, directory / "bare.sql", CLAIM_SECONDS)
        not_dry("select count(*) from public.bench_queue where status = 'queued'")
        return rate

    def not_dry(left):
        if database.value(left) == 0:
            raise RuntimeError("the queue ran dry: the rate would count empty claims")

    def whole():
        """Rows that have succeeded, not transactions: another connection may have taken what a claim asks for."""
        script = WHOLE_TASK.format(process=prepare(database, 1))
        succeeded = "select count(*) from ccp.task_rows where status = 'succeeded'"
        before = database.value(succeeded)
        pgbench(database, script, directory / "whole.sql", CLAIM_SECONDS)
        return (database.value(succeeded) - before) / CLAIM_SECONDS

    tasks_per_s = whole()  # first: what is claimed below stays running, and no installation runs thousands at once
    ours, baseline = in_turn(claim, bare, ROUNDS)
    return {
        "claims_per_s": statistics.median(ours),
        "claims_baseline_per_s": statistics.median(baseline),
        "claims_ratio": statistics.median(ours) / statistics.median(baseline),
        "tasks_per_s": tasks_per_s,
    }
