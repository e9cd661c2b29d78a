"""A running host is moved from exit to exit: who is in stays, and what leaves goes by one proven exit or nowhere."""

import itertools
import json
import sys

import pytest
from support import exits
from support.host import Host
from support.paths import CHECKOUT
from support.stack import Lab
from support.wait import wait_until

sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))
from ccplab import capture

PROXIES = ("socks5-auth", "vless-tls", "hysteria2")  # two streams and one of datagrams
ROUNDS = 10  # there and back
# Bounded. Datagrams leave one socket all the time; a connection is made again when it has ended, which is written down.
UDP_FLOOD = """
import socket, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + 300
while time.monotonic() < end:
    try:
        udp.sendto(b'x' * 32, ('198.18.0.11', 9))
    except OSError:
        pass
    time.sleep(0.001)
"""
TCP_FLOOD = """
import errno, socket, time
told = open('/tmp/told', 'a', buffering=1)
end = time.monotonic() + 300
while time.monotonic() < end:
    try:
        with socket.create_connection(('198.18.0.81', 80), 5) as tcp:
            tcp.settimeout(60)
            tcp.sendall(b'GET /bytes/16 HTTP/1.1\\r\\nHost: target1.lab.example\\r\\n\\r\\n')
            assert tcp.recv(1)
            print('connected', file=told)
            while tcp.recv(65536):
                pass
            print('closed', file=told)
    except OSError as error:
        print(errno.errorcode.get(error.errno, error), file=told)
        time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def lab(stack):
    one = Lab(stack.environment["CCP_LAB_PREFIX"])
    yield one
    one.run("restore")


@pytest.fixture(scope="module")
def home(client):
    """The id of the exit that the host has: the lab's second, by WireGuard."""
    return client.guest.exit_id


@pytest.fixture(scope="module")
def others(client, lab, home):
    """Exits of each kind, by the lab's first: their ids."""
    address = client.guest.told("GET", f"/v1/admin/egress-ips/{home}")["wg_peer_address"]
    owner = client.host.owner
    rows = {"wireguard": exits.wireguard(lab, 1, address)} | {kind: exits.proxy(lab, owner, kind) for kind in PROXIES}
    return {kind: exits.insert(owner, f"{kind} of {client.name}", row) for kind, row in rows.items()}


@pytest.fixture
def host(client):
    return client.host.running()


def asked(host, exit_id):
    return host.insert("host.switch", json.dumps({"egress_ip_id": exit_id}))


def move(host, exit_id):
    return host.wait_succeeded(asked(host, exit_id))


def exit_of(host):
    return host.owner.value(
        "select egress_ip_id::text from ccp.bindings where host_id = %s and ended_at is null", [host.id]
    )


def address_of(host, stack):
    """Under which address the world sees it."""
    status, output = host.run("curl", "-s", "--max-time", "20", stack.env["CCP_ECHO_URL"])
    assert status == 0, output
    return output.strip()


def exits_in_turn(lab, path):
    """The endpoints of exits to which something was sent, as often as it was another than before."""
    known = {lab.env[f"LAB_EXIT{n}_ENDPOINT"].rpartition(":")[0]: n for n in (1, 2)}
    turns = []
    for packet in capture.read(path):
        ip = capture.Ip.of(packet)
        exit_number = ip and known.get(ip.target)
        if exit_number and turns[-1:] != [exit_number]:
            turns.append(exit_number)
    return turns


def told(host):
    """What the flood of connections has written down."""
    return host.run("cat", "/tmp/told")[1].split()


def ends_of(words):
    """How connections that were held have ended."""
    return {after for before, after in itertools.pairwise(words) if before == "connected"}


@pytest.mark.parametrize("kind", ["wireguard", *PROXIES])
def test_the_world_sees_the_other_exit_and_the_container_is_the_same(stack, host, home, others, lab, kind):
    container = host.container
    result = move(host, others[kind])
    assert result["exit_ip"] == lab.env["LAB_EXIT1_IP"] == address_of(host, stack)
    assert (exit_of(host), host.container) == (others[kind], container)
    assert host.task("host.verify")["exit_ip"] == lab.env["LAB_EXIT1_IP"]
    result = move(host, home)
    assert result["exit_ip"] == lab.env["LAB_EXIT2_IP"] == address_of(host, stack)
    assert (exit_of(host), host.container) == (home, container)


def test_an_ssh_session_lives_on_and_old_connections_end_at_once(client, host, home, others, lab, tmp_path):
    """Kinds mixed: to one after the other, and back each time."""
    Host(client.guest.stack).stopped()  # its keepalives would be turns
    session = client.hold("echo begun; while read -r line; do echo $line; done")
    path = tmp_path / "uplink.pcap"
    lab.run("capture", "start", str(path))
    host.run("rm", "-f", "/tmp/told")
    host.stack.docker("exec", "-d", host.container, "python3", "-c", UDP_FLOOD)
    host.stack.docker("exec", "-d", host.container, "python3", "-c", TCP_FLOOD)
    for kind in itertools.islice(itertools.cycle(others), ROUNDS):
        for to in (others[kind], home):
            wait_until(lambda: told(host)[-1:] == ["connected"], "a connection is held")
            move(host, to)
            session.stdin.write("still here\n")
            session.stdin.flush()
            assert session.stdout.readline() == "still here\n"
    lab.run("capture", "stop")
    own = [word for kind in PROXIES for word in ("--proxy", kind)]
    assert lab.run("capture", "count", str(path), "--not-tunnel", *own).split()[0] == "0"
    assert exits_in_turn(lab, path) == [2, *[1, 2] * ROUNDS]
    session.stdin.close()
    assert session.wait() == 0
    assert ends_of(told(host)) == {"ECONNABORTED"}


def test_an_exit_that_is_away_is_not_moved_to(stack, host, home, others, lab):
    container = host.container
    lab.run("freeze", "1")
    try:
        status, code, message, _ = host.wait_task(asked(host, others["wireguard"]))
        assert (status, code) == ("failed", "tunnel_no_handshake"), message
        assert (host.status, host.container, exit_of(host)) == ("running", container, home)
        assert address_of(host, stack) == lab.env["LAB_EXIT2_IP"]
        with stack.settings(switch_fallback="closed"):
            status, code, message, _ = host.wait_task(asked(host, others["wireguard"]))
            assert (status, code) == ("failed", "tunnel_no_handshake"), message
            assert (host.status, exit_of(host)) == ("unavailable", home)
            wait_until(lambda: host.pid is None, "nothing of it runs")
    finally:
        lab.run("thaw", "1")
    host.running()
    assert address_of(host, stack) == lab.env["LAB_EXIT2_IP"]


def test_a_changed_row_moves_the_host(client, host, home):
    container, after = host.container, host.last_event()
    row = client.guest.told("GET", f"/v1/admin/egress-ips/{home}")
    client.guest.told("PATCH", f"/v1/admin/egress-ips/{home}", {"wg_mtu": 1300})
    host.wait_event("host.switched", after)
    assert host.run("cat", "/sys/class/net/tun0/mtu")[1].strip() == "1300"
    assert (host.status, host.container, exit_of(host)) == ("running", container, home)
    after = host.last_event()
    client.guest.told("PATCH", f"/v1/admin/egress-ips/{home}", {"wg_mtu": row["wg_mtu"] or 1420})
    host.wait_event("host.switched", after)
