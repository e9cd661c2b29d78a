"""The fake internet does what its users rely on; every oracle of the other tests is tried here first."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest
from ccplab import authority, capture, netns, network, pins, plan, process, uapi
from dnslib import RCODE, DNSRecord
from support.own_lab import INSIDE, Conversation
from support.wait import WAIT_S, wait_until

SILENT_S = 2  # where no answer is to come


def root_network():
    """Addresses and routes of the root namespace."""
    return netns.run("ip", "address"), netns.run("ip", "route", "show", "table", "all")


def test_a_client_leaves_as_the_exit_and_nothing_else_crosses_the_uplink(own_lab, tmp_path):
    file = tmp_path / "uplink.pcap"
    own_lab.run("capture", "start", file)
    client = own_lab.client()
    assert [client.echo(number) for number in plan.ECHOES] == ["203.0.113.1"] * 5
    with client.connect(plan.TARGETS[2], 443):
        pass
    name = f"unique-{os.getpid()}.{plan.CHECK_ZONE}"
    assert client.address_of(name) == [plan.CHECK_ADDRESS]
    own_lab.run("capture", "stop", file)
    assert int(own_lab.run("capture", "count", file)) > 20
    assert int(own_lab.run("capture", "count", "--not-tunnel", file)) == 0
    asked = [json.loads(line) for line in own_lab.run("dns", "log").splitlines()]
    assert [(q["client"], q["type"]) for q in asked if q["name"] == name] == [("203.0.113.1", "A")]
    (peer,) = own_lab.peers()
    assert (peer["exit"], peer["public_key"]) == (1, client.key)
    assert peer["allowed_ips"] == [f"{INSIDE}/32"]
    assert peer["last_handshake"] > 0 and peer["rx_bytes"] > 0 and peer["tx_bytes"] > 0


def test_a_capture_sees_exactly_the_one_packet_that_is_let_out(own_lab, tmp_path):
    file = tmp_path / "uplink.pcap"
    client = own_lab.client()
    own_lab.run("capture", "start", file)
    assert client.echo() == "203.0.113.1"
    own_lab.run("let-out")
    own_lab.run("capture", "stop")
    assert int(own_lab.run("capture", "count", file, "--not-tunnel")) == 1
    (stray,) = capture.packets(own_lab.plan, file, not_tunnel=True)
    assert stray.data.endswith(b"ccplab let out")


def test_tcpdump_reads_a_capture_as_we_do(own_lab, tmp_path):
    """A reader of the file without our tools finds the tunnel's packets, and those let out on purpose."""
    file = tmp_path / "uplink.pcap"
    client = own_lab.client()

    def strays(*meanwhile):
        own_lab.run("capture", "start", file)
        assert client.echo() == "203.0.113.1"
        if meanwhile:
            subprocess.run(meanwhile, check=True)
        own_lab.run("capture", "stop", file)
        assert len(netns.run("tcpdump", "-nr", str(file), f"udp port {plan.PORT}").splitlines()) > 5
        return netns.run("tcpdump", "-nr", str(file), "not", "udp", "port", str(plan.PORT)).splitlines()

    assert strays() == []
    send = f"echo stray >/dev/udp/{own_lab.plan.exit(1).endpoint}/9"
    (stray,) = strays("nsenter", f"--net={netns.path(own_lab.plan.uplink)}", "bash", "-c", send)
    assert f"{own_lab.plan.exit(1).endpoint}.9: UDP, length 6" in stray


def test_a_capture_is_complete_when_stop_returns(own_lab, tmp_path):
    file = tmp_path / "burst.pcap"
    own_lab.run("capture", "start", file)
    with netns.inside(own_lab.plan.uplink), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(20000):
            sock.sendto(b"burst", (own_lab.plan.exit(2).endpoint, 9))
    own_lab.run("capture", "stop", file)
    assert int(own_lab.run("capture", "count", file)) == 20000
    by_tcpdump = netns.run("tcpdump", "-nr", str(file), "udp", "dst", "port", "9").splitlines()
    assert len(by_tcpdump) == 20000


def test_a_swapped_exit_changes_what_established_flows_leave_as(own_lab):
    client = own_lab.client(exit=2)
    talk = Conversation(client, plan.ECHOES[1])
    assert talk.ask() == "203.0.113.2"
    own_lab.run("swap-exit", 2)
    talk.http.sock.settimeout(SILENT_S)
    with pytest.raises(OSError):
        talk.ask()
    assert client.echo() == "203.0.113.102"
    own_lab.run("restore")
    assert client.echo() == "203.0.113.2"


def test_one_echo_source_lies_or_is_down_while_the_others_are_right(own_lab):
    client = own_lab.client()
    own_lab.run("echo", "lie", 3, "203.0.113.66")
    own_lab.run("echo", "down", 4)
    assert [client.echo(number) for number in (1, 2, 3, 5)] == ["203.0.113.1"] * 2 + ["203.0.113.66", "203.0.113.1"]
    with pytest.raises(ConnectionRefusedError):
        client.echo(4)
    assert "1 to 5" in own_lab.run("echo", "down", 6, fails=True)
    own_lab.run("echo", "restore")
    assert [client.echo(number) for number in plan.ECHOES] == ["203.0.113.1"] * 5


def test_the_resolver_stops_starts_and_lies_as_told(own_lab):
    client = own_lab.client()
    name = f"echo2.{plan.ZONE}"
    assert client.address_of(name) == [plan.ECHOES[2]]
    own_lab.run("dns", "stop")
    assert client.ask(name, timeout_s=SILENT_S) is None
    own_lab.run("dns", "hijack", "203.0.113.99")
    assert client.address_of(name) == ["203.0.113.99"]
    own_lab.run("restore")
    assert client.address_of(name) == [plan.ECHOES[2]]


def test_the_resolver_knows_the_lab_and_nothing_else(own_lab):
    client = own_lab.client()
    missing = client.ask("nobody.example.org")
    assert RCODE[missing.header.rcode] == "NXDOMAIN"
    six = client.ask(f"echo1.{plan.ZONE}", "AAAA")
    assert [str(record.rdata) for record in six.rr] == [plan.address6(plan.ECHOES[1])]
    empty = client.ask(f"echo1.{plan.ZONE}", "TXT")
    assert (RCODE[empty.header.rcode], empty.rr) == ("NOERROR", [])
    assert client.address_of(f"ECHO1.{plan.ZONE.upper()}") == [plan.ECHOES[1]]
    query = DNSRecord.question(f"target1.{plan.ZONE}").pack()
    with client.connect(plan.DNS_ADDRESS, 53) as tcp:
        tcp.sendall(len(query).to_bytes(2, "big") + query)
        answer = tcp.makefile("rb")
        answer = DNSRecord.parse(answer.read(int.from_bytes(answer.read(2), "big")))
    assert [str(record.rdata) for record in answer.rr] == [plan.TARGETS[1]]


def test_garbage_is_refused_and_does_no_harm(own_lab):
    client = own_lab.client()
    for port, address in ((80, plan.ECHOES[1]), (53, plan.DNS_ADDRESS)):
        with client.connect(address, port) as sock:
            sock.sendall(os.urandom(9000))
            try:
                while sock.recv(4096):
                    pass
            except (ConnectionResetError, TimeoutError):
                pass
    with client.connect(plan.ECHOES[1], 80) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 405 ")
    assert client.echo() == "203.0.113.1"
    assert client.address_of(f"echo1.{plan.ZONE}") == [plan.ECHOES[1]]
    assert (own_lab.directory / "log" / "internet.log").read_text() == ""


def test_a_frozen_exit_is_silent_and_a_thawed_one_goes_on(own_lab):
    client = own_lab.client()
    assert client.echo() == "203.0.113.1"
    own_lab.run("freeze", 1)
    with pytest.raises(TimeoutError):
        client.connect(plan.ECHOES[1], 80, timeout_s=SILENT_S)
    assert "frozen" in own_lab.run("peers", fails=True)
    own_lab.run("thaw", 1)
    assert client.echo() == "203.0.113.1"


def test_targets_answer_with_the_labs_certificate_a_status_and_as_many_bytes_as_asked_for(own_lab):
    client = own_lab.client()
    trust = ssl.create_default_context(cafile=authority.certificate(own_lab.plan))
    for number, address in plan.TARGETS.items():
        for port, tls in ((plan.TARGET_PORT, trust), (80, None)):
            talk = http.client.HTTPConnection(address, timeout=WAIT_S)
            raw = client.connect(address, port)
            talk.sock = tls.wrap_socket(raw, server_hostname=f"target{number}.{plan.ZONE}") if tls else raw
            talk.request("HEAD", "/")
            head = talk.getresponse()
            assert head.status == 200 and head.read() == b""
            talk.request("GET", "/bytes/1000000")
            assert len(talk.getresponse().read()) == 1000000
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(client.connect(plan.TARGETS[1], 443), server_hostname="target1")
    assert (own_lab.directory / "log" / "internet.log").read_text() == ""


def test_a_handshake_with_a_target_is_more_than_one_packet(own_lab, tmp_path):
    """So that what a certificate needs to come through is a way for full-size packets."""
    file = tmp_path / "net.pcap"
    client = own_lab.client()
    own_lab.run("capture", "start", file, "--at", "net")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    bare.wrap_socket(client.connect(plan.TARGETS[1], 443)).close()
    own_lab.run("capture", "stop", file)
    came = [len for len in (int.from_bytes(packet.data[2:4], "big") for packet in capture.read(file)) if len > 1400]
    assert len(came) >= 2 or sum(came) > 3000


def test_a_silent_address_takes_a_connection_and_says_nothing(own_lab):
    with own_lab.client().connect(plan.SILENT[2], 80) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sock.settimeout(SILENT_S)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_the_query_log_is_told_by_exit(own_lab):
    one, two = own_lab.client(1), own_lab.client(2, "198.18.130.8")
    own_lab.run("swap-exit", 2)
    for client, name in ((one, "first"), (two, "second")):
        assert client.address_of(f"{name}.{plan.CHECK_ZONE}") == [plan.CHECK_ADDRESS]

    def names(*words):
        lines = own_lab.run("dns", "log", *words).splitlines()
        return [json.loads(line)["name"].partition(".")[0] for line in lines]

    assert (names("--exit", 1), names("--exit", 2), names()) == (["first"], ["second"], ["first", "second"])


def test_the_exits_run_the_engine_that_the_hosts_run(own_lab):
    pid = json.loads((own_lab.directory / "processes" / "exit1.json").read_text())["pid"]
    assert os.environ.get("CCP_WIREGUARD_GO") or os.readlink(f"/proc/{pid}/exe") == pins.path("engine")


def test_help_names_every_command_and_what_each_takes(own_lab):
    text = own_lab.run("help")
    for word in ("up", "down", "env", "swap-exit", "dns", "echo", "freeze", "capture", "peer", "provider", "let-out"):
        assert f"\n    {word} " in text
    assert "--exit N" in own_lab.run("help", "dns")


def test_a_removed_peer_gets_no_answer_any_more(own_lab):
    client = own_lab.client()
    assert client.echo() == "203.0.113.1"
    own_lab.run("peer", "remove", 1, client.key)
    assert own_lab.peers() == []
    with pytest.raises(TimeoutError):
        client.connect(plan.ECHOES[1], 80, timeout_s=SILENT_S)


def test_there_is_no_way_out_of_the_lab(own_lab):
    routes = [line.split()[:3] for line in netns.run("ip", "-n", own_lab.plan.uplink, "route").splitlines()]
    assert routes == [["198.51.100.1", "dev", "exit1"], ["198.51.100.2", "dev", "exit2"]]
    for name in own_lab.plan.namespaces:
        assert "default" not in netns.run("ip", "-n", name, "route", "show", "table", "all")
    client = own_lab.client()
    with pytest.raises(OSError):
        client.connect("192.0.2.2", 80, timeout_s=SILENT_S)
    with netns.inside(own_lab.plan.uplink), pytest.raises(OSError):
        socket.create_connection(("192.0.2.2", 80), SILENT_S)


def test_two_labs_stand_side_by_side(make_lab):
    one, two = make_lab("a"), make_lab("b")
    first, second = one.client(), two.client()
    one.run("swap-exit", 1)
    assert (first.echo(), second.echo()) == ("203.0.113.101", "203.0.113.1")
    first.end()
    one.run("down")
    assert second.echo() == "203.0.113.1"


def test_a_lab_serves_one_stack_and_refuses_a_second(own_lab, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    own_lab.run("up", "--stack", one)
    own_lab.run("up", "--stack", one)
    own_lab.run("up")
    for words in (("up",), ("provider", "start", "--database", "host=/nowhere")):
        sentence = own_lab.run(*words, "--stack", two, fails=True)
        assert f"serves the stack in {one}" in sentence and "CCP_LAB_PREFIX" in sentence
    assert "left alone" in own_lab.run("down", "--stack", two)
    assert netns.exists(own_lab.plan.uplink)
    own_lab.run("down", "--stack", one)
    assert not netns.exists(own_lab.plan.uplink)
    two.mkdir()
    own_lab.run("up", "--stack", two)
    two.rmdir()  # it is gone without a word
    own_lab.run("up", "--stack", one)


def test_up_and_down_may_be_repeated_and_keys_stay(own_lab):
    def pids():
        return [json.loads(file.read_text())["pid"] for file in sorted(own_lab.directory.glob("processes/*.json"))]

    before, env = pids(), own_lab.run("env")
    own_lab.run("up")
    assert len(before) == 5 and pids() == before
    own_lab.run("down")
    own_lab.run("down")
    own_lab.run("up")
    assert own_lab.run("env") == env
    assert set(pids()).isdisjoint(before)


def test_up_brings_back_what_has_died(own_lab):
    for name in ("exit1", "internet"):
        pid = json.loads((own_lab.directory / "processes" / f"{name}.json").read_text())["pid"]
        with process.Handle(pid) as handle:
            handle.signal(9)
            assert handle.wait(5)
    own_lab.run("up")
    assert own_lab.client().echo() == "203.0.113.1"


def test_down_leaves_nothing_even_without_its_records(own_lab):
    own_lab.run("capture", "start", own_lab.directory / "x.pcap")
    pids = [json.loads(file.read_text())["pid"] for file in own_lab.directory.glob("processes/*.json")]
    assert len(pids) == 6
    for name in ("exit1", "internet"):
        (own_lab.directory / "processes" / f"{name}.json").unlink()
    own_lab.run("down", "--purge")
    assert [pid for pid in pids if lives(pid)] == []
    assert not any(netns.exists(name) for name in own_lab.plan.namespaces)
    assert own_lab.prefix + "-" not in Path("/proc/self/mountinfo").read_text()
    assert not list(Path("/var/run/wireguard").glob(f"{own_lab.prefix}*"))
    assert not own_lab.directory.exists()


def lives(pid):
    """A dead process that has not been waited for yet does not live."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_root_namespace_gets_no_address_and_no_route(make_lab):
    make_lab()
    addresses, routes = root_network()
    for text in ("198.51.100.", "203.0.113.", "198.18.", "198.19."):
        assert text not in addresses and text not in routes


def test_bad_arguments_are_refused_with_a_sentence(own_lab):
    for words, sentence in (
        (("swap-exit", 3), "exits 1 and 2"),
        (("peer", "add", 1, "x", INSIDE), "base64 of 32 bytes"),
        (("peer", "add", 1, network.public_key(own_lab.plan, own_lab.plan.exit(1)), "10.0.0.1"), "198.18.128.0/17"),
        (("dns", "hijack", "nowhere"), "nowhere"),
        (("capture", "count", "/nowhere"), "no file"),
        (("provider", "start"), "--database"),
    ):
        assert sentence in own_lab.run(*words, fails=True)


# The provider, against a database that has nothing but the view it reads.


@pytest.fixture
def portal(cluster):
    """A database with a table in place of the view ccp.exit_peers."""
    name = "lab_portal"
    cluster.database("postgres").rows(f"drop database if exists {name}")
    cluster.database("postgres").rows(f"create database {name}")
    database = cluster.database(name)
    database.rows(
        """create schema ccp;
        create table ccp.exit_peers (egress_ip_id uuid, exit_public_key text, host_public_key text,
            peer_address cidr, peer_address6 cidr, host_id uuid)"""
    )
    yield database
    cluster.database("postgres").rows(f"drop database {name} with (force)")


def put(database, exit_key, host_key, address):
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into ccp.exit_peers (exit_public_key, host_public_key, peer_address) values (%s, %s, %s)",
            (exit_key, host_key, address),
        )
        cursor.execute("notify ccp_event")
        connection.commit()


def make_key():
    return netns.run("wg", "pubkey", stdin=netns.run("wg", "genkey")).strip()


def test_the_provider_puts_and_drops_peers_as_the_view_says(own_lab, portal):
    one, two = (network.public_key(own_lab.plan, exit) for exit in own_lab.plan.exits.values())
    by_hand, host = make_key(), make_key()
    own_lab.run("peer", "add", 2, by_hand, "198.18.129.1")
    put(portal, one, host, "198.18.130.1/32")
    own_lab.run("provider", "start", "--database", portal.conninfo())
    own_lab.run("provider", "start", "--database", portal.conninfo())

    def present():
        return {(peer["exit"], peer["public_key"], *peer["allowed_ips"]) for peer in own_lab.peers()}

    kept = (2, by_hand, "198.18.129.1/32")
    wait_until(lambda: present() == {kept, (1, host, "198.18.130.1/32")}, "the first peer is there")
    put(portal, two, host, "198.18.130.2/32")
    put(portal, "not a key", host, "198.18.130.3/32")
    put(portal, two, make_key(), "10.0.0.1/32")
    put(portal, make_key(), host, "198.18.130.4/32")
    wanted = {kept, (1, host, "198.18.130.1/32"), (2, host, "198.18.130.2/32")}
    wait_until(lambda: present() == wanted, "the second peer is there, and no refused one")
    portal.rows("delete from ccp.exit_peers where exit_public_key = %s", [one])  # no ring: the rescan finds it
    wait_until(lambda: present() == wanted - {(1, host, "198.18.130.1/32")}, "the first peer is gone")


def test_the_provider_registers_a_peer_when_the_database_rings(own_lab, portal):
    """Each comes just after it has looked. By itself it would look again a second later, never sooner."""
    own_lab.run("provider", "start", "--database", portal.conninfo())
    exit = own_lab.plan.exit(1)
    key = network.public_key(own_lab.plan, exit)
    took = []
    for number in range(1, 21):
        host = make_key()
        put(portal, key, host, f"198.18.131.{number}/32")
        start = time.monotonic()
        while uapi.key_to_hex(host) not in uapi.peers(exit.engine):
            assert time.monotonic() - start < WAIT_S
        took.append(time.monotonic() - start)
    assert min(took) < 0.5, took


def test_the_provider_gives_a_peer_its_preshared_key(own_lab, portal, tmp_path):
    secret = tmp_path / "psk"
    secret.write_text(netns.run("wg", "genpsk"))
    own_lab.run("psk", INSIDE, secret)
    own_lab.run("provider", "start", "--database", portal.conninfo())
    client = own_lab.client(register=False, preshared=uapi.key_to_hex(secret.read_text()))
    put(portal, network.public_key(own_lab.plan, own_lab.plan.exit(1)), client.key, f"{INSIDE}/32")
    wait_until(lambda: [peer["preshared"] for peer in own_lab.peers()] == [True], "the peer has its key")
    client.connect(plan.ECHOES[1], 80).close()
    assert client.echo() == "203.0.113.1"


def test_the_provider_outlives_its_connections_and_a_frozen_exit(own_lab, portal):
    one, two = (network.public_key(own_lab.plan, exit) for exit in own_lab.plan.exits.values())
    own_lab.run("provider", "start", "--database", portal.conninfo())
    portal.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lab-provider'")
    own_lab.run("freeze", 1)
    stuck, host = make_key(), make_key()
    put(portal, one, stuck, "198.18.132.1/32")
    put(portal, two, host, "198.18.132.2/32")
    second = own_lab.plan.exit(2).engine
    wait_until(lambda: uapi.key_to_hex(host) in uapi.peers(second), "the other exit has its peer")
    own_lab.run("thaw", 1)
    wait_until(lambda: stuck in {peer["public_key"] for peer in own_lab.peers()}, "the thawed exit has its")


def test_the_provider_waits_for_a_database_that_is_away(own_lab, tmp_path):
    own_lab.run("provider", "start", "--database", f"host={tmp_path} dbname=nothing")
    assert json.loads((own_lab.directory / "processes" / "provider.json").read_text())["database"].startswith("host=")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"host={tmp_path} dbname=nothing")
    own_lab.run("provider", "stop")
    assert not (own_lab.directory / "processes" / "provider.json").exists()
