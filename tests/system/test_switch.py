"""A running host is moved from exit to exit: who is in stays, and what leaves goes by one proven exit or nowhere."""

import json
import statistics
import sys

import pytest
from support.paths import CHECKOUT
from support.stack import Lab
from support.wait import wait_until

sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))
from ccplab import capture

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
ends = open('/tmp/ends', 'a', buffering=1)
end = time.monotonic() + 300
while time.monotonic() < end:
    try:
        with socket.create_connection(('198.18.0.81', 80), 5) as tcp:
            tcp.settimeout(60)
            tcp.sendall(b'GET /bytes/16 HTTP/1.1\\r\\nHost: target1.lab.example\\r\\n\\r\\n')
            began = time.monotonic()
            while tcp.recv(65536):
                pass
            tcp.recv(1)
    except OSError as error:
        print(errno.errorcode.get(error.errno, error), file=ends)
        time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def lab(stack):
    one = Lab(stack.environment["CCP_LAB_PREFIX"])
    yield one
    one.run("restore")


@pytest.fixture(scope="module")
def exits(client, lab):
    """The ids of two exits for one host: the one it has, which is the lab's second, and one that is the lab's first."""
    own = client.guest.told("GET", f"/v1/admin/egress-ips/{client.guest.exit_id}")
    fields = {
        "label": f"other of {client.name}",
        "ip_address": lab.env["LAB_EXIT1_IP"],
        "wg_endpoint": lab.env["LAB_EXIT1_ENDPOINT"],
        "wg_public_key": lab.env["LAB_EXIT1_PUBLIC_KEY"],
        "wg_dns_server": lab.env["LAB_DNS_SERVER"],
        "wg_peer_address": own["wg_peer_address"],
    }
    return own["id"], client.guest.told("POST", "/v1/admin/egress-ips", fields)["id"]


@pytest.fixture
def host(client):
    return client.host.running()


def move(host, exit_id):
    return host.task("host.switch", json.dumps({"egress_ip_id": exit_id}))


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


def test_the_world_sees_the_other_exit_and_the_container_is_the_same(stack, host, exits, lab):
    container, (first, other) = host.container, exits
    result = move(host, other)
    assert result["exit_ip"] == lab.env["LAB_EXIT1_IP"] == address_of(host, stack)
    assert (exit_of(host), host.container) == (other, container)
    assert host.task("host.verify")["exit_ip"] == lab.env["LAB_EXIT1_IP"]
    result = move(host, first)
    assert result["exit_ip"] == lab.env["LAB_EXIT2_IP"] == address_of(host, stack)
    assert (exit_of(host), host.container) == (first, container)


def test_an_ssh_session_lives_on_and_old_connections_end_at_once(client, host, exits, lab, tmp_path):
    session = client.hold("echo begun; while read -r line; do echo $line; done")
    path = tmp_path / "uplink.pcap"
    lab.run("capture", "start", str(path))
    host.run("rm", "-f", "/tmp/ends")
    host.stack.docker("exec", "-d", host.container, "python3", "-c", UDP_FLOOD)
    host.stack.docker("exec", "-d", host.container, "python3", "-c", TCP_FLOOD)
    closed_ms = []
    for _ in range(ROUNDS):
        for to in (exits[1], exits[0]):
            timings = move(host, to)["timings"]
            closed_ms.append(sum(timings[step] for step in ("leave", "wall", "tunnel", "examine", "verify", "prove")))
            session.stdin.write("still here\n")
            session.stdin.flush()
            assert session.stdout.readline() == "still here\n"
    lab.run("capture", "stop")
    assert lab.run("capture", "count", str(path), "--not-tunnel").split()[0] == "0"
    assert exits_in_turn(lab, path) == [2, *[1, 2] * ROUNDS]
    session.stdin.close()
    assert session.wait() == 0
    ends = host.run("cat", "/tmp/ends")[1].split()
    assert "ECONNABORTED" in ends
    assert "TimeoutError" not in ends
    print(f"closed_ms p50 {statistics.median(closed_ms):.0f} max {max(closed_ms):.0f} of {len(closed_ms)}")


def test_an_exit_that_is_away_is_not_moved_to(stack, host, exits, lab):
    container = host.container
    lab.run("freeze", "1")
    try:
        status, code, message, _ = host.wait_task(host.insert("host.switch", json.dumps({"egress_ip_id": exits[1]})))
        assert (status, code) == ("failed", "tunnel_no_handshake"), message
        assert (host.status, host.container, exit_of(host)) == ("running", container, exits[0])
        assert address_of(host, stack) == lab.env["LAB_EXIT2_IP"]
        with stack.settings(switch_fallback="closed"):
            status, code, message, _ = host.wait_task(
                host.insert("host.switch", json.dumps({"egress_ip_id": exits[1]}))
            )
            assert (status, code) == ("failed", "tunnel_no_handshake"), message
            assert (host.status, exit_of(host)) == ("unavailable", exits[0])
            wait_until(lambda: host.pid is None, "nothing of it runs")
    finally:
        lab.run("thaw", "1")
    host.running()
    assert address_of(host, stack) == lab.env["LAB_EXIT2_IP"]


def test_a_changed_row_moves_the_host(client, host, exits):
    container, after = host.container, host.last_event()
    row = client.guest.told("GET", f"/v1/admin/egress-ips/{exits[0]}")
    client.guest.told("PATCH", f"/v1/admin/egress-ips/{exits[0]}", {"wg_mtu": 1300})
    host.wait_event("host.switched", after)
    assert host.run("cat", "/sys/class/net/tun0/mtu")[1].strip() == "1300"
    assert (host.status, host.container, exit_of(host)) == ("running", container, exits[0])
    after = host.last_event()
    client.guest.told("PATCH", f"/v1/admin/egress-ips/{exits[0]}", {"wg_mtu": row["wg_mtu"] or 1420})
    host.wait_event("host.switched", after)
