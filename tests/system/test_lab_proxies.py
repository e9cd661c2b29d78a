"""The lab's proxies: each kind carries a client out as its exit's address, and the uplink shows nothing else."""

import contextlib
import json
import socket

import pytest
from ccplab import capture, netns, plan, proxies
from dnslib import DNSRecord
from support.wait import WAIT_S, wait_until

SILENT_S = 2  # where no answer is to come
WITHOUT_UDP = {"http", "http-auth", "https-auth"}
LARGE = 4000  # bytes of a datagram: more than the uplink's links carry in one piece


def resolve_over_tcp(client, name):
    query = DNSRecord.question(name).pack()
    with client.connect(plan.DNS_ADDRESS, 53) as tcp:
        tcp.sendall(len(query).to_bytes(2, "big") + query)
        answer = tcp.makefile("rb")
        answer = DNSRecord.parse(answer.read(int.from_bytes(answer.read(2), "big")))
    return [str(record.rdata) for record in answer.rr]


@pytest.mark.parametrize("kind", proxies.KINDS)
def test_a_client_of_each_kind_leaves_as_the_exit_and_nothing_else_crosses_the_uplink(own_lab, tmp_path, kind):
    file = tmp_path / "uplink.pcap"
    own_lab.run("capture", "start", file)
    client = own_lab.proxy_client(kind)
    assert [client.echo(number) for number in plan.ECHOES] == ["203.0.113.1"] * 5
    assert resolve_over_tcp(client, f"tcp.{plan.CHECK_ZONE}") == [plan.CHECK_ADDRESS]
    if kind not in WITHOUT_UDP:
        assert client.address_of(f"udp.{plan.CHECK_ZONE}") == [plan.CHECK_ADDRESS]
    client.end()
    own_lab.run("capture", "stop", file)
    assert int(own_lab.run("capture", "count", file, "--not-tunnel", "--proxy", kind)) == 0
    assert int(own_lab.run("capture", "count", file, "--not-tunnel")) > 20
    asked = [json.loads(line) for line in own_lab.run("dns", "log").splitlines()]
    assert {question["client"] for question in asked} == {"203.0.113.1"}
    assert len(asked) == (1 if kind in WITHOUT_UDP else 2)


def test_proxies_of_one_kind_do_not_excuse_packets_of_another(own_lab, tmp_path):
    file = tmp_path / "uplink.pcap"
    own_lab.run("capture", "start", file)
    client = own_lab.proxy_client("socks5-auth", exit=2)
    assert client.echo() == "203.0.113.2"
    assert client.address_of(f"echo1.{plan.ZONE}") == [plan.ECHOES[1]]
    own_lab.run("let-out")
    own_lab.run("capture", "stop", file)
    count = ("capture", "count", file, "--not-tunnel")
    assert int(own_lab.run(*count, "--proxy", "socks5-auth")) == 1
    assert int(own_lab.run(*count, "--proxy", "tuic", "--proxy", "socks5-auth")) == 1
    assert int(own_lab.run(*count, "--proxy", "trojan-tls")) > 10
    assert "no kind of proxy" in own_lab.run(*count, "--proxy", "nothing", fails=True)


def test_fragments_of_a_proxys_datagram_are_its_own_and_others_are_not(own_lab, tmp_path):
    file = tmp_path / "uplink.pcap"
    exit, port = own_lab.plan.exit(1), proxies.kind("ss2022-128").port
    own_lab.run("capture", "start", file)
    with netns.inside(own_lab.plan.uplink), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(bytes(LARGE), (exit.endpoint, port))
        sock.sendto(bytes(LARGE), (exit.endpoint, 9))
    own_lab.run("capture", "stop", file)
    assert len(list(capture.packets(own_lab.plan, file))) == 6
    assert len(list(capture.packets(own_lab.plan, file, not_tunnel=True))) == 6
    strays = list(capture.packets(own_lab.plan, file, not_tunnel=True, kinds=["ss2022-128"]))
    assert len(strays) == 3


def test_ended_proxies_close_their_ports_and_started_ones_serve_again(own_lab):
    client = own_lab.proxy_client("socks5")
    assert client.echo() == "203.0.113.1"
    own_lab.run("proxies", "stop", 1)
    with netns.inside(own_lab.plan.uplink):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((own_lab.plan.exit(1).endpoint, 1080), WAIT_S)
        socket.create_connection((own_lab.plan.exit(2).endpoint, 1080), WAIT_S).close()
    own_lab.run("proxies", "start", 1)
    assert client.echo() == "203.0.113.1"
    own_lab.run("proxies", "stop", 1)
    own_lab.run("restore")
    assert client.echo() == "203.0.113.1"


def test_a_frozen_exit_freezes_its_proxies_and_a_swapped_one_swaps_their_address(own_lab):
    client = own_lab.proxy_client("trojan-tls")
    own_lab.run("swap-exit", 1)
    assert client.echo() == "203.0.113.101"
    own_lab.run("freeze", 1)
    with pytest.raises(OSError):
        client.echo(timeout_s=SILENT_S)
    own_lab.run("restore")
    wait_until(lambda: client.echo() == "203.0.113.1", "the thawed exit goes on")


def test_a_proxy_reaches_the_fake_internet_only(own_lab, tmp_path):
    """Not what stands on its uplink's side, which would stand in captures as if it had leaked."""
    file = tmp_path / "uplink.pcap"
    client = own_lab.proxy_client("vless-tcp")
    own_lab.run("capture", "start", file)
    with client.connect(own_lab.plan.exit(1).near, 80) as sock:
        sock.settimeout(WAIT_S)
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):  # another way to end it
            assert sock.recv(1) == b""
    own_lab.run("capture", "stop", file)
    assert int(own_lab.run("capture", "count", file, "--not-tunnel", "--proxy", "vless-tcp")) == 0


def test_secrets_of_proxies_are_files_that_root_alone_reads(own_lab):
    env = own_lab.env()
    assert env["LAB_PROXY_KINDS"].split() == list(proxies.KINDS)
    for exit in own_lab.plan.exits.values():
        for kind in proxies.KINDS.values():
            path = proxies.secret_file(own_lab.plan, exit, kind)
            assert env[f"LAB_EXIT{exit.number}_PROXY_{kind.variable}_SECRET"] == str(path)
            assert path.stat().st_mode & 0o777 == 0o600
            for secret in kind.secret.values():
                assert f'"{secret}"' not in env[f"LAB_EXIT{exit.number}_PROXY_{kind.variable}_CONFIG"]


def test_an_exit_with_other_keys_answers_none_of_its_clients_until_it_is_restored(own_lab):
    clients = [own_lab.client(), own_lab.proxy_client("trojan-tls"), own_lab.proxy_client("hysteria2")]
    name = f"rekeyed.{plan.CHECK_ZONE}"
    assert [client.address_of(name) for client in clients] == [[plan.CHECK_ADDRESS]] * 3
    own_lab.run("rekey", "1")
    assert [client.ask(name, timeout_s=SILENT_S) for client in clients] == [None] * 3
    own_lab.run("restore")
    for client in clients:
        wait_until(lambda: client.ask(name, timeout_s=SILENT_S), "the exit answers as before")  # noqa: B023


def test_an_exit_that_refuses_says_so_until_it_is_restored(own_lab):
    exit = own_lab.plan.exit(1)

    def connect():
        with netns.inside(own_lab.plan.uplink):
            return socket.create_connection((exit.endpoint, proxies.kind("trojan-tls").port), WAIT_S)

    def send():
        with netns.inside(own_lab.plan.uplink):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with udp:
            udp.settimeout(WAIT_S)
            udp.connect((exit.endpoint, plan.PORT))
            udp.send(b"x")
            udp.recv(1)

    connect().close()
    own_lab.run("refuse", "1")
    for attempt in (connect, send):
        with pytest.raises(ConnectionRefusedError):
            attempt()
    own_lab.run("restore")
    connect().close()
