"""The fake internet itself: one process in the lab's net namespace with all echo sources, targets and the DNS.

A target, like an echo source, answers /bytes/N with N bytes: what a download is tried with.

Tests change its behaviour through a socket in the state directory: a JSON array of words in, a JSON object out.
"""

import asyncio
import ipaddress
import json
import os
import re
import signal
import socket
import struct

from ccplab import authority, plan, process
from ccplab.errors import LabError
from ccplab.names import QueryLog, Resolver

IDLE_S = 30
GUESTS_MAX = 2000  # connections per listener
REQUEST_MAX = 8192  # bytes of one HTTP request's head
LARGE_MAX = 16 << 20  # bytes of a large answer
COMMAND_MAX = 4096  # bytes
STUN_COOKIE = bytes.fromhex("2112a442")


class Guest(asyncio.Protocol):
    """A TCP connection: counted, ended when it idles, ended when its listener goes down. It ignores what it hears."""

    def __init__(self, listener):
        self.listener = listener
        self.transport = None
        self.idle = None

    def connection_made(self, transport):
        if len(self.listener.guests) >= GUESTS_MAX:
            transport.abort()
            return
        self.transport = transport
        self.listener.guests.add(self)
        self._stay()

    def _stay(self):
        if self.idle:
            self.idle.cancel()
        self.idle = asyncio.get_running_loop().call_later(IDLE_S, self.transport.abort)

    def data_received(self, data):
        if self.transport:
            self._stay()
            self.heard(data)

    def heard(self, data):
        pass

    def connection_lost(self, _):
        self.listener.guests.discard(self)
        if self.idle:
            self.idle.cancel()

    @property
    def address(self):
        return self.transport.get_extra_info("peername")[0]


class HttpGuest(Guest):
    """HTTP/1.1, just enough: a GET or HEAD is answered with N bytes at /bytes/N, else as body() says."""

    def __init__(self, listener):
        super().__init__(listener)
        self.head = b""

    def heard(self, data):
        self.head += data
        while b"\r\n\r\n" in self.head and not self.transport.is_closing():
            request, _, self.head = self.head.partition(b"\r\n\r\n")
            self._answer(request)
        if len(self.head) > REQUEST_MAX:
            self._say("431 Request Header Fields Too Large", "too long\n", last=True)

    def _answer(self, request):
        lines = request.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.partition(" ")[0]
        close = rest.endswith("HTTP/1.0") or any(
            line.lower().replace(" ", "") == "connection:close" for line in lines[1:]
        )
        if method not in ("GET", "HEAD"):
            self._say("405 Method Not Allowed", "GET or HEAD\n", last=True)
        else:
            large = re.fullmatch(r"/bytes/([0-9]{1,8})", path)
            body = "0" * min(int(large[1]), LARGE_MAX) if large else self.body()
            self._say("200 OK", body, last=close, bodiless=method == "HEAD")

    def body(self):
        return "a target of the lab\n"

    def _say(self, status, body, last=False, bodiless=False):
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            f"Cache-Control: no-store\r\nConnection: {'close' if last else 'keep-alive'}\r\n\r\n"
        )
        self.transport.write((head if bodiless else head + body).encode("latin-1"))
        if last:
            self.transport.close()


class EchoGuest(HttpGuest):
    """Answers with the caller's address."""

    def body(self):
        return f"{self.listener.lie or self.address}\n"


class DnsGuest(Guest):
    """DNS over TCP: each message follows its length in two bytes (RFC 1035, 4.2.2)."""

    def __init__(self, listener):
        super().__init__(listener)
        self.buffer = b""

    def heard(self, data):
        self.buffer += data
        while len(self.buffer) >= 2 and len(self.buffer) >= (end := 2 + int.from_bytes(self.buffer[:2], "big")):
            packet, self.buffer = self.buffer[2:end], self.buffer[end:]
            answer = self.listener.resolver.answer(packet, self.address)
            if answer is None:
                self.transport.abort()
                return
            self.transport.write(len(answer).to_bytes(2, "big") + answer)


class DnsDatagrams(asyncio.DatagramProtocol):
    def __init__(self, resolver):
        self.resolver = resolver
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        answer = None if self.resolver.drowned else self.resolver.answer(data, addr[0])
        if answer is not None:
            self.transport.sendto(answer, addr)


class StunDatagrams(asyncio.DatagramProtocol):
    """STUN (RFC 8489): a binding request is answered with the address that it came from."""

    def __init__(self):
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if len(data) < 20 or data[:2] != b"\0\1" or data[4:8] != STUN_COOKIE:
            return
        port = addr[1] ^ int.from_bytes(STUN_COOKIE[:2], "big")
        address = int.from_bytes(socket.inet_aton(addr[0]), "big") ^ int.from_bytes(STUN_COOKIE, "big")
        mapped = struct.pack(">HHBBHI", 0x0020, 8, 0, 1, port, address)  # XOR-MAPPED-ADDRESS
        self.transport.sendto(struct.pack(">HH", 0x0101, len(mapped)) + data[4:20] + mapped, addr)


class Listener:
    """One TCP service at one address, inside TLS where `tls` is a context; down() also ends its connections."""

    def __init__(self, guest, address, port, resolver=None, tls=None):
        self.guest, self.port = guest, port
        self.addresses = [address, plan.address6(address)]
        self.resolver = resolver
        self.tls = tls
        self.guests = set()
        self.server = None
        self.lie = None

    async def up(self):
        if self.server is None:
            loop = asyncio.get_running_loop()
            patience = {"ssl": self.tls, "ssl_handshake_timeout": IDLE_S} if self.tls else {}
            self.server = await loop.create_server(
                lambda: self.guest(self), self.addresses, self.port, backlog=512, **patience
            )

    async def down(self):
        if self.server is not None:
            self.server.close()
            self.server = None
            for guest in list(self.guests):
                guest.transport.abort()


class Dns:
    """The resolver's sockets; when it is stopped nothing listens at its address."""

    def __init__(self, log):
        self.resolver = Resolver(log)
        self.tcp = Listener(DnsGuest, plan.DNS_ADDRESS, 53, self.resolver)
        self.udp = None

    async def start(self):
        self.resolver.hijacked = None
        self.resolver.drowned = False
        await self.tcp.up()
        if self.udp is None:
            self.udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: DnsDatagrams(self.resolver), (plan.DNS_ADDRESS, 53), family=socket.AF_INET
            )

    async def stop(self):
        await self.tcp.down()
        if self.udp is not None:
            self.udp.abort()
            self.udp = None

    async def drown(self):
        """As under a flood: what comes by UDP is lost, TCP is served."""
        await self.start()
        self.resolver.drowned = True

    async def hijack(self, address):
        await self.start()
        self.resolver.hijacked = str(ipaddress.IPv4Address(address))


class Internet:
    def __init__(self, lab):
        self.lab = lab
        self.dns = Dns(QueryLog(lab.dns_log))
        self.echoes = {number: Listener(EchoGuest, address, 80) for number, address in plan.ECHOES.items()}
        tls = authority.server_context(lab)
        self.targets = [
            Listener(HttpGuest, address, port, tls=context)
            for address in plan.TARGETS.values()
            for port, context in ((plan.TARGET_PORT, tls), (80, None))
        ]
        self.silent = [Listener(Guest, address, 80) for address in plan.SILENT.values()]
        self.commands = {
            ("dns", "start"): self.dns.start,
            ("dns", "stop"): self.dns.stop,
            ("dns", "drown"): self.dns.drown,
            ("dns", "hijack"): self.dns.hijack,
            ("echo", "lie"): self.echo_lie,
            ("echo", "down"): self.echo_down,
            ("echo", "restore"): self.echo_restore,
        }

    async def up(self):
        for listener in (*self.echoes.values(), *self.targets, *self.silent):
            await listener.up()
        for address in plan.STUN.values():
            for port in plan.STUN_PORTS:
                await asyncio.get_running_loop().create_datagram_endpoint(
                    StunDatagrams, (address, port), family=socket.AF_INET
                )
        await self.dns.start()

    def echo(self, number):
        try:
            return self.echoes[int(number)]
        except (KeyError, ValueError):
            raise LabError(f"echo source '{number}': there are 1 to {len(self.echoes)}") from None

    async def echo_lie(self, number, address):
        self.echo(number).lie = str(ipaddress.ip_address(address))

    async def echo_down(self, number):
        await self.echo(number).down()

    async def echo_restore(self):
        for listener in self.echoes.values():
            listener.lie = None
            await listener.up()

    async def obey(self, reader, writer):
        """One command of a test: ["echo", "lie", "3", "203.0.113.9"]. The answer comes when it holds."""
        try:
            words = json.loads(await asyncio.wait_for(reader.readline(), 5))
            await self.commands[tuple(words[:2])](*words[2:])
            answer = {}
        except (TimeoutError, LabError, ValueError, KeyError, TypeError, OSError) as error:
            answer = {"error": str(error) or type(error).__name__}
        writer.write((json.dumps(answer) + "\n").encode())
        writer.close()


async def serve(lab):
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    internet = Internet(lab)
    await internet.up()
    lab.control.unlink(missing_ok=True)
    await asyncio.start_unix_server(internet.obey, lab.control, limit=COMMAND_MAX)
    os.chmod(lab.control, 0o600)
    process.tell_ready()
    await stop.wait()
    lab.control.unlink(missing_ok=True)


def command(lab, *words):
    """Asks the running internet for something and waits until it holds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(5)
        try:
            sock.connect(str(lab.control))
            sock.sendall((json.dumps(words) + "\n").encode())
            answer = json.loads(sock.makefile().readline(COMMAND_MAX) or "null")
        except OSError as error:
            raise LabError(f"the fake internet does not answer ({error}): `lab up` brings it back") from None
    if answer is None:
        raise LabError("the fake internet hung up: `lab up` brings it back")
    if "error" in answer:
        raise LabError(f"{' '.join(words)}: {answer['error']}")
