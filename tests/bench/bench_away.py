"""How soon an exit that is away while its hosts send is known to be, and its host closed, with the usual settings."""

import contextlib

from support import exits
from support.host import Host
from support.kill import Flood
from support.stack import Lab
from support.wait import WAIT_S, wait_until

from bench.bench_many import host_make, peer_address
from bench.bench_tunnel import bind

KINDS = ("wireguard", "trojan-tls", "hysteria2", "http-auth")  # packets; streams, datagrams, and no UDP
FAULTS = {"unreachable": ("loss", "1", "100"), "refuses": ("refuse", "1"), "rekeyed": ("rekey", "1")}
CLOSED_S = 2 * WAIT_S
FIRST_ADDRESS = 400  # beside other items'
SEEN = """
    select extract(epoch from min(at))::float8 - %(since)s
    from ccp.events
    where at > to_timestamp(%(since)s)
        and (host_id = %(host)s and type = 'host.unavailable' and %(exit)s is null
            or type = 'egress.state' and metadata ->> 'egress_ip_id' = %(exit)s)
"""


class Away:
    """A host of a kind, with an exit of its own for each fault: what was found of one is known for some minutes."""

    def __init__(self, stack, lab, number):
        self.stack, self.lab, self.number, self.kind = stack, lab, number, KINDS[number]
        self.host, self.exit_id = None, None

    def bind(self, turn):
        kind, owner = self.kind, self.stack.owner
        address = peer_address(FIRST_ADDRESS + turn * len(KINDS) + self.number)
        row = exits.wireguard(self.lab, 1, address) if kind == "wireguard" else exits.proxy(self.lab, owner, kind)
        name = f"away{self.number}{turn}"
        self.exit_id = exits.insert(owner, name, row)
        if self.host:
            bind(self.host, self.exit_id)
        else:
            self.host = Host(self.stack, host_make(self.stack, name, self.exit_id))
            self.host.task("host.create")
        self.host.running()

    def seen(self, since, exit_id):
        found = {"since": since, "host": self.host.id, "exit": exit_id}
        return wait_until(lambda: self.stack.owner.value(SEEN, found), f"{self.kind} is found", CLOSED_S)


def strike(stack, lab, away, fault):
    """Seconds to the state of the exit, and to the closed host, for each kind."""
    with contextlib.ExitStack() as floods:
        for one in away:
            floods.callback(Flood(one.host.pid).end)
        lab.run(*fault)
        since = stack.owner.value("select extract(epoch from clock_timestamp())::float8")
        try:
            degraded = {one.kind: one.seen(since, one.exit_id) for one in away}
            closed = {one.kind: one.seen(since, None) for one in away}
        finally:
            lab.run("restore")
    return degraded, closed


def exit_away(stack):
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    away = [Away(stack, lab, number) for number in range(len(KINDS))]
    figures = {}
    for turn, (name, fault) in enumerate(FAULTS.items()):
        for one in away:
            one.bind(turn)
        for what, times in zip(("degraded", "closed"), strike(stack, lab, away, fault), strict=True):
            print(f"  {name} {what}:", *(f"{kind} {took:.4g}" for kind, took in times.items()), flush=True)
            figures |= {f"away_{name}_{what}_{kind.replace('-', '_')}_s": took for kind, took in times.items()}
    for one in away:
        one.host.task("host.delete", '{"wipe": true}')
    return {
        f"away_{what}_s": max(took for name, took in figures.items() if f"_{what}_" in name)
        for what in ("degraded", "closed")
    } | figures
