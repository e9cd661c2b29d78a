"""How long a running host is closed while it is moved to another exit, by the kind of that exit."""

import ipaddress
import json
import statistics

from support import exits
from support.host import Host
from support.stack import Lab

KINDS = ("socks5", "ss-aes-256-gcm", "vmess-tcp", "vless-tls", "trojan-tls", "hysteria2", "tuic", "anytls")
ROUNDS = 7  # there and back, for each kind


def closed(stack):
    """Milliseconds from the closed wall to the proof that opens it again: medians, and the largest of these."""
    host = Host(stack).running()
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    address = f"{ipaddress.ip_network(stack.env['CCP_EXIT_PEER_NET'])[250]}/32"
    rows = {kind: exits.proxy(lab, host.owner, kind) for kind in KINDS}
    rows["wireguard"] = exits.wireguard(lab, 2, address)
    home = host.owner.value(
        "select egress_ip_id::text from ccp.bindings where host_id = %s and ended_at is null", [host.id]
    )
    made = {kind: exits.insert(host.owner, f"bench of {kind}", row) for kind, row in rows.items()}
    took = {kind: [] for kind in made}
    for _ in range(ROUNDS):
        for kind, exit_id in made.items():
            for to in (exit_id, home):
                result = host.task("host.switch", json.dumps({"egress_ip_id": to}))
                if to == exit_id:
                    took[kind].append(exits.closed_ms(result))
    medians = {kind: statistics.median(all_ms) for kind, all_ms in took.items()}
    return {"switch_closed_ms": max(medians.values())} | {
        f"switch_closed_{kind.replace('-', '_')}_ms": ms for kind, ms in medians.items()
    }
