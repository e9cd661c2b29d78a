"""Programs that look for a way out of a host, as its users run them."""

from support.oracle import STAMP

# Opens every kind of socket that there is a number for, and sends with those that open, wherever they can be pointed.
SOCKETS = """
import json, socket, struct
opened = set()
def attempt(call, *arguments):
    try:
        call(*arguments)
    except (OSError, TypeError, ValueError):
        pass
to4 = [(a, p) for a in ("198.18.0.11", "198.51.100.1", "203.0.113.77", "10.0.0.1", "172.17.0.1", "169.254.169.254",
    "224.0.0.251", "255.255.255.255") for p in (9, 53, 51820)]
to6 = [(a, 9, 0, n) for a in ("2001:db8::1", "ff02::1", "fe80::1", "::ffff:198.51.100.1") for n in (0, 1, 2)]
where = {socket.AF_INET: to4, socket.AF_INET6: to6, socket.AF_NETLINK: [(0, 0), (1, 1)]}
wide = [(socket.SOL_SOCKET, socket.SO_BROADCAST, 1), (socket.IPPROTO_IP, 15, 1), (socket.IPPROTO_IP, 19, 1),
    (socket.SOL_SOCKET, socket.SO_MARK, 0x63637002), (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0\\0"),
    (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 9), (socket.IPPROTO_IP, 3, 1), (socket.SOL_SOCKET, 60, b"\\0" * 8)]
for family in range(47):
    for kind in (1, 2, 3, 4, 5, 6, 10):
        for protocol in (0, 1, 2, 4, 6, 17, 33, 41, 47, 50, 58, 103, 132, 136, 255, 262):
            try:
                one = socket.socket(family, kind, protocol)
            except (OSError, ValueError):
                continue
            opened.add((family, kind))
            with one:
                one.setblocking(False)
                for option in wide:
                    attempt(one.setsockopt, *option)
                for address in where.get(family, ()):
                    attempt(one.sendto, b"\\x08\\0\\0\\0" + b"x" * 28, address)
                    attempt(one.sendmsg, [b"x" * 32], [(socket.IPPROTO_IP, 8, struct.pack("iII", 1, 0, 0))], 0, address)
                    attempt(one.connect, address)
                    attempt(one.send, b"x" * 32)
print(json.dumps(sorted(opened)))
"""

# Sends a datagram to argv[1], argv[2] times with each of what a socket may be asked to do otherwise. Says how often it
# could, or why not.
TRICKS = (
    STAMP
    + """
import collections, errno, json, struct, sys
target, count = map(json.loads, sys.argv[1:])
first = socket.inet_aton("198.51.100.1")
lo = struct.pack("=I", 1)
def option(level, name, value):
    return lambda one: one.setsockopt(level, name, value)
def other(one):
    one.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
    one.bind(("198.51.100.101", 0))
tricks = {
    "the tunnel by name": option(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tun0"),
    "lo by name": option(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo"),
    "eth0 by name": option(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0"),
    "lo by number": option(socket.IPPROTO_IP, 50, struct.pack(">I", 1)),
    "a foreign address": lambda one: one.bind(("198.51.100.101", 0)),
    "a foreign address, freely": other,
    "a loose route": option(socket.IPPROTO_IP, 4, b"\\x83\\x07\\x04" + first + b"\\0"),
    "a strict route": option(socket.IPPROTO_IP, 4, b"\\x89\\x07\\x04" + first + b"\\0"),
    "a record of the route": option(socket.IPPROTO_IP, 4, b"\\x07\\x07\\x04" + bytes(4) + b"\\0"),
    "no route": option(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1),
    "no fragments": option(socket.IPPROTO_IP, 10, 3),
    "another table's mark": option(socket.SOL_SOCKET, socket.SO_MARK, 1),
}
def outcome(trick):
    with stamp(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
        try:
            trick(one)
            one.sendto(b"x" * 24, tuple(target))
        except OSError as error:
            return errno.errorcode[error.errno]
    return "sent"
print(json.dumps({name: collections.Counter(outcome(trick) for _ in range(count)) for name, trick in tricks.items()}))
"""
)

# Makes devices, addresses, routes and rules of each kind by each interface that the kernel has for it. Prints
# what became of each.
CHANGES = """
import errno, fcntl, os, socket, stat, struct

def attribute(kind, data):
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)

def ask(protocol, kind, body):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as one:
        one.settimeout(10)
        one.sendto(struct.pack("IHHII", 16 + len(body), kind, 0x605, 1, 0) + body, (0, 0))
        code = -struct.unpack_from("i", one.recv(65536), 16)[0]
    if code:
        raise OSError(code, os.strerror(code))

def told(what, call, *arguments):
    try:
        call(*arguments)
        print(what, "allowed")
    except OSError as error:
        print(what, errno.errorcode[error.errno])

def change(number, data):
    with socket.socket() as one:
        fcntl.ioctl(one, number, data)

def write(path, text):
    with open(path, "w") as file:
        file.write(text)

def device(path):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(10, 200))
    os.close(os.open(path, os.O_RDWR))

tunnel, = (number for number, name in socket.if_nameindex() if name != "lo")
names = dict(socket.if_nameindex())
link = lambda number, flags=0, mask=0: struct.pack("BxHiII", 0, 0, number, flags, mask)
for kind in ("dummy veth bridge macvlan macvtap ipvlan vlan vxlan ifb tun wireguard ipip gre gretap sit ip6tnl vti xfrm"
        " geneve bareudp gtp bond team vrf nlmon vcan netdevsim netkit").split():
    over = attribute(5, struct.pack("I", tunnel)) + attribute(18, attribute(1, kind.encode()))
    told(f"netlink:{kind}", ask, 0, 16, link(0) + attribute(3, b"out0\\0") + over)
other = struct.pack("I", 1)
told("netlink:down", ask, 0, 16, link(tunnel, 0, 1))
told("netlink:rename", ask, 0, 16, link(tunnel) + attribute(3, b"out0\\0"))
told("netlink:mtu", ask, 0, 16, link(tunnel) + attribute(4, struct.pack("I", 9000)))
told("netlink:move", ask, 0, 16, link(tunnel) + attribute(19, other))
told("netlink:delete", ask, 0, 17, link(tunnel))
four = socket.inet_aton("10.9.8.7")
told("netlink:address", ask, 0, 20, struct.pack("BBBBi", 2, 24, 0, 0, tunnel) + attribute(2, four) + attribute(1, four))
for kind in (1, 6, 7):
    route = struct.pack("BBBBBBBBI", 2, 32, 0, 0, 254, 3, 0, kind, 0)
    told(f"netlink:route{kind}", ask, 0, 24, route + attribute(1, four) + attribute(4, struct.pack("I", tunnel)))
told("netlink:rule", ask, 0, 32, struct.pack("BBBBBBBBI", 2, 0, 0, 0, 100, 0, 0, 1, 0) + attribute(10, other))
told("netlink:neighbour", ask, 0, 28, struct.pack("BxHiHBB", 2, 0, tunnel, 128, 0, 0) + attribute(1, four))
queue = struct.pack("BxHiIII", 0, 0, tunnel, 0x10000, 0xffffffff, 0)
told("netlink:queue", ask, 0, 36, queue + attribute(1, b"fifo\\0"))
told("netlink:wall", ask, 12, 16, struct.pack(">BBH", 0, 0, 10))
told("xfrm", ask, 6, 16, bytes(224))
request = lambda name: name.encode().ljust(16, b"\\0") + struct.pack("HH4s16x", 2, 0, four)
for name, number in {"flags": 0x8914, "address": 0x8916, "mtu": 0x8922, "name": 0x8923, "hwaddr": 0x8924,
        "slave": 0x8990, "tunnel": 0x89f1}.items():
    told(f"ioctl:{name}", change, number, request(names[tunnel]))
told("ioctl:bridge", change, 0x89a0, request("out0"))
told("ioctl:route", change, 0x890b, bytes(120))
told("tun", os.open, "/dev/net/tun", os.O_RDWR)
told("tun:made", device, "/tmp/tun")
for path in ("ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv6/conf/all/disable_ipv6", "ipv6/conf/lo/disable_ipv6"):
    told(f"sysctl:{path}", write, f"/proc/sys/net/{path}", "0")
told("sys", write, f"/sys/class/net/{names[tunnel]}/mtu", "9000")
"""
