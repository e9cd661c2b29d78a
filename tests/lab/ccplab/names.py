"""The DNS of the fake internet: it knows the lab's zone and nothing else, and writes every question down."""

import json
import os
import time

from dnslib import AAAA, NS, QTYPE, RCODE, RR, SOA, TXT, A, DNSError, DNSRecord

from ccplab import plan

TTL_S = 5
LOG_MAX = 16 << 20  # bytes; then the log becomes <name>.1 and a new one begins


class QueryLog:
    """One JSON line a question, on disk before its answer leaves."""

    def __init__(self, path):
        self.path = path
        self.fd = -1
        self._open()

    def _open(self):
        self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.size = os.fstat(self.fd).st_size

    def write(self, client, name, kind):
        line = json.dumps({"time": time.time(), "client": client, "name": name, "type": kind})
        self.size += os.write(self.fd, (line + "\n").encode())
        if self.size > LOG_MAX:
            os.close(self.fd)
            os.replace(self.path, f"{self.path}.1")
            self._open()


def records_of(name):
    """The records of a name (lower case, no final dot), or None when it does not exist."""
    if name == plan.ZONE:
        return [soa(), NS(f"ns1.{plan.ZONE}")]
    if name in plan.NAMES:
        return [A(plan.NAMES[name]), AAAA(plan.address6(plan.NAMES[name]))]
    if name == plan.CHECK_ZONE or name.endswith("." + plan.CHECK_ZONE):
        return [A(plan.CHECK_ADDRESS), AAAA(plan.CHECK_ADDRESS6), TXT("any name below this zone exists")]
    return None


def soa():
    return SOA(f"ns1.{plan.ZONE}", f"hostmaster.{plan.ZONE}", (1, 3600, 600, 86400, TTL_S))


class Resolver:
    """Answers a packet with a packet. `hijacked`: an address that every A question is answered with. `drowned`: nothing
    is heard of what comes by UDP."""

    def __init__(self, log):
        self.log = log
        self.hijacked = None
        self.drowned = False

    def answer(self, packet, client):
        """The answer, or None when the packet is no question at all."""
        try:
            query = DNSRecord.parse(packet)
        except (DNSError, UnicodeError, ValueError, IndexError):
            return None
        if query.header.qr or len(query.questions) != 1:
            return None
        name = str(query.q.qname).rstrip(".").lower()
        kind = QTYPE.get(query.q.qtype)
        self.log.write(client, name, str(kind))
        reply = query.reply()
        if query.header.opcode != 0 or query.q.qclass != 1:
            reply.header.rcode = RCODE.NOTIMP
            return reply.pack()
        records = [A(self.hijacked)] if self.hijacked else records_of(name)
        if records is None:
            reply.header.rcode = RCODE.NXDOMAIN
        for data in records or []:
            if type(data).__name__ == kind or kind == "ANY":
                reply.add_answer(RR(query.q.qname, getattr(QTYPE, type(data).__name__), rdata=data, ttl=TTL_S))
        if not reply.rr:
            reply.add_auth(RR(plan.ZONE, QTYPE.SOA, rdata=soa(), ttl=TTL_S))
        return reply.pack()
