"""1,000 live streams and 200 changes a second: how long after a change was asked for each client hears of it; and what
noting changes costs those who write."""

import statistics
import time

import psycopg2
from support import sse_clients
from support.postgres import HOSTS_MAKE
from support.proc import cpu_s, pss_kb

from bench import bench_queue
from bench.bench_bus import WHOLE_TASK, pgbench, prepare
from bench.bench_bus import database as database_of

CLIENTS = 1000
PER_S = 200
SECONDS = 20
COST_SECONDS = 3
COST_ROUNDS = 8
COST_HOSTS = 200

SUCCEEDED = "select count(*) from ccp.task_rows where status = 'succeeded'"
# What an agent does to start and stop a host, without the agent, as WHOLE_TASK.
HOST_TASK = """
select (task.enqueue({kind}, id)).id from ccp.hosts where short_id = 'racer' || lpad(:number::text, 3, '0')
\\gset
select task_id, lease from task.claim({{agent}}, 1)
\\aset
select task.progress(:task_id, :lease, 'starting', 20, 'a container is made');
select task.progress(:task_id, :lease, 'verifying', 60, 'the exit is verified');
select task.succeed(:task_id, :lease, '{{{{}}}}');
"""
HOST_TASKS = f"""\\set number :client_id * {COST_HOSTS // 4} + random(1, {COST_HOSTS // 4})
{HOST_TASK.format(kind="'host.start'")}{HOST_TASK.format(kind="'host.stop'")}"""

DOORBELL = (
    "create or replace trigger bench_insert_rings after insert on ccp.task_rows"
    " for each row execute function live.ring()",
    "create or replace trigger bench_end_rings after update on ccp.task_rows for each row"
    " when (new.finished_at is not null) execute function live.ring()",
)
SWITCH = """
    select format(
        'alter table %%s %%s trigger %%I',
        t.tgrelid::regclass, case when t.tgname like 'bench%%' = %s then 'disable' else 'enable' end, t.tgname
    )
    from pg_trigger as t
    join pg_proc as p on p.oid = t.tgfoid
    where p.pronamespace = 'live'::regnamespace
"""


def write(stack, hosts):
    """That many changes a second; how many there were."""
    connection = psycopg2.connect(stack.owner.conninfo)
    connection.autocommit = True
    begin = time.monotonic()
    with connection.cursor() as cursor:
        for n in range(PER_S * SECONDS):
            if (wait := begin + n / PER_S - time.monotonic()) > 0:
                time.sleep(wait)
            asked = f"t{time.monotonic_ns() // 1000}"
            cursor.execute("update ccp.hosts set label = %s where id = %s", (asked, hosts[n % len(hosts)]))
    connection.close()
    return PER_S * SECONDS


def streams(stack):
    sse_clients.build()
    port = int(stack.environment["CCP_HTTP_PORT"])
    hosts = [row[0] for row in stack.owner.rows(HOSTS_MAKE, {"count": sse_clients.USERS})]
    groups = sse_clients.audience(port, stack.owner, CLIENTS)
    api = stack.pid("ccp-api")
    memory = pss_kb(api)
    clients = sse_clients.Clients(port, groups, "hosts")
    clients.figures()
    cpu = cpu_s(api)
    changes = write(stack, hosts)
    cpu = cpu_s(api) - cpu
    grown = pss_kb(api) - memory
    time.sleep(1)
    figures = clients.figures()
    clients.end()
    hear = sum(group.count if group.role == "admin" else group.count / len(hosts) for group in groups)
    return {
        "sse_streams": figures["listening"],
        "sse_lost": CLIENTS - figures["listening"] + figures["breaks"],
        # Changes of one host that follow each other closely are told once.
        "sse_frames_share": figures["timed"] / (changes * hear),
        "sse_ms_p50": figures["p50_us"] / 1000,
        "sse_ms_p99": figures["p99_us"] / 1000,
        "sse_ms_max": figures["max_us"] / 1000,
        "sse_kb_a_stream": grown / CLIENTS,
        "sse_api_cores": cpu / SECONDS,
    }


def share(database, tasks_per_s):
    """The share of the tasks a second that goes to the streams, beside the doorbell alone that long polls need, which
    wait for the ends of tasks. Both ways are as far in their tables as the other."""

    def rate(notes):
        for (switch,) in database.rows(SWITCH, [notes]):
            database.rows(switch)
        database.rows("truncate ccp.changes")
        return tasks_per_s()

    for trigger in DOORBELL:
        database.rows(trigger)
    rate(True)  # plans and connections are made
    rounds = []
    for number in range(COST_ROUNDS):
        order = (True, False) if number % 2 == 0 else (False, True)
        pair = {notes: rate(notes) for notes in order}
        rounds.append(pair[True] / pair[False])
    return 1 - statistics.median(rounds)


def scripted(database, script, path):
    """A rate for share(): how many tasks a script brings to success."""

    def rate():
        before = database.value(SUCCEEDED)
        pgbench(database, script, path, COST_SECONDS)
        return (database.value(SUCCEEDED) - before) / COST_SECONDS

    return rate


def cost(stack, directory):
    with bench_queue.ours(stack, directory / "noting", "ccp_bench_noting", 0) as queue:
        through_worker = share(queue.connection, queue.tasks_per_s)
    with database_of(stack) as database:
        worker = prepare(database, 1)
        database.rows(HOSTS_MAKE, {"count": COST_HOSTS})
        agent = database.value("select process_id from process.register('ccp-agent', 'racer', 1, 'bench')")
        tasks = scripted(database, WHOLE_TASK.format(process=worker), directory / "noting.sql")
        hosts = scripted(database, HOST_TASKS.format(agent=agent), directory / "noting_hosts.sql")
        return {
            "live_cost_share": share(database, tasks),
            "live_cost_worker_share": through_worker,
            "live_cost_hosts_share": share(database, hosts),
        }
