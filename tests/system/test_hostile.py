"""What a user does inside who wants out: every kind of socket, and a home that is made to harm who removes it."""

import json
import os

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
