"""The way between the uplink and an exit: which packets it swallows, how many it loses, how long it holds them.

This kernel has no netem: rules drop, and a process holds (hold.py). Each rule stands where packets arrive, so a
capture on the sender's side still has what was dropped. While anything is set the link segments nothing for its
sender, so that a packet is one of those that a real way would see.
"""

import ctypes
import fcntl
import json
import socket
import struct

from ccplab import hold, netns
from ccplab.errors import LabError

SIOCETHTOOL = 0x8946
OFFLOADS = (0x17, 0x19, 0x1F, 0x24)  # ETHTOOL_STXCSUM, SSG, STSO, SGSO (linux/ethtool.h)
MTU = (68, 65535)  # bytes
BOUNDS = {"mtu": MTU, "mtu_there": MTU, "mtu_back": MTU, "loss": (0, 100), "delay": (1, 10000)}  # percent, ms each way
HOLD_S = 30

RULES = """
table inet way{number} {{
}}
delete table inet way{number}
table inet way{number} {{
    chain arrive {{
        type filter hook prerouting priority -500; policy accept;
        {rules}
    }}
}}
"""


# A socket may insist on the link itself (QUIC's answer where they were asked): what is about to leave by it is taken.
TAKE = """
table netdev hold {{
}}
delete table netdev hold
table netdev hold {{
    chain leave {{
        type filter hook egress device "uplink" priority 0; policy accept;
        {rules}
    }}
}}
"""


def _file(lab, exit):
    return lab.directory / "way" / f"exit{exit.number}.json"


def _record(exit):
    return f"hold{exit.number}"


def read(lab, exit):
    """What is set: some of BOUNDS."""
    try:
        return json.loads(_file(lab, exit).read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}


def forget(lab):
    """The namespaces are gone, and with them what was set."""
    for exit in lab.exits.values():
        _file(lab, exit).unlink(missing_ok=True)


def changed(state, what, value):
    """The state with one of them set, or unset when value is "off"."""
    others = {name: number for name, number in state.items() if name != what}
    return others if value == "off" else others | {what: _number(what, value)}


def _number(what, value):
    low, high = BOUNDS[what]
    try:
        number = int(value)
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise LabError(f"{what} '{value}': say a whole number from {low} to {high}, or off")
    return number


def apply(lab, exit, records, holder, state):
    """From now on the way is like that. holder: the command line of what holds packets."""
    file = _file(lab, exit)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(state), encoding="ascii")
    records.stop(_record(exit))
    for namespace, device in ((lab.uplink, f"exit{exit.number}"), (exit.namespace, "uplink")):
        with netns.inside(namespace):
            _offload(device, not state)
    if "delay" in state:
        with netns.inside(exit.namespace):
            records.spawn_and_hear(_record(exit), holder, HOLD_S)
    _set_rules(lab.uplink, exit, _drops(f"exit{exit.number}", state, "back"))
    if "delay" in state:  # what arrives at the link itself has been taken already, and comes again by the other device
        _set_rules(exit.namespace, exit, ['iifname "uplink" drop', *_drops(hold.DEVICE, state, "there")])
        _take(exit, [f'meta mark != {hold.MARK} fwd to "{hold.DEVICE}"'])
    else:
        _take(exit, [])
        _set_rules(exit.namespace, exit, _drops("uplink", state, "there"))


def holds(lab, exit, records):
    """Whether what is set still is: the process that holds packets may have died."""
    return "delay" not in read(lab, exit) or records.alive(_record(exit))


def _drops(device, state, way):
    rules = [f'iifname "{device}" meta length > {state[what]} drop' for what in ("mtu", f"mtu_{way}") if what in state]
    if "loss" in state:
        share = f"numgen random mod 100 < {state['loss']}" if state["loss"] < 100 else ""
        rules.append(f'iifname "{device}" {share} drop')
    return rules


def _set_rules(namespace, exit, rules):
    with netns.inside(namespace):
        netns.run("nft", "-f", "-", stdin=RULES.format(number=exit.number, rules="\n        ".join(rules)))


def _take(exit, rules):
    with netns.inside(exit.namespace):
        netns.run("nft", "-f", "-", stdin=TAKE.format(rules="\n        ".join(rules)))


def _offload(device, on):
    """ethtool(8) -K: checksums, scatter-gather, segmentation."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in OFFLOADS if on else reversed(OFFLOADS):
            value = bytearray(struct.pack("=II", command, int(on)))
            _ethtool(sock, device, value)


def _ethtool(sock, device, value):
    buffer = (ctypes.c_char * len(value)).from_buffer(value)
    request = struct.pack("16sQ16x", device.encode(), ctypes.addressof(buffer))
    fcntl.ioctl(sock, SIOCETHTOOL, request)
