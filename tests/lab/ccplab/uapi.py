"""WireGuard's cross-platform configuration protocol (wireguard.com/xplatform), spoken to an exit's engine."""

import base64
import binascii
import ipaddress
import socket
from dataclasses import dataclass, field

from ccplab.errors import LabError

ANSWER_MAX = 16 << 20  # bytes: some 50,000 peers
NO_KEY = "0" * 64


def path(device):
    """Where the engine with that device listens. Its name stays when the device is moved or renamed."""
    return f"/var/run/wireguard/{device}.sock"


@dataclass
class Peer:
    """One peer of an exit; keys in hex, as the protocol has them."""

    key: str
    allowed: set = field(default_factory=set)
    preshared: str = NO_KEY
    endpoint: str = None
    handshake: float = 0.0  # seconds since 1970, 0: none yet
    rx_bytes: int = 0
    tx_bytes: int = 0


def key_to_hex(text, what="key"):
    """Base64 of 32 bytes, as wg(8) prints keys."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise LabError(f"{what} '{text.strip()[:60]}' is not the base64 of 32 bytes")
    return raw.hex()


def key_to_base64(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def inside_address(text, *nets):
    """An address of one of the networks as WireGuard is told: a /32 or /128."""
    try:
        address = ipaddress.ip_network(text)
    except ValueError:
        raise LabError(f"'{text}' is not an address") from None
    ours = [net for net in nets if net.version == address.version and address.subnet_of(net)]
    if address.prefixlen != address.max_prefixlen or not ours:
        raise LabError(f"{text} is not a single address of {' or '.join(map(str, nets))}")
    return str(address)


def ask(engine, request, timeout_s=1.0):
    """One request, one answer (without its errno line). The timeout is for each part of the answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_s)
        try:
            sock.connect(path(engine))
            sock.sendall((request + "\n").encode())
            answer = b""
            while not answer.endswith(b"\n\n"):
                piece = sock.recv(1 << 16)
                if not piece:
                    raise LabError(f"engine {engine} hung up: it may have died")
                answer += piece
                if len(answer) > ANSWER_MAX:
                    raise LabError(f"engine {engine} answers over {ANSWER_MAX} bytes")
        except TimeoutError:
            raise LabError(f"engine {engine} did not answer within {timeout_s} s: frozen?") from None
        except OSError as error:
            raise LabError(f"engine {engine} cannot be reached: {error.strerror}") from None
    body, _, code = answer.decode().rstrip("\n").rpartition("errno=")
    if code != "0":
        raise LabError(f"engine {engine} refuses the request: errno {code}")
    return body


def configure(engine, private_key, port):
    ask(engine, f"set=1\nprivate_key={private_key}\nlisten_port={port}\nreplace_peers=true\n")


def peers(engine):
    """All peers of the exit by key. (The answer begins with the private key: it goes nowhere.)"""
    found, peer = {}, None
    for line in ask(engine, "get=1\n").splitlines():
        name, _, value = line.partition("=")
        if name == "public_key":
            peer = found[value] = Peer(value)
        elif peer is None:
            continue
        elif name == "preshared_key":
            peer.preshared = value
        elif name == "allowed_ip":
            peer.allowed.add(value)
        elif name == "endpoint":
            peer.endpoint = value
        elif name == "last_handshake_time_sec":
            peer.handshake += int(value)
        elif name == "last_handshake_time_nsec":
            peer.handshake += int(value) / 1e9
        elif name == "rx_bytes":
            peer.rx_bytes = int(value)
        elif name == "tx_bytes":
            peer.tx_bytes = int(value)
    return found


def change(engine, put=(), drop=()):
    """Puts and drops peers in one transaction. A put peer has exactly the allowed addresses it names."""
    lines = ["set=1"]
    for key in drop:
        lines += [f"public_key={key}", "remove=true"]
    for peer in put:
        lines += [
            f"public_key={peer.key}",
            f"preshared_key={peer.preshared}",
            "replace_allowed_ips=true",
        ]
        lines += [f"allowed_ip={address}" for address in sorted(peer.allowed)]
    if len(lines) > 1:
        ask(engine, "\n".join(lines) + "\n")
