"""As many hosts as a machine is to hold, at rest: how they start, what they cost, and when they are checked."""

import itertools
import json
import os
import re
import statistics
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from support import exits
from support.host import ENDED
from support.stack import Lab
from support.wait import wait_until

from bench.bench_host import descendants

HOSTS = int(os.environ.get("CCP_BENCH_HOSTS", "200"))
AT_ONCE = 10
LIGHT_S = 20
WINDOW_S = 3 * LIGHT_S
NEVER_S = 86400
TICK = os.sysconf("SC_CLK_TCK")
FIRST_ADDRESS = 0x0200  # of 198.18.128.0/17: beside the demo host's and other items'


def peer_address(number):
    place = FIRST_ADDRESS + number
    return f"198.18.{128 + (place >> 8)}.{place & 255}/32"


def host_make(stack, name, exit_id):
    """Of a user of its own, behind that exit; its id."""
    node = stack.owner.value("select node_id from ccp.hosts where id = %s", [stack.env["CCP_DEMO_HOST_ID"]])
    image = stack.env.get("CCP_IMAGE", "cloud-cli-proxy/managed-user:latest")
    return stack.owner.value(
        "with person as (insert into ccp.users (username, short_id) values (%(name)s, %(name)s) returning id),"
        " made as (insert into ccp.hosts (short_id, user_id, node_id, image)"
        " select %(name)s, id, %(node)s, %(image)s from person returning id, user_id)"
        " insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)"
        " select m.id, e.id, m.user_id, e.label, e.ip_address from made as m, ccp.egress_ips as e"
        " where e.id = %(exit)s returning host_id::text",
        {"name": name, "node": node, "image": image, "exit": exit_id},
    )


def hosts_make(stack):
    """Each with a WireGuard exit of its own; all exits lead through one of the lab's, as peers of it."""
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    made = []
    for number in range(HOSTS):
        name = f"m{number:05}"
        exit_id = exits.insert(stack.owner, name, exits.wireguard(lab, 1 + number % 2, peer_address(number)))
        made.append(host_make(stack, name, exit_id))
    return made


def all_done(stack, kind, hosts, params="{}"):
    """Seconds that each host's task took from its INSERT."""
    owner = stack.owner
    tasks = [
        stack.automation.value(
            "insert into ccp.tasks (kind, host_id, params) values (%s, %s, %s) returning id", [kind, host, params]
        )
        for host in hosts
    ]
    ended = "select count(*) from ccp.task_rows where id = any (%s::uuid[]) and status = any (%s)"
    wait_until(lambda: owner.value(ended, [tasks, list(ENDED)]) == len(tasks), f"{kind} of {len(tasks)} hosts", 600)
    rows = owner.rows(
        "select status, error_code, error_message, extract(epoch from finished_at - created_at)::float"
        " from ccp.task_rows where id = any (%s::uuid[])",
        [tasks],
    )
    for status, code, message, _ in rows:
        if status != "succeeded":
            raise RuntimeError(f"{kind} {status}: {code}: {message}")
    return [row[3] for row in rows]


def all_made(stack, hosts):
    """Reconciliation makes what was inserted."""
    made = "select count(*) from ccp.hosts where id = any (%s::uuid[]) and status = 'stopped'"
    wait_until(lambda: stack.owner.value(made, [hosts]) == len(hosts), f"{len(hosts)} hosts are made", 600)


def batches(hosts):
    return [hosts[at : at + AT_ONCE] for at in range(0, len(hosts), AT_ONCE)]


def cpu_s(roots):
    """User and system time of these processes, their descendants, and the children that any of them has waited for."""
    ticks = 0
    for root in roots:
        for pid in descendants(root):
            with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICK


def inits(stack):
    """PID 1 of each container."""
    ids = stack.docker("ps", "--quiet").split()
    return [int(pid) for pid in stack.docker("inspect", "--format", "{{.State.Pid}}", *ids).split()]


def available_kb():
    return int(re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1])


def pss_kb_by_program():
    """Of all that runs on this machine."""
    found = Counter()
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            program = (directory / "comm").read_text().strip()
            rollup = (directory / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        found[program] += int(re.search(r"^Pss: +(\d+) kB", rollup, re.M)[1] if "Pss:" in rollup else 0)
    return found


def checks_seen(stack, since):
    """When each host was proven, for as long as the window lasts: seconds."""
    seen = set()
    end = time.monotonic() + WINDOW_S
    sql = "select host_id::text, extract(epoch from proven_at)::float from ccp.observations where proven_at > %s"
    while time.monotonic() < end:
        seen.update(map(tuple, stack.owner.rows(sql, [since])))
        time.sleep(LIGHT_S / 4)
    return sorted(at for _, at in seen)


def spread(times):
    """The fullest second against the mean of all, and the median pause between two checks against the mean pause."""
    seconds = Counter(int(at) for at in times)
    whole = range(min(seconds) + 1, max(seconds))
    mean = sum(seconds[second] for second in whole) / len(whole)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    return {
        "many_checks_a_second": mean,
        "many_checks_peak_ratio": max(seconds[second] for second in whole) / mean,
        "many_checks_pause_ratio": statistics.median(pauses) / statistics.mean(pauses),
    }


class Window:
    """What agent and containers spend in WINDOW_S, and the checks meanwhile. Engines and the lab are not in it."""

    def __init__(self, stack, light_s):
        with stack.settings(verify_light_s=light_s, verify_full_s=NEVER_S):
            time.sleep(2 * LIGHT_S)  # the schedules take the new periods, and nothing is left of the starts
            agent, containers = [stack.pid("ccp-agent")], inits(stack)
            since = stack.owner.value("select now()")
            before = cpu_s(agent), cpu_s(containers)
            self.times = checks_seen(stack, since)
            self.agent_s, self.inside_s = cpu_s(agent) - before[0], cpu_s(containers) - before[1]


def at_rest(stack):
    """What is spent, what of it for checks, and when they are made."""
    without, checked = Window(stack, NEVER_S), Window(stack, LIGHT_S)
    if without.times:
        raise RuntimeError(f"{len(without.times)} checks when none is due")
    agent_ms = (checked.agent_s - without.agent_s) * 1000 / len(checked.times)
    inside_ms = (checked.inside_s - without.inside_s) * 1000 / len(checked.times)
    return spread(checked.times) | {
        "many_cpu_ms_per_host_minute": checked.agent_s * 1000 / HOSTS / (WINDOW_S / 60),
        "many_unchecked_cpu_ms_per_host_minute": without.agent_s * 1000 / HOSTS / (WINDOW_S / 60),
        "many_check_cpu_ms": agent_ms + inside_ms,
        "many_check_inside_cpu_ms": inside_ms,
    }


def hosts(stack):
    free_kb = available_kb()
    pss = pss_kb_by_program()
    made = hosts_make(stack)
    all_made(stack, made)
    starts = [took for batch in batches(made) for took in all_done(stack, "host.start", batch)]
    rest = at_rest(stack)
    used = pss_kb_by_program()
    used.subtract(pss)
    taken_kb = free_kb - available_kb()
    limits = stack.owner.rows("select * from ccp.doctor where not ok")
    print("\n".join(json.dumps(row, default=str) for row in limits), flush=True)
    for batch in batches(made):
        all_done(stack, "host.delete", batch, '{"wipe": true}')
    return (
        {
            "many_hosts": len(starts),
            "many_start_s": statistics.median(starts),
            "many_start_s_max": max(starts),
        }
        | rest
        | {"many_mem_mb_per_host": taken_kb / 1024 / HOSTS}
        | {f"many_pss_{re.sub('[^a-z]+', '_', program)}_kb_per_host": kb / HOSTS for program, kb in used.most_common(6)}
    )
