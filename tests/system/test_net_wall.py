"""The wall against the lab: rules, proof, probes, what rings, and what does not belong."""

import ipaddress
import subprocess
import sys

import pytest
from support.net import SEND_ONCE, run
from support.wait import WAIT_S, wait_until


def test_a_closed_wall_refuses_users_root_included_and_lets_the_verification_pass(container):
    container.start()
    assert container.python(SEND_ONCE, "198.18.0.11", "80") == "EPERM"
    assert container.python(SEND_ONCE, "198.18.0.53", "53") == "EPERM"
    assert container.done("wall-read")["deny_closed"]["user"] == 2
    evidence = container.done("verify-run")
    assert evidence["outcome"] == "passed", evidence
    assert evidence["observed_ip"] == container.arguments["expected"]
    assert [check["name"] for check in evidence["checks"]] == ["exit_ip", "dns", "connectivity", "full_size"]
    seen = container.done("wall-read")
    assert not seen["open"]
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
        ("add element inet ccp proven { * }", "the set proven holds an element of another kind"),
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
    container.done("wall-open", life_ms=4000)
    assert container.python(SEND_ONCE, "198.18.0.11", "9") == "sent"
    seen = container.done("wall-read")
    assert seen["open"] and 0 < seen["remaining_ms"] <= 4000
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


SEND_TO_EACH = """
import errno, socket, sys
for address in sys.argv[1:]:
    to = socket.getaddrinfo(address, 9)[0][4]
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try:
        one.sendto(b"x", to)
        print("sent")
    except OSError as e:
        print(errno.errorcode[e.errno])
"""


def test_what_is_a_links_own_stays_denied_when_open(container):
    container.start()
    container.done("wall-open")
    own = ["169.254.0.0", "169.254.169.254", "169.254.255.255", "224.0.0.251", "239.255.255.250", "255.255.255.255"]
    others = ["169.253.255.255", "169.255.0.0", "223.255.255.255", "10.0.0.1"]
    assert container.python(SEND_TO_EACH, *own).split() == ["EPERM"] * len(own)
    assert container.python(SEND_TO_EACH, *others).split() == ["sent"] * len(others)
    seen = container.done("wall-read")
    assert (seen["deny_local"]["user"], seen["pass"]["user"]) == (len(own), len(others))


def test_what_is_a_links_own_in_ipv6_stays_denied_when_open(container):
    container.start()
    exit = {"resolver": "fd00::53", "ipv6": True, "address": "fd00::2/128"}
    container.inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0")
    run("ip", "-n", container.name, "address", "add", "fd00::2/128", "dev", "tun0", "nodad")
    run("ip", "-n", container.name, "route", "add", "::/0", "dev", "tun0")
    container.done("wall-set-exit", **exit)
    container.done("wall-open", **exit)
    before = container.done("wall-read", **exit)
    own, others = ["fe80::1%tun0", "ff02::1%tun0", "ff0e::1", "fd00:ec2::254"], ["2001:db8::1", "fd00:ec2::253"]
    assert container.python(SEND_TO_EACH, *own).split() == ["EPERM"] * len(own)
    assert container.python(SEND_TO_EACH, *others).split() == ["sent"] * len(others)
    seen = container.done("wall-read", **exit)
    assert seen["deny_local"]["user"] - before["deny_local"]["user"] >= len(own), "the kernel's own questions, too"
    assert seen["pass"]["user"] - before["pass"]["user"] == len(others)


def test_renewals_under_a_flood_refuse_no_packet(container):
    container.start()
    container.done("wall-open", life_ms=60_000)
    with container.flood("198.18.0.11") as flood:
        container.done("wall-open", life_ms=120_000, count=150, every_ms=10)
    assert flood["sent"] > 1000
    assert flood["refused"] == 0
    assert container.done("wall-read")["remaining_ms"] > 60_000, "the last renewal counts"


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
    assert seen["deny_local"]["probe"] == 15
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


# Each line of its input makes it go on.
LISTENERS = """
import socket, sys
def told():
    print("ready", flush=True)
    sys.stdin.readline()
l = socket.create_server(("127.0.0.1", 2222))
told()
c = socket.create_connection(l.getsockname())
told()
a, _ = l.accept()
told()
l.close()
told()
l = socket.create_server(("::", 2222), family=socket.AF_INET6, dualstack_ipv6=True)
told()
"""


def test_what_listens_is_known_again_and_who_waits_there_is_counted(container):
    words = ["ip", "netns", "exec", container.name, sys.executable, "-c", LISTENERS]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def step():
            assert process.stdout.readline() == "ready\n"

        def found():
            return container.done("find-listener", port=2222)

        def go_on():
            process.stdin.write("\n")
            process.stdin.flush()
            step()

        step()
        first = found()
        assert first["cookie"] != 0 and first["waiting"] == 0
        go_on()
        assert found() == first | {"waiting": 1}
        go_on()
        assert found() == first
        go_on()
        gone = container.tool("find-listener", port=2222)
        assert gone["result"] == -1 and "No such file" in gone["error"]
        go_on()
        later = found()
        assert later["cookie"] not in (0, first["cookie"]) and later["waiting"] == 0
