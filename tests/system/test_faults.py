"""What breaks under a running host: each fault ends in a closed or unavailable host with evidence, and nothing leaks.

User traffic runs in the container through all of it, the uplink is captured, and the capture is shown to see a stray
packet when the lab lets one out.
"""

import os
import re
import signal
from pathlib import Path

import pytest
from support.host import Host
from support.net import inside, wall_counts
from support.stack import Lab
from support.wait import wait_until

# Bounded, and by every means a user has: UDP to anywhere, DNS to the exit's resolver and to another, TCP. The user
# image has node, not Python.
TRAFFIC = """
import contextlib, socket, time
to = [('198.18.0.11', 9), ('198.18.0.53', 53), ('203.0.113.77', 53), ('198.51.100.1', 51820), ('198.18.200.200', 9)]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + 120
while time.monotonic() < end:
    for address in to:
        with contextlib.suppress(OSError):
            udp.sendto(b'x' * 32, address)
    with contextlib.suppress(OSError), socket.socket() as tcp:
        tcp.settimeout(0.02)
        tcp.connect(('198.18.0.12', 80))
    time.sleep(0.01)
"""


# Packets of users' own that must be seen meanwhile, or the silence outside the tunnel would show nothing.
TRAFFIC_SEEN = 100
BEGUN_AGAIN_AFTER_S = 5
INCONCLUSIVE_MAX = 3


@pytest.fixture(scope="module")
def host(stack):
    with stack.settings(verify_light_s=1, verify_full_s=5):
        yield Host(stack).running()


@pytest.fixture(scope="module")
def internet(stack):
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    yield lab
    lab.run("restore")


@pytest.fixture
def captured(host, internet, tmp_path):
    """A running host under user traffic, the uplink captured. Afterwards: only the tunnel was seen, and much of it."""
    host.running()
    path = tmp_path / "uplink.pcap"
    internet.run("capture", "start", str(path))
    before = user_packets(host)
    host.stack.docker("exec", "-d", host.container, "python3", "-c", TRAFFIC)
    wait_until(lambda: user_packets(host) > before + TRAFFIC_SEEN, "users' packets pass the wall")
    yield path
    internet.run("restore")
    internet.run("dns", "start")
    internet.run("capture", "stop")
    assert count(internet, path) > TRAFFIC_SEEN
    assert count(internet, path, "--not-tunnel") == 0


def engine_of(host):
    """The pid of the host's WireGuard engine, found by the name its device was born with."""
    name = "c" + host.container[:12]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if name in path.read_bytes().decode(errors="replace").split("\0"):
                return int(path.parent.name)
        except OSError:
            continue
    raise AssertionError(f"no engine {name}")


def user_packets(host):
    return wall_counts(host.pid)["pass_user"]


def count(internet, path, *options):
    return int(re.search(r"\d+", internet.run("capture", "count", str(path), *options))[0])


def comes_back(host, after):
    """Reconcile brings it back, first after 5 s."""
    host.wait_event("host.started", after)
    host.wait_status("running")
    ((waited_s,),) = host.owner.rows(
        "select extract(epoch from min(at) filter (where type = 'host.started')"
        " - min(at) filter (where type = 'host.unavailable'))::float8"
        " from ccp.events where id > %s and host_id = %s",
        [after, host.id],
    )
    assert waited_s >= BEGUN_AGAIN_AFTER_S


def evidence(host, after, outcome, code, check):
    """The rows that tell of it, the closing one last: which of its checks did not pass, and what it says."""
    rows = wait_until(
        lambda: host.owner.rows(
            "select checks from ccp.verifications"
            " where host_id = %s and id > %s and (outcome, error_code) = (%s, %s) order by id",
            [host.id, after, outcome, code],
        ),
        f"evidence of {code}",
    )
    for (checks,) in rows:
        assert (check, outcome) in [(one["name"], one["outcome"]) for one in checks], checks
    return [checks for (checks,) in rows]


def last_verification(host):
    return host.owner.value("select coalesce(max(id), 0) from ccp.verifications")


def test_the_capture_sees_a_packet_that_the_lab_lets_out_on_purpose(internet, tmp_path):
    path = tmp_path / "control.pcap"
    internet.run("capture", "start", str(path))
    internet.run("let-out")
    internet.run("capture", "stop")
    assert count(internet, path, "--not-tunnel") == 1


def test_a_killed_engine_leaves_no_path_and_the_host_comes_back(host, captured):
    after, verification = host.last_event(), last_verification(host)
    os.kill(engine_of(host), signal.SIGKILL)
    host.wait_event("tunnel.lost", after)
    host.wait_event("host.unavailable", after)
    evidence(host, verification, "failed", "tunnel_no_handshake", "tunnel")
    comes_back(host, after)
    host.wait_event("tunnel.restored", after)


def test_a_frozen_engine_closes_the_host(host, captured):
    after, verification = host.last_event(), last_verification(host)
    os.kill(engine_of(host), signal.SIGSTOP)
    host.wait_event("host.unavailable", after)
    evidence(host, verification, "failed", "tunnel_no_handshake", "tunnel")
    comes_back(host, after)


def test_an_exit_swapped_behind_the_hosts_back_closes_it_with_evidence(host, captured, internet):
    after, verification = host.last_event(), last_verification(host)
    internet.run("swap-exit", "1")
    host.wait_event("egress.mismatch", after)
    host.wait_event("host.unavailable", after)
    evidence(host, verification, "failed", "exit_mismatch", "exit_ip")
    internet.run("restore")
    comes_back(host, after)


def test_a_dead_resolver_closes_the_host(host, captured, internet):
    """A target that is no name still answers, so it is the resolver that is silent and not the tunnel."""
    after, verification = host.last_event(), last_verification(host)
    with host.stack.settings(connect_targets=["198.18.0.81:443"]):
        internet.run("dns", "stop")
        host.wait_event("host.unavailable", after)
        internet.run("dns", "start")
        evidence(host, verification, "failed", "dns_failed", "dns")
        comes_back(host, after)


def test_checks_that_show_nothing_close_the_host_after_the_third(host, captured):
    """At the third if the first was long enough ago."""
    after, verification = host.last_event(), last_verification(host)
    silent = [
        url.replace(".example", ".example:9", 1)
        for url in host.owner.value("select value from ccp.settings where name = 'echo_urls'")
    ]
    with host.stack.settings(echo_urls=silent):
        host.wait_event("host.unavailable", after)
        assert len(evidence(host, verification, "inconclusive", "inconclusive", "exit_ip")) >= INCONCLUSIVE_MAX
    host.owner.rows(
        "update ccp.hosts set failures = 0, retry_at = null where id = %s and status = 'unavailable'", [host.id]
    )
    host.wait_event("host.started", after)


def test_a_host_whose_exit_is_expected_elsewhere_does_not_stay_open(host, captured):
    after, verification = host.last_event(), last_verification(host)
    bound = "from ccp.bindings where host_id = %s and ended_at is null"
    edit = f"select egress.edit(egress_ip_id, jsonb_build_object('ip_address', %s::text)) {bound}"
    before = host.owner.value(f"select host(exit_address) {bound}", [host.id])
    with host.stack.settings(switch_fallback="closed"):
        host.owner.rows(edit, ["203.0.113.99", host.id])
        try:
            host.wait_event("host.unavailable", after)
            evidence(host, verification, "failed", "exit_mismatch", "exit_ip")
        finally:
            wait_until(lambda: not host.live_tasks(), "nothing is under way")
            host.owner.rows(edit, [before, host.id])
    host.wait_event("host.started", after)  # at once: what it failed for has been changed
    host.wait_status("running")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (["nft", "flush", "ruleset"], "rules"),
        (["nft", "insert", "rule", "inet", "ccp", "output", "accept"], "rules"),
        (["ip", "link", "add", "second", "type", "veth", "peer", "name", "outside"], "inventory"),
        (["ip", "route", "add", "198.51.100.0/24", "dev", "lo"], "inventory"),
    ],
    ids=lambda words: "-".join(words) if isinstance(words, list) else words,
)
def test_a_change_of_rules_or_links_is_checked_at_once_and_closes_the_host(host, captured, change, check):
    with host.stack.settings(verify_light_s=600, verify_full_s=600):
        host.task("host.verify")  # which has told the agent of these settings: no check is due for minutes
        after, verification = host.last_event(), last_verification(host)
        inside(host.pid, *change)
        host.wait_event("egress.leak_blocked", after)
        host.wait_event("host.unavailable", after)
        evidence(host, verification, "failed", "inventory", check)
        comes_back(host, after)


def test_a_host_whose_agent_is_dead_is_closed_by_the_kernel_when_the_proof_runs_out(host, captured):
    container = host.container
    ask = ("exec", container, "curl", "-s", "-m", "3", host.stack.env["CCP_ECHO_URL"])
    assert host.stack.docker(*ask).strip() == host.stack.env["CCP_EXIT_IP"]
    with host.stack.settings(proof_life_s=3):
        host.task("host.verify")  # the proof is now one of 3 s
        host.stack.sv("once", "ccp-agent")  # is not started again
        host.stack.kill("ccp-agent", signal.SIGKILL)
        try:

            def closed():
                try:
                    host.stack.docker(*ask)
                except RuntimeError:
                    return True
                return False

            wait_until(closed, "the kernel has closed the host")
            verification = last_verification(host)
            passed, denied = (wall_counts(host.pid)[name] for name in ("pass_user", "deny_closed_user"))
            wait_until(
                lambda: wall_counts(host.pid)["deny_closed_user"] > denied + TRAFFIC_SEEN, "users' packets are denied"
            )
            assert user_packets(host) == passed
        finally:
            host.stack.sv("up", "ccp-agent")
    wait_until(
        lambda: host.owner.rows(
            "select 1 from ccp.verifications where host_id = %s and id > %s and (kind, outcome) = ('full', 'passed')",
            [host.id, verification],
        ),
        "the agent that is back has proven it again",
    )
    assert (host.status, host.container) == ("running", container)
    assert host.stack.docker(*ask).strip() == host.stack.env["CCP_EXIT_IP"]


def test_probes_are_counted_exactly_under_user_traffic(host, captured):
    with host.stack.settings(verify_light_s=600, verify_full_s=600):
        host.task("host.verify")  # no check is due for minutes
        before = wall_counts(host.pid)
        host.task("host.verify")
        after = wall_counts(host.pid)
    rose = {name: after[name] - before[name] for name in after}
    # To the resolver and to the address beside it: two by UDP and one by TCP pass, of four for DNS in its guises none
    # does, nor one to what is a link's own. IPv6 has no address here, so it cannot even be sent. The changed settings
    # have the guard check once more, which may happen in between.
    times = rose["pass_probe"] // 3
    assert times >= 1
    assert {name: number for name, number in rose.items() if name.endswith("_probe") and number} == {
        "pass_probe": 3 * times,
        "deny_dns_probe": 4 * times,
        "deny_local_probe": times,
    }
    assert rose["pass_user"] > 0 and rose["deny_dns_user"] > 0
    (checks,) = host.owner.rows(
        "select checks from ccp.verifications where host_id = %s and outcome = 'passed' order by id desc limit 1",
        [host.id],
    )[0]
    (told,) = [check for check in checks if check["name"] == "leak_open"]
    assert told["outcome"] == "passed" and "8 probes counted exactly" in told["detail"], told
