"""Holds each packet between an exit and the uplink for a while: a process between the exit's link and its own device.

What arrives by the link is copied here before the rules drop it, and is written to the device when its time has
come; what the exit sends is routed or handed to the device, read here, and sent by the link later. The device and its
route end with the process.
"""

import collections
import contextlib
import fcntl
import os
import select
import socket
import struct
import time

from ccplab import netns, process

DEVICE = "hold"
LINK = "uplink"
ETH_P_IP = 0x0800
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
SO_RCVBUFFORCE = 33
FRAME_MAX = 65536  # bytes
MARK = 7  # of what is sent at last
HELD_MAX = 20000  # frames; what comes when so many are held is lost, as in a router


def _device():
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def _link():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    sock.bind((LINK, ETH_P_IP))
    return sock


def _route(exit):
    """The device takes the link's place: its hardware address, its neighbour, and the route, before the link's own; no
    IPv6, or the kernel would tell its neighbours of groups."""
    netns.sysctl({f"ipv6/conf/{DEVICE}/disable_ipv6": 1})
    for command in (
        f"link set {DEVICE} address {exit.mac(2)} up",
        f"neighbour replace {exit.near} lladdr {exit.mac(1)} dev {DEVICE} nud permanent",
        f"route prepend {exit.near}/32 dev {DEVICE} src {exit.endpoint}",
    ):
        netns.run("ip", *command.split())


class Held:
    """Frames on their way to one descriptor, oldest first."""

    def __init__(self, source, sink, delay_s):
        self.source, self.sink, self.delay_s = source, sink, delay_s
        self.frames = collections.deque()

    def take(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = os.read(self.source, FRAME_MAX)
                if len(self.frames) < HELD_MAX:
                    self.frames.append((time.monotonic() + self.delay_s, frame))

    def give(self):
        """Seconds until the next is due, or None."""
        while self.frames:
            wait = self.frames[0][0] - time.monotonic()
            if wait > 0:
                return wait
            with contextlib.suppress(OSError):  # the other end is down or full: lost
                os.write(self.sink, self.frames.popleft()[1])
        return None


def serve(exit, delay_ms):
    device, link = _device(), _link()
    _route(exit)
    ways = [Held(link.fileno(), device, delay_ms / 1000), Held(device, link.fileno(), delay_ms / 1000)]
    process.tell_ready()
    while True:
        waits = [wait for wait in (way.give() for way in ways) if wait is not None]
        readable = select.select([way.source for way in ways], [], [], min(waits, default=None))[0]
        for way in ways:
            if way.source in readable:
                way.take()
