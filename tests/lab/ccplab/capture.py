"""Captures: what crosses a namespace's links, as pcap files that are complete when `stop` returns.

tcpdump listens on all interfaces of the namespace at once (LINKTYPE_LINUX_SLL2), so also on a tunnel that is
just being born there. At the end `stop` sends a mark through the loopback device and waits until the mark is in
the file: the kernel hands packets over in order, so everything before it is there too. The mark never touches a link,
and `stop` takes it out of the file: a reader finds what was sent on purpose, and nothing of ours.
"""

import contextlib
import ctypes
import hashlib
import os
import re
import secrets
import select
import shutil
import socket
import struct
import time
from pathlib import Path

from ccplab import netns, plan, proxies
from ccplab.errors import LabError

START_S = 30
SNAP = 192  # bytes kept of a packet: all headers and the mark
BUFFER_KIB = 64 << 10
MARK = b"ccplab end of capture "
STRAY_PORT = 9  # discard
SLL2 = 276
LOOPBACK = 772  # ARPHRD_LOOPBACK
TO_US = 0  # PACKET_HOST: came from a device
_libc = ctypes.CDLL(None, use_errno=True)


def _name(file):
    return "capture-" + hashlib.sha256(str(file).encode()).hexdigest()[:12]


def start(records, file, namespace, wanted=(), options=()):
    """Returns when tcpdump listens. No namespace is the caller's own. `wanted` is an expression of pcap-filter(7), and
    `options` those of a socket that let the mark of flush() fit it."""
    file = Path(file).absolute()
    name = _name(file)
    if records.alive(name):
        raise LabError(f"a capture into {file} runs already: `lab capture stop {file}` ends it")
    if shutil.which("tcpdump") is None:
        raise LabError("tcpdump is not installed: run tools/install-deps")
    file.unlink(missing_ok=True)
    records.logs.mkdir(parents=True, exist_ok=True)
    records.log(name).touch()
    with _inside(namespace), Watch(records.log(name)) as watch:
        records.spawn(
            name,
            [
                "tcpdump",
                "-i",
                "any",
                "-n",
                "-p",
                "-U",
                "--immediate-mode",
                "-Z",
                "root",
                "-s",
                str(SNAP),
                "-B",
                str(BUFFER_KIB),
                "-w",
                str(file),
                *wanted,
            ],
            file=str(file),
            namespace=namespace,
            options=options,
        )
        if not watch.until(lambda: b"listening on" in records.log(name).read_bytes(), START_S):
            raise LabError(f"tcpdump does not start: {records.last_lines(name)}")


def _inside(namespace):
    return netns.inside(namespace) if namespace else contextlib.nullcontext()


def stop(records, file=None):
    """Ends the capture into that file, or all; each file then holds every packet sent before. A loss is an error."""
    if file is not None and records.read(_name(Path(file).absolute())) is None:
        raise LabError(f"there is no capture into {file}")
    names = [_name(Path(file).absolute())] if file else records.names()
    for name in [name for name in names if name.startswith("capture-")]:
        record = records.read(name)
        if not records.alive(name):
            records.stop(name)
            raise LabError(f"the capture into {record['file']} died: {records.last_lines(name)}")
        flush(records, record["file"])
        records.stop(name)
        said = records.log(name).read_text(encoding="utf-8")
        records.log(name).unlink()
        lost = re.search(r"^(\d+) packets dropped by kernel", said, re.MULTILINE)
        if lost is None or int(lost[1]) > 0:
            raise LabError(f"the capture into {record['file']} is incomplete: {said.strip()}")
        _take_marks_out(Path(record["file"]))


def _take_marks_out(file):
    clean = file.with_name(file.name + ".clean")
    with open(file, "rb") as pcap, open(clean, "wb") as out:
        head, order = _head(pcap, file)
        out.write(head)
        for record, frame in _pieces(pcap, order):
            if not _packet(order, record, frame).is_end_mark():
                out.write(record + frame)
    clean.replace(file)


def flush(records, file):
    """Returns when every packet sent before is in the file."""
    record = records.read(_name(Path(file).absolute()))
    mark = MARK + secrets.token_hex(8).encode()
    with Watch(record["file"]) as watch, open(record["file"], "rb") as pcap:
        pcap.seek(0, os.SEEK_END)
        new = bytearray()
        with _inside(record["namespace"]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for option in record["options"]:
                sock.setsockopt(*option)
            sock.bind(("127.0.0.1", 0))
            sock.sendto(mark, sock.getsockname())

        def marked():
            new.extend(pcap.read())
            return mark in new

        if not watch.until(marked, 10):
            raise LabError(f"the end of the capture does not appear in {record['file']}: is the disk full?")


class Watch:
    """Waits for a file to grow, by inotify(7)."""

    def __init__(self, file):
        self.fd = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0 or _libc.inotify_add_watch(self.fd, os.fsencode(file), 2) < 0:  # IN_MODIFY
            raise LabError(f"watching {file}: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def until(self, condition, timeout_s):
        end = time.monotonic() + timeout_s
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return condition()
            os.read(self.fd, 65536)
        return True


class Packet:
    """One packet of a capture (SLL2 header: tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html)."""

    def __init__(self, time_s, frame):
        self.time_s = time_s
        self.protocol, _, self.interface, self.hardware, self.way = struct.unpack_from(">HHiHB", frame)
        self.data = frame[20:]

    def is_end_mark(self):
        return self.hardware == LOOPBACK and MARK in self.data

    def __str__(self):
        return f"{self.time_s:.6f} interface {self.interface} protocol {self.protocol:#06x} {self.data[:64].hex()}"


class Ip:
    """The head of an IPv4 packet; a fragment that is not the first has no ports."""

    def __init__(self, data):
        header = (data[0] & 15) * 4
        self.protocol = {6: "tcp", 17: "udp"}.get(data[9])
        self.identification, offset = struct.unpack_from(">HH", data, 4)
        self.more, self.is_rest = bool(offset & 0x2000), bool(offset & 0x1FFF)
        self.source, self.target = (socket.inet_ntoa(data[at : at + 4]) for at in (12, 16))
        self.ports = struct.unpack_from(">HH", data, header) if 20 <= header <= len(data) - 8 else (-1, -1)

    @staticmethod
    def of(packet):
        whole = packet.protocol == 0x0800 and len(packet.data) >= 28 and packet.data[0] >> 4 == 4
        return Ip(packet.data) if whole else None


class Tunnels:
    """What tunnels send and get: between the uplink's own address and an exit's endpoint, at WireGuard's port or at
    those that the named kinds of proxy have there. A proxy's datagram may come in fragments (they bear the first one's
    identification); WireGuard's never does."""

    def __init__(self, lab, kinds=()):
        self.pairs = {(exit.near, exit.endpoint) for exit in lab.exits.values()}
        self.kinds = [proxies.kind(name) for name in kinds]
        self.fragments = set()

    def own(self, packet):
        ip = Ip.of(packet)
        return ip is not None and (self._is_probe(packet, ip) or self._is_exchanged(ip))

    def _is_probe(self, packet, ip):
        """What sing-box writes into its own new device, to see whether the kernel takes merged segments: TCP from the
        device's address to itself, from port 0 to port 0. It goes nowhere."""
        to_itself = ip.source == ip.target and ip.ports == (0, 0)
        return bool(self.kinds) and packet.way == TO_US and ip.protocol == "tcp" and to_itself

    def _is_exchanged(self, ip):
        out, back = (ip.source, ip.target) in self.pairs, (ip.target, ip.source) in self.pairs
        if not out and not back:
            return False
        datagram = (ip.source, ip.target, ip.protocol, ip.identification)
        if ip.is_rest:
            return datagram in self.fragments
        port = ip.ports[1] if out else ip.ports[0]
        if (ip.protocol, port) == ("udp", plan.PORT):
            return not ip.more
        ours = any(kind.takes(ip.protocol, port) for kind in self.kinds)
        if ours and ip.more:
            self.fragments.add(datagram)
        return ours


def _head(pcap, file):
    """A pcap file's head and byte order; nothing while it is not yet written whole."""
    head = pcap.read(24)
    if len(head) < 24:
        return b"", None
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(head[:4])
    if order is None or struct.unpack(order + "I", head[20:])[0] & 0xFFFF != SLL2:
        raise LabError(f"{file} is not a capture of this lab")
    return head, order


def _pieces(pcap, order):
    """(head, frame) of each packet, as far as they are written; asked again, of those that have come since."""
    while len(record := pcap.read(16)) == 16:
        kept = struct.unpack_from(order + "I", record, 8)[0]
        frame = pcap.read(kept)
        if len(frame) < kept:
            pcap.seek(-len(frame), os.SEEK_CUR)
            break
        yield record, frame
    pcap.seek(-len(record), os.SEEK_CUR)


def _packet(order, record, frame):
    seconds, micros = struct.unpack_from(order + "II", record)
    return Packet(seconds + micros / 1e6, frame)


class Tail:
    """The packets of a capture that may go on."""

    def __init__(self, file):
        self.file = file
        self.pcap = open(file, "rb")  # noqa: SIM115
        self.order = None

    def new(self):
        """Those that have been written since the last call."""
        if self.order is None:
            self.pcap.seek(0)
            _, self.order = _head(self.pcap, self.file)
        if self.order is not None:
            for record, frame in _pieces(self.pcap, self.order):
                yield _packet(self.order, record, frame)

    def close(self):
        self.pcap.close()


def read(file):
    """The packets of a pcap file as far as it is written."""
    with contextlib.closing(Tail(file)) as tail:
        yield from tail.new()


def packets(lab, file, not_tunnel=False, kinds=()):
    """What was captured; with not_tunnel all but WireGuard's own UDP and what such proxies and an exit exchange."""
    if not Path(file).exists():
        raise LabError(f"there is no file {file}")
    tunnels = Tunnels(lab, kinds)
    for packet in read(file):
        if not (not_tunnel and tunnels.own(packet)):
            yield packet


def let_out(lab):
    """The positive control: one packet on the uplink's link that is no tunnel's."""
    with netns.inside(lab.uplink), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"ccplab let out", (lab.exits[1].endpoint, STRAY_PORT))
