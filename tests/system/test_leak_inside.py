"""What a user inside might widen, and what is refused: kinds of sockets, namespaces, devices, files of the machine.

As the user of the host, and as root in it, behind each kind of exit.
"""

import json
import secrets
import socket

import pytest
from support.leak import COUNT, USERS, Doors, ip
from support.ways_out import CHANGES, SOCKETS, TRICKS

CAPABILITIES = "00000000200404fb"
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
STREAM, DGRAM, SCTP = 1, 2, 5
REFUSED = {"EPERM"}
ABSENT = {"ENOENT", "EACCES", "EPERM", "EROFS"}  # there is no such file, or it is not to be written to

# What is tried, in Python, and how it must fail.
ATTEMPTS = (
    *(
        ("L10", f"a socket of {what}", f"socket.socket({kind})", REFUSED)
        for what, kind in {
            "packets": "socket.AF_PACKET, socket.SOCK_RAW, 0x300",
            "packets without heads": "socket.AF_PACKET, socket.SOCK_DGRAM, 0x300",
            "raw ICMP": "socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP",
            "raw UDP": "socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP",
            "raw IP": "socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW",
            "raw ICMPv6": "socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6",
        }.items()
    ),
    *(
        ("L17", f"a socket of {what}", f"socket.socket({family}, socket.{kind})", REFUSED)
        for what, family, kind in (
            ("VSOCK", 40, "SOCK_STREAM"),
            ("VSOCK datagrams", 40, "SOCK_DGRAM"),
            ("ALG", 38, "SOCK_SEQPACKET"),
            ("XDP", 44, "SOCK_RAW"),
            ("KEY", 15, "SOCK_RAW"),
            ("BLUETOOTH", 31, "SOCK_RAW"),
            ("CAN", 29, "SOCK_RAW"),
            ("RDS", 21, "SOCK_SEQPACKET"),
            ("SMC", 43, "SOCK_STREAM"),
        )
    ),
    ("L17", "a pair of TIPC", "call(53, 30, 1, 0, ctypes.create_string_buffer(8))", REFUSED),
    ("L17", "io_uring_setup", "call(425, 1, 0)", REFUSED),
    ("L17", "io_uring_enter", "call(426, 0, 0, 0, 0, 0, 0)", REFUSED),
    ("L17", "io_uring_register", "call(427, 0, 0, 0, 0)", REFUSED),
    ("L18", "a mark", "socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 0x63637002)", REFUSED),
    ("L18", "IP_TRANSPARENT", "socket.socket().setsockopt(socket.IPPROTO_IP, 19, 1)", REFUSED),
    ("L18", "a high priority", "socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 7)", REFUSED),
    ("L19", "a user namespace", "call(272, 0x10000000)", REFUSED),
    ("L19", "a network namespace", "call(272, 0x40000000)", REFUSED),
    ("L19", "a network namespace by clone", "call(56, 0x40000011, 0, 0, 0, 0)", REFUSED),
    ("L19", "clone3", "call(435, 0, 0)", {"ENOSYS"}),
    ("L19", "another namespace", "call(308, os.open('/proc/self/ns/net', os.O_RDONLY), 0x40000000)", REFUSED),
    ("L19", "mount", "call(165, b'none', b'/mnt', b'tmpfs', 0, 0)", REFUSED),
    ("L19", "a mount that is moved", "call(429, -100, b'/', -100, b'/mnt', 0)", REFUSED),
    ("L19", "another root", "call(155, b'/mnt', b'/mnt')", REFUSED),
    ("L19", "a BPF program", "call(321, 0, 0, 0)", REFUSED),
    ("L19", "a descriptor of another process", "call(438, 0, 0, 0)", REFUSED),
    ("L19", "a file by its handle", "call(304, -100, 0, 0)", REFUSED),
    ("L19", "the host name", "call(170, b'x', 1)", REFUSED),
    ("L19", "/dev/net/tun", "os.open('/dev/net/tun', os.O_RDWR)", ABSENT),
    ("L19", "/dev/mem", "os.open('/dev/mem', os.O_RDWR)", ABSENT),
    ("L19", "/proc/kcore", "os.read(os.open('/proc/kcore', os.O_RDONLY), 1)", ABSENT),
    ("L08", "IPv6 by /proc", "write('/proc/sys/net/ipv6/conf/all/disable_ipv6', '0')", ABSENT),
    ("L08", "IPv6 of lo by /proc", "write('/proc/sys/net/ipv6/conf/lo/disable_ipv6', '0')", ABSENT),
    *(
        ("L07", f"resolv.conf, {what}", expression, ABSENT | {"EBUSY", "EXDEV"})
        for what, expression in {
            "written": "write('/etc/resolv.conf', 'nameserver 8.8.8.8')",
            "added to": "write('/etc/resolv.conf', 'nameserver 8.8.8.8', 'a')",
            "removed": "os.unlink('/etc/resolv.conf')",
            "renamed": "os.rename('/etc/resolv.conf', '/etc/resolv.old')",
            "renamed over": "write('/tmp/r', 'nameserver 8.8.8.8') or os.rename('/tmp/r', '/etc/resolv.conf')",
            "linked over": "os.symlink('/tmp/r', '/etc/r') or os.rename('/etc/r', '/etc/resolv.conf')",
            "its directory renamed": "os.rename('/etc', '/etc.old')",
            "unmounted": "call(166, b'/etc/resolv.conf', 2)",
            "mounted over": "call(165, b'/tmp/r', b'/etc/resolv.conf', b'', 4096, 0)",
            "its mode changed": "os.chmod('/etc/resolv.conf', 0o666)",
            "its source written": "write('/.ccp/etc/resolv.conf', 'nameserver 8.8.8.8')",
        }.items()
    ),
)
ATTEMPT = """
import contextlib, ctypes, errno, json, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
def write(path, text, mode="w"):
    with open(path, mode) as file:
        file.write(text)
told = []
for expression in json.loads(sys.argv[1]):
    try:
        eval(expression)
        told.append("allowed")
    except OSError as error:
        told.append(errno.errorcode[error.errno])
for path in ("/tmp/r", "/etc/r"):
    with contextlib.suppress(OSError):
        os.unlink(path)
print(json.dumps(told))
"""


@pytest.mark.parametrize("case", sorted({case for case, *_ in ATTEMPTS}))
def test_what_would_open_a_way_out_is_refused(leaking, case, figures):
    attempts = [attempt[1:] for attempt in ATTEMPTS if attempt[0] == case]
    told = leaking.told(ATTEMPT, [expression for _, expression, _ in attempts])
    sight = leaking.oracle.look()
    names = ", ".join(sorted({one for of_a_user in told for one in of_a_user}))
    figures(
        case, leaking.kind, "refused inside", sent=len(attempts) * len(told), refused=names, outside=len(sight.outside)
    )
    for answers in told:
        wrong = {
            what: answer for (what, _, right), answer in zip(attempts, answers, strict=True) if answer not in right
        }
        assert wrong == {}
    assert sight.outside == []


def test_the_resolver_is_the_exits_alone(leaking):
    assert leaking.host.run("cat", "/etc/resolv.conf") == (0, f"nameserver {leaking.lab.env['LAB_DNS_SERVER']}\n")


def test_the_capability_mask_is_small_also_under_sudo(leaking, figures):
    for user, command in (("root", ()), ("dev", ("sudo", "-n"))):
        status, output = leaking.host.run(*command, "cat", "/proc/self/status", user=user)
        assert status == 0
        fields = dict(line.split(":\t", 1) for line in output.splitlines() if ":\t" in line)
        assert (fields["CapBnd"], fields["CapEff"], fields["Seccomp"]) == (CAPABILITIES, CAPABILITIES, "2")
    figures("L19", leaking.kind, "capabilities", CapEff=CAPABILITIES, Seccomp=2)


@pytest.mark.parametrize("user", USERS)
def test_no_kind_of_socket_sends_a_packet_beside_the_tunnel(leaking, user, figures):
    opened = {tuple(pair) for pair in json.loads(leaking.python(SOCKETS, user=user))}
    sight = leaking.oracle.look()
    through = sight.exits[1]
    figures(
        "L10",
        leaking.kind,
        f"every kind of socket, {user}",
        opened=len(opened),
        outside=len(sight.outside),
        exit=len(through),
    )
    assert {family for family, _ in opened} <= {UNIX, INET, INET6, NETLINK}
    assert {kind for family, kind in opened if family in (INET, INET6)} <= {STREAM, DGRAM, SCTP}
    assert (INET, DGRAM) in opened
    assert len(through) > 50
    assert sight.outside == []


# What is sent goes by the tunnel, or round in the host itself.
ROUND = {"lo by name", "lo by number"}


def test_what_a_socket_may_be_told_changes_no_way(leaking, figures):
    with leaking.counted() as risen:
        told = leaking.told(TRICKS, ("198.18.0.11", 9), COUNT)
    sight = leaking.oracle.look()
    sent = sum(answers.get("sent", 0) for one in told for name, answers in one.items() if name not in ROUND)
    figures("L18", leaking.kind, "options of sockets", sent=sent, **{"pass": risen["pass"]}, outside=len(sight.outside))
    assert sight.outside == []
    for one in told:
        assert one["another table's mark"] == {"EPERM": COUNT}
        assert one["the tunnel by name"] == {"sent": COUNT}
    assert risen["pass"] >= sent, told


@pytest.mark.parametrize("user", USERS)
def test_nobody_inside_makes_or_changes_a_way_out(leaking, user, figures):
    output = leaking.python(CHANGES, user=user)
    answers = dict(line.rsplit(" ", 1) for line in output.splitlines())
    figures(
        "L19",
        leaking.kind,
        f"devices, routes, rules, {user}",
        tried=len(answers),
        refused=len(answers) - list(answers.values()).count("allowed"),
    )
    assert len(answers) > 50
    assert not [what for what, answer in answers.items() if answer == "allowed"]
    # Before it looks at what is asked for the kernel refuses who may not: so whatever modules a machine has.
    assert {answer for what, answer in answers.items() if what.startswith("netlink:")} == {"EPERM"}, output
    leaking.host.task("host.verify")  # devices, addresses, routes and rules are exactly those that were declared


def test_lo_and_the_tunnel_are_all_that_there_is(leaking, figures):
    pid = leaking.host.pid
    links = {link["ifname"]: link for link in ip(pid, "-details", "link")}
    routes = [one for one in ip(pid, "route", "show", "table", "all") if one.get("table") != "local"]
    addresses = [one["local"] for link in ip(pid, "address") for one in link["addr_info"]]
    rules = [(one["src"], one["table"]) for one in ip(pid, "rule")]
    figures(
        "L23", leaking.kind, "links, routes, rules", links="+".join(links), routes=len(routes), addresses=len(addresses)
    )
    assert set(links) == {"lo", "tun0"}
    assert links["tun0"]["linkinfo"]["info_kind"] == "tun"
    assert "link_netnsid" not in links["tun0"], "its other end is no link"
    assert [(one["dst"], one["dev"]) for one in routes] == [("default", "tun0")]
    assert addresses == ["127.0.0.1", leaking.address]
    assert rules == [("all", "local"), ("all", "main"), ("all", "default")]
    assert ip(pid, "-6", "route", "show", "table", "all") == []


FIND = r"find / \( -path /proc -o -path /sys \) -prune -o -type s -print 2>/dev/null; true"
MACHINES = (
    *("/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/nscd/socket"),
    *("/run/dbus/system_bus_socket", "/run/systemd/private", "/run/systemd/resolve/io.systemd.Resolve"),
    *("/run/systemd/journal/socket", "/run/udev/control", "/var/run/postgresql/.s.PGSQL.5432", "/dev/log"),
)


def test_no_socket_of_the_machine_is_in_its_files(leaking, figures):
    sockets = (
        "import os, socket; s = socket.socket(socket.AF_UNIX); s.bind('/tmp/control'); os.chmod('/tmp/control', 0o777)"
    )
    leaking.python(sockets)
    own = [*MACHINES, leaking.agent.stack.docker_socket, f"{leaking.agent.directory}/run/pg/.s.PGSQL.5432"]
    found = {}
    for user in USERS:
        found[user] = leaking.host.run("sh", "-c", FIND, user=user)[1].splitlines()
        assert leaking.host.run(
            "sh", "-c", 'for path; do test ! -e "$path" || echo "$path"; done', "sh", *own, user=user
        ) == (0, "")
    leaking.host.run("rm", "/tmp/control")
    figures("L15", leaking.kind, "sockets in files", looked=len(own), found=sum(len(one) - 1 for one in found.values()))
    assert found == {user: ["/tmp/control"] for user in USERS}, "the one that was put there, and no other"


@pytest.fixture
def doors(agent):
    one = Doors(agent.lab)
    yield one
    one.end()


# Connects to each abstract address of argv[1] as each type of socket; how each ended, by name.
ABSTRACT = """
import collections, errno, json, socket, sys
ends = collections.Counter()
for name in json.loads(sys.argv[1]):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as one:
            one.settimeout(5)
            ends[errno.errorcode.get(one.connect_ex("\\0" + name), "connected")] += 1
print(json.dumps(ends))
"""


def test_no_abstract_socket_of_the_machine_is_reached(leaking, doors, figures):
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        names = {line.split()[-1][1:] for line in table if line.split()[-1].startswith("@")}
    assert doors.abstract in names
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(f"\0{doors.abstract}")
    assert doors.entered()["unix"] == 1
    told = leaking.told(ABSTRACT, sorted(names))
    entered = doors.entered()["unix"]
    figures(
        "L16",
        leaking.kind,
        "abstract sockets",
        sent=3 * len(names) * len(USERS),
        ended="+".join({**told[0], **told[1]}),
        entered=entered,
    )
    assert told == [{"ECONNREFUSED": 3 * len(names)}] * len(USERS)
    assert entered == 0


@pytest.fixture(scope="module")
def bridges(agent):
    """Two networks with a bridge each."""
    names = [f"ccp-leak-{secrets.token_hex(4)}" for _ in range(2)]
    for number, name in enumerate(names):
        agent.stack.docker("network", "create", "--subnet", f"198.51.100.{224 + 16 * number}/28", name)
    yield names
    for name in names:
        agent.stack.docker("network", "rm", name)


def test_docker_connects_no_network_to_it(leaking, bridges, figures):
    docker = leaking.agent.stack.docker
    image = docker("inspect", "-f", "{{.Image}}", leaking.host.container).strip()
    other = docker("create", "--network", bridges[0], "--entrypoint", "/bin/true", image).strip()
    try:
        docker("network", "connect", bridges[1], other)  # the positive control
    finally:
        docker("rm", "-f", other)
    for name in (*bridges, "host"):
        with pytest.raises(RuntimeError, match=r"private \(none\)|cannot be connected|host network"):
            docker("network", "connect", name, leaking.host.container)
    figures("L24", leaking.kind, "docker network connect", tried=len(bridges) + 1, refused=len(bridges) + 1)
    assert {link["ifname"] for link in ip(leaking.host.pid, "link")} == {"lo", "tun0"}
    assert json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", leaking.host.container)).keys() == {
        "none"
    }
