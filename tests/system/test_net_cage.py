"""The cage in a namespace of the test's own: processes with an engine's user and group id send, another namespace
counts what comes out.
"""

import json
import os
import re
import secrets
import subprocess
import sys

import pytest
from support.net import AGENT_RIGHTS, FLAVOUR, run
from support.paths import CHECKOUT
from support.wait import WAIT_S

TOOL = CHECKOUT / "build" / FLAVOUR / "driver" / "cagetool"
HERE4, HERE6 = "198.51.100.1", "2001:db8::1"
PROXY4, OTHER4 = "198.51.100.2", "198.51.100.3"
PROXY6, OTHER6 = "2001:db8::2", "2001:db8::3"
MAC = "02:00:00:00:00:02"
A, B = 2147446782, 2147446783  # user ids of the first two engines
FIRST_GROUP, LAST_GROUP = 2147475460, 2147483646
MANY = 50

# What comes out, by protocol: only beginnings of TCP connections, so that one attempt counts once.
SEEN = """
table inet seen {
    counter tcp_seen { }
    counter udp_seen { }
    counter icmp_seen { }
    chain input {
        type filter hook prerouting priority -300; policy accept;
        tcp flags & (syn | ack) == syn counter name tcp_seen
        meta l4proto udp counter name udp_seen
        icmp type echo-request counter name icmp_seen
    }
}
"""

# Tries argv[4] times to send to an address and port; a TCP connection is given up at once. Says how often it could.
PROBE = """
import errno, socket, sys
protocol, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
sent = 0
for _ in range(count):
    if protocol == "tcp":
        s = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        s.connect_ex((address, port))
        s.close()
        continue
    kind = (socket.IPPROTO_ICMP, b"\\x08\\0\\0\\0\\0\\0\\0\\1") if protocol == "icmp" else (0, b"x" * 1200)
    s = socket.socket(family, socket.SOCK_DGRAM, kind[0])
    try:
        s.sendto(kind[1], (address, port))
        sent += 1
    except PermissionError:
        pass
    s.close()
print(sent)
"""

FLOOD = """
import json, select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = refused = 0
print("going", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(50):
        try:
            s.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
            sent += 1
        except ConnectionRefusedError:
            sent += 1
        except PermissionError:
            refused += 1
print(json.dumps({"sent": sent, "refused": refused}), flush=True)
"""


def door(address, protocol, port):
    return {"address": address, "protocol": protocol, "port": port}


def engine(uid, *doors):
    return {"uid": uid, "doors": [door(*one) for one in doors]}


class Uplink:
    """A namespace with a way out."""

    def __init__(self):
        name = f"cage{secrets.token_hex(3)}"
        self.name, self.outside = f"{name}-u", f"{name}-o"
        self.probes = 0
        for one in (self.name, self.outside):
            run("ip", "netns", "add", one)
            run("ip", "-n", one, "link", "set", "lo", "up")
        run("ip", "-n", self.name, "link", "add", "up0", "type", "veth", "peer", "name", "out0", "netns", self.outside)
        run("ip", "-n", self.outside, "link", "set", "out0", "address", MAC)
        self.address(self.name, "up0", HERE4, HERE6)
        self.address(self.outside, "out0", PROXY4, PROXY6, OTHER4, OTHER6)
        for one in (PROXY4, PROXY6, OTHER4, OTHER6):  # a neighbour that must be asked for loses packets
            run("ip", "-n", self.name, "neighbour", "replace", one, "lladdr", MAC, "nud", "permanent", "dev", "up0")
        self.inside("sysctl", "-qw", f"net.ipv4.ping_group_range={FIRST_GROUP} {LAST_GROUP}")
        run("ip", "netns", "exec", self.outside, "nft", "-f", "-", input=SEEN)

    @staticmethod
    def address(namespace, device, *addresses):
        for one in addresses:
            words = [f"{one}/64", "nodad"] if ":" in one else [f"{one}/24"]
            run("ip", "-n", namespace, "address", "add", *words, "dev", device)
        run("ip", "-n", namespace, "link", "set", device, "up")

    def inside(self, *words, **options):
        return run("ip", "netns", "exec", self.name, *words, **options)

    def seen(self):
        """What came out so far."""
        text = run("ip", "netns", "exec", self.outside, "nft", "list", "table", "inet", "seen")
        counted = re.findall(r"counter (\w+)_seen \{\s+packets (\d+)", text)
        return {name: int(packets) for name, packets in counted if int(packets)}

    def remove(self):
        for one in (self.name, self.outside):
            subprocess.run(["ip", "netns", "del", one], capture_output=True)


class Cage:
    """What the agent of one installation does there. Each call is a restarted agent."""

    def __init__(self, uplink, owner):
        self.uplink, self.owner = uplink, owner
        self.group = self.done("load")["group"]

    def call(self, command, **arguments):
        arguments |= {"ns": f"/run/netns/{self.uplink.name}", "owner": self.owner}
        return json.loads(run(*AGENT_RIGHTS, str(TOOL), command, json.dumps(arguments), env=dict(os.environ)))

    def done(self, command, **arguments):
        answer = self.call(command, **arguments)
        assert answer["result"] == 0, answer
        return answer

    def doors(self, *engines):
        self.done("doors", engines=list(engines))

    def counts(self):
        answer = self.done("check")
        assert answer["outcome"] == "passed", answer
        return answer["passed"], answer["denied"], answer["denied_loopback"]

    def words(self, uid, group=None):
        ids = [f"--reuid={uid}", f"--regid={group or self.group}", "--clear-groups", "--no-new-privs"]
        rights = ["--bounding-set=-all", "--inh-caps=-all"]
        return ["ip", "netns", "exec", self.uplink.name, "setpriv", *ids, *rights, sys.executable, "-c"]

    def probe(self, uid, target, count=MANY, group=None):
        """An engine sends. Returns how often it could, by its own account, which TCP cannot give."""
        words = [*self.words(uid, group), PROBE, *map(str, target), str(count)]
        return int(run(*words))

    def flood(self, uid, target):
        words = [*self.words(uid), FLOOD, *map(str, target)]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module", autouse=True)
def tool():
    run("make", "-s", f"FLAVOUR={FLAVOUR}", str(TOOL.relative_to(CHECKOUT)), cwd=CHECKOUT)


@pytest.fixture
def uplink():
    one = Uplink()
    yield one
    one.remove()


@pytest.fixture
def cage(uplink):
    return Cage(uplink, "installation one")


@pytest.mark.parametrize(
    "target",
    [("tcp", PROXY4, 1080), ("udp", PROXY4, 443), ("tcp", PROXY6, 1080), ("udp", PROXY6, 443)],
    ids=lambda target: "-".join(map(str, target)),
)
def test_a_door_is_its_engines_and_no_others(uplink, cage, target):
    protocol, address, port = target
    cage.doors(engine(A, (address, protocol, port)), engine(B, (address, protocol, port + 1)))
    cage.probe(B, target)
    assert cage.counts() == (0, MANY, 0)
    assert uplink.seen() == {}
    cage.probe(A, target)
    passed, denied, loopback = cage.counts()
    assert passed >= MANY, "the positive control: a connection that is refused may send more"
    assert (denied, loopback) == (MANY, 0)
    assert uplink.seen() == {protocol: MANY}


@pytest.mark.parametrize(
    "target",
    [
        ("tcp", PROXY4, 443),  # another port of the proxy
        ("udp", PROXY4, 1080),  # another protocol at the same port
        ("udp", PROXY4, 443),  # QUIC
        ("udp", PROXY4, 53),
        ("icmp", PROXY4, 0),
        ("tcp", OTHER4, 1080),  # another address
        ("udp", OTHER4, 443),
        ("tcp", PROXY6, 1080),  # another family
        ("udp", OTHER6, 443),
    ],
    ids=lambda target: "-".join(map(str, target)),
)
def test_all_else_is_denied_and_counted(uplink, cage, target):
    cage.doors(engine(A, (PROXY4, "tcp", 1080)))
    assert cage.probe(A, target) == 0
    assert cage.counts() == (0, MANY, 0)
    assert uplink.seen() == {}
    cage.probe(os.getuid(), target, group=FIRST_GROUP)
    assert uplink.seen() == {target[0]: MANY}, "the positive control: whoever is no engine is free"


@pytest.mark.parametrize("target", [("tcp", "127.0.0.1", 5432), ("udp", "127.0.0.53", 53), ("tcp", "::1", 80)])
def test_loopback_is_denied_whatever_the_doors_say(cage, target):
    cage.doors(engine(A, (target[1], target[0], target[2])))
    cage.probe(A, target)
    assert cage.counts() == (0, 0, MANY)


def test_an_address_of_the_machine_itself_is_loopback(cage):
    cage.doors(engine(A, (HERE4, "udp", 9), (HERE6, "tcp", 9)))
    assert cage.probe(A, ("udp", HERE4, 9)) == 0
    cage.probe(A, ("tcp", HERE6, 9))
    assert cage.counts() == (0, 0, 2 * MANY)


@pytest.mark.parametrize(("server", "other"), [(PROXY4, OTHER4), (PROXY6, OTHER6)])
def test_the_udp_of_a_socks5_server_is_at_any_of_its_ports(uplink, cage, server, other):
    cage.doors(engine(A, (server, "tcp", 1080), (server, "udp", 0)), engine(B, (server, "tcp", 1080)))
    for port in (1, 443, 1080, 65535):
        assert cage.probe(A, ("udp", server, port)) == MANY
    assert cage.counts() == (4 * MANY, 0, 0)
    cage.probe(A, ("tcp", server, 1081))
    cage.probe(A, ("udp", other, 1080))
    cage.probe(B, ("udp", server, 1080))
    assert cage.counts() == (4 * MANY, 3 * MANY, 0)
    assert uplink.seen() == {"udp": 4 * MANY}


def test_an_engine_without_doors_or_with_another_group_has_none(uplink, cage):
    cage.doors(engine(A, (PROXY4, "udp", 443)))
    last = 2147475459
    assert cage.probe(last, ("udp", PROXY4, 443)) == 0
    assert cage.probe(B, ("udp", PROXY4, 443), group=1000) == 0
    assert cage.counts() == (0, 2 * MANY, 0)
    cage.doors(engine(A))
    assert cage.probe(A, ("udp", PROXY4, 443)) == 0
    assert uplink.seen() == {}


def test_two_installations_number_their_engines_alike_and_do_not_meet(uplink, cage):
    second = Cage(uplink, "installation two")
    assert second.group != cage.group
    cage.doors(engine(A, (PROXY4, "udp", 443)))
    second.doors(engine(A, (OTHER4, "udp", 443)))
    assert cage.probe(A, ("udp", PROXY4, 443)) == MANY
    assert second.probe(A, ("udp", OTHER4, 443)) == MANY
    assert cage.probe(A, ("udp", OTHER4, 443)) == 0
    assert second.probe(A, ("udp", PROXY4, 443)) == 0
    assert cage.counts() == second.counts() == (MANY, MANY, 0)
    assert uplink.seen() == {"udp": 2 * MANY}


def test_a_group_is_one_installations(uplink, cage):
    """The table of the first says that it is another's; as if both began with the same group."""
    uplink.inside("nft", "delete", "table", "inet", f"ccp_cage_{cage.group}")
    uplink.inside("nft", f'add table inet ccp_cage_{cage.group} {{ comment "another\'s" ; }}')
    again = Cage(uplink, cage.owner)
    assert again.group == FIRST_GROUP + (cage.group + 1 - FIRST_GROUP) % (LAST_GROUP - FIRST_GROUP + 1)
    assert again.done("load")["group"] == again.group, "and stays"
    assert again.counts() == (0, 0, 0)
    shell = f"ip netns exec {uplink.name} nft -f -"
    theft = f"delete table inet ccp_cage_{again.group}; add table inet ccp_cage_{again.group};"
    answer = again.call("watch", engines=[], shell=f"echo '{theft}' | {shell}")
    assert answer["result"] == -1 and "another installation" in answer["error"], answer


def test_a_restarted_agent_finds_group_doors_and_counts(uplink, cage):
    cage.doors(engine(A, (PROXY4, "udp", 443)), engine(B, (PROXY4, "udp", 444)))
    cage.probe(A, ("udp", PROXY4, 443))
    with cage.flood(A, (PROXY4, 443)) as flood:
        assert flood.stdout.readline() == "going\n"
        for _ in range(10):
            assert cage.done("load")["group"] == cage.group
        cage.done("doors-often", engines=[engine(A, (PROXY4, "udp", 443), (OTHER4, "tcp", 1)), engine(B)])
        told = json.loads(flood.communicate("stop\n", timeout=WAIT_S)[0])
    assert told["refused"] == 0 and told["sent"] > 1000, told
    passed, denied, _ = cage.counts()
    assert (passed, denied) == (MANY + told["sent"], 0)
    assert uplink.seen() == {"udp": passed}


def test_what_engines_left_that_died_is_closed(cage):
    cage.doors(*(engine(uid, (PROXY4, "udp", 443), (PROXY4, "tcp", 443)) for uid in range(A, A + 100)))
    cage.done("keep", uids=[B])
    assert cage.probe(A, ("udp", PROXY4, 443)) == 0
    assert cage.probe(B, ("udp", PROXY4, 443)) == MANY
    assert cage.counts()[:2] == (MANY, MANY)


def test_more_doors_than_an_agent_would_make_are_closed(uplink, cage):
    table = f"ccp_cage_{cage.group}"
    for first in (1, 101):
        doors = ", ".join(f"{A} . {OTHER4} . udp . {port}" for port in range(first, first + 100))
        uplink.inside("nft", f"add element inet {table} doors4 {{ {doors} }}")
    cage.doors(engine(A, (PROXY4, "udp", 443)), engine(B, (PROXY4, "udp", 443)))
    assert cage.probe(A, ("udp", OTHER4, 1)) == 0
    assert cage.probe(A, ("udp", PROXY4, 443)) == MANY
    assert cage.counts() == (MANY, MANY, 0)


def test_a_flushed_rule_set_is_noticed_and_all_doors_come_back(uplink, cage):
    engines = [engine(uid, (PROXY4, "udp", 443), (PROXY6, "tcp", 443)) for uid in range(A, A + 100)]
    flush = f"ip netns exec {uplink.name} nft flush ruleset"
    seen = cage.done("watch", engines=engines, shell=flush)
    assert not seen["on_own_change"] and seen["on_change"] and not seen["on_restore"], seen
    assert (seen["outcome"], seen["code"]) == ("failed", "inventory")
    assert "gone or not ours" in seen["sentence"]
    assert cage.probe(A + 99, ("udp", PROXY4, 443)) == MANY
    cage.probe(A, ("tcp", PROXY6, 443))
    assert cage.probe(A, ("udp", PROXY4, 444)) == 0
    assert uplink.seen() == {"udp": MANY, "tcp": MANY}
    assert cage.counts()[1:] == (MANY, 0)


def test_what_others_do_to_other_tables_does_not_ring(uplink, cage):
    other = "ip netns exec {} nft add table inet {}".format
    seen = cage.done("watch", engines=[], shell=other(uplink.name, "docker"))
    assert not seen["on_change"] and seen["outcome"] == "passed", seen
    Cage(uplink, "installation two").doors(engine(A, (PROXY4, "udp", 443)))
    assert cage.counts() == (0, 0, 0)


def test_doors_are_set_although_the_table_went_a_moment_ago(uplink, cage):
    cage.doors(engine(B, (PROXY4, "udp", 443)))
    flush = f"ip netns exec {uplink.name} nft flush ruleset"
    cage.done("doors-late", shell=flush, engines=[engine(A, (PROXY4, "udp", 443))])
    assert cage.probe(A, ("udp", PROXY4, 443)) == MANY
    assert cage.probe(B, ("udp", PROXY4, 443)) == MANY
    assert cage.probe(B, ("udp", PROXY4, 444)) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (f"add element inet TABLE doors4 {{ {B} . {OTHER4} . tcp . 443 }}", f"uid {B} to {OTHER4} tcp port 443"),
        (f"add element inet TABLE doors6 {{ {A} . {OTHER6} . udp . 443 }}", f"uid {A} to {OTHER6} udp port 443"),
        (f"add element inet TABLE udp4 {{ {A} . {OTHER4} }}", f"uid {A} to {OTHER4} udp, every port"),
        (f"delete element inet TABLE doors4 {{ {A} . {PROXY4} . udp . 443 }}", "does not hold a door: uid"),
        ("add element inet TABLE udp4 { * }", "a door of another kind"),
        ("insert rule inet TABLE caged accept", "gone or not ours"),
        ("flush chain inet TABLE output", "gone or not ours"),
        ("delete table inet TABLE", "gone or not ours"),
        ("add chain inet TABLE more", "gone or not ours"),
    ],
)
def test_a_change_by_hand_rings_is_named_and_put_right(uplink, cage, change, sentence):
    words = change.replace("TABLE", f"ccp_cage_{cage.group}")
    seen = cage.done(
        "watch",
        engines=[engine(A, (PROXY4, "udp", 443))],
        shell=f"ip netns exec {uplink.name} nft '{words}'",
    )
    assert seen["on_change"] and not seen["on_restore"], seen
    assert (seen["outcome"], seen["code"]) == ("failed", "inventory")
    assert sentence in seen["sentence"], seen
    assert cage.counts() == (0, 0, 0)
    assert cage.probe(A, ("udp", PROXY4, 443)) == MANY


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (engine(0, (PROXY4, "udp", 443)), "no user id of an engine"),
        (engine(A - 1, (PROXY4, "udp", 443)), "no user id of an engine"),
        (engine(A, (PROXY4, "tcp", 0)), "which only UDP may leave out"),
        (engine(A, (PROXY4, "icmp", 1)), "TCP or UDP"),
        (engine(A, *[(PROXY4, "udp", port) for port in range(1, 10)]), "at most 8 doors"),
    ],
)
def test_what_is_no_door_is_refused(cage, wrong, sentence):
    answer = cage.call("doors", engines=[wrong])
    assert answer["result"] == -1 and sentence in answer["error"], answer
    assert cage.counts() == (0, 0, 0)


def test_the_table_reads_as_it_is_documented(uplink, cage):
    cage.doors(engine(A, (PROXY4, "tcp", 1080), (PROXY4, "udp", 0)))
    text = uplink.inside("nft", "list", "table", "inet", f"ccp_cage_{cage.group}")
    assert f'comment "{cage.owner}"' in text
    assert f"elements = {{ {A} . {PROXY4} . 6 . 1080 }}" in text.replace("tcp", "6"), text
    assert f"meta skuid {A}-2147475459 jump engines" in text
