"""A host whose every way out is tried, and what its wall has counted."""

import json
import subprocess

from support.oracle import STAMP, Oracle
from support.proxied import Proxied

# Sends argv[1][1] packets to each of argv[1][0], by a socket each. Says for each target how often it could, or why not.
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

targets, count = json.loads(sys.argv[1])
print(json.dumps([collections.Counter(outcome(*target) for _ in range(count)) for target in targets]))
"""
)


def wall_counts(pid):
    """Packets by counter of the wall in the namespace of that process."""
    words = ["nsenter", f"--net=/proc/{pid}/ns/net", "nft", "-j", "list", "counters", "table", "inet", "ccp"]
    listed = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["nftables"]
    return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in listed if "counter" in entry}


class Leaking:
    """A host that runs, behind an exit of a kind: `wireguard` or one of the lab's proxies. It is watched all along."""

    def __init__(self, agent, kind, directory):
        self.agent, self.kind = agent, kind
        self.oracle = Oracle(agent.lab, directory, [] if kind == "wireguard" else [kind])
        self.host = agent.host() if kind == "wireguard" else Proxied(agent, kind).host
        if kind == "wireguard":
            self.host.task("host.create")
        self.host.running()

    def python(self, code, *arguments, user="root"):
        """Runs Python in it; its output."""
        status, output = self.host.run("python3", "-c", code, *arguments, user=user)
        assert status == 0, output
        return output

    def end(self):
        self.host.task("host.delete", '{"wipe": true}')
        left = self.oracle.look().outside
        self.oracle.end()
        assert not left, left
