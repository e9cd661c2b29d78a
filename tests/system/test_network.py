"""The network half of the agent against the lab: wall, probes, engine, verification, inventory.

Each test has a namespace of its own that stands for a container's. The tool does what the agent does, with the agent's
capabilities and one process a call, so every call after the first is also a restarted agent that finds things again.
"""

import contextlib
import ipaddress
import json
import os
import secrets
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until

FLAVOUR = os.environ.get("FLAVOUR", "release")
TOOL = CHECKOUT / "build" / FLAVOUR / "driver" / "nettool"
LAB = CHECKOUT / "tests" / "lab" / "lab"
AGENT_RIGHTS = [
    "setpriv",
    "--no-new-privs",
    "--bounding-set=-all,+net_admin,+net_raw,+sys_admin,+setuid,+setgid,+kill,+chown,+fowner",
]
ABSENT, UNANSWERED, FOREIGN, SILENT = 0x1400, 0x1401, 0x1500, 0x1601  # lib/outcome.h

# Sends to argv[1] until a line comes on stdin, then says what happened.
FLOOD = """
import errno, json, select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = refused = 0
print("going", flush=True)
while True:
    for _ in range(50):
        try:
            s.sendto(b"x", (sys.argv[1], 9))
            sent += 1
        except ConnectionRefusedError:
            sent += 1
        except PermissionError:
            refused += 1
    if select.select([sys.stdin], [], [], 0)[0]:
        break
print(json.dumps({"sent": sent, "refused": refused}), flush=True)
"""


def run(*words, **options):
    return subprocess.run(words, check=True, text=True, capture_output=True, timeout=WAIT_S, **options).stdout


@pytest.fixture(scope="module")
def tool():
    run("make", "-s", f"FLAVOUR={FLAVOUR}", str(TOOL.relative_to(CHECKOUT)), cwd=CHECKOUT)
    if subprocess.run(["getent", "passwd", "ccp-verify"], capture_output=True).returncode:
        run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "ccp-verify")


@pytest.fixture(scope="module")
def internet(tmp_path_factory):
    """A lab of this file's own."""
    prefix = f"net{secrets.token_hex(3)}"
    directory = tmp_path_factory.mktemp("lab")
    words = [str(LAB), "--prefix", prefix, "--state-dir", str(directory)]

    def lab(*arguments):
        return run(*words, *arguments)

    lab("up")
    lab.env = dict(
        line.split("=", 1) for line in run("sh", "-c", f". {directory}/env && set").splitlines() if "=" in line
    )
    lab.env = {name: value.strip("'") for name, value in lab.env.items()}
    yield lab
    lab("down", "--purge")


class Container:
    """A namespace that stands for a container's, and the tool's view of it."""

    def __init__(self, lab, directory, number):
        env = lab.env
        self.lab = lab
        self.name = f"{env['CCP_LAB_PREFIX']}-c{number}"
        self.key = directory / "key"
        self.engines = directory / "engines"
        self.engines.mkdir(mode=0o700)
        self.key.touch(mode=0o600)
        self.key.write_text(run("wg", "genkey"))
        public = run("wg", "pubkey", input=self.key.read_text()).strip()
        address = f"198.18.130.{number}"
        lab("peer", "add", "1", public, address)
        self.arguments = {
            "ns": f"/run/netns/{self.name}",
            "resolver": env["LAB_DNS_SERVER"],
            "address": f"{address}/32",
            "tunnel_type": "wireguard",
            "peer_address": f"{address}/32",
            "mtu": int(env["LAB_MTU"]),
            "uplink": env["LAB_UPLINK_NETNS"],
            "program": shutil.which("wireguard-go"),
            "directory": str(self.engines),
            "id": secrets.token_hex(32),
            "key_path": str(self.key),
            "public_key": env["LAB_EXIT1_PUBLIC_KEY"],
            "endpoint": env["LAB_EXIT1_ENDPOINT"],
            "allowed_ips": ["0.0.0.0/0", "::/0"],
            "handshake_ms": 3000,
            "expected": env["LAB_EXIT1_IP"],
            "zone": env["LAB_DNS_CHECK_ZONE"],
            "echo_urls": env["LAB_ECHO_URLS"].split(),
            "connect_targets": ["198.18.0.81:443", "target2.lab.example:443"],
            "kind": "full",
            "state": "closed",
            "life_ms": 60000,
            "count": 1,
            "every_ms": 0,
        }
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        self.inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")

    def tool(self, command, **changes):
        words = [*AGENT_RIGHTS, str(TOOL), command, json.dumps(self.arguments | changes)]
        return json.loads(run(*words, env={}))

    def done(self, command, **changes):
        answer = self.tool(command, **changes)
        assert answer["result"] == 0, answer
        return answer

    def start(self):
        self.done("wall-load")
        return self.done("tunnel-start")

    def inside(self, *words, **options):
        return run("ip", "netns", "exec", self.name, *words, **options)

    def python(self, code, *arguments):
        return self.inside(sys.executable, "-c", code, *arguments).strip()

    @contextlib.contextmanager
    def flood(self, address):
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", FLOOD, address]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            seen = {}
            assert process.stdout.readline() == "going\n"
            yield seen
            seen |= json.loads(process.communicate("stop\n", timeout=WAIT_S)[0])

    def remove(self):
        self.tool("tunnel-end")
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


@pytest.fixture
def container(tool, internet, tmp_path, request):
    number = 1 + request.node.parent.session.items.index(request.node) % 250
    one = Container(internet, tmp_path, number)
    yield one
    internet("restore")
    one.remove()


SEND_ONCE = """
import errno, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    s.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
    print("sent")
except OSError as e:
    print(errno.errorcode[e.errno])
"""


def test_a_closed_wall_refuses_users_root_included_and_lets_the_verification_pass(container):
    container.start()
    assert container.python(SEND_ONCE, "198.18.0.11", "80") == "EPERM"
    assert container.python(SEND_ONCE, "198.18.0.53", "53") == "EPERM"
    evidence = container.done("verify-run")
    assert evidence["outcome"] == "passed", evidence
    assert evidence["observed_ip"] == container.arguments["expected"]
    assert [check["name"] for check in evidence["checks"]] == ["exit_ip", "dns", "connectivity"]
    seen = container.done("wall-read")
    assert not seen["open"]
    assert seen["deny_closed"]["user"] == 2
    assert seen["pass"]["verify"] > 0 and seen["pass"]["user"] == 0


def test_the_loaded_rule_set_has_the_expected_hash_and_any_change_shows(container):
    container.done("wall-load")
    seen = container.done("wall-read")
    assert seen["hash"] == seen["expected"]
    container.done("wall-open")
    assert container.done("wall-read")["hash"] == seen["hash"], "an opening is no change of rules"
    again = container.tool("wall-load")
    assert again["result"] == -1 and "File exists" in again["error"]
    container.inside("nft", "insert", "rule", "inet", "ccp", "output", "accept")
    assert container.done("wall-read")["hash"] != seen["expected"]
    container.inside("nft", "flush", "ruleset")
    assert container.done("wall-read")["hash"] != seen["expected"]


def test_the_rule_text_and_its_hash_are_the_same_for_two_exits(container):
    container.done("wall-load")
    first = container.done("wall-read")
    rules = container.inside("nft", "-s", "list", "chain", "inet", "ccp", "output")
    other = {"resolver": "fd00::53", "ipv6": True, "address": "fd00::2/128"}
    assert container.done("wall-check", **other)["outcome"] == "failed"
    container.done("wall-open")
    container.done("wall-set-exit", **other)
    assert container.done("wall-check", **other)["outcome"] == "passed"
    second = container.done("wall-read", **other)
    assert second["hash"] == first["hash"]
    assert not second["open"], "a change of the exit closes"
    assert container.inside("nft", "-s", "list", "chain", "inet", "ccp", "output") == rules
    assert container.done("wall-check")["outcome"] == "failed", "the first exit is gone"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("add element inet ccp resolver4 { 198.18.0.11 }", "the set resolver4 holds 198.18.0.11"),
        ("add element inet ccp resolver4 { * }", "the set resolver4 holds an element of another kind"),
        ("add element inet ccp resolver6 { fd00::53 }", "the set resolver6 holds fd00::53"),
        ("add element inet ccp tunnel { eth0 }", "the set tunnel holds eth0"),
        ("add element inet ccp families { ipv6 }", "the set families holds ipv6"),
        ("add element inet ccp proven { eth0 timeout 1h }", "the set proven holds eth0"),
        ("add element inet ccp proven { tun0 }", "the set proven holds tun0"),
        ("delete element inet ccp resolver4 { 198.18.0.53 }", "the set resolver4 does not hold 198.18.0.53"),
        ("flush set inet ccp tunnel", "the set tunnel does not hold tun0"),
    ],
)
def test_an_element_changed_by_hand_is_found_by_the_check(container, change, sentence):
    container.done("wall-load")
    assert container.done("wall-check")["outcome"] == "passed"
    container.inside("nft", change)
    evidence = container.done("wall-check")
    assert (evidence["outcome"], evidence["code"]) == ("failed", "inventory")
    assert sentence in evidence["sentence"]
    seen = container.done("wall-read")
    assert seen["hash"] == seen["expected"], "the rules themselves are as they were"


def test_a_proof_opens_the_wall_and_its_end_closes_it(container):
    container.start()
    container.done("wall-open", life_ms=700)
    assert container.python(SEND_ONCE, "198.18.0.11", "9") == "sent"
    seen = container.done("wall-read")
    assert seen["open"] and 0 < seen["remaining_ms"] <= 700
    wait_until(lambda: not container.done("wall-read")["open"], "the proof has run out")
    assert container.python(SEND_ONCE, "198.18.0.11", "9") == "EPERM"
    container.done("wall-open")
    container.done("wall-close")
    container.done("wall-close")
    assert container.python(SEND_ONCE, "198.18.0.11", "9") == "EPERM"


def test_dns_elsewhere_stays_denied_when_open(container):
    container.start()
    container.done("wall-open")
    assert container.python(SEND_ONCE, "198.18.0.11", "53") == "EPERM"
    assert container.python(SEND_ONCE, "198.18.0.53", "853") == "EPERM"
    assert container.python(SEND_ONCE, "198.18.0.53", "53") == "sent"


def test_renewals_under_a_flood_refuse_no_packet(container):
    container.start()
    container.done("wall-open", life_ms=400)
    with container.flood("198.18.0.11") as flood:
        container.done("wall-open", life_ms=400, count=150, every_ms=10)
    assert flood["sent"] > 1000
    assert flood["refused"] == 0


@pytest.mark.parametrize("state", ["closed", "open"])
def test_probes_are_counted_exactly_under_user_traffic(container, state):
    container.start()
    if state == "open":
        container.done("wall-open")
    with container.flood("198.18.0.11") as flood:
        for _ in range(15):
            evidence = container.done("probe", state=state)
            assert evidence["outcome"] == "passed", evidence
    assert flood["refused" if state == "closed" else "sent"] > 1000
    seen = container.done("wall-read")
    assert seen["deny_dns"]["probe"] == 15 * 4
    assert seen["deny_closed" if state == "closed" else "pass"]["probe"] == 15 * 3


@pytest.mark.parametrize("state", ["closed", "open"])
def test_probes_are_counted_when_the_hosts_own_address_is_next_to_the_resolver(container, state):
    own = ipaddress.ip_interface(container.arguments["address"]).ip
    container.arguments["resolver"] = str(ipaddress.ip_address(int(own) ^ 1))
    container.start()
    if state == "open":
        container.done("wall-open")
    evidence = container.done("probe", state=state)
    assert evidence["outcome"] == "passed", evidence


def test_probes_find_a_wall_that_is_not_in_the_state_it_should_be(container):
    container.start()
    container.done("wall-open")
    evidence = container.done("probe", state="closed")
    assert (evidence["outcome"], evidence["code"]) == ("failed", "leak")
    container.done("wall-close")
    evidence = container.done("probe", state="open")
    assert (evidence["outcome"], evidence["code"]) == ("failed", "leak")
    container.inside("nft", "insert", "rule", "inet", "ccp", "output", "udp", "dport", "53", "accept")
    evidence = container.done("probe", state="closed")
    assert (evidence["outcome"], evidence["code"]) == ("failed", "leak")


def test_an_engine_is_found_and_proven_by_the_next_agent(container):
    pid = container.start()["pid"]
    assert container.done("tunnel-find")["pid"] == pid
    found = container.done("engine-look")
    assert (found["owns"], found["status"]) == (0, 0)
    assert found["outcome"] == "passed" and 0 <= found["handshake_age_ms"] < 10000
    assert container.done("tunnel-list")["names"] == ["c" + container.arguments["id"][:12]]
    foreign = container.done("engine-look", ns=container.arguments["uplink"])
    assert foreign["owns"] == FOREIGN and foreign["code"] == "tunnel_no_handshake"
    assert container.tool("tunnel-find", ns=container.arguments["uplink"])["result"] == ABSENT
    second = container.tool("tunnel-start", id=secrets.token_hex(32))
    assert second["result"] == -1 and "still runs" in second["error"]
    assert container.done("engine-look")["status"] == 0
    container.done("tunnel-end")
    container.done("tunnel-end")
    assert container.tool("tunnel-find")["result"] == ABSENT
    assert container.done("tunnel-list")["names"] == []


def test_a_clock_that_was_set_makes_no_handshake_old(container):
    """An engine whose last handshake lies an hour back by the wall clock, and is new to us."""
    lines = [
        f"public_key={'00' * 32}",
        f"last_handshake_time_sec={int(time.time()) - 3600}",
        "last_handshake_time_nsec=0",
        "rx_bytes=1",
        "tx_bytes=1",
        "errno=0",
        "",
        "",
    ]
    path = f"/var/run/wireguard/c{container.arguments['id'][:12]}.sock"

    class Engine(socketserver.BaseRequestHandler):
        def handle(self):
            if self.request.recv(100):
                self.request.sendall("\n".join(lines).encode())

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with socketserver.UnixStreamServer(path, Engine) as server:
        threading.Thread(target=server.serve_forever).start()
        found = container.tool("engine-look")
        server.shutdown()
    assert found["status"] == 0
    assert 0 <= found["handshake_age_ms"] < 10000


def test_the_engine_is_a_daemon_with_one_capability(container):
    pid = container.start()["pid"]
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert status["CapEff"] == status["CapPrm"] == f"{1 << 12:016x}", "NET_ADMIN"
    assert status["NoNewPrivs"] == "1"
    assert os.getsid(pid) != os.getsid(0)
    uplink = os.stat(container.arguments["uplink"]).st_ino
    assert os.stat(f"/proc/{pid}/ns/net").st_ino == uplink


def test_a_killed_engine_takes_the_device_along_and_nothing_leaks(container, tmp_path):
    pid = container.start()["pid"]
    container.done("wall-open")
    capture = str(tmp_path / "uplink.pcap")
    container.lab("capture", "start", capture)
    with container.flood("198.18.0.11"):
        wait_until(lambda: int(container.lab("capture", "count", capture)) > 0, "the engine sends what it is given")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "tun0" not in run("ip", "-n", container.name, "-o", "link"), "the device is gone")
    assert container.python(SEND_ONCE, "198.18.0.11", "9") == "ENETUNREACH"
    assert container.tool("tunnel-find")["result"] == ABSENT
    evidence = container.done("link-check")
    assert (evidence["code"], evidence["sentence"]) == ("inventory", "there is no tunnel")
    container.lab("capture", "stop", capture)
    assert int(container.lab("capture", "count", capture)) > 0
    assert int(container.lab("capture", "count", capture, "--not-tunnel")) == 0


def test_a_frozen_engine_is_noticed_and_can_be_ended(container):
    pid = container.start()["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert container.done("tunnel-find")["pid"] == pid
    found = container.done("engine-look")
    assert found["owns"] == 0 and found["status"] == SILENT
    assert found["outcome"] == "failed" and "does not answer" in found["sentence"]
    container.done("tunnel-end")
    assert container.tool("tunnel-find")["result"] == ABSENT


def test_an_exit_that_does_not_know_the_key_gives_no_handshake(container):
    container.key.write_text(run("wg", "genkey"))
    container.done("wall-load")
    answer = container.tool("tunnel-start", handshake_ms=300)
    assert answer["result"] == UNANSWERED
    assert "handshake" in answer["error"]


def test_a_lost_first_packet_costs_half_a_second_and_not_the_start(container, internet):
    exit_netns = internet.env["LAB_EXIT1_NETNS"].rpartition("/")[2]
    rules = (
        "table inet lossy { chain input { type filter hook input priority -1;"
        " iifname uplink udp dport 51820 quota 300 bytes drop; }; }"
    )
    run("ip", "netns", "exec", exit_netns, "nft", "-f", "-", input=rules)
    try:
        container.done("wall-load")
        answer = container.done("tunnel-start")
        assert 400_000 < answer["us"] < 1_500_000
    finally:
        run("ip", "netns", "exec", exit_netns, "nft", "delete", "table", "inet", "lossy")


def test_an_unreachable_exit_is_told_from_a_silent_one(container):
    container.done("wall-load")
    answer = container.tool("tunnel-start", endpoint="203.0.113.200:51820", handshake_ms=300)
    assert answer["result"] == UNANSWERED
    assert "network is unreachable" in answer["error"]


def test_a_program_that_is_no_engine_is_an_error_that_says_so(container):
    container.done("wall-load")
    answer = container.tool("tunnel-start", program="/bin/false")
    assert answer["result"] == -1 and "did not come up" in answer["error"]
    answer = container.tool("tunnel-start", program="/nonexistent")
    assert answer["result"] == -1 and "No such file" in answer["error"]


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


@pytest.mark.parametrize("kind", ["light", "full"])
def test_a_stopped_resolver_is_named(container, kind):
    container.start()
    container.lab("dns", "stop")
    evidence = container.done("verify-run", kind=kind)
    assert (evidence["outcome"], evidence["code"]) == ("failed", "dns_failed"), evidence
    assert evidence["duration_ms"] < 11000


@pytest.mark.parametrize("kind", ["light", "full"])
def test_a_silent_tunnel_is_inconclusive_also_when_every_target_is_a_name(container, kind):
    container.start()
    container.lab("freeze", "1")
    evidence = container.done("verify-run", kind=kind, connect_targets=["target2.lab.example:443"])
    assert (evidence["outcome"], evidence["code"]) == ("inconclusive", "inconclusive"), evidence


def test_the_verifying_child_has_no_right_but_the_mark(container):
    container.start()
    container.lab("freeze", "1")
    words = [*AGENT_RIGHTS, str(TOOL), "verify-run", json.dumps(container.arguments)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:

        def status():
            children = run("sh", "-c", f"cat /proc/{parent.pid}/task/*/children").split()
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
    assert evidence["outcome"] == "inconclusive" and evidence["duration_ms"] < 11000


def test_the_inventory_names_what_does_not_belong(container):
    container.start()
    assert container.done("link-check")["outcome"] == "passed"
    found = {}
    for name, words, undo in (
        ("device", ["link", "add", "v0", "type", "veth", "peer", "v1"], ["link", "del", "v0"]),
        (
            "address",
            ["addr", "add", "198.18.131.1/32", "dev", "tun0"],
            ["addr", "del", "198.18.131.1/32", "dev", "tun0"],
        ),
        ("route", ["route", "add", "198.18.131.0/24", "dev", "tun0"], ["route", "del", "198.18.131.0/24"]),
        ("rule", ["rule", "add", "to", "198.18.131.1", "lookup", "7"], ["rule", "del", "to", "198.18.131.1"]),
        ("mtu", ["link", "set", "tun0", "mtu", "1400"], ["link", "set", "tun0", "mtu", "1420"]),
    ):
        run("ip", "-n", container.name, *words)
        evidence = container.done("link-check")
        assert (evidence["outcome"], evidence["code"]) == ("failed", "inventory"), name
        found[name] = evidence["sentence"]
        run("ip", "-n", container.name, *undo)
    assert container.done("link-check")["outcome"] == "passed"
    assert "a route to 198.18.131.0/24" in found["route"] and "198.18.131.1/32" in found["address"]


def test_changes_of_links_and_rules_ring_and_renewals_do_not(container):
    container.start()
    shell = f"ip -n {container.name} link set tun0 mtu 1400"
    seen = container.done("link-watch", shell=shell)
    assert (seen["before"], seen["after"]) == (False, True)
    shell = f"ip netns exec {container.name} /usr/sbin/nft add rule inet ccp output accept"
    seen = container.done("wall-watch", shell=shell)
    assert (seen["on_open"], seen["on_change"]) == (False, True)
    shell = f"ip netns exec {container.name} /usr/sbin/nft add element inet ccp resolver4 '{{ 198.18.0.11 }}'"
    seen = container.done("wall-watch", shell=shell)
    assert (seen["on_open"], seen["on_change"]) == (False, True)


def test_every_socket_in_the_namespace_can_be_ended(container):
    code = """
import socket, sys
l = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(l.getsockname())
a, _ = l.accept()
print("ready", flush=True)
try:
    c.recv(1)
    print("closed")
except OSError as e:
    print(type(e).__name__)
"""
    words = ["ip", "netns", "exec", container.name, sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        assert container.done("end-sockets")["count"] >= 2
        assert process.communicate(timeout=WAIT_S)[0] in ("ConnectionAbortedError\n", "ConnectionResetError\n")
    assert container.done("end-sockets")["count"] == 0
