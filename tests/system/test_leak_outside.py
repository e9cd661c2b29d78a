"""Who is on a link of the uplink cannot find out which address a host has inside its tunnel, nor say anything to it."""

import ipaddress
import json

import pytest
from ccplab import plan
from support.leak import COUNT, ip
from support.net import run, wall_counts
from support.wait import wait_until

# Asks argv[2] times for the hardware address of each of argv[1], then for argv[3]; the addresses that have answered by
# the time that the last has: answers come in the order of questions. Nobody's address asks, as before one is taken.
ASK = """
import json, socket, struct, sys
targets, count, known = map(json.loads, sys.argv[1:])
one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
one.bind(("way", 0x0806))
one.settimeout(20)
own = one.getsockname()[4]
for target in [*targets * count, known]:
    question = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + own + bytes(4) + bytes(6) + socket.inet_aton(target)
    one.send(b"\\xff" * 6 + own + b"\\x08\\x06" + question)
told = []
while known not in told:
    answer = one.recv(1500)
    if answer[20:22] == b"\\0\\2":
        told.append(socket.inet_ntoa(answer[28:32]))
print(json.dumps(told))
"""

# Sends argv[1] SYN+ACK segments from argv[2] (address, port) to argv[3], by the hardware address argv[4] if there is
# one, else by the routes.
ACKNOWLEDGE = """
import json, socket, struct, sys
count, source, target, hardware = map(json.loads, sys.argv[1:])
def total(data):
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return ~value & 0xffff
ends = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
def segment(number):
    ports = source[1], target[1]
    head = lambda check: struct.pack(">HHIIBBHHH", *ports, number, number, 0x50, 0x12, 65535, check, 0)
    tcp = head(total(ends + struct.pack(">HH", 6, 20) + head(0)))
    ip = lambda check: struct.pack(">BBHHHBBH", 0x45, 0, 40, number, 0, 64, 6, check) + ends
    return ip(total(ip(0))) + tcp
if hardware:
    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    one.bind(("way", 0x0800))
    for number in range(count):
        one.send(bytes.fromhex(hardware.replace(":", "")) + one.getsockname()[4] + b"\\x08\\0" + segment(number))
else:
    one = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for number in range(count):
        one.sendto(segment(number), (target[0], 0))
"""
SERVER = ("198.18.0.11", 80)  # of which a host might have a connection


@pytest.fixture
def neighbour(leaking):
    """Somebody on a link of the uplink."""
    one = leaking.oracle.bypass("uplink")
    yield one
    one.remove()
    leaking.oracle.look()  # what it sent itself


def test_nobody_answers_for_a_hosts_address(leaking, neighbour, figures):
    near = plan.Lab(leaking.lab.prefix, "/").exit(1).near
    targets = [leaking.address, plan.DNS_ADDRESS]
    told = json.loads(neighbour.python(ASK, json.dumps(targets), json.dumps(COUNT), json.dumps(near)))
    control = told.count(near)
    sight = leaking.oracle.look()
    strays = [one for one in sight.outside if one.packet.interface != neighbour.number]
    figures(
        "L21",
        leaking.kind,
        "ARP",
        sent=COUNT * len(targets),
        answered=len(told) - control,
        outside=len(strays),
        control=control,
    )
    assert told == [near], "the uplink's own address is known, and no other"
    assert strays == []
    pid = leaking.host.pid
    flags = {link["ifname"]: set(link["flags"]) for link in ip(pid, "link")}
    assert "NOARP" in flags["tun0"] and "LOOPBACK" in flags["lo"]
    assert ip(pid, "neighbour") == []


def test_an_acknowledgement_from_a_link_gets_no_answer(leaking, neighbour, figures):
    """As who wants to know which connections a tunnel has would send (CVE-2019-14899)."""
    lab = plan.Lab(leaking.lab.prefix, "/")
    arguments = (COUNT, SERVER, (leaking.address, 40000), neighbour.hardware)
    neighbour.python(ACKNOWLEDGE, *map(json.dumps, arguments))
    sight = leaking.oracle.look()
    came = sight.count_outside(("tcp", leaking.address, 40000))
    strays = [one for one in sight.outside if one.packet.interface != neighbour.number or one.leaves]
    # The positive control: the uplink itself refuses such a segment, so it was one that is answered.
    exit = lab.exit(1)
    arguments = (1, (exit.endpoint, 80), (exit.near, 40000), neighbour.hardware)
    neighbour.python(ACKNOWLEDGE, *map(json.dumps, arguments))
    control = leaking.oracle.look().count_outside(("tcp", exit.endpoint, 80))
    figures(
        "L22", leaking.kind, "SYN/ACK from the uplink", sent=COUNT, came=came, answered=len(strays), control=control
    )
    assert (came, control) == (COUNT, 1)
    assert strays == []


def test_an_acknowledgement_out_of_the_tunnel_is_refused_without_an_answer(leaking, figures):
    """The exit itself sends it. No proxy carries such a thing: its exit does not know the address."""
    address, pid = leaking.address, leaking.host.pid
    words = ["nsenter", f"--net={leaking.lab.env['LAB_EXIT1_NETNS']}", "python3", "-c", ACKNOWLEDGE]
    tunneled = ipaddress.ip_address(address) in plan.PEER_NET
    sent = COUNT if tunneled else 0
    before = wall_counts(pid)["deny_in_user"]
    if tunneled:
        run(*words, *map(json.dumps, (sent, SERVER, (address, 40000), None)))
        wait_until(lambda: wall_counts(pid)["deny_in_user"] - before >= sent, "the wall refuses each")
    counted = wall_counts(pid)["deny_in_user"] - before
    sight = leaking.oracle.look()
    answers = [one for one in sight.exits[1] if one.source == address and one.port == SERVER[1]]
    figures("L22", leaking.kind, "SYN/ACK from the exit", sent=sent, deny_in=counted, answered=len(answers))
    assert (answers, sight.outside) == ([], [])
    assert counted >= sent
