"""The way between the uplink and an exit swallows, loses and holds packets as it is told, and is restored."""

import contextlib
import http.client
import json
import socket
import time

import pytest
from ccplab import capture, netns, plan, process, proxies
from dnslib import DNSRecord
from support.own_lab import Conversation
from support.wait import WAIT_S, wait_until

SILENT_S = 2  # where no answer is to come
LINK_MTU = 1500
SMALL = 1000  # bytes: a request and its answer fit, not what a full packet of any tunnel carries
DOWNLOAD = 300_000
HOLD_MS = 100
QUESTIONS = 50  # at once: no queue on the way is as short


def fetch(client, path, headers, timeout_s):
    talk = Conversation(client, plan.ECHOES[1], timeout_s).http
    talk.request("GET", path, headers=headers)
    return talk.getresponse().read()


def downloads(client, timeout_s=WAIT_S):
    """Whether many full packets come from the exit."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return len(fetch(client, f"/bytes/{DOWNLOAD}", {}, timeout_s)) == DOWNLOAD
    return False


def uploads(client, timeout_s=WAIT_S):
    """Whether full packets come to the exit."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return fetch(client, "/", {"X-Pad": "x" * 6000}, timeout_s) == b"203.0.113.1\n"
    return False


def answers(client, patience_s):
    """How many of many questions at once are answered; every one is one datagram each way."""
    with netns.inside(client.namespace):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.connect((plan.DNS_ADDRESS, 53))
        sock.settimeout(patience_s)
        heard = set()
        for number in range(QUESTIONS):
            query = DNSRecord.question(f"q{number}.{plan.CHECK_ZONE}")
            query.header.id = number
            sock.send(query.pack())
        with contextlib.suppress(TimeoutError):
            while len(heard) < QUESTIONS:
                heard.add(sock.recv(4096)[:2])
        return len(heard)


def round_trip_s(client):
    talk = Conversation(client, plan.ECHOES[1])
    talk.ask()
    start = time.monotonic()
    talk.ask()
    return time.monotonic() - start


def sizes(file):
    return [int.from_bytes(packet.data[2:4], "big") for packet in capture.read(file)]


@pytest.fixture(params=["wireguard", "vless-tcp", "hysteria2"])
def client(own_lab, request):
    one = own_lab.client() if request.param == "wireguard" else own_lab.proxy_client(request.param)
    assert one.echo() == "203.0.113.1"
    return one


@pytest.mark.parametrize("client", ["wireguard", "vless-tcp"], indirect=True, scope="function")
def test_what_is_too_large_is_swallowed_both_ways_and_the_rest_passes(own_lab, client):
    """Not tried with QUIC, which begins with packets of more than that size."""
    assert downloads(client) and uploads(client)
    own_lab.run("mtu", 1, SMALL)
    assert client.echo() == "203.0.113.1"
    assert not downloads(client, SILENT_S)
    assert not uploads(client, SILENT_S)
    own_lab.run("mtu", 1, "off")
    wait_until(lambda: downloads(client, SILENT_S) and uploads(client, SILENT_S), "what was swallowed passes again")


def test_packets_on_a_way_that_was_set_are_those_that_a_real_one_sees(own_lab, client, tmp_path):
    """Not several in one, as links of one machine hand them over."""
    own_lab.run("mtu", 1, LINK_MTU)
    for at in ("uplink", "exit1"):
        own_lab.run("capture", "start", tmp_path / at, "--at", at)
    assert downloads(client) and uploads(client)
    own_lab.run("capture", "stop")
    assert SMALL < max(sizes(tmp_path / "uplink")) <= LINK_MTU


def test_the_share_that_is_asked_for_is_lost(own_lab):
    one, other = own_lab.client(), own_lab.client(2, "198.18.130.8")
    assert (one.echo(), other.echo()) == ("203.0.113.1", "203.0.113.2")
    assert answers(one, SILENT_S) == answers(other, SILENT_S) == QUESTIONS
    own_lab.run("loss", 1, 50)
    heard = sum(answers(one, SILENT_S) for _ in range(5))
    assert 0.1 * 5 * QUESTIONS < heard < 0.45 * 5 * QUESTIONS
    assert answers(other, SILENT_S) == QUESTIONS
    own_lab.run("loss", 1, 100)
    assert answers(one, SILENT_S) == 0
    own_lab.run("restore")
    assert answers(one, SILENT_S) == QUESTIONS


def test_each_packet_is_held_both_ways_and_none_is_lost(own_lab, client, tmp_path):
    file = tmp_path / "uplink.pcap"
    held_s = 2 * HOLD_MS / 1000
    assert min(round_trip_s(client) for _ in range(5)) < held_s
    own_lab.run("capture", "start", file)
    own_lab.run("delay", 1, HOLD_MS)
    assert min(round_trip_s(client) for _ in range(5)) >= held_s
    assert answers(client, 5 * SILENT_S) == QUESTIONS
    assert downloads(client) and uploads(client)
    own_lab.run("let-out")
    own_lab.run("delay", 1, "off")
    assert min(round_trip_s(client) for _ in range(5)) < held_s
    own_lab.run("capture", "stop", file)
    kinds = [client.kind.name] if hasattr(client, "kind") else []
    (stray,) = capture.packets(own_lab.plan, file, not_tunnel=True, kinds=kinds)
    assert stray.data.endswith(b"ccplab let out")


def test_all_three_may_be_set_and_are_restored_at_once(own_lab):
    client = own_lab.client()
    for what, value in (("delay", HOLD_MS), ("mtu", SMALL), ("loss", 100)):
        own_lab.run(what, 1, value)
    assert client.ask(f"echo1.{plan.ZONE}", timeout_s=SILENT_S) is None
    own_lab.run("loss", 1, "off")
    assert client.echo() == "203.0.113.1"
    assert not downloads(client, SILENT_S)
    assert round_trip_s(client) >= 2 * HOLD_MS / 1000
    own_lab.run("restore")
    assert downloads(client)
    assert min(round_trip_s(client) for _ in range(5)) < 2 * HOLD_MS / 1000


def test_up_brings_back_what_holds_packets_and_down_forgets_it(own_lab):
    client = own_lab.client()
    own_lab.run("delay", 1, HOLD_MS)
    pid = json.loads((own_lab.directory / "processes" / "hold1.json").read_text())["pid"]
    with process.Handle(pid) as handle:
        handle.signal(9)
        assert handle.wait(WAIT_S)
    own_lab.run("up")
    assert round_trip_s(client) >= 2 * HOLD_MS / 1000
    own_lab.run("down")
    own_lab.run("up")
    assert "hold1" not in {file.stem for file in own_lab.directory.glob("processes/*.json")}
    with netns.inside(own_lab.plan.uplink):
        start = time.monotonic()
        address = (own_lab.plan.exit(1).endpoint, proxies.kind("socks5").port)
        socket.create_connection(address, WAIT_S).close()
        assert time.monotonic() - start < 2 * HOLD_MS / 1000


def test_a_value_that_is_none_is_refused(own_lab):
    for words in (("mtu", 1, 10), ("loss", 1, 101), ("delay", 1, "long")):
        assert "whole number" in own_lab.run(*words, fails=True)
