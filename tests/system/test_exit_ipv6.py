"""A host whose exit has IPv6 leaves by it as the exit's two addresses; one whose exit has none has no IPv6 at all."""

import json
import sys

import pytest
from support.net import wall_counts
from support.paths import CHECKOUT
from support.stack import Lab

sys.path.insert(0, str(CHECKOUT / "tests" / "lab"))
from ccplab import plan

ECHO6 = f"http://[{plan.address6(plan.ECHOES[1])}]/"
# What a user may try. Where each must end is the wall's to say: its counters are compared.
TRIES = """
import errno, json, socket, sys
told = {}
for address, kind, port in json.loads(sys.argv[1]):
    s = socket.socket(socket.AF_INET6, getattr(socket, kind))
    s.settimeout(1)
    try:
        s.connect((address, port, 0, socket.if_nametoindex("tun0")))
        s.send(b"x")
        told[f"{address} {kind} {port}"] = "sent"
    except OSError as error:
        told[f"{address} {kind} {port}"] = errno.errorcode.get(error.errno, "timeout")
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def lab(agent):
    one = Lab(agent.stack.environment["CCP_LAB_PREFIX"])
    yield one
    one.run("restore")


def bind(host, row):
    """Gives the stopped host another exit, by the row's own columns."""
    names = ", ".join(f"{name} = %s" for name in row)
    host.owner.rows(
        f"update ccp.egress_ips set {names} where id = (select egress_ip_id from ccp.bindings where host_id = %s"
        " and ended_at is null)",
        [*row.values(), host.id],
    )


@pytest.fixture
def six(stopped_host, lab):
    """The host's exit has IPv6 as well, until the test ends."""
    host = stopped_host
    env = lab.env
    bind(
        host,
        {
            "ip_address6": env["LAB_EXIT1_IP6"],
            "wg_peer_address6": f"{plan.PEER_NET6[7]}/128",
            "wg_allowed_ips": "{0.0.0.0/0,::/0}",
        },
    )
    yield host
    lab.run("restore")
    host.stopped()
    bind(host, {"ip_address6": None, "wg_peer_address6": None, "wg_allowed_ips": "{0.0.0.0/0}"})


def checks_of(host):
    (row,) = host.owner.rows(
        "select checks from ccp.verifications where host_id = %s order by id desc limit 1", [host.id]
    )
    return {check["name"]: check for check in row[0]}


def seen(host, url):
    status, output = host.run("curl", "-s", "--max-time", "10", url)
    return output.strip() if status == 0 else None


def test_a_host_leaves_as_both_addresses_of_its_exit(six, lab):
    result = six.task("host.start")
    assert result["exit_ip"] == lab.env["LAB_EXIT1_IP"]
    checks = checks_of(six)
    assert {name: check["outcome"] for name, check in checks.items()}.items() >= {
        "exit_ip": "passed",
        "exit_ip6": "passed",
        "dns6": "passed",
        "inventory": "passed",
        "rules": "passed",
        "leak_closed": "passed",
        "leak_open": "passed",
    }.items()
    assert checks["exit_ip6"]["detail"].startswith(f"{lab.env['LAB_EXIT1_IP6']} seen by")
    assert "14 probes counted exactly, 0 could not be sent" in checks["leak_open"]["detail"]
    assert seen(six, ECHO6) == lab.env["LAB_EXIT1_IP6"]
    assert seen(six, "http://198.18.0.11/") == lab.env["LAB_EXIT1_IP"]
    addresses = six.run("ip", "-6", "-o", "address", "show", "dev", "tun0")[1]
    assert addresses.split()[2:4] == ["inet6", f"{plan.PEER_NET6[7]}/128"], addresses
    assert len(addresses.splitlines()) == 1, addresses
    for name in ("accept_ra", "autoconf", "accept_redirects"):
        assert six.run("cat", f"/proc/sys/net/ipv6/conf/tun0/{name}") == (0, "0\n"), name


def test_what_is_a_links_own_is_denied(six):
    six.running()
    before = wall_counts(six.pid)
    tries = [
        ["fd00:ec2::254", "SOCK_STREAM", 80],
        ["fe80::1", "SOCK_DGRAM", 9],
        ["ff02::1", "SOCK_DGRAM", 9],
    ]
    status, output = six.run("python3", "-c", TRIES, json.dumps(tries))
    assert status == 0, output
    assert set(json.loads(output).values()) <= {"EPERM", "EACCES", "timeout"}, output
    after = wall_counts(six.pid)
    assert after["deny_local_user"] - before["deny_local_user"] >= len(tries)
    assert after["pass_user"] == before["pass_user"]
    status, output = six.run("python3", "-c", TRIES, json.dumps([[plan.address6(plan.DNS_ADDRESS), "SOCK_DGRAM", 53]]))
    assert list(json.loads(output).values()) == ["EPERM"]
    assert wall_counts(six.pid)["deny_dns_user"] - before["deny_dns_user"] == 1


def test_a_running_host_gets_and_loses_ipv6_with_its_exit(six, agent, lab):
    six.running()
    home = six.owner.value(
        "select egress_ip_id::text from ccp.bindings where host_id = %s and ended_at is null", [six.id]
    )
    without = agent.insert("egress_ips", {"label": f"without IPv6 for {six.id}"} | agent.wireguard_exit(2))
    for _ in range(2):
        result = six.task("host.switch", json.dumps({"egress_ip_id": without}))
        assert result["exit_ip"] == lab.env["LAB_EXIT2_IP"]
        assert seen(six, ECHO6) is None
        assert six.run("cat", "/proc/net/if_inet6")[1] == ""
        result = six.task("host.switch", json.dumps({"egress_ip_id": home}))
        assert result["exit_ip"] == lab.env["LAB_EXIT1_IP"]
        assert seen(six, ECHO6) == lab.env["LAB_EXIT1_IP6"]
    six.owner.rows("delete from ccp.egress_ips where id = %s", [without])


def test_another_ipv6_address_closes_the_host(six, lab):
    six.running()
    after = six.last_event()
    lab.run("swap-exit", "1", "--family", "ipv6")
    six.wait_status("unavailable")
    message, _ = six.wait_event("egress.mismatch", after)
    assert lab.env["LAB_EXIT1_SWAPPED_IP6"] in message, message
    assert checks_of(six)["exit_ip6"]["detail"].endswith(
        f"saw {lab.env['LAB_EXIT1_SWAPPED_IP6']}, expected {lab.env['LAB_EXIT1_IP6']}"
    )


def test_a_host_whose_exit_has_none_has_no_ipv6(stopped_host):
    stopped_host.task("host.start")
    assert seen(stopped_host, ECHO6) is None
    assert stopped_host.run("cat", "/proc/net/if_inet6")[1] == ""
    assert not {"exit_ip6", "dns6"} & set(checks_of(stopped_host))
