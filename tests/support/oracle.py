"""The oracle of the leak and kill tests: what crosses a link of the machine's side beside a host's tunnel.

It watches all links of the lab's uplink, where whatever is not the tunnels' own is a leak, and all links of the machine
itself, where whatever bears the probes' stamp is one. What reaches the exits is kept too. A loss of the capture is an
error; so should be a Bypass, the positive control, that is not seen. What it sends is a leak to every other oracle.
"""

import itertools
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

from ccplab import capture, netns, plan, process
from support.wait import WAIT_S

FULL = os.environ.get("CCP_LEAK") == "full"  # `make leak`

# Every probe has this hop limit and this type of service: the beginning of a TCP connection has no payload.
STAMP_HOPS, STAMP_TOS = 113, 0x58
STAMPED = f"(ip[8] = {STAMP_HOPS} and ip[1] = {STAMP_TOS}) or ip6[7] = {STAMP_HOPS}"
STAMP_OPTIONS = [(socket.IPPROTO_IP, socket.IP_TTL, STAMP_HOPS), (socket.IPPROTO_IP, socket.IP_TOS, STAMP_TOS)]
# The same for a program of Python inside a host: stamp(a socket).
STAMP = f"""
import socket
def stamp(one):
    ip = {{socket.AF_INET: {STAMP_OPTIONS!r},
           socket.AF_INET6: [(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, {STAMP_HOPS})]}}[one.family]
    many = {{socket.AF_INET: (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, {STAMP_HOPS}),
            socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, {STAMP_HOPS})}}[one.family]
    for option in ip + [many] * (one.type != socket.SOCK_STREAM):
        one.setsockopt(*option)
    return one
"""
BYPASS_NET4, BYPASS_NET6 = "203.0.113.", "2001:db8:c0::"  # .192 and up are nobody's in the lab
BYPASS_MAC = "02:cc:fe:00:00:01"  # no device's: nobody receives what is sent to it, and nothing is passed on
OUTGOING = 4  # PACKET_OUTGOING
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}


class Seen:
    """One packet of a capture: `target`, `port`, `protocol` where it has them."""

    def __init__(self, packet):
        self.packet = packet
        self.source = self.target = self.protocol = None
        self.from_port = self.port = 0
        self.stamped = False
        self.leaves = packet.way == OUTGOING
        data = packet.data
        if packet.protocol == 0x0800 and len(data) >= 20:
            head = (data[0] & 15) * 4
            self._read(socket.AF_INET, data[12:16], data[16:20], data[9], data[head:])
            self.stamped = (data[8], data[1]) == (STAMP_HOPS, STAMP_TOS)
        elif packet.protocol == 0x86DD and len(data) >= 40:
            self._read(socket.AF_INET6, data[8:24], data[24:40], data[6], data[40:])
            self.stamped = data[7] == STAMP_HOPS

    def _read(self, family, source, target, protocol, rest):
        self.source, self.target = (socket.inet_ntop(family, address) for address in (source, target))
        self.protocol = PROTOCOLS.get(protocol, str(protocol))
        if self.protocol in ("tcp", "udp") and len(rest) >= 4:
            self.from_port, self.port = struct.unpack_from(">HH", rest)

    def is_to(self, protocol, target, port=0):
        return (self.protocol, self.target, self.port) == (protocol, target, port)

    def __repr__(self):
        return f"<{self.source} > {self.target}:{self.port} {self.protocol}: {self.packet}>"


class Sight:
    """What was seen since the oracle was asked before."""

    def __init__(self, outside, exits):
        self.outside = outside  # the leaks
        self.exits = exits  # by the exit's number: all packets of its namespace, in and out

    def count_outside(self, *targets):
        """How many of them are to one of those (protocol, address, port)."""
        return sum(any(one.is_to(*target) for target in targets) for one in self.outside)

    def count_at(self, number, *targets):
        """How many such packets came to an exit, or left it where it is the first that has them (a proxy's)."""
        found = [one for one in self.exits[number] if any(one.is_to(*target) for target in targets)]
        came = sum(not one.leaves for one in found)
        return came or len(found)


class Oracle:
    """`kinds` are the proxies that hosts leave by, `exits` those whose namespaces are watched, too."""

    def __init__(self, lab, directory, kinds=(), exits=(1,)):
        self.lab = plan.Lab(lab.prefix, lab.env["CCP_LAB_DIR"])
        self.records = process.Records(self.lab.directory)
        self.tunnels = capture.Tunnels(self.lab, kinds)
        where = {"uplink": self.lab.uplink, "machine": None}
        where |= {f"exit{number}": self.lab.exit(number).namespace for number in exits}
        self.files = {name: Path(directory) / f"oracle-{secrets.token_hex(4)}-{name}.pcap" for name in where}
        self.exits = exits
        for name, namespace in where.items():
            only = ([STAMPED], STAMP_OPTIONS) if namespace is None else ()
            capture.start(self.records, self.files[name], namespace, *only)
        self.closing = ExitStack()
        self.tails = {
            name: self.closing.enter_context(closing(capture.Tail(file))) for name, file in self.files.items()
        }

    def look(self):
        """A Sight of every packet that was sent since the last look."""
        for file in self.files.values():
            capture.flush(self.records, file)
        new = {name: [one for one in tail.new() if not one.is_end_mark()] for name, tail in self.tails.items()}
        beside = [one for one in map(Seen, self._not_tunnels(new["uplink"])) if not self._comes_from_an_exit(one)]
        here = [Seen(one) for one in new["machine"]]
        outside = beside + [one for one in here if not is_bypass_of_another(one.source)]
        return Sight(outside, {number: [Seen(one) for one in new[f"exit{number}"]] for number in self.exits})

    def _not_tunnels(self, packets):
        return [one for one in packets if not self.tunnels.own(one)]

    def _comes_from_an_exit(self, one):
        """An exit's proxies go on speaking to engines that have ended. An answer comes after what was seen to ask."""
        ends = {(exit.endpoint, exit.near) for exit in self.lab.exits.values()}
        return not one.leaves and (one.source, one.target) in ends

    def end(self):
        """Raises if a capture has lost a packet."""
        self.closing.close()
        for file in self.files.values():
            capture.stop(self.records, file)

    def bypass(self, where):
        return Bypass(self.lab, where)


numbers = itertools.count()


def own_number():
    """Differs between processes that run at the same time."""
    return 192 + os.getpid() % 60


def is_bypass_of_another(source):
    own = (f"{BYPASS_NET4}{own_number()}", f"{BYPASS_NET6}{own_number()}")
    return source.startswith((BYPASS_NET4, BYPASS_NET6)) and source not in own


class Bypass:
    """The positive control: a namespace whose only way leads onto a link where the oracle must see what is sent: of
    the uplink, or of the machine. There it ends, since no device has the address that it is sent to."""

    def __init__(self, lab, where):
        self.name = f"{lab.prefix}-by{next(numbers)}"
        self.device = f"{lab.prefix}b{next(numbers)}"[-15:]
        self.there = ["ip", "netns", "exec", lab.uplink] if where == "uplink" else []
        number, lines = own_number(), []
        netns.add(self.name)
        ip = [*self.there, "ip"]
        netns.run(*ip, "link", "add", self.device, "type", "veth", "peer", "name", "way", "netns", self.name)
        netns.run(*self.there, "sysctl", "-qw", f"net.ipv6.conf.{self.device}.disable_ipv6=1")
        netns.run(*ip, "link", "set", self.device, "up")
        netns.run("ip", "netns", "exec", self.name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0")
        netns.run("ip", "netns", "exec", self.name, "sysctl", "-qw", "net.ipv4.ping_group_range=0 65535")
        lines = ["link set lo up", "link set way up"]
        for net, bits, gate in ((BYPASS_NET4, 24, 254), (BYPASS_NET6, 64, 254)):
            more = " nodad" if ":" in net else ""
            lines += [
                f"address add {net}{number}/{bits} dev way{more}",
                f"neighbour replace {net}{gate} lladdr {BYPASS_MAC} nud permanent dev way",
                f"route add default via {net}{gate} dev way",
            ]
        netns.run("ip", "-n", self.name, "-batch", "-", stdin="\n".join(lines) + "\n")

    @property
    def number(self):
        """Of the device at its other end, where what it sends arrives."""
        return json.loads(netns.run(*self.there, "ip", "-json", "link", "show", self.device))[0]["ifindex"]

    @property
    def hardware(self):
        """That device's address."""
        return json.loads(netns.run(*self.there, "ip", "-json", "link", "show", self.device))[0]["address"]

    def python(self, code, *arguments):
        """Runs Python there; its output."""
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", code, *arguments]
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=WAIT_S).stdout

    def remove(self):
        netns.run(*self.there, "ip", "link", "delete", self.device)
        netns.remove(self.name)
