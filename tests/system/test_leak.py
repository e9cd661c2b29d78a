"""What leaves a host beside its tunnel: nothing, whoever sends it, wherever to, whatever carries the tunnel.

One host for each kind of tunnel. A case's probes are counted where they are sent, by the wall, on every link outside
(support/oracle.py) and at the exit. The same probes from a namespace with a way out must be seen there, or the case is
an error.
"""

import json
import os
from dataclasses import dataclass

import pytest
from ccplab import proxies
from support.leak import PROBE, Leaking, wall_counts
from support.oracle import Oracle

FULL = os.environ.get("CCP_LEAK") == "full"
KINDS = ["wireguard", *(proxies.KINDS if FULL else ("trojan-tls", "hysteria2"))]
COUNT = 200 if FULL else 20  # packets to each target by each user
USERS = ("dev", "root")
PLACES = ("uplink", "machine")  # where the oracle must see what is let out


@dataclass(frozen=True)
class Case:
    """Packets that are sent to `targets` (protocol, address, port), and the counter of the wall that has them all."""

    name: str
    what: str
    counter: str
    targets: tuple

    @property
    def tunnel(self):
        """They may leave, by the tunnel."""
        return self.counter == "pass"

    @property
    def exact(self):
        """A connection that is answered sends more than its first packet."""
        return not self.tunnel or all(protocol != "tcp" for protocol, _, _ in self.targets)


CASES = (
    Case("L01", "DNS to another resolver", "deny_dns", (("udp", "8.8.8.8", 53), ("udp", "198.18.0.11", 53))),
    Case("L02", "DNS over TCP", "deny_dns", (("tcp", "8.8.8.8", 53), ("tcp", "198.18.0.11", 53))),
    Case(
        "L03",
        "DNS over TLS and over QUIC",
        "deny_dns",
        tuple((how, to, 853) for how in ("tcp", "udp") for to in ("9.9.9.9", "198.18.0.53")),
    ),
)


@pytest.fixture(scope="module")
def controls(agent, tmp_path_factory):
    """How many packets of each case were seen outside, of those that a namespace with a way out has sent there."""
    oracle = Oracle(agent.lab, tmp_path_factory.mktemp("control"))
    seen = {}
    for where in PLACES:
        bypass = oracle.bypass(where)
        for case in CASES:
            told = json.loads(bypass.python(PROBE, json.dumps([case.targets, COUNT])))
            assert all(set(one) == {"sent"} for one in told), (case.name, told)
            seen[case.name, where] = oracle.look().count_outside(*case.targets)
        bypass.remove()
    oracle.end()
    return seen


@pytest.fixture(scope="module", params=KINDS)
def one(request, agent, controls, tmp_path_factory):
    """The host of that kind; what it does is watched from before its start, and after the controls."""
    host = Leaking(agent, request.param, tmp_path_factory.mktemp("oracle"))
    yield host
    host.end()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.what}")
def test_no_packet_leaves_beside_the_tunnel_and_the_wall_counts_each(one, controls, case, figures):
    sent = COUNT * len(case.targets)
    for where in PLACES:
        assert controls[case.name, where] == sent, f"the oracle does not see what is let out on the {where}"
    before = wall_counts(one.host.pid)
    told = [one.python(PROBE, json.dumps([case.targets, COUNT]), user=user) for user in USERS]
    after = wall_counts(one.host.pid)
    sight = one.oracle.look()
    sent *= len(USERS)
    counted = after[f"{case.counter}_user"] - before[f"{case.counter}_user"]
    at_exit = sight.count_at(1, *case.targets)
    figures(
        case.name, one.kind, case.what, sent=sent, **{case.counter: counted}, outside=len(sight.outside), exit=at_exit
    )
    assert sight.outside == []
    assert counted == sent if case.exact else counted >= sent
    for (protocol, _, _), *answers in zip(case.targets, *map(json.loads, told), strict=True):
        refused = "EPERM" if protocol == "udp" and not case.tunnel else "sent"
        assert [set(answer) for answer in answers] == [{refused}] * len(USERS), told
    assert case.tunnel or at_exit == 0
