"""Hosts that are flooded while something is done to them: one for each kind of tunnel, all watched by one oracle."""

import json
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from support.net import inside, run, wall_counts
from support.oracle import STAMP, Oracle
from support.wait import WAIT_S, wait_until

KINDS = ("wireguard", "trojan-tls", "hysteria2")  # one of them carries streams, one datagrams
PROXIES = [kind for kind in KINDS if kind != "wireguard"]
TARGET = ("udp", "198.18.0.11", 9)
RATE_MIN, RATE = 1000, 2000  # probes a second
MORE = 200  # probes that tell what is so now
CONTROL = 100
SIZE = 1000  # of a probe, with its heads
CGROUPS = Path("/sys/fs/cgroup")
# Nothing was sent, and no wall was asked: there is no way, or the socket has been ended.
NO_WAY = {"ENETUNREACH", "ENETDOWN", "EHOSTUNREACH", "ENODEV", "ECONNABORTED"}

PROBE = (
    STAMP
    + f"""
one = stamp(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
def send():
    one.sendto(bytes({SIZE} - 28), {TARGET[1:]!r})
"""
)
CONTROL_CODE = PROBE + f"for _ in range({CONTROL}): send()"
# Sends until it hears "stop"; whatever it hears, it says what happened so far. It stays, and its namespace with it,
# until its input ends.
FLOOD = (
    PROBE
    + """
import collections, errno, json, select, sys, time
PAUSE_S = 0.001
rate = float(sys.argv[1])
outcomes, tried, last_sent_at, begun_at = collections.Counter(), 0, 0, time.monotonic()
print("going", flush=True)
word = None
while word not in ("stop\\n", ""):
    while tried < (time.monotonic() - begun_at) * rate:
        tried += 1
        try:
            send()
            outcomes["sent"] += 1
            last_sent_at = time.monotonic()
        except OSError as error:
            outcomes[errno.errorcode[error.errno]] += 1
    if select.select([sys.stdin], [], [], PAUSE_S)[0]:
        word = sys.stdin.readline()
        told = dict(outcomes=outcomes, tried=tried, last_sent_at=last_sent_at, took_s=time.monotonic() - begun_at)
        print(json.dumps(told), flush=True)
sys.stdin.read()
"""
)


def users_bytes(pid):
    """What the wall in the namespace of that process has passed or denied of users' packets."""
    counted = wall_counts(pid, "bytes")
    return counted["pass_user"] + counted["deny_closed_user"]


class Told:
    """What a flood says of itself."""

    def __init__(self, outcomes, tried, last_sent_at, took_s):
        self.outcomes, self.tried, self.last_sent_at, self.took_s = outcomes, tried, last_sent_at, took_s
        self.sent = outcomes.get("sent", 0)
        self.at_the_wall = sum(count for name, count in outcomes.items() if name not in NO_WAY)


class Flood:
    """Datagrams of a user's in the namespace of that process, which it keeps from its end."""

    def __init__(self, pid, rate=RATE):
        self.before = users_bytes(pid)
        words = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", FLOOD, str(rate)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "going\n"

    def tell(self, word="tell"):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return Told(**json.loads(self.process.stdout.readline()))

    def more(self):
        """How many of the next probes, and of none before, are sent."""
        before = self.tell()
        wait_until(lambda: self.tell().tried >= before.tried + MORE, "probes are sent or refused")
        return self.tell().sent - before.sent

    def counted(self):
        """How many probes the wall has passed or denied. It counts the kernel's own packets, such as a reset after a
        verification, among users'; those are few and small."""
        return (users_bytes(self.process.pid) - self.before) // SIZE

    def end(self):
        self.process.stdin.close()
        self.process.wait(WAIT_S)


class Flooded:
    """A host behind an exit of a kind."""

    def __init__(self, agent, kind, **columns):
        self.agent, self.kind = agent, kind
        self.host = agent.host(None if kind == "wireguard" else agent.proxy_exit(kind), **columns)
        self.host.task("host.create")
        self.container = self.pid = self.flood = None

    def look(self):
        """Where it is now."""
        self.container, self.pid = self.host.container, self.host.pid

    @property
    def budget(self):
        """The control group of its engine."""
        root = CGROUPS if (CGROUPS / "cgroup.controllers").exists() else CGROUPS / "memory"
        return root / "cloud-cli-proxy" / f"c{self.container[:12]}"

    @property
    def engine(self):
        """The process that carries its tunnel."""
        (pid,) = (self.budget / "cgroup.procs").read_text(encoding="ascii").split()
        return int(pid)

    def inside(self, *words):
        """Runs a command of this machine in its network namespace."""
        return inside(self.pid, *words)


def together(hosts, kind, params="{}"):
    """Runs a task of each at once, all of which must succeed."""
    for host, task in [(one.host, one.host.insert(kind, params)) for one in hosts]:
        host.wait_succeeded(task)


def all_running(hosts):
    """Sees to it that they run, nothing is under way, and it is known where they are."""
    hosts[0].agent.revive()
    at_rest = []
    for one in hosts:
        wait_until(lambda host=one.host: not host.live_tasks(), "nothing is under way")
        if one.host.status != "running":
            one.host.owner.rows("update ccp.hosts set failures = 0, retry_at = null where id = %s", [one.host.id])
            at_rest.append(one)
    together(at_rest, "host.start")
    for one in hosts:
        one.look()


@contextmanager
def flooded_hosts(agent, count=1, **columns):
    """So many of each kind, created."""
    made = [Flooded(agent, kind, **columns) for kind in KINDS for _ in range(count)]
    yield made
    together(made, "host.delete", '{"wipe": true}')


@contextmanager
def oracle_of(agent, directory, **options):
    """One that has been shown to see."""
    oracle = Oracle(agent.lab, directory, PROXIES, **options)
    control(oracle)
    yield oracle
    oracle.end()


def control(oracle):
    """The positive control: what a namespace with a way out sends is seen, all of it, where that way leads."""
    for where in ("uplink", "machine"):
        bypass = oracle.bypass(where)
        bypass.python(CONTROL_CODE)
        seen = oracle.look().count_outside(TARGET)
        bypass.remove()
        assert seen == CONTROL, f"the oracle does not see what is let out on the {where}"


def arrived(lab):
    """Datagrams for a port that nobody has, which is the floods', at the lab's internet so far."""
    lines = run("nsenter", f"--net=/run/netns/{lab.prefix}-net", "cat", "/proc/net/snmp").splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[names.index("NoPorts")])


def wait_flooded(hosts):
    """Their probes pass."""
    for one in hosts:
        assert one.flood.more() > 0, f"{one.kind}: no probe is sent before anything is done"


def ms_since(at, told):
    """From that moment to the last probe that was sent."""
    return max(0, round((told.last_sent_at - at) * 1000, 1))


def now():
    return time.monotonic()


def until_random_time(max_s):
    """What strikes then strikes at a time of its own."""
    at = now() + random.uniform(0, max_s)
    wait_until(lambda: now() >= at, "its time has come")
