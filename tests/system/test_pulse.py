"""A tunnel is asked every few seconds whether it works: one that is frozen is found, an exit that is away is noticed,
and one that was started again is greeted at once."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
from ccplab import proxies
from support.kill import arrived
from support.net import is_wall_open, namespace_of
from support.proxied import Proxied
from support.wait import wait_until

# Bounded. What a user's programs send, by datagrams and connections; nothing waits for an answer.
TRAFFIC = """
import contextlib, socket, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + 120
while time.monotonic() < end:
    with contextlib.suppress(OSError):
        udp.sendto(b"x" * 32, ("198.18.0.11", 9))
    with contextlib.suppress(OSError), socket.socket() as tcp:
        tcp.settimeout(0.05)
        tcp.connect(("198.18.0.12", 80))
    time.sleep(0.02)
"""
# A connection that is held: what was asked of it last is asked again when it was answered. Prints how long the longest
# answer took, once a line comes in and one more answer has come.
HELD = """
import select, socket, sys, time
longest, asked = 0, False
tcp = socket.create_connection(("198.18.0.11", 80), 60)
answers = tcp.makefile("rb")
print("held", flush=True)
while not asked:
    asked = bool(select.select([sys.stdin], [], [], 0.05)[0])
    begun = time.monotonic()
    tcp.sendall(b"GET / HTTP/1.1\\r\\nHost: echo1.lab.example\\r\\n\\r\\n")
    length = 0
    while (line := answers.readline()) != b"\\r\\n":
        assert line
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    assert answers.read(length)
    longest = max(longest, time.monotonic() - begun)
print(longest)
"""
BUSY = "while True: pass"
KINDS = ("wireguard", "socks5", "hysteria2")  # a process that carries packets, one a stream, one datagrams
PROMISED_S = 15  # from an engine's last act to a wall that is closed
STOP_S = 2  # a stop of so long is not frozen
BUSY_S = 20  # several rounds of the pulse
AWAY_S = 30
ROUNDS_S = 10  # several of the pulse
ONE_PACKET = """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.18.0.11", 9))
"""
# WireGuard itself begins again after 15 s of silence. The pulse does after 7.5 s at most.
GREETED_S = 14
# To one that is away WireGuard itself sends a handshake every 5 s and a bit.
BACK_S = 6


@pytest.fixture
def quiet(agent):
    """No check is due for minutes: what is found was found by the pulse."""
    with agent.stack.settings(verify_light_s=600, verify_full_s=600):
        yield


@pytest.fixture
def running(agent, quiet):
    """Makes a host that runs, with an exit of that kind; with it the pid of its engine."""
    made = []

    def make(kind):
        one = Proxied(agent, kind) if kind != "wireguard" else None
        host = one.host if one else agent.host()
        made.append(host)
        if not one:
            host.task("host.create")
        host.task("host.start")
        host.task("host.verify")  # which tells the agent of the settings
        return host, one.engine() if one else agent.engine_pids()[0]

    yield make
    for host in made:
        host.task("host.delete", '{"wipe": true}')


@contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield time.monotonic()
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def captured(agent, path):
    """What leaves the uplink meanwhile: tunnels alone. A proxy may still speak to an engine of before."""
    own = [word for kind in proxies.KINDS for word in ("--proxy", kind)]
    agent.lab.run("capture", "start", str(path))
    yield
    agent.lab.run("capture", "stop")
    assert int(agent.lab.run("capture", "count", str(path)).split()[0]) > 0
    assert agent.lab.run("capture", "count", str(path), "--not-tunnel", *own).split()[0] == "0"


def evidence_of(host):
    (row,) = host.owner.rows(
        "select outcome, error_code, checks from ccp.verifications where host_id = %s order by id desc limit 1",
        [host.id],
    )
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_engine_closes_its_host_and_nothing_leaves(agent, running, kind, tmp_path, record_property):
    host, engine = running(kind)
    after = host.last_event()
    came = arrived(agent.lab)
    with captured(agent, tmp_path / "uplink.pcap"), namespace_of(host.pid) as namespace:
        agent.stack.docker("exec", "-d", host.container, "python3", "-c", TRAFFIC)
        wait_until(lambda: arrived(agent.lab) > came, "its packets reach the exit")
        with stopped(engine) as begun:
            wait_until(lambda: not is_wall_open(namespace), "the wall is closed")
            took = time.monotonic() - begun
        host.wait_event("host.unavailable", after)
    record_property("seconds", took)
    assert took < PROMISED_S
    outcome, code, checks = evidence_of(host)
    assert (outcome, code) == ("failed", "tunnel_no_handshake" if kind == "wireguard" else "proxy_unreachable")
    assert ["is frozen" in check["detail"] for check in checks if check["name"] == "tunnel"] == [True], checks


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_of_two_seconds_ends_nothing_not_even_while_it_is_checked(running, kind):
    host, engine = running(kind)
    after, container = host.last_event(), host.container
    with stopped(engine):
        task = host.insert("host.verify")
        time.sleep(STOP_S)
    host.wait_succeeded(task)
    assert (host.status, host.container) == ("running", container)
    assert host.owner.rows("select 1 from ccp.events where id > %s and type = 'host.unavailable'", [after]) == []


def test_a_machine_that_is_busy_ends_no_host(agent, running):
    hosts = [running(kind)[0] for kind in KINDS]
    after = hosts[0].last_event()
    loops = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(6)]
    try:
        time.sleep(BUSY_S)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert [host.status for host in hosts] == ["running"] * len(hosts)
    assert agent.owner.rows("select 1 from ccp.events where id > %s and type = 'host.unavailable'", [after]) == []


@pytest.mark.parametrize("kind", [*KINDS, "http-auth"])  # which carries no datagrams
def test_an_exit_that_is_away_is_noticed_while_its_host_sends_and_its_return_costs_nothing(agent, running, kind):
    host, _ = running(kind)
    after, container = host.last_event(), host.container
    agent.stack.docker("exec", "-d", host.container, "python3", "-c", TRAFFIC)
    agent.lab.run("loss", "1", "100")
    try:
        noticed = "select 1 from ccp.verifications where host_id = %s and outcome = 'inconclusive'"
        wait_until(lambda: host.owner.rows(noticed, [host.id]), "no check was due, and one was made")
    finally:
        agent.lab.run("loss", "1", "off")
    wait_until(lambda: host.wait_task(host.insert("host.verify"))[0] == "succeeded", "it is there again")
    assert (host.status, host.container) == ("running", container)
    assert host.owner.rows("select 1 from ccp.events where id > %s and type = 'host.unavailable'", [after]) == []


def asked_by_pulses(agent):
    """How often the exits' resolver was asked for what nobody else asks it for."""
    return [json.loads(line)["name"] for line in agent.lab.run("dns", "log").splitlines()].count("localhost")


@pytest.mark.parametrize("kind", ["socks5", "http-auth"])  # by a datagram, and by the engine's TCP
def test_the_exit_of_a_host_that_sends_is_asked_and_that_of_an_idle_one_is_not(agent, running, kind):
    host, _ = running(kind)
    time.sleep(ROUNDS_S)  # what was sent last is asked about
    before = asked_by_pulses(agent)
    time.sleep(ROUNDS_S)
    assert asked_by_pulses(agent) == before
    host.run("python3", "-c", ONE_PACKET)
    wait_until(lambda: asked_by_pulses(agent) == before + 1, "it is asked")
    time.sleep(ROUNDS_S)
    assert asked_by_pulses(agent) == before + 1


@contextmanager
def held(host):
    """A user's connection; the longest time that an answer took is asked of it by calling what it gives."""
    words = ["nsenter", f"--net=/proc/{host.pid}/ns/net", sys.executable, "-c", HELD]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout.readline() == "held\n"

        def longest():
            one.stdin.write("\n")
            one.stdin.flush()
            return float(one.stdout.readline())

        yield longest
        one.kill()


def greetings(agent, host):
    return agent.log().count(f'event="an exit that was silent is greeted again" host={host.id}')


def test_an_exit_that_was_started_again_is_greeted_at_once_and_connections_go_on(agent, running, record_property):
    host, _ = running("wireguard")
    after, container, before = host.last_event(), host.container, greetings(agent, host)
    with held(host) as longest:
        agent.lab.run("restart", "1")
        wait_until(lambda: greetings(agent, host) > before, "the exit is greeted")
        took = longest()
    record_property("seconds", took)
    assert took < GREETED_S
    assert greetings(agent, host) == before + 1
    host.task("host.verify")
    assert (host.status, host.container) == ("running", container)
    assert host.owner.rows("select 1 from ccp.events where id > %s and type = 'host.unavailable'", [after]) == []


def test_an_exit_that_was_away_is_greeted_once_and_back_as_soon_as_it_is(agent, running, record_property):
    host, _ = running("wireguard")
    after, before = host.last_event(), greetings(agent, host)
    echo = ("curl", "-s", "-m", "1", "http://echo1.lab.example/")
    agent.stack.docker("exec", "-d", host.container, "python3", "-c", TRAFFIC)
    agent.lab.run("loss", "1", "100")
    try:
        time.sleep(AWAY_S)
    finally:
        agent.lab.run("loss", "1", "off")
    begun = time.monotonic()
    wait_until(lambda: host.run(*echo)[0] == 0, "it is there again")
    took = time.monotonic() - begun
    record_property("seconds", took)
    assert took < BACK_S + STOP_S, "WireGuard's own pause and one question"
    assert greetings(agent, host) == before + 1
    host.task("host.verify")
    assert host.owner.rows("select 1 from ccp.events where id > %s and type = 'host.unavailable'", [after]) == []
