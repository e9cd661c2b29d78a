"""What a user does inside who wants out: every kind of socket and of device, and a home made to harm who removes it."""

import json
import os
import resource

import pytest
from support.wait import wait_until

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
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
STREAM, DGRAM, RAW, PACKET = 1, 2, 3, 10


@pytest.mark.parametrize("user", ["dev", "root"])
def test_no_kind_of_socket_sends_a_packet_beside_the_tunnel(agent, host, user, tmp_path):
    capture = str(tmp_path / "uplink.pcap")
    agent.lab.run("capture", "start", capture)
    try:
        status, output = host.run("python3", "-c", SOCKETS, user=user)
        assert status == 0, output
    finally:
        agent.lab.run("capture", "stop", capture)
    opened = {tuple(pair) for pair in json.loads(output)}
    assert {family for family, _ in opened} <= {UNIX, INET, INET6, NETLINK}
    assert {kind for family, kind in opened if family in (INET, INET6)} <= {
        STREAM,
        DGRAM,
        5,
    }  # 5: SCTP, if there is one
    assert (INET, DGRAM) in opened
    assert int(agent.lab.run("capture", "count", capture).split()[0]) > 50
    assert int(agent.lab.run("capture", "count", capture, "--not-tunnel").split()[0]) == 0


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


@pytest.mark.parametrize("user", ["dev", "root"])
def test_nobody_inside_makes_or_changes_a_way_out(host, user):
    status, output = host.run("python3", "-c", CHANGES, user=user)
    assert status == 0, output
    answers = dict(line.rsplit(" ", 1) for line in output.splitlines())
    assert len(answers) > 50
    assert not [what for what, answer in answers.items() if answer == "allowed"]
    # Before it looks at what is asked for the kernel refuses who may not: so whatever modules a machine has.
    assert {answer for what, answer in answers.items() if what.startswith("netlink:")} == {"EPERM"}, output
    host.task("host.verify")  # devices, addresses, routes and rules are exactly those that were declared


# As root inside. `outside` is a path of the machine that the remover must neither follow nor touch.
HOME = """
import contextlib, os, socket, stat, sys
outside, home = sys.argv[1], os.open("/home/dev", os.O_DIRECTORY)
os.fchdir(home)
def deep(name, levels):
    os.fchdir(home)
    for _ in range(levels):
        os.mkdir(name)
        os.chdir(name)
    os.symlink(outside, "end")
    os.fchdir(home)
deep("d" * 255, 400)
deep("e", 3000)
for n, name in enumerate([b"-rf", b"\\n", b"\\xff\\xfe", b" ", b"*", b"$(id)", b".trash-0-1", b"...", b"x" * 255]):
    os.mkdir(name)
    os.symlink(outside.encode(), os.path.join(name, b"link"))
    os.symlink(b"/", os.path.join(name, b"root"))
    os.symlink(b"..", os.path.join(name, b"up"))
    os.symlink(b"loop", os.path.join(name, b"loop"))
    os.symlink(os.path.dirname(outside.encode()), os.path.join(name, b".trash-link"))
    os.chown(name, 1000 + n, 4242)
    os.chmod(name, [0, 0o111, 0o7777][n % 3])
for n in range(3000):
    open(f"many{n}", "w").close()
for n in range(500):
    os.link("many0", f"hard{n}")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
with open("sparse", "w") as f:
    f.truncate(1 << 40)
with open("setuid", "w") as f:
    os.fchmod(f.fileno(), 0o6755)
for what in (lambda: os.mknod("device", stat.S_IFBLK | 0o666, os.makedev(8, 0)),
             lambda: os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))):
    with contextlib.suppress(OSError):
        what()
        print("a device was made")
import array, fcntl
for flag in (0x10, 0x20):  # immutable, append only (FS_IOC_SETFLAGS)
    with contextlib.suppress(OSError), open("many1") as f:
        fcntl.ioctl(f, 0x40086602, array.array("l", [flag]))
        print("a file was made immutable")
with contextlib.suppress(OSError):
    os.setxattr("many2", "trusted.x", b"y")
    print("an attribute of root's was set")
"""


def seen(path):
    found = os.lstat(path)
    return found.st_mode, found.st_uid, found.st_gid, found.st_nlink, found.st_mtime_ns


@pytest.mark.parametrize("how", ["rebuild", "delete"])
def test_a_home_that_is_made_to_harm_its_remover_goes_and_nothing_else(agent, host, how, tmp_path_factory):
    machine = tmp_path_factory.mktemp("machine")
    outside = machine / "outside"
    outside.mkdir(mode=0o700)
    (outside / "kept").write_text("kept\n")
    before = [seen(path) for path in (machine, outside, outside / "kept")]
    homes = agent.directory / "agent" / "homes"
    one = host if how == "rebuild" else agent.host()
    if how == "delete":
        one.task("host.create")
        one.running()
    assert one.run("python3", "-c", HOME, str(outside)) == (0, "")
    if how == "rebuild":
        one.task("host.rebuild", '{"mode": "wipe"}')
        assert one.run("test", "-e", "/home/dev/many1")[0] == 1
        assert one.run("test", "-e", "/home/dev/.bashrc")[0] == 0
    else:
        one.task("host.delete", '{"wipe": true}')
        assert not (homes / str(one.id)).exists()
    wait_until(lambda: not list(homes.glob(".trash-*")), "the trash is emptied")
    assert [seen(path) for path in (machine, outside, outside / "kept")] == before
    assert (outside / "kept").read_text() == "kept\n"


DEEP = """
import os
import resource
os.chdir("/var")
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
"""


def test_a_file_system_deeper_than_docker_has_descriptors_is_removed(agent, host):
    """Docker goes down recursively and keeps one open for each level: it would fail, and each start meanwhile."""
    docker = agent.stack.pid("dockerd")
    before = resource.prlimit(docker, resource.RLIMIT_NOFILE)
    assert host.run("python3", "-c", DEEP) == (0, "")
    resource.prlimit(docker, resource.RLIMIT_NOFILE, (2000, before[1]))
    try:
        host.task("host.rebuild", '{"mode": "keep"}')
    finally:
        resource.prlimit(docker, resource.RLIMIT_NOFILE, before)
    assert host.run("test", "-e", "/var/d")[0] == 1
