"""The verification against the lab: what it finds, what it cannot know, and what its child may do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.net import AGENT_RIGHTS, TOOL, run
from support.wait import WAIT_S, wait_until


def checks_of(evidence):
    return {check["name"]: (check["outcome"], check["detail"]) for check in evidence["checks"]}


def test_a_swapped_exit_is_a_mismatch(container):
    container.start()
    container.lab("swap-exit", "1")
    for kind in ("light", "full"):
        evidence = container.done("verify-run", kind=kind)
        assert (evidence["outcome"], evidence["code"]) == ("failed", "exit_mismatch"), evidence
        assert evidence["observed_ip"] == container.lab.env["LAB_EXIT1_SWAPPED_IP"]


def test_one_lying_echo_source_is_a_mismatch_and_one_that_is_down_is_none(container):
    container.start()
    container.lab("echo", "down", "2")
    evidence = container.done("verify-run")
    assert evidence["outcome"] == "passed", evidence
    assert evidence["checks"][0]["ms"] < 2000, "the check does not wait for the missing one"
    container.lab("echo", "restore")
    container.lab("echo", "lie", "4", "203.0.113.66")
    evidence = container.done("verify-run")
    assert (evidence["code"], evidence["observed_ip"]) == ("exit_mismatch", "203.0.113.66"), evidence


# An echo source of the container's own, that root in it can run.
GIVEN_UP_MS = 30_000  # the verification ends by itself after 10 s
ECHO = """
import http.server, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())
server = http.server.ThreadingHTTPServer(("0.0.0.0", 80), Echo)
print("listening", flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize("where", ["127.0.0.1", "127.8.8.8", "0.0.0.0", "own"])
def test_the_container_cannot_answer_for_the_exit_even_with_the_resolvers_help(container, where):
    container.start()
    address = container.arguments["address"].partition("/")[0] if where == "own" else where
    container.lab("dns", "hijack", address)
    words = ["ip", "netns", "exec", container.name, sys.executable, "-c", ECHO, container.arguments["expected"]]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout.readline() == "listening\n"
        evidence = container.done("verify-run", connect_targets=["target1.lab.example:80"])
        server.kill()
    assert evidence["outcome"] == "inconclusive", evidence
    details = {check["name"]: check["detail"] for check in evidence["checks"]}
    assert f"echo1.lab.example is {address}, which is the container" in details["exit_ip"]
    assert f"target1.lab.example is {address}, which is the container" in details["connectivity"]


def test_too_few_echo_answers_are_inconclusive(container):
    container.start()
    for source in ("1", "2", "3"):
        container.lab("echo", "down", source)
    evidence = container.done("verify-run")
    assert (evidence["outcome"], evidence["code"]) == ("inconclusive", "inconclusive"), evidence


def test_a_stopped_resolver_is_named_while_a_target_answers(container):
    container.start()
    container.lab("dns", "stop")
    evidence = container.done("verify-run")
    assert (evidence["outcome"], evidence["code"]) == ("failed", "dns_failed"), evidence
    assert evidence["duration_ms"] < GIVEN_UP_MS


def test_a_resolver_that_the_way_refuses_is_unheard_while_nothing_else_answers(container):
    """As a proxy's engine does whose server is away."""
    container.start()
    container.lab("dns", "stop")
    evidence = container.done("verify-run", kind="light")
    assert (evidence["outcome"], evidence["code"]) == ("inconclusive", "inconclusive"), evidence
    assert "neither 198.18.0.53 nor any other address answered" in checks_of(evidence)["dns"][1]
    assert "TCP: not reached" in checks_of(evidence)["dns"][1]  # over UDP too, if the kernel's limit of refusals let it
    assert evidence["duration_ms"] < GIVEN_UP_MS


@pytest.mark.parametrize(("kind", "names"), [("light", 1), ("full", 3)])
def test_a_resolver_that_answers_over_tcp_alone_is_busy_and_its_answers_prove_the_exit(container, kind, names):
    container.start()
    container.lab("dns", "drown")
    evidence = container.done("verify-run", kind=kind, connect_targets=["target2.lab.example:443"])
    checks = {check["name"]: check for check in evidence["checks"]}
    assert {name: check["outcome"] for name, check in checks.items()} == {
        "exit_ip": "passed",
        "dns": "inconclusive",
        **({"connectivity": "passed", "full_size": "passed"} if kind == "full" else {}),
    }, evidence
    assert f"alive but busy: it answered for 0 of {names} names over UDP, {names} over TCP" in checks["dns"]["detail"]
    assert checks["exit_ip"]["ms"] < checks["dns"]["ms"], "names of sources are not waited for over UDP"


@pytest.mark.parametrize("kind", ["light", "full"])
def test_a_silent_tunnel_is_inconclusive_also_when_every_target_is_a_name(container, kind):
    container.start()
    container.lab("freeze", "1")
    evidence = container.done("verify-run", kind=kind, connect_targets=["target2.lab.example:443"])
    assert (evidence["outcome"], evidence["code"]) == ("inconclusive", "inconclusive"), evidence


# What the way carries, and what of that a tunnel can: 60 bytes are WireGuard's.
WAYS = [
    (1460, "those of 1392 pass: lower the exit's wg_mtu to 1392"),
    (1400, "those of 1328 pass: lower the exit's wg_mtu to 1328"),
    (1300, "those of 1280 bytes too: lower the MTU of the machine's uplink"),
]


@pytest.mark.parametrize(("size", "remedy"), WAYS)
@pytest.mark.parametrize(
    ("words", "where"),
    [
        ((), "lost both ways"),
        (("--way", "there"), "lost on the way to the exit"),
        (("--way", "back"), "lost on the way back from the exit"),
    ],
)
def test_a_way_that_swallows_large_packets_is_found_and_said(container, size, remedy, words, where):
    container.start()
    container.lab("mtu", "1", str(size), *words)
    evidence = container.done("verify-run")
    assert (evidence["outcome"], evidence["code"]) == ("failed", "mtu"), evidence
    checks = checks_of(evidence)
    assert {name: outcome for name, (outcome, _) in checks.items()} == {
        "exit_ip": "passed",
        "dns": "passed",
        "connectivity": "passed",
        "full_size": "failed",
    }
    assert where in checks["full_size"][1] and remedy in checks["full_size"][1], checks
    assert evidence["duration_ms"] < GIVEN_UP_MS


def test_packets_that_fit_the_way_prove_it_and_their_size_is_said(container):
    container.start()
    container.lab("mtu", "1", "1400")
    run("ip", "-n", container.name, "link", "set", "tun0", "mtu", "1328")
    evidence = container.done("verify-run")
    assert evidence["outcome"] == "passed", evidence
    assert "asked in packets of 1328 bytes and answered in packets of 1328" in checks_of(evidence)["full_size"][1]


def test_a_target_that_answers_little_proves_one_way_and_that_is_said(container):
    container.start()
    evidence = container.done("verify-run", connect_targets=["target1.lab.example:80"])
    assert evidence["outcome"] == "passed", evidence
    checks = checks_of(evidence)
    assert checks["connectivity"][1] == "1 of 1 targets answered"
    assert "was asked in packets of 1420 bytes; no answer filled one" in checks["full_size"][1]


@pytest.mark.parametrize("target", ["silent1.lab.example:80", "198.18.0.81:9"])
def test_to_be_connected_is_no_answer(container, target):
    container.start()
    evidence = container.done("verify-run", connect_targets=[target])
    assert (evidence["outcome"], evidence["code"]) == ("inconclusive", "inconclusive"), evidence
    checks = checks_of(evidence)
    assert [checks[name][0] for name in ("exit_ip", "dns", "connectivity", "full_size")] == [
        "passed",
        "passed",
        "inconclusive",
        "inconclusive",
    ]
    assert evidence["duration_ms"] < GIVEN_UP_MS


def test_one_target_that_answers_is_enough(container):
    container.start()
    evidence = container.done("verify-run", connect_targets=["silent1.lab.example:80", "198.18.0.81:443"])
    assert evidence["outcome"] == "passed", evidence
    assert checks_of(evidence)["connectivity"][1] == "1 of 2 targets answered"


def children_of(pid):
    return run("sh", "-c", f"cat /proc/{pid}/task/*/children").split()


def test_the_verifying_child_has_no_right_but_the_mark(container):
    container.start()
    container.lab("freeze", "1")
    words = [*AGENT_RIGHTS, str(TOOL), "verify-run", json.dumps(container.arguments)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:

        def status():
            children = [child for pid in children_of(parent.pid) for child in children_of(pid)]
            if not children:
                return None
            lines = Path(f"/proc/{children[0]}/status").read_text(encoding="ascii").splitlines()
            fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            return fields if fields["Seccomp"] == "2" else None

        fields = wait_until(status, "the child has locked itself in")
        evidence = json.loads(parent.communicate(timeout=WAIT_S)[0])
    uid = run("id", "-u", "ccp-verify").strip()
    assert fields["Uid"].split() == [uid] * 4
    assert fields["CapEff"] == fields["CapPrm"] == f"{1 << 13:016x}", "NET_RAW"
    assert fields["CapAmb"] == "0" * 16
    assert fields["NoNewPrivs"] == "1"
    assert evidence["outcome"] == "inconclusive" and evidence["duration_ms"] < GIVEN_UP_MS
