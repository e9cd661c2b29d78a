"""The plan: every name, address and port of the lab, in one place. README.md draws it."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from ccplab.errors import LabError

# Addresses live inside namespaces only, so labs side by side use the same ones. All of them are
# documentation (RFC 5737, RFC 3849) or benchmarking (RFC 2544) ranges.
PEER_NET = ipaddress.ip_network("198.18.128.0/17")  # inside addresses of tunnel clients
SERVICE_NET = ipaddress.ip_network("198.18.0.0/17")  # what the fake internet consists of
PEER_NET6 = ipaddress.ip_network("2001:db8:8000::/48")  # the same of IPv6
SERVICE_NET6 = ipaddress.ip_network("2001:db8:0:18::/64")  # the same addresses as far as they end in the same number
PORT = 51820
MTU = 1420
PROXY_PORTS = (1080, 1102)  # of each exit's endpoint, first and last; proxies.py says which is what
RELAY_PORTS = (40000, 49999)  # where an exit's proxies take a SOCKS5 client's datagrams

ZONE = "lab.example"
PROXY_NAME = f"px.{ZONE}"  # what the proxies' certificate is for
CHECK_ZONE = f"check.{ZONE}"  # any name below it exists, so unique names can be asked and found in the log
CHECK_ADDRESS = "203.0.113.80"
CHECK_ADDRESS6 = "2001:db8:0:113::80"
DNS_ADDRESS = "198.18.0.53"
ECHOES = {number: f"198.18.0.{10 + number}" for number in range(1, 6)}
TARGETS = {number: f"198.18.0.{80 + number}" for number in range(1, 3)}
TARGET_PORT = 443  # TLS; the same is answered without it at port 80
STUN = {1: "198.18.0.71"}  # says by UDP which address a question came from (RFC 8489)
STUN_PORTS = (3478, 19302)
SILENT = {1: "198.18.0.91", 2: "198.18.0.92"}  # they accept and say nothing, at port 80

NAMES = (
    {f"echo{number}.{ZONE}": address for number, address in ECHOES.items()}
    | {f"target{number}.{ZONE}": address for number, address in TARGETS.items()}
    | {f"stun{number}.{ZONE}": address for number, address in STUN.items()}
    | {f"silent{number}.{ZONE}": address for number, address in SILENT.items()}
    | {f"ns1.{ZONE}": DNS_ADDRESS}
)


def address6(address):
    """The IPv6 address of a service, by its IPv4 one."""
    return f"2001:db8:0:18::{address.rpartition('.')[2]}"


@dataclass(frozen=True)
class Exit:
    """One WireGuard exit: a namespace between the uplink and the fake internet."""

    number: int
    namespace: str
    engine: str  # the device, and the name of its UAPI socket: unique on the machine

    @property
    def endpoint(self):
        return f"198.51.100.{self.number}"

    @property
    def near(self):
        """The uplink's own address on the link to this exit."""
        return f"198.51.100.{100 + self.number}"

    @property
    def public(self):
        """The exit IP: what the fake internet sees."""
        return f"203.0.113.{self.number}"

    @property
    def swapped(self):
        """What the fake internet sees after swap-exit."""
        return f"203.0.113.{100 + self.number}"

    @property
    def public6(self):
        return f"2001:db8:0:113::{self.number}"

    @property
    def swapped6(self):
        return f"2001:db8:0:113::{100 + self.number}"

    def mac(self, end):
        """Fixed hardware addresses let the uplink do without ARP, so a capture holds no noise."""
        return f"02:cc:{end:02x}:00:00:{self.number:02x}"


class Lab:
    """Which lab: its prefix gives the names, its directory holds the state."""

    def __init__(self, prefix, directory):
        # An interface name has 15 bytes, and the engine's is the prefix and two more.
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,12}", prefix):
            raise LabError(f"prefix '{prefix}': use 1 to 13 lower-case letters, digits or '-', a letter first")
        self.prefix = prefix
        self.directory = Path(directory).absolute()
        self.uplink = f"{prefix}-uplink"
        self.net = f"{prefix}-net"
        self.exits = {number: Exit(number, f"{prefix}-exit{number}", f"{prefix}x{number}") for number in (1, 2)}
        if len(str(self.control)) > 107:
            raise LabError(f"state directory {directory}: a socket's path in it would be over 107 bytes")

    @property
    def own_namespaces(self):
        """Where only the lab's own processes live. (In the uplink live the engines of its users.)"""
        return [exit.namespace for exit in self.exits.values()] + [self.net]

    @property
    def namespaces(self):
        return [self.uplink, *self.own_namespaces]

    @property
    def control(self):
        return self.directory / "internet.sock"

    @property
    def dns_log(self):
        return self.directory / "dns.jsonl"

    def exit(self, number):
        try:
            return self.exits[int(number)]
        except (KeyError, ValueError):
            raise LabError(f"exit '{number}': the lab has exits 1 and 2") from None
