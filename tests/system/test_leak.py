"""What leaves a host beside its tunnel: nothing, whoever sends it, wherever to, whatever carries the tunnel.

One host for each kind of tunnel. A case's probes are counted where they are sent, by the wall, on every link outside
(support/oracle.py) and at the exit. The same probes from a namespace with a way out must be seen there, or the case is
an error.
"""

import json
import secrets
import socket
from dataclasses import dataclass

import pytest
from ccplab import plan
from support.leak import COUNT, PROBE, USERS, Doors, address_in
from support.net import run, wall_counts
from support.oracle import STAMP, Oracle
from support.wait import wait_until

PLACES = ("uplink", "machine")  # where the oracle must see what is let out


@dataclass(frozen=True)
class Case:
    """Packets that are sent to `targets` (protocol, address, port), and where they end: at a counter of the wall that
    has them all, or in the kernel, which knows no way there."""

    name: str
    what: str
    end: str
    targets: tuple

    @property
    def answers(self):
        """What the sender sees, by protocol."""
        if self.end == "no way":
            return dict.fromkeys(("tcp", "udp", "icmp"), "EADDRNOTAVAIL")
        refused = "sent" if self.end == "pass" else "EPERM"
        return {"tcp": "sent", "udp": refused, "icmp": refused}


def each(protocols, addresses, *ports):
    return tuple((how, to, port) for how in protocols for to in addresses for port in ports)


def flat(told):
    return [one for of_a_user in told for one in of_a_user]


PRIVATE = ("10.0.0.1", "100.64.0.1", "172.16.0.1", "172.17.0.1", "192.168.0.1")
CASES = (
    Case("L01", "DNS to another resolver", "deny_dns", each(("udp",), ("8.8.8.8", "198.18.0.11"), 53)),
    Case("L02", "DNS over TCP", "deny_dns", each(("tcp",), ("8.8.8.8", "198.18.0.11"), 53)),
    Case("L03", "DNS over TLS and QUIC", "deny_dns", each(("tcp", "udp"), ("9.9.9.9", "198.18.0.53"), 853)),
    Case("L08", "IPv6", "no way", (*each(("tcp", "udp"), ("2001:db8::1",), 443), ("icmp", "2001:db8::1", 0))),
    Case("L09", "ping", "pass", each(("icmp",), ("198.18.0.11", "8.8.8.8"), 0)),
    Case("L11", "metadata of clouds", "deny_local", each(("tcp", "udp"), ("169.254.169.254", "169.254.170.2"), 80)),
    Case("L11", "metadata of clouds, IPv6", "no way", each(("tcp", "udp"), ("fd00:ec2::254",), 80)),
    Case(
        "L12",
        "link-local, multicast, broadcast",
        "deny_local",
        (
            ("udp", "224.0.0.251", 5353),
            ("udp", "224.0.0.252", 5355),
            ("udp", "239.255.255.250", 1900),
            ("udp", "255.255.255.255", 9),
            *each(("udp",), ("169.254.1.1", "255.255.255.255"), 137, 138),
        ),
    ),
    Case("L13", "private networks", "pass", each(("tcp", "udp"), PRIVATE, 9)),
)


@pytest.fixture(scope="module", autouse=True)
def controls(agent, tmp_path_factory):
    """How many packets of each case were seen outside, of those that a namespace with a way out has sent there. It is
    before all hosts: what it sends would be their leak."""
    oracle = Oracle(agent.lab, tmp_path_factory.mktemp("control"))
    seen = {}
    for where in PLACES:
        bypass = oracle.bypass(where)
        for case in CASES:
            told = json.loads(bypass.python(PROBE, json.dumps(case.targets), json.dumps(COUNT)))
            assert all(set(one) == {"sent"} for one in told), (case.what, told)
            seen[case.what, where] = oracle.look().count_outside(*case.targets)
        bypass.remove()
    oracle.end()
    return seen


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.what}")
def test_no_packet_leaves_beside_the_tunnel_and_the_wall_counts_each(leaking, controls, case, figures):
    sent = COUNT * len(case.targets)
    for where in PLACES:
        assert controls[case.what, where] == sent, f"the oracle does not see what is let out on the {where}"
    with leaking.counted() as risen:
        told = leaking.told(PROBE, case.targets, COUNT)
    sight = leaking.oracle.look()
    sent *= len(USERS)
    counted = risen["deny_v6" if case.end == "no way" else case.end]
    at_exit = sight.count_at(1, *case.targets)
    figures(
        case.name,
        leaking.kind,
        case.what,
        **{"sent": sent, case.end: counted, "outside": len(sight.outside), "exit": at_exit},
        control="+".join(str(controls[case.what, where]) for where in PLACES),
    )
    assert sight.outside == []
    for (protocol, _, _), *answers in zip(case.targets, *told, strict=True):
        assert [set(answer) for answer in answers] == [{case.answers[protocol]}] * len(USERS), (case.targets, told)
    if case.end == "pass":  # the kernel's last words to connections of before are counted there, too
        assert counted >= sent
        assert leaking.kind != "wireguard" or at_exit == sent
    else:
        assert (counted, at_exit) == (0 if case.end == "no way" else sent, 0)


def test_no_ipv6_packet_reaches_the_exit(leaking, figures):
    """Nor does the kernel ask for routers or groups by itself, from the start on."""
    family = [one for one in leaking.started.exits[1] if one.source and ":" in one.source]
    figures("L08", leaking.kind, "IPv6 at the exit since the start", exit=len(family))
    assert family == []
    assert leaking.started.outside == []


# Asks argv[1] by HTTPS, argv[2] times over a connection each, as for a name; the certificate is not looked at.
HTTPS = """
import http.client, json, ssl, sys
host, count = map(json.loads, sys.argv[1:])
statuses = []
for _ in range(count):
    one = http.client.HTTPSConnection(host, timeout=20, context=ssl._create_unverified_context())
    one.request("GET", "/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB")
    statuses.append(one.getresponse().status)
    one.close()
print(json.dumps(statuses))
"""


def test_a_name_that_is_asked_over_https_is_asked_by_the_exit(leaking, figures):
    target = plan.TARGETS[1]
    count = COUNT // 2
    told = leaking.told(HTTPS, target, count)
    sight = leaking.oracle.look()
    out = {(one.source, one.from_port) for one in sight.exits[1] if one.leaves and one.is_to("tcp", target, 443)}
    sent = count * len(USERS)
    figures(
        "L04",
        leaking.kind,
        "DNS over HTTPS",
        sent=sent,
        answered=len(flat(told)),
        outside=len(sight.outside),
        exit=len(out),
    )
    assert sight.outside == []
    assert {source for source, _ in out} == {leaking.exit_ip}
    assert len(out) >= sent  # the agent's checks are to this target, too
    assert (len(flat(told)), set(flat(told))) == (sent, {200})


# Asks the system's resolver for each name; says which it could not find.
NAMES = """
import json, socket, sys
missed = []
for name in json.loads(sys.argv[1]):
    try:
        socket.getaddrinfo(name, 80, socket.AF_INET)
    except socket.gaierror:
        missed.append(name)
print(json.dumps(missed))
"""


def asked(lab, tag):
    """(client, name) of what the lab's resolver was asked that has the tag in it."""
    lines = map(json.loads, lab.run("dns", "log").splitlines())
    return [(line["client"], line["name"]) for line in lines if tag in line["name"]]


def test_every_name_is_asked_by_the_exit_and_of_its_resolver(leaking, figures):
    tag = f"l05{secrets.token_hex(4)}"
    names = [f"{tag}-{number}.{plan.CHECK_ZONE}" for number in range(COUNT)]
    told = leaking.told(NAMES, names)
    sight = leaking.oracle.look()
    log = asked(leaking.lab, tag)
    figures("L05", leaking.kind, "names", sent=len(names) * len(USERS), asked=len(log), outside=len(sight.outside))
    assert sight.outside == []
    assert told == [[]] * len(USERS)
    assert {client for client, _ in log} == {leaking.exit_ip}
    assert sorted(name for _, name in log) == sorted(names * len(USERS))


def test_no_domain_is_searched_for_a_name(leaking, figures):
    tag = f"l06{secrets.token_hex(4)}"
    names = [tag, f"{tag}.nowhere.example"]
    told = leaking.told(NAMES, names)
    sight = leaking.oracle.look()
    log = asked(leaking.lab, tag)
    figures(
        "L06", leaking.kind, "search domain", sent=len(names) * len(USERS), asked=len(log), outside=len(sight.outside)
    )
    assert sight.outside == []
    assert told == [names] * len(USERS)
    assert sorted(name for _, name in log) == sorted(names * len(USERS))


@pytest.fixture
def doors(agent):
    one = Doors(agent.lab)
    yield one
    one.end()


def machine_addresses():
    return sorted(one["local"] for link in json.loads(run("ip", "-json", "-4", "address")) for one in link["addr_info"])


def test_nothing_that_listens_on_the_machine_or_the_uplink_is_reached(leaking, doors, figures):
    addresses = machine_addresses()
    for address in addresses:
        socket.create_connection((address, doors.port)).close()
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, doors.port))
    run("nsenter", f"--net={doors.uplink}", "bash", "-c", f"exec 3<>/dev/tcp/{doors.METADATA}/80")
    control = doors.entered()
    leaking.oracle.look()  # these connections were the uplink's own
    assert (control["tcp"], control["udp"], control["metadata"]) == (len(addresses), len(addresses), 1)
    elsewhere = sorted({*addresses, "127.0.0.53", "172.17.0.1", "198.51.100.101"})
    targets = (*each(("tcp", "udp"), elsewhere, doors.port), ("tcp", doors.METADATA, 80))
    leaking.told(PROBE, targets, COUNT)
    sight = leaking.oracle.look()
    entered = doors.entered()
    sent = COUNT * len(targets) * len(USERS)
    figures(
        "L13",
        leaking.kind,
        "the machine's addresses and loopback",
        sent=sent,
        entered=sum(entered.values()),
        outside=len(sight.outside),
        control=sum(control.values()),
    )
    assert set(entered.values()) == {0}
    assert sight.outside == []


@pytest.fixture(scope="module")
def neighbour(agent):
    """Another client of the WireGuard exit."""
    host = agent.host()
    host.task("host.create")
    yield host.running()
    host.task("host.delete", '{"wipe": true}')


@pytest.fixture
def joined(agent):
    """The exit passes packets from one of its clients to another."""
    namespace = agent.lab.env["LAB_EXIT1_NETNS"]
    rule = f"add rule inet lab forward iifname {agent.lab.prefix}x1 oifname {agent.lab.prefix}x1 accept comment joined"
    run("nsenter", f"--net={namespace}", "nft", rule)
    yield
    listed = json.loads(run("nsenter", f"--net={namespace}", "nft", "-ja", "list", "chain", "inet", "lab", "forward"))
    (handle,) = [one["rule"]["handle"] for one in listed["nftables"] if one.get("rule", {}).get("comment") == "joined"]
    run("nsenter", f"--net={namespace}", "nft", f"delete rule inet lab forward handle {handle}")


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize("way", ["to another host", "from another host"])
def test_no_host_reaches_another_by_its_address(leaking, neighbour, way, figures):
    sender, receiver = (leaking.host, neighbour) if way.startswith("to") else (neighbour, leaking.host)
    address = address_in(receiver.pid)
    targets = (*each(("tcp", "udp"), (address,), 22), ("icmp", address, 0))
    before, passed = wall_counts(receiver.pid), wall_counts(sender.pid)
    own = address_in(sender.pid)
    for user in USERS:
        status, output = sender.run("python3", "-c", PROBE, json.dumps(targets), json.dumps(COUNT), user=user)
        assert (status, set(flat(map(set, json.loads(output))))) == (0, {"sent"}), output
    sent = COUNT * len(targets) * len(USERS)
    assert wall_counts(sender.pid)["pass_user"] - passed["pass_user"] >= sent
    # A WireGuard exit hands on what a client of its own sends; a proxied host has no address that anybody knows.
    refused = sent if leaking.kind == "wireguard" else 0
    wait_until(
        lambda: wall_counts(receiver.pid)["deny_in_user"] - before["deny_in_user"] >= refused,
        "the other host refuses what comes",
    )
    sight = leaking.oracle.look()
    back = [one for one in sight.exits[1] if (one.source, one.target) == (address, own)]
    handed_on = sum(one.leaves and (one.source, one.target) == (own, address) for one in sight.exits[1])
    counted = wall_counts(receiver.pid)["deny_in_user"] - before["deny_in_user"]
    figures(
        "L14",
        leaking.kind,
        way,
        sent=sent,
        handed_on=handed_on,
        deny_in=counted,
        answered=len(back),
        outside=len(sight.outside),
    )
    assert sight.outside == []
    assert back == []
    assert handed_on == refused


# A binding request to each of argv[1], count argv[2]; the addresses that came back, or what came instead.
STUN = (
    STAMP
    + """
import errno, json, os, struct, sys
targets, count = map(json.loads, sys.argv[1:])
told = []
for target in targets * count:
    with stamp(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
        one.settimeout(20)
        one.connect(tuple(target))
        request = struct.pack(">HHI", 1, 0, 0x2112a442) + os.urandom(12)
        try:
            one.send(request)
            answer = one.recv(1500)
            assert answer[:2] == b"\\1\\1" and answer[8:20] == request[8:], answer
            mapped, = struct.unpack_from(">I", answer, 28)
            told.append(socket.inet_ntoa(struct.pack(">I", mapped ^ 0x2112a442)))
        except ConnectionRefusedError:
            told.append("refused")
print(json.dumps(told))
"""
)


def test_who_asks_which_address_it_has_is_told_the_exits(leaking, figures):
    targets = [(plan.STUN[1], port) for port in plan.STUN_PORTS]
    told = leaking.told(STUN, targets, COUNT)
    sight = leaking.oracle.look()
    sent = COUNT * len(targets) * len(USERS)
    right = "refused" if leaking.without_udp else leaking.exit_ip
    figures("L20", leaking.kind, "STUN", sent=sent, **{right: flat(told).count(right)}, outside=len(sight.outside))
    assert sight.outside == []
    assert flat(told) == [right] * sent
