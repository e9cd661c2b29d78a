"""An exit that names no MTU gets the largest that its way carries; of one that names a larger one it is said."""

import subprocess
from pathlib import Path

import pytest
from support.wait import wait_until

WAY = 1400  # bytes that it carries; 60 are WireGuard's, and 1328 is the largest size below that is tried


@pytest.fixture
def way(agent):
    """Changes the way to exit 1."""
    yield lambda size: agent.lab.run("mtu", "1", str(size))
    agent.lab.run("restore")


@pytest.fixture
def named(stopped_host):
    """Writes the MTU into the host's exit."""
    bound = "egress_ip_id from ccp.bindings where host_id = %s and ended_at is null"
    change = f"select egress.edit(id, jsonb_build_object('wg_mtu', %s::integer)) from (select {bound}) as b (id)"
    yield lambda mtu: stopped_host.owner.rows(change, [mtu, stopped_host.id])
    stopped_host.stopped()
    stopped_host.owner.rows(change, [None, stopped_host.id])


def mtu_of(host):
    return int(host.run("cat", "/sys/class/net/tun0/mtu")[1])


def details_of(result):
    return {check["name"]: check["detail"] for check in result["checks"]}


def test_the_largest_that_passes_is_found_at_the_start_and_known_to_the_next_agent(agent, stopped_host, way):
    host = stopped_host
    way(WAY)
    details = details_of(host.task("host.start"))
    assert mtu_of(host) == 1328
    assert details["mtu"] == "1328 instead of 1420, which the way to the exit does not carry"
    assert "asked in packets of 1328 bytes and answered in packets of 1328" in details["full_size"]
    agent.kill()
    agent.start()
    wait_until(lambda: "host adopted" in agent.log(), "the host is found again")
    assert "packets of 1328 bytes" in details_of(host.task("host.verify"))["full_size"]
    assert (host.status, mtu_of(host)) == ("running", 1328)


def test_a_way_that_begins_smaller_is_asked_no_more(agent, stopped_host):
    """As the machine's own device says."""
    namespace = Path(agent.lab.env["LAB_UPLINK_NETNS"]).name
    device = ("ip", "-n", namespace, "link", "set", "exit1", "mtu")
    subprocess.run([*device, "1440"], check=True)
    try:
        details = details_of(stopped_host.task("host.start"))
    finally:
        subprocess.run([*device, "1500"], check=True)
    assert mtu_of(stopped_host) == 1380
    assert "mtu" not in details
    assert "asked in packets of 1380 bytes" in details["full_size"]


def test_an_mtu_that_the_exit_names_is_kept_and_what_passes_is_said(stopped_host, way, named):
    host = stopped_host
    named(1400)
    way(WAY)
    status, code, message, _ = host.wait_task(host.insert("host.start"))
    assert (status, code) == ("failed", "mtu"), message
    assert "packets of 1400 bytes are lost both ways, those of 1328 pass: lower the exit's wg_mtu to 1328" in message
    named(1328)
    host.running()
    assert mtu_of(host) == 1328
