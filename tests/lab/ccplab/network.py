"""Namespaces, links, routes and rules of a lab; the exits' engines; swapped exit addresses."""

import os
import shutil
import socket
from pathlib import Path

from ccplab import netns, pins, plan, uapi
from ccplab.errors import LabError

START_S = 30
QUIET = {  # where there is no IPv6 there are no router or neighbour messages
    "ipv6/conf/all/disable_ipv6": 1,
    "ipv6/conf/default/disable_ipv6": 1,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
}

# An exit goes on sending to a tunnel whose engine has just died. The uplink's kernel would answer that the port is
# closed, which is not a program's packet and not a leak, but would stand in every capture.
UPLINK_RULES = """
table inet lab {
    chain output {
        type filter hook output priority filter; policy accept;
        icmp type destination-unreachable drop
    }
}
"""

# On its uplink side the exit answers to WireGuard and at the proxies' ports only: what a test lets out gets no reply.
EXIT_RULES = """
table inet lab {{
    chain refuse_in {{
    }}
    chain refuse_out {{
    }}
    chain input {{
        type filter hook input priority filter; policy accept;
        jump refuse_in
        iifname "net" accept
        iifname "lo" accept
        iifname "{engine}" accept
        udp dport {{ {port}, {proxies}, {relays} }} accept
        tcp dport {proxies} accept
        drop
    }}
    chain output {{
        type filter hook output priority filter; policy accept;
        jump refuse_out
        oifname != {{ "net", "{engine}" }} icmp type destination-unreachable drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        iifname "{engine}" oifname "net" accept
        iifname "net" oifname "{engine}" ct state established,related accept
    }}
    chain leave {{
        type nat hook postrouting priority srcnat; policy accept;
    }}
}}
"""


ROUTER6 = "fe80::1"  # the fake internet's end of each link
# Between the exits and the fake internet there is IPv6, without routers that announce themselves.
WITH_IPV6 = {
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv6/conf/default/disable_ipv6": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/accept_dad": 0,
}


def _ip(namespace, *lines):
    netns.run("ip", "-n", namespace, "-batch", "-", stdin="\n".join(lines) + "\n")


def build(lab):
    """All namespaces and links. The root namespace gets no address, no route and no device, not even for a moment."""
    for name in lab.namespaces:
        netns.add(name)
        with netns.inside(name):
            forwards = any(name == exit.namespace for exit in lab.exits.values())
            netns.sysctl(QUIET | {"ipv4/ip_forward": int(forwards)})
            if name != lab.uplink:
                netns.sysctl(WITH_IPV6 | {"ipv6/conf/all/forwarding": int(forwards)})
    named = (plan.ECHOES, plan.TARGETS, plan.SILENT, plan.STUN)
    services = [plan.DNS_ADDRESS, *(address for some in named for address in some.values())]
    _ip(
        lab.net,
        "link set lo up",
        *(f"address add {address}/32 dev lo" for address in services),
        *(f"address add {plan.address6(address)}/128 dev lo" for address in services),
    )
    _ip(lab.uplink, "link set lo up")
    with netns.inside(lab.uplink):
        netns.run("nft", "-f", "-", stdin=UPLINK_RULES)
    for exit in lab.exits.values():
        _build_exit(lab, exit)


def _build_exit(lab, exit):
    near, far = f"exit{exit.number}", "uplink"
    for link, there in (
        (f"{near} netns {lab.uplink} address {exit.mac(1)}", f"{far} address {exit.mac(2)}"),
        (f"{near} netns {lab.net} address {exit.mac(3)}", f"net address {exit.mac(4)}"),
    ):
        netns.run(
            "ip",
            "link",
            "add",
            *link.split(),
            "type",
            "veth",
            "peer",
            "name",
            *there.split(),
            "netns",
            exit.namespace,
        )
    # On the uplink's links the neighbours are written down: no ARP, every packet of a capture counts.
    _ip(
        lab.uplink,
        f"address add {exit.near} peer {exit.endpoint} dev {near}",
        f"link set {near} up",
        f"neighbour replace {exit.endpoint} lladdr {exit.mac(2)} dev {near} nud permanent",
    )
    with netns.inside(exit.namespace):
        netns.sysctl({"ipv6/conf/uplink/disable_ipv6": 1})
    # An address on lo is not answered for on another device, so IPv6 goes by a router.
    _ip(lab.net, f"link set {near} up", f"address add {ROUTER6}/64 dev {near} nodad")
    _ip(
        exit.namespace,
        "link set lo up",
        f"address add {exit.endpoint} peer {exit.near} dev uplink",
        "link set uplink up",
        f"neighbour replace {exit.near} lladdr {exit.mac(1)} dev uplink nud permanent",
        f"address add {exit.public}/32 dev net",
        f"address add {exit.swapped}/32 dev net",
        f"address add {exit.public6}/128 dev net nodad",
        f"address add {exit.swapped6}/128 dev net nodad",
        "link set net up",
        f"route add {plan.SERVICE_NET} dev net src {exit.public}",
        f"route add {plan.SERVICE_NET6} via {ROUTER6} dev net src {exit.public6}",
    )
    _ip(
        lab.net,
        f"route add {exit.public}/32 dev {near} src {plan.DNS_ADDRESS}",
        f"route add {exit.swapped}/32 dev {near} src {plan.DNS_ADDRESS}",
        f"route add {exit.public6}/128 dev {near} src {plan.address6(plan.DNS_ADDRESS)}",
        f"route add {exit.swapped6}/128 dev {near} src {plan.address6(plan.DNS_ADDRESS)}",
    )
    with netns.inside(exit.namespace):
        proxies, relays = ("-".join(map(str, ports)) for ports in (plan.PROXY_PORTS, plan.RELAY_PORTS))
        rules = EXIT_RULES.format(port=plan.PORT, proxies=proxies, relays=relays, engine=exit.engine)
        netns.run("nft", "-f", "-", stdin=rules)
        netns.sysctl({"ipv4/ip_local_port_range": "{} {}".format(*plan.RELAY_PORTS)})
    leave_as(exit, exit.public, exit.public6)


def leave_as(exit, address, address6):
    """From now on the exit's clients are seen as these addresses, flows that are established included."""
    with netns.inside(exit.namespace):
        rules = f"""
            flush chain inet lab leave
            add rule inet lab leave oifname "net" snat ip to {address}
            add rule inet lab leave oifname "net" snat ip6 to {address6}
        """
        netns.run("nft", "-f", "-", stdin=rules)
        netns.conntrack_flush()


def refuse(exit):
    """From now on whatever comes from the uplink is refused: TCP by a reset, UDP by an ICMP error."""
    with netns.inside(exit.namespace):
        rules = """
add rule inet lab refuse_in iifname "uplink" meta l4proto tcp reject with tcp reset
add rule inet lab refuse_in iifname "uplink" meta l4proto udp reject with icmp type port-unreachable
add rule inet lab refuse_out oifname "uplink" icmp type destination-unreachable accept
"""
        netns.run("nft", "-f", "-", stdin=rules)


def receive(exit):
    """As it was before."""
    with netns.inside(exit.namespace):
        netns.run("nft", "-f", "-", stdin="flush chain inet lab refuse_in\nflush chain inet lab refuse_out\n")


def remove(lab):
    for name in lab.own_namespaces:
        if netns.exists(name):
            netns.end_inhabitants(name)
    for name in lab.namespaces:
        netns.remove(name)
    for exit in lab.exits.values():
        Path(uapi.path(exit.engine)).unlink(missing_ok=True)


def private_key(lab, exit):
    """The exit's key in base64, made once and kept by `down`: a public half that was written down stays right."""
    path = lab.directory / "keys" / f"exit{exit.number}"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        key = netns.run("wg", "genkey").strip()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(key + "\n", encoding="ascii")
        draft.replace(path)
        return key


def set_key(exit, private):
    """What it had agreed upon with its peers by another key is void."""
    uapi.ask(exit.engine, f"set=1\nprivate_key={uapi.key_to_hex(private)}\n")


def public_key(lab, exit):
    return netns.run("wg", "pubkey", stdin=private_key(lab, exit)).strip()


def _program():
    """The pinned engine where it could be built, else the distribution's; CCP_WIREGUARD_GO names another."""
    named = os.environ.get("CCP_WIREGUARD_GO")
    for name in [named] if named else [pins.path("engine"), "wireguard-go"]:
        if program := shutil.which(name):
            return program
    raise LabError(f"{name} is not an executable: run tools/install-deps, or set CCP_WIREGUARD_GO")


def spawn_engine(records, name, namespace, device):
    """An engine whose device is born in the namespace; returns when it answers.

    It is handed its listening socket, so the first request waits for it by itself.
    """
    path = Path(uapi.path(device))
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        listener.bind(str(path))
        os.umask(before)
        listener.listen(16)
        with netns.inside(namespace):
            records.spawn(
                name,
                [_program(), "-f", device],
                pass_fds=[listener.fileno()],
                env={
                    "WG_UAPI_FD": str(listener.fileno()),
                    "WG_PROCESS_FOREGROUND": "1",
                    "LOG_LEVEL": "error",
                },
            )
    try:
        uapi.ask(device, "get=1\n", timeout_s=START_S)
    except LabError as error:
        raise LabError(f"{error} ({records.last_lines(name)})") from None


def start_engine(lab, exit, records):
    """The exit's WireGuard server, without peers."""
    spawn_engine(records, f"exit{exit.number}", exit.namespace, exit.engine)
    uapi.configure(exit.engine, uapi.key_to_hex(private_key(lab, exit)), plan.PORT)
    _ip(
        exit.namespace,
        f"link set {exit.engine} mtu {plan.MTU} up",
        f"route add {plan.PEER_NET} dev {exit.engine}",
        f"route add {plan.PEER_NET6} dev {exit.engine}",
    )
