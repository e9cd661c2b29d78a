"""A host's own traffic may fill its tunnel: that shows nothing of its exit, hides nothing, and harms no other."""

import contextlib

import pytest
from support.wait import wait_until

PREAMBLE = """
import contextlib, itertools, socket, struct
resolver, echo = ("198.18.0.53", 53), ("198.18.0.11", 9)
def send(s, data, to):
    with contextlib.suppress(OSError):
        s.sendto(data, to)
def udp():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
"""
FLOODS = {
    "udp": """
s = udp()
while True:
    send(s, b"x" * 1200, echo)
""",
    "dns": """
s = udp()
name = b"\\1x\\5check\\3lab\\7example\\0"
for n in itertools.count():
    send(s, struct.pack(">HHHHHH", n % 65536, 256, 1, 0, 0, 0) + name + b"\\0\\1\\0\\1", resolver)
""",
    "icmp": """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
while True:
    send(s, b"\\x08\\0\\xf7\\xff" + bytes(1200), (echo[0], 0))
""",
    "syn": """
while True:
    with socket.socket() as s:
        s.setblocking(False)
        s.connect_ex((echo[0], 9))
""",
    "connections": """
for n in itertools.count():
    with udp() as s:
        send(s, b"x", (f"198.19.{n >> 8 & 255}.{n & 255}", 1024 + (n >> 16) % 60000))
""",
}
MARK = "ccp-test-flood"
ROUNDS = 3  # so many that show nothing would end a host


@pytest.fixture(scope="module")
def neighbour(agent):
    """Another tenant of the same node."""
    one = agent.host()
    one.task("host.create")
    yield one.running()
    one.task("host.delete", '{"wipe": true}')


def inside(host, *words):
    return host.agent.stack.docker("exec", host.container, *words)


def sent(host):
    return int(inside(host, "cat", "/sys/class/net/tun0/statistics/tx_packets"))


@contextlib.contextmanager
def flood(host, kind):
    """As much of it as two processes can send."""
    before = sent(host)
    for _ in range(2):
        host.agent.stack.docker("exec", "-d", host.container, "python3", "-c", f"# {MARK}\n{PREAMBLE}{FLOODS[kind]}")
    try:
        wait_until(lambda: sent(host) > before + 5000, "the flood is in the tunnel")
        yield
    finally:
        host.run("pkill", "-KILL", "-f", MARK)


def rounds(host, since):
    """(kind, outcome, code, {check: (outcome, detail)}) of what did not pass, or was a full check, since then."""
    return [
        (kind, outcome, code, {one["name"]: (one["outcome"], one["detail"]) for one in checks})
        for kind, outcome, code, checks in host.owner.rows(
            "select kind, outcome, error_code, checks from ccp.verifications"
            " where host_id = %s and id > %s order by id",
            [host.id, since],
        )
    ]


def last_round(host):
    return host.owner.value("select coalesce(max(id), 0) from ccp.verifications")


def times_proven(host, times):
    """Waits until its exit has been proven so many times more."""
    for _ in range(times):
        last = proven_at(host)
        wait_until(lambda last=last: proven_at(host) > last, "the exit is proven again")


def proven_at(host):
    return host.owner.value("select proven_at from ccp.observations where host_id = %s", [host.id])


@pytest.fixture
def often(agent):
    """Light checks follow each other."""
    with agent.stack.settings(verify_light_s=1):
        yield


@pytest.mark.usefixtures("often")
def test_rounds_beside_a_flood_of_the_shared_resolver_keep_the_neighbour(host, neighbour):
    started, since = neighbour.pid, last_round(neighbour)
    with flood(host, "dns"):
        times_proven(neighbour, ROUNDS)
    assert (neighbour.status, neighbour.pid) == ("running", started)
    for kind, outcome, code, checks in rounds(neighbour, since):
        if outcome != "passed":
            assert (outcome, code) == ("inconclusive", "inconclusive"), (kind, checks)
            assert checks["exit_ip"][0] == "passed", checks
            assert "alive but busy" in checks["dns"][1], checks


@pytest.mark.usefixtures("often")
def test_a_resolver_that_answers_over_tcp_alone_is_busy_and_no_reason_to_end_a_host(host):
    """As a flood leaves it at its height: every datagram is lost, and connections are served."""
    lab, started, since = host.agent.lab, host.pid, last_round(host)
    lab.run("dns", "drown")
    times_proven(host, ROUNDS)
    status, code, message, _ = host.wait_task(host.insert("host.verify"))
    lab.run("dns", "start")
    assert (status, code) == ("failed", "inconclusive"), message
    assert "answered for 0 of 3 names over UDP, 3 over TCP" in message
    seen = rounds(host, since)
    assert len(seen) >= ROUNDS
    for kind, outcome, code, checks in seen:
        assert (outcome, code) == ("inconclusive", "inconclusive"), (kind, checks)
        assert checks["exit_ip"][0] == "passed", checks
        assert "UDP: no answer, TCP: " in checks["dns"][1], checks
    assert (host.status, host.pid) == ("running", started)


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_ends_neither_its_own_host_nor_another(host, neighbour, kind):
    with flood(host, kind):
        tasks = [one.insert("host.verify") for one in (host, neighbour)]
        host.wait_succeeded(tasks[0])
        beside = neighbour.wait_task(tasks[1])
    # The resolver is the exit's, and other hosts': its silence alone is nobody's fault.
    assert beside[:2] in (("succeeded", None), ("failed", "inconclusive")), beside
    assert (host.status, neighbour.status) == ("running", "running")


def test_a_flood_hides_no_dead_resolver_and_no_other_exit(host, neighbour):
    """A target that is no name still answers, so it is the resolver that is silent and not the tunnel."""
    lab, owner = host.agent.lab, host.agent.owner
    owner.rows("update ccp.settings set value = '[\"198.18.0.81:443\"]' where name = 'connect_targets'")
    with flood(host, "udp"):
        lab.run("dns", "stop")
        tasks = [one.insert("host.verify") for one in (host, neighbour)]
        ended = [one.wait_task(task) for one, task in zip((host, neighbour), tasks, strict=True)]
        lab.run("dns", "start")
        assert [one[:2] for one in ended] == [("failed", "dns_failed")] * 2, ended
    host.running()
    neighbour.running()
    with flood(host, "udp"):
        lab.run("swap-exit", "1")
        status, code, message, _ = host.wait_task(host.insert("host.verify"))
        lab.run("restore")
        assert (status, code) == ("failed", "exit_mismatch"), message
