"""What breaks under a running host: each fault ends in a closed or unavailable host with evidence, and nothing leaks.

User traffic runs in the container through all of it, the uplink is captured, and the capture is shown to see a stray
packet when the lab lets one out.
"""

import os
import re
import signal
from pathlib import Path

import pytest

from support.automation import Automation
from support.stack import Lab
from support.wait import wait_until

# Bounded, and by every means a user has: UDP to anywhere, DNS to the exit's resolver and to another, TCP. The user image
# has node, not Python.
TRAFFIC = """
const dgram = require('dgram'), net = require('net');
const udp = dgram.createSocket('udp4');
udp.on('error', () => {});
const to = [['198.18.0.11', 9], ['198.18.0.53', 53], ['203.0.113.77', 53], ['198.51.100.1', 51820], ['198.18.200.200', 9]];
const timer = setInterval(() => {
  for (const [address, port] of to) udp.send('x'.repeat(32), port, address, () => {});
  const tcp = net.connect(80, '198.18.0.12');
  tcp.on('error', () => {});
  setTimeout(() => tcp.destroy(), 20);
}, 10);
setTimeout(() => { clearInterval(timer); process.exit(0); }, 120000);
"""


@pytest.fixture(scope="module")
def host(stack):
    automation = Automation(stack)
    with automation.settings(verify_light_s=1, verify_full_s=5):
        automation.running()
        yield automation
    automation.close()


@pytest.fixture(scope="module")
def internet(stack):
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    yield lab
    lab.run("restore")


@pytest.fixture
def captured(host, internet, tmp_path):
    """A running host under user traffic, the uplink captured; afterwards: nothing but the tunnel was seen."""
    host.running()
    container = container_of(host)
    host.stack.docker("exec", "-d", container, "node", "-e", TRAFFIC)
    path = tmp_path / "uplink.pcap"
    internet.run("capture", "start", str(path))
    yield path
    internet.run("restore")
    internet.run("capture", "stop")
    assert stray(internet, path) == 0


def container_of(host):
    names = host.stack.docker("ps", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.Labels}}")
    (line,) = [line for line in names.splitlines() if host.host_id in line]
    return line.split()[0]


def engine_of(host):
    """The pid of the host's WireGuard engine, found by the name its device was born with."""
    name = "c" + container_of(host)[:12]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if name in path.read_bytes().decode(errors="replace").split("\0"):
                return int(path.parent.name)
        except OSError:
            continue
    raise AssertionError(f"no engine {name}")


def stray(internet, path):
    return int(re.search(r"\d+", internet.run("capture", "count", str(path), "--not-tunnel"))[0])


def comes_back(host, after):
    """Reconcile brings it back, first after 5 s."""
    host.wait_event("host.started", after, 60)
    host.wait_status("running", 30)


def evidence(host, code, after):
    rows = wait_until(
        lambda: host.rows(
            "select checks from ccp.verifications where host_id = %s and error_code = %s and id > %s",
            [host.host_id, code, after],
        ),
        20,
        f"evidence of {code}",
    )
    assert rows[0][0], "evidence without checks"


def last_verification(host):
    return host.value("select coalesce(max(id), 0) from ccp.verifications")


def test_the_capture_sees_a_packet_that_the_lab_lets_out_on_purpose(internet, tmp_path):
    path = tmp_path / "control.pcap"
    internet.run("capture", "start", str(path))
    internet.run("let-out")
    internet.run("capture", "stop")
    assert stray(internet, path) == 1


def test_a_killed_engine_leaves_no_path_and_the_host_comes_back(host, captured):
    after = host.last_event()
    os.kill(engine_of(host), signal.SIGKILL)
    host.wait_event("tunnel.lost", after, 5)
    host.wait_event("host.unavailable", after, 5)
    comes_back(host, after)


def test_a_frozen_engine_closes_the_host(host, captured):
    after = host.last_event()
    os.kill(engine_of(host), signal.SIGSTOP)
    host.wait_event("host.unavailable", after, 60)
    comes_back(host, after)


def test_an_exit_swapped_behind_the_hosts_back_closes_it_with_evidence(host, captured, internet):
    after, verification = host.last_event(), last_verification(host)
    internet.run("swap-exit", "1")
    host.wait_event("egress.mismatch", after, 30)
    host.wait_event("host.unavailable", after, 10)
    evidence(host, "exit_mismatch", verification)
    internet.run("restore")
    comes_back(host, after)


def test_a_dead_resolver_closes_the_host_after_three_inconclusive_checks(host, captured, internet):
    after = host.last_event()
    internet.run("dns", "stop")
    host.wait_event("host.unavailable", after, 60)
    internet.run("dns", "start")
    comes_back(host, after)


def test_a_host_whose_exit_is_expected_elsewhere_does_not_stay_open(host, captured):
    after, verification = host.last_event(), last_verification(host)
    exit_row = "id = (select egress_ip_id from ccp.bindings where host_id = %s and ended_at is null)"
    before = host.value(f"select host(ip_address) from ccp.egress_ips where {exit_row}", [host.host_id])
    host.rows(f"update ccp.egress_ips set ip_address = '203.0.113.99' where {exit_row}", [host.host_id])
    try:
        task_id, _ = host.insert("host.verify")
        status, code, message = host.wait_task(task_id)
        assert (status, code) == ("failed", "exit_mismatch"), message
        host.wait_event("host.unavailable", after, 10)
        evidence(host, "exit_mismatch", verification)
    finally:
        host.rows(f"update ccp.egress_ips set ip_address = %s where {exit_row}", [before, host.host_id])
    comes_back(host, after)


def test_a_host_whose_agent_is_dead_is_closed_by_the_kernel_when_the_proof_runs_out(host, captured):
    container = container_of(host)
    ask = ("exec", container, "curl", "-s", "-m", "3", host.stack.env["CCP_ECHO_URL"])
    assert host.stack.docker(*ask).strip() == host.stack.env["CCP_EXIT_IP"]
    with host.settings(proof_life_s=3):
        host.task("host.verify")  # the proof is now one of 3 s
        host.stack.sv("down", "ccp-agent")
        try:

            def closed():
                try:
                    host.stack.docker(*ask)
                except RuntimeError:
                    return True
                return False

            wait_until(closed, 10, "the kernel has closed the host")
        finally:
            host.stack.sv("up", "ccp-agent")
    host.wait_status("running", 60)


def test_probes_are_counted_exactly_under_user_traffic(host, captured):
    host.task("host.verify")
    (checks,) = host.rows(
        "select checks from ccp.verifications where host_id = %s and outcome = 'passed' order by id desc limit 1", [host.host_id]
    )[0]
    probes = [check for check in checks if check["name"] in ("leak_closed", "leak_open")]
    assert probes and all(check["outcome"] == "passed" for check in probes), checks
