"""The gate of ccp-init: nothing runs before it, nothing inside opens it, a restarted container has it closed again."""

import ctypes
import json
import os
import re
import shutil
import socket
import struct
import subprocess

import pytest
from support.paths import CHECKOUT
from support.proc import children, cpu_s, docker_pids, pipes
from support.wait import WAIT_S, wait_until

MAGIC = 0x43435048
ASK, OPEN = 1, 2
WAITING, OPENED, SSHD_UP = 1, 2, 3
GOLDEN = CHECKOUT / "tests" / "unit" / "golden" / "container.json"
BASE = int(re.search(r"CCP_IDS=(\d+):", GOLDEN.read_text())[1])
libc = ctypes.CDLL(None, use_errno=True)


class Container:
    """A container made of the agent's own create body, with plain files instead of the agent's."""

    def __init__(self, stack, directory, image):
        self.stack = stack
        ccp, home = directory / "ccp", directory / "home"
        etc = ccp / "etc"
        etc.mkdir(parents=True)
        shutil.copy(CHECKOUT / "build" / "ccp-init", ccp / "init")
        home.mkdir()
        os.chown(home, 1000, 1000)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", etc / "key"], check=True)
        (etc / "sshd_config").write_text(
            "Port 22\nListenAddress 127.0.0.1\nHostKey /.ccp/etc/key\nPidFile /run/ccp-sshd.pid\nUsePAM yes\n"
        )
        (etc / "resolv.conf").write_text("nameserver 198.18.0.53\n")
        (etc / "sudoers").write_text("# none\n")
        (etc / "sudoers").chmod(0o440)
        body = json.loads(GOLDEN.read_text())
        host = body["HostConfig"]
        host["SecurityOpt"] = ["seccomp=" + json.dumps(body.pop("seccomp"))]
        for limit in host["Ulimits"]:
            if limit["Name"] == "nofile":
                limit["Soft"] = limit["Hard"] = 1024
        (directory / "hosts").write_text("127.0.0.1 localhost\n")
        tmp = directory / "tmp"
        tmp.mkdir()
        tmp.chmod(0o1777)
        sources = [ccp, etc / "resolv.conf", etc / "sudoers", directory / "hosts", home, tmp]
        binds = [mount for mount in host["Mounts"] if mount["Type"] == "bind"]
        for mount, source in zip(binds, sources, strict=True):
            mount["Source"] = str(source)
        body["Image"] = image
        self.id = self.api("POST", "/containers/create", body)["Id"]
        self.api("POST", f"/containers/{self.id}/start")
        self.look()

    def api(self, method, path, body=None):
        done = subprocess.run(
            [
                "curl",
                "-sS",
                "-f",
                "-X",
                method,
                "--unix-socket",
                self.stack.docker_socket,
                f"http://docker/v1.41{path}",
                "-H",
                "Content-Type: application/json",
                "--data-binary",
                "@-",
            ],
            input=json.dumps(body) if body is not None else "",
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=True,
        )
        return json.loads(done.stdout) if done.stdout.strip() else None

    def look(self):
        state = self.api("GET", f"/containers/{self.id}/json")
        self.pid = state["State"]["Pid"]
        self.namespace = state["NetworkSettings"]["SandboxKey"]

    def processes(self):
        return [row[-1] for row in self.api("GET", f"/containers/{self.id}/top")["Processes"]]

    def gate(self):
        """A connection to the gate, made inside the container's network namespace."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        inside = os.open(self.namespace, os.O_RDONLY)
        try:
            assert libc.setns(inside, 0x40000000) == 0
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            assert libc.setns(own, 0x40000000) == 0
        finally:
            os.close(own)
            os.close(inside)
        connection.settimeout(10)

        def connected():
            try:
                connection.connect("\0ccp-gate")
            except ConnectionRefusedError:
                return False
            return True

        wait_until(connected, "ccp-init listens")
        return connection

    def remove(self):
        self.stack.docker("rm", "-f", self.id)


def say(connection, word):
    connection.send(struct.pack("II", MAGIC, word))
    return hear(connection)


def hear(connection):
    return hear_all(connection)[0]


def hear_all(connection):
    """(state, last words said inside)"""
    magic, state, words = struct.unpack("II248s", connection.recv(1024))
    assert magic == MAGIC
    return state, words.split(b"\0")[0].decode()


@pytest.fixture(scope="module")
def hostile_image(dockerd, tmp_path_factory):
    """The user image with everything that an image may start by itself."""
    directory = tmp_path_factory.mktemp("image")
    (directory / "Dockerfile").write_text(
        "FROM cloud-cli-proxy/managed-user:latest\n"
        "ENV LD_PRELOAD=/nowhere.so\nUSER dev\nWORKDIR /tmp\n"
        "HEALTHCHECK --interval=1s CMD touch /tmp/healthcheck-ran\n"
        'ENTRYPOINT ["sh", "-c", "touch /tmp/entrypoint-ran; sleep 1000"]\n'
    )
    dockerd.docker("build", "--quiet", "--tag", "gate-hostile", str(directory))
    return "gate-hostile"


@pytest.fixture
def container(dockerd, hostile_image, tmp_path):
    one = Container(dockerd, tmp_path, hostile_image)
    yield one
    one.remove()


def test_before_the_gate_there_is_no_process_but_pid_1(container):
    gate = container.gate()
    assert say(gate, ASK) == WAITING
    assert container.processes() == ["/.ccp/init"]
    done = container.stack.docker("exec", container.id, "sh", "-c", "sleep 2.5; ls /tmp")
    assert "ran" not in done
    assert container.processes() == ["/.ccp/init"]


# What root in the container may do to PID 1, and to a child of his own: there all of it works.
TRACE = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def tried(what, act):
    try:
        act()
        print(what, "allowed")
    except OSError as error:
        print(what, errno.errorcode[error.errno])
def attach(pid):
    if libc.ptrace(16, pid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "")
child = os.fork()
if child == 0:
    import signal
    signal.pause()
for who, pid in (("own", child), ("init", 1)):
    tried(who + " environ", lambda: open(f"/proc/{pid}/environ", "rb").read())
    tried(who + " memory", lambda: open(f"/proc/{pid}/mem", "rb"))
    tried(who + " descriptors", lambda: os.readlink(f"/proc/{pid}/fd/0"))
    tried(who + " attach", lambda: attach(pid))
os.kill(child, 9)
"""


def test_pid_1_listens_and_cannot_be_traced(container):
    gate = container.gate()
    pid, uid, _ = struct.unpack("3i", gate.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert (pid, uid) == (container.pid, BASE), "root inside is this uid of the machine"
    told = container.stack.docker("exec", "--user", "0", container.id, "python3", "-c", TRACE)
    answers = dict(line.rsplit(" ", 1) for line in told.splitlines())
    ways = ("environ", "memory", "descriptors", "attach")
    assert {way: answers[f"own {way}"] for way in ways} == dict.fromkeys(ways, "allowed")
    assert {way: answers[f"init {way}"] for way in ways} == dict.fromkeys(ways, "EACCES") | {"attach": "EPERM"}


def test_the_gate_opens_for_us_and_tells_when_sshd_is_up(container):
    gate = container.gate()
    assert say(gate, OPEN) == OPENED
    assert hear(gate) == SSHD_UP
    assert say(gate, OPEN) == SSHD_UP
    # sshd writes its title over its environment; what would have come from the image is nowhere in it.
    environment = container.stack.docker("exec", container.id, "sh", "-c", "cat /proc/$(cat /run/ccp-sshd.pid)/environ")
    assert "LD_PRELOAD" not in environment


@pytest.mark.parametrize("orphan", [False, True])
def test_a_peer_from_inside_is_hung_up_on(container, orphan):
    program = (
        "import os, socket, struct, sys, time\n"
        + ("os.fork() and os._exit(0)\ntime.sleep(0.2)\n" if orphan else "")
        + "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "s.connect('\\0ccp-gate')\n"
        "try:\n    s.send(struct.pack('II', 0x43435048, 2))\n    print(len(s.recv(8)))\n"
        "except OSError as error:\n    print(0)\n"
    )
    container.stack.docker("exec", "--user", "0", container.id, "python3", "-c", program)
    assert say(container.gate(), ASK) == WAITING
    assert "sshd" not in " ".join(container.processes())


def test_a_restarted_container_has_its_gate_closed(container):
    gate = container.gate()
    say(gate, OPEN)
    container.stack.docker("restart", "--time", "3", container.id)
    before = container.namespace
    container.look()
    assert container.namespace != before
    assert say(container.gate(), ASK) == WAITING
    assert container.processes() == ["/.ccp/init"]


def test_sshd_comes_back_when_it_dies(container):
    gate = container.gate()
    assert say(gate, OPEN) == OPENED
    assert hear(gate) == SSHD_UP
    container.stack.docker("exec", "--user", "0", container.id, "sh", "-c", "kill -9 $(cat /run/ccp-sshd.pid)")
    assert hear(gate) == OPENED
    assert hear(gate) == SSHD_UP


def opened(container):
    gate = container.gate()
    say(gate, OPEN)
    while hear(gate) != SSHD_UP:
        pass
    return gate


def test_nothing_inside_holds_a_pipe_that_ends_outside(container):
    opened(container)
    inside = children(container.pid)
    assert inside, "sshd runs"
    held = set().union(*(pipes(pid) for pid in [container.pid, *inside]))
    assert held & set().union(*(pipes(pid) for pid in docker_pids(container.stack, container.pid))) == set()


def test_what_is_said_inside_costs_the_container_and_not_docker(container):
    gate = opened(container)
    outside = docker_pids(container.stack, container.pid)
    before = sum(map(cpu_s, outside))
    for number in (1, 2):
        container.stack.docker(
            "exec", "-d", "--user", "0", container.id, "sh", "-c",
            f"exec yes flood > /proc/$(cat /run/ccp-sshd.pid)/fd/{number}",
        )  # fmt: skip
    container.stack.docker("exec", "-d", container.id, "sh", "-c", "while :; do :; done")
    work = [int(row[1]) for row in container.api("GET", f"/containers/{container.id}/top")["Processes"][1:]]
    wait_until(lambda: sum(map(cpu_s, work)) > 2, "the container has worked for two seconds")
    assert sum(map(cpu_s, outside)) - before < 0.15 * sum(map(cpu_s, work))
    assert "flood" in wait_until(lambda: asked(gate, "flood"), "it is heard inside")


def asked(gate, text):
    gate.send(struct.pack("II", MAGIC, ASK))
    words = hear_all(gate)[1]
    return words if text in words else None


def test_pid_1_keeps_why_sshd_does_not_start(container, tmp_path):
    (tmp_path / "ccp" / "etc" / "sshd_config").write_text("Port 22\nNoSuchThing yes\n")
    gate = container.gate()
    assert say(gate, OPEN) == OPENED
    state, words = hear_all(gate)
    assert state == OPENED
    assert "Bad configuration option: NoSuchThing" in words


def test_garbage_at_the_gate_is_hung_up_on(container):
    for garbage in (b"", b"x", struct.pack("II", MAGIC, 99), struct.pack("II", 1, OPEN), b"y" * 5000):
        gate = container.gate()
        if garbage:
            gate.send(garbage)
            assert gate.recv(8) == b""
        gate.close()
    assert say(container.gate(), ASK) == WAITING
