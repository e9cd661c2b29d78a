"""What is done to a running host, its tunnel, its exit or what keeps it, while its users flood: nothing leaves beside
the tunnel, and each probe is counted.

Each fault strikes a host of each kind of tunnel at once. The flood begins before it and ends after it, in the host's
namespace, which it keeps: so what the wall has counted is read when all else is gone. The oracle (support/oracle.py)
sees every link outside; it is shown first that it does.

Of the cases K01 to K16 there are elsewhere: 200 kills (test_kill_many.py), an agent that dies between any two steps
(K05: test_crash.py), a move from exit to exit (K11: test_switch.py), an engine that is told to lead elsewhere (K15:
test_cage_host.py), the first moments of a container (K16: test_kill_starts.py).
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import proc
from support.kill import (
    KINDS,
    RATE_MIN,
    Flood,
    all_running,
    arrived,
    flooded_hosts,
    ms_since,
    now,
    oracle_of,
    together,
    until_random_time,
    wait_flooded,
)
from support.oracle import FULL
from support.proc import docker_pids
from support.program import kill
from support.proxied import cage
from support.wait import WAIT_S, wait_until

SOON_S, SELDOM_S = 1, 600  # between two checks
USUAL_S = 60  # the product's own: what is found sooner was found by the pulse
AWAY_S = 60 if FULL else 5  # how long an agent is dead

# In the group of an engine: takes memory until the engine is gone, or it is killed itself after the engine.
HOG = """
import os, sys
with open(sys.argv[1] + "/cgroup.procs", "w") as group:
    group.write(str(os.getpid()))
child = os.fork()  # each has half, or it is as good a choice as the engine, which is small
kept = []
while os.path.exists("/proc/" + sys.argv[2]):
    kept.append(b"x" * (1 << 20))
if child:
    os.waitpid(child, 0)
"""
# A user's program that sends until it is killed, what the wall counts apart from the flood.
SENDS = """
import contextlib, socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    with contextlib.suppress(OSError):
        one.sendto(b"x", ("198.18.0.12", 53))
"""


@dataclass(frozen=True)
class Fault:
    case: str
    what: str
    act: Callable  # of the hosts
    closes: tuple = KINDS  # those that it closes; the others live on
    check: str = ""  # which fails, in the evidence of those
    every_s: int = SELDOM_S  # between checks: what must be found by itself has no check to wait for
    undo: Callable = lambda hosts: None
    full: bool = False  # for `make leak` only
    rules_gone: bool = False  # there are no counters any more, or they are passed by


def signalled(number):
    def act(hosts):
        for one in hosts:
            os.kill(one.engine, number)

    return act


def without_memory(hosts):
    for one in hosts:
        engine = one.engine
        (limit,) = (path for name in ("memory.max", "memory.limit_in_bytes") if (path := one.budget / name).exists())
        limit.write_text(str(64 << 20))
        path = Path(f"/proc/{engine}")
        (path / "oom_score_adj").write_text("1000")  # it is whom the kernel chooses
        subprocess.run([sys.executable, "-c", HOG, str(one.budget), str(engine)], timeout=WAIT_S, check=False)
        wait_until(lambda engine=engine: proc.words(engine) == [""], "the kernel has killed the engine")


def inside(command):
    def act(hosts):
        for one in hosts:
            one.inside(*command.split())

    return act


def at_lab(*words):
    return lambda hosts: hosts[0].agent.lab.run(*words)


def agent_away(hosts):
    agent = hosts[0].agent
    agent.kill()
    died_at = now()
    wait_until(lambda: now() > died_at + AWAY_S, "the agent is away for long enough")
    agent.start()
    wait_until(
        lambda: all(f'event="host adopted" host={one.host.id}' in agent.log() for one in hosts), "they are found again"
    )


def docker_killed(hosts):
    stack = hosts[0].agent.stack
    old = stack.pid("dockerd")
    stack.kill("dockerd", signal.SIGKILL)
    stack.wait_restarted("dockerd", old)
    wait_until(stack.docker_answers, "Docker answers")


def docker_restarted(hosts):
    stack = hosts[0].agent.stack
    stack.sv("restart", "dockerd")
    wait_until(stack.docker_answers, "Docker answers")


def containerd_killed(hosts):
    stack = hosts[0].agent.stack
    _, _, old = docker_pids(stack, hosts[0].pid)
    kill(old)
    wait_until(lambda: docker_pids(stack, hosts[0].pid)[2:] not in ([], [old]), "containerd comes back")
    wait_until(stack.docker_answers, "Docker answers")


def everything_killed(hosts):
    """The nearest to a reboot that a test can have: all dies at once, and comes back as after one, the agent last."""
    agent, stack = hosts[0].agent, hosts[0].agent.stack
    services = {name: stack.pid(name) for name in ("postgres", "dockerd")}
    dying = [*services.values(), agent.process.pid]
    for one in hosts:
        dying += [one.engine, one.pid, *docker_pids(stack, one.pid)[1:]]
    for pid in set(dying):
        os.kill(pid, signal.SIGKILL)
    agent.process.wait(WAIT_S)
    for name, pid in services.items():
        stack.wait_restarted(name, pid)
    wait_until(lambda: stack.postgres_answers() and stack.docker_answers(), "PostgreSQL and Docker answer")
    assert agent.containers() == [], "nothing starts by itself"
    assert [one.kind for one in hosts if one.flood.more() > 0] == []
    agent.start()


def containers_killed(hosts):
    for one in hosts:
        os.kill(one.pid, signal.SIGKILL)


def containers_restarted(hosts):
    hosts[0].agent.stack.docker("restart", "--time", "1", *(one.container for one in hosts))


def stopped(hosts):
    """Users' programs that flood, too, until they are killed."""
    for one in hosts:
        one.agent.stack.docker("exec", "-d", "--user", "dev", one.container, "python3", "-c", SENDS)
    together(hosts, "host.stop")


def cage_deleted(hosts):
    agent = hosts[0].agent
    before = tables(agent)
    uplink = f"--net={agent.lab.env['LAB_UPLINK_NETNS']}"
    for name in before:
        subprocess.run(["nsenter", uplink, "nft", "delete", "table", "inet", name], check=True, timeout=WAIT_S)
    wait_until(lambda: tables(agent) == before, "it is back")


def tables(agent):
    return [line.split()[2] for line in cage(agent).splitlines() if line.startswith("table inet ccp_cage")]


RESTORE = at_lab("restore")
FAULTS = (
    Fault("K01", "SIGKILL to the engine", signalled(signal.SIGKILL), check="tunnel"),
    Fault("K02", "SIGTERM to the engine", signalled(signal.SIGTERM), check="tunnel"),
    Fault("K02", "SIGSTOP to the engine", signalled(signal.SIGSTOP), check="tunnel"),
    Fault("K02", "the engine is out of memory", without_memory, check="tunnel"),
    Fault("K03", "the device is set down", inside("ip link set tun0 down")),
    Fault("K03", "the device is deleted", inside("ip link del tun0")),
    Fault("K04", "the exit is unreachable", at_lab("loss", "1", "100"), every_s=USUAL_S, undo=RESTORE),
    Fault("K04", "the exit refuses", at_lab("refuse", "1"), every_s=USUAL_S, full=True, undo=RESTORE),
    Fault("K04", "the exit has another key", at_lab("rekey", "1"), every_s=USUAL_S, full=True, undo=RESTORE),
    Fault("K06", f"the agent is dead for {AWAY_S} s", agent_away, closes=()),
    Fault("K07", "SIGKILL to dockerd", docker_killed, closes=()),
    Fault("K07", "dockerd is restarted", docker_restarted, closes=(), full=True),
    Fault("K07", "SIGKILL to containerd", containerd_killed, closes=()),
    Fault("K08", "everything dies at once, and the agent is started last", everything_killed),
    Fault("K09", "SIGKILL to the container", containers_killed),
    Fault("K09", "the container is restarted", containers_restarted),
    Fault("K10", "the exit's address changes", at_lab("swap-exit", "1"), check="exit_ip", every_s=SOON_S, undo=RESTORE),
    # There is no reload in the product: WireGuard's engine ends, and sing-box finds its input empty.
    Fault("K12", "SIGHUP to the engine", signalled(signal.SIGHUP), closes=("wireguard",), check="tunnel"),
    Fault("K13", "nft flush ruleset", inside("nft flush ruleset"), check="rules", rules_gone=True),
    Fault("K13", "a rule accepts", inside("nft insert rule inet ccp output accept"), check="rules", rules_gone=True),
    Fault("K13", "a second device", inside("ip link add b0 type veth peer name b1"), check="inventory", full=True),
    Fault("K13", "a route past the tunnel", inside("ip route add 198.51.100.0/24 dev lo"), check="inventory"),
    Fault("K13", "the cage is deleted", cage_deleted, closes=()),
    Fault("K14", "the host is stopped", stopped),
)
FAULTS = [one for one in FAULTS if FULL or not one.full]
PAUSE_MAX_S = 0.3  # a fault strikes at a random time


@pytest.fixture(scope="module")
def oracle(agent, tmp_path_factory):
    with oracle_of(agent, tmp_path_factory.mktemp("oracle")) as one:
        yield one


@pytest.fixture(scope="module")
def hosts(agent):
    with agent.stack.settings(verify_light_s=SELDOM_S, verify_full_s=SELDOM_S), flooded_hosts(agent) as made:
        yield made
        agent.lab.run("restore")
        agent.revive()


@pytest.fixture
def flooded(hosts, oracle):
    """They run, and are flooded."""
    all_running(hosts)
    oracle.look()
    for one in hosts:
        one.flood = Flood(one.pid)
    wait_flooded(hosts)
    yield hosts
    for one in hosts:
        one.flood.end()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.case}: {fault.what}")
def test_nothing_leaves_beside_the_tunnel_while(flooded, oracle, agent, fault, figures):
    host = flooded[0].host
    with agent.stack.settings(verify_light_s=fault.every_s):
        if fault.every_s != SELDOM_S:
            together(flooded, "host.verify")  # the agent knows of the setting
        events, evidence = host.last_event(), host.owner.value("select coalesce(max(id), 0) from ccp.verifications")
        before = {one.kind: one.container for one in flooded}
        came = arrived(agent.lab)
        struck_at = strike(fault, flooded)
        told = {one.kind: outcome(one, fault, events, evidence) for one in flooded}
    fault.undo(flooded)
    sight = oracle.look()
    figures(fault.case, "all", fault.what, exit=arrived(agent.lab) - came)
    for one in flooded:
        counted = None if fault.rules_gone else one.flood.counted()
        kind, closes = told[one.kind], one.kind in fault.closes
        numbers = {"tried": kind.tried, "sent": kind.sent, "counted": counted, "outside": len(sight.outside)}
        if closes:
            numbers |= {"last_sent_ms": ms_since(struck_at, kind), "noticed_ms": noticed_ms(one, evidence, struck_at)}
            numbers |= {"closed_ms": closed_ms(one, events, struck_at)}
        figures(fault.case, one.kind, fault.what, **numbers)
        assert kind.tried >= RATE_MIN * kind.took_s, "the flood was too thin"
        assert counted in (None, kind.at_the_wall), (one.kind, kind.outcomes)
        if not closes:
            assert (one.host.status, one.host.container) == ("running", before[one.kind])
    assert [one for one in sight.outside if one.leaves or one.stamped] == []  # an exit that refuses says so


def noticed_ms(one, evidence, struck_at):
    """From then to the first check that did not pass, which makes its exit degraded; None: there was none."""
    at = one.host.owner.value(
        "select extract(epoch from min(at))::float8 from ccp.verifications"
        " where host_id = %s and id > %s and outcome <> 'passed'",
        [one.host.id, evidence],
    )
    return at and ms_from(struck_at, at)


def closed_ms(one, events, struck_at):
    """From then to the end of the host; None: it was stopped."""
    at = one.host.owner.value(
        "select extract(epoch from min(at))::float8 from ccp.events"
        " where host_id = %s and id > %s and type = 'host.unavailable'",
        [one.host.id, events],
    )
    return at and ms_from(struck_at, at)


def ms_from(struck_at, at):
    """To a time of the database's."""
    return round((at - time.time() + now() - struck_at) * 1000)


def strike(fault, hosts):
    until_random_time(PAUSE_MAX_S)
    struck_at = now()
    fault.act(hosts)
    return struck_at


def outcome(one, fault, events, evidence):
    """What the flood says when the host is closed, or lives on; what was asked of it then."""
    if one.kind not in fault.closes:
        assert one.flood.more() > 0, f"{one.kind}: lives on"
        return one.flood.tell("stop")
    one.host.wait_event("host.stopped" if fault.act is stopped else "host.unavailable", events)
    assert one.flood.more() == 0, f"{one.kind}: is closed"
    told = one.flood.tell("stop")
    rows = one.host.owner.rows(
        "select checks from ccp.verifications where host_id = %s and id > %s", [one.host.id, evidence]
    )
    failed = {check["name"] for check in itertools.chain(*(row[0] for row in rows)) if check["outcome"] == "failed"}
    assert fault.check in failed | {""}, (one.kind, failed)
    return told
