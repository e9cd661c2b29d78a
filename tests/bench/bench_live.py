"""1,000 live streams and 200 changes a second: how long after a change was asked for each client hears of it."""

import os
import subprocess
import time
from pathlib import Path

import psycopg2
from support.http import Api, hash_password
from support.paths import CHECKOUT
from support.postgres import HOSTS_MAKE

USERS = 30
STREAMS_OF_USER = 30
ADMINS = 4
STREAMS_OF_ADMIN = 25
PER_S = 200
SECONDS = 20
PASSWORD = "correct horse battery"

MADE = """
    insert into ccp.users (username, short_id, role, password_hash)
    select 'listener' || n, 'listen' || to_char(n, 'FM000'), 'admin', %s from generate_series(1, %s) as n
"""
GIVEN = "update ccp.users set password_hash = %s where username like 'racer%%' returning id"


def groups(stack, hosts):
    """A line for each group of streams: half of the addresses' allowance each."""
    port = int(stack.environment["CCP_HTTP_PORT"])
    stack.owner.rows(MADE, (hash_password(PASSWORD), ADMINS))
    stack.owner.rows(GIVEN, (hash_password(PASSWORD),))
    people = [(f"listener{n}", STREAMS_OF_ADMIN, "admin") for n in range(1, ADMINS + 1)]
    people += [(f"racer{n}", STREAMS_OF_USER, "user") for n in range(1, USERS + 1)]
    for number, (name, count, role) in enumerate(people):
        source = f"127.0.61.{1 + number // 4}"
        token = Api(port, source).login(name, PASSWORD).token
        yield f"{count} {source} /v1/{role}/sse?topics=hosts {token}"


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


def pss_kb(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError("no Pss")


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def streams(stack):
    hosts = [row[0] for row in stack.owner.rows(HOSTS_MAKE, {"count": USERS})]
    lines = "\n".join(groups(stack, hosts)) + "\n"
    api = stack.pid("ccp-api")
    memory = pss_kb(api)
    client = subprocess.Popen(
        [CHECKOUT / "build" / "bench" / "sse_listen", stack.environment["CCP_HTTP_PORT"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    client.stdin.write(lines)
    client.stdin.close()
    if client.stdout.readline() != "ready\n":
        raise RuntimeError("not every stream began")
    cpu = cpu_s(api)
    changes = write(stack, hosts)
    cpu = cpu_s(api) - cpu
    grown = pss_kb(api) - memory
    time.sleep(1)
    client.terminate()
    alive, frames, p50, p99, longest = map(int, client.stdout.read().split())
    client.wait()
    expected = changes * (ADMINS * STREAMS_OF_ADMIN + STREAMS_OF_USER)
    streams = ADMINS * STREAMS_OF_ADMIN + USERS * STREAMS_OF_USER
    return {
        "sse_streams": alive,
        "sse_lost": streams - alive,
        "sse_frames_share": frames / expected,  # changes of one host that follow each other closely are told once
        "sse_ms_p50": p50 / 1000,
        "sse_ms_p99": p99 / 1000,
        "sse_ms_max": longest / 1000,
        "sse_kb_a_stream": grown / streams,
        "sse_api_cores": cpu / SECONDS,
    }
