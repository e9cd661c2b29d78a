"""A host whose every way out is tried, and what its wall has counted."""

import json
import os
import secrets
import socket
from contextlib import contextmanager, suppress

from ccplab import netns, proxies
from support.net import inside, wall_counts
from support.oracle import FULL, STAMP, Oracle
from support.proxied import Proxied

KINDS = ["wireguard", *(proxies.KINDS if FULL else ("trojan-tls", "hysteria2"))]
COUNT = 200 if FULL else 20  # packets to each target by each user
USERS = ("dev", "root")
WITHOUT_UDP = {"http", "http-auth", "https-auth"}

# Sends argv[2] packets to each target of argv[1], by a socket each. Says for each how often it could, or why not.
PROBE = (
    STAMP
    + """
import collections, errno, json, struct, sys

def send(protocol, target, port):
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    to = (target, port) if family == socket.AF_INET else (target, port, 0, socket.if_nameindex()[-1][0])
    if protocol == "tcp":
        with stamp(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.connect(to)
    ping = {socket.AF_INET: (socket.IPPROTO_ICMP, 8), socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128)}[family]
    with stamp(socket.socket(family, socket.SOCK_DGRAM, ping[0] if protocol == "icmp" else 0)) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        one.sendto(struct.pack("BBHHH", ping[1], 0, 0, 0, 1) + b"x" * 24, to)

def outcome(*arguments):
    try:
        send(*arguments)
    except BlockingIOError:
        pass  # the connection begins
    except OSError as error:
        return errno.errorcode[error.errno]
    return "sent"

targets, count = map(json.loads, sys.argv[1:])
print(json.dumps([collections.Counter(outcome(*target) for _ in range(count)) for target in targets]))
"""
)


def ip(pid, *words):
    """What the machine's `ip` finds in the namespace of that process."""
    return json.loads(inside(pid, "ip", "-json", *words))


def address_in(pid):
    """The one of the tunnel there."""
    (tunnel,) = [link for link in ip(pid, "address") if link["ifname"] != "lo"]
    return tunnel["addr_info"][0]["local"]


class Leaking:
    """A host that runs, behind an exit of a kind: `wireguard` or one of the lab's proxies. It is watched all along."""

    def __init__(self, agent, kind, directory):
        self.agent, self.kind, self.lab = agent, kind, agent.lab
        self.oracle = Oracle(agent.lab, directory, [] if kind == "wireguard" else [kind])
        self.host = agent.host() if kind == "wireguard" else Proxied(agent, kind).host
        if kind == "wireguard":
            self.host.task("host.create")
        self.host.running()
        self.started = self.oracle.look()
        self.exit_ip = agent.lab.env["LAB_EXIT1_IP"]
        self.without_udp = kind in WITHOUT_UDP

    def python(self, code, *arguments, user="root"):
        """Runs Python in it; its output."""
        status, output = self.host.run("python3", "-c", code, *arguments, user=user)
        assert status == 0, output
        return output

    def told(self, code, *arguments):
        """The same as each user of USERS; the JSON that each has printed."""
        return [json.loads(self.python(code, *map(json.dumps, arguments), user=user)) for user in USERS]

    @property
    def address(self):
        return address_in(self.host.pid)

    @contextmanager
    def counted(self):
        """A dict that has, after the block, by how much each of the user's counters of the wall has risen."""
        risen = {}
        before = wall_counts(self.host.pid)
        yield risen
        after = wall_counts(self.host.pid)
        risen |= {name.removesuffix("_user"): after[name] - before[name] for name in after if name.endswith("_user")}

    def end(self):
        self.host.task("host.delete", '{"wipe": true}')
        left = self.oracle.look().outside
        self.oracle.end()
        assert not left, left


class Doors:
    """Listeners on the machine's side, and how many got in: of TCP and UDP at one port of every address of the machine,
    of TCP at the address in the uplink where a cloud tells a machine its secrets, and at an abstract Unix address."""

    METADATA = "169.254.169.254"

    def __init__(self, lab):
        self.uplink = lab.env["LAB_UPLINK_NETNS"]
        self.abstract = f"ccp-leak-{secrets.token_hex(8)}"
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.bind(("0.0.0.0", 0))
        self.port = tcp.getsockname()[1]
        udp.bind(("0.0.0.0", self.port))
        self._in_uplink("address", "add", f"{self.METADATA}/32", "dev", "lo")
        with netns.inside(os.path.basename(self.uplink)):
            metadata = socket.socket()
        metadata.bind((self.METADATA, 80))
        named = socket.socket(socket.AF_UNIX)
        named.bind(f"\0{self.abstract}")
        self.sockets = {"tcp": tcp, "udp": udp, "metadata": metadata, "unix": named}
        for one in self.sockets.values():
            one.setblocking(False)
            if one.type == socket.SOCK_STREAM:
                one.listen(512)

    def _in_uplink(self, *words):
        netns.run("ip", "-n", os.path.basename(self.uplink), *words)

    def entered(self):
        """By name of the listener: who got in since the last time."""
        return {name: self._entered(one) for name, one in self.sockets.items()}

    @staticmethod
    def _entered(one):
        count = 0
        with suppress(BlockingIOError):
            while True:
                if one.type == socket.SOCK_STREAM:
                    one.accept()[0].close()
                else:
                    one.recv(1)
                count += 1
        return count

    def end(self):
        for one in self.sockets.values():
            one.close()
        self._in_uplink("address", "del", f"{self.METADATA}/32", "dev", "lo")
