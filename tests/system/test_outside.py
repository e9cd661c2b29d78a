"""What a user costs the machine outside the container: it has a limit, and that is the user's own."""

import os
import subprocess
from pathlib import Path

import pytest
from support.proc import cpu_s, words
from support.wait import wait_until

CGROUPS = Path("/sys/fs/cgroup")
TWO = (CGROUPS / "cgroup.controllers").exists()  # the version

# As many small packets as there is time for, towards an address behind the exit.
FLOOD = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("198.18.0.11", 9))
while True:
    try:
        s.send(b"x" * 64)
    except OSError:
        pass
"""


def group(controller, name):
    return CGROUPS / ("" if TWO else controller) / "cloud-cli-proxy" / name


def limit_cores(name):
    if TWO:
        quota, period = (group("cpu", name) / "cpu.max").read_text().split()
    else:
        quota, period = ((group("cpu", name) / f"cpu.cfs_{what}_us").read_text() for what in ("quota", "period"))
    return int(quota) / int(period)


@pytest.fixture(scope="module")
def created(agent):
    one = agent.host(cpu_limit=0.5)
    one.task("host.create")
    yield one
    one.task("host.delete", '{"wipe": true}')


def engine(host):
    """(name, pid) of the host's engine."""
    (pid,) = host.agent.engine_pids()
    return words(pid)[-2], pid


def test_a_flood_of_packets_costs_no_more_than_the_tunnels_share(host):
    name, pid = engine(host)
    assert limit_cores(name) == 0.25
    assert name in Path(f"/proc/{pid}/cgroup").read_text()
    # It is not in the agent's, with which it would end under systemd.
    assert "cloud-cli-proxy" not in Path(f"/proc/{host.agent.process.pid}/cgroup").read_text()
    before, begun = cpu_s(pid), os.times().elapsed
    host.stack.docker("exec", "-d", "--user", "dev", host.container, "python3", "-c", FLOOD)
    wait_until(lambda: cpu_s(pid) - before > 1, "the engine has worked for a second")
    used, took = cpu_s(pid) - before, os.times().elapsed - begun
    assert used < 1.1 * 0.25 * took + 0.1  # what of the last period has been used already
    throttled = dict(line.split() for line in (group("cpu", name) / "cpu.stat").read_text().splitlines())
    assert int(throttled["nr_throttled"]) > 0, "the flood wanted more"
    host.run("pkill", "-f", "while True")
    host.task("host.verify")


def test_the_group_is_made_again_and_goes_with_the_host(host):
    name, _ = engine(host)
    memory = group("memory", name) / ("memory.max" if TWO else "memory.limit_in_bytes")
    assert int(memory.read_text()) == 256 << 20
    host.owner.rows("update ccp.hosts set cpu_limit = 2 where id = %s", [host.id])
    try:
        host.stopped()
        assert not group("cpu", name).exists()
        assert not group("memory", name).exists()
        host.running()
        assert limit_cores(name) == 1
    finally:
        host.owner.rows("update ccp.hosts set cpu_limit = 0.5 where id = %s", [host.id])


def test_the_environment_bounds_what_the_engine_keeps(host):
    _, pid = engine(host)
    assert "GOMEMLIMIT=128MiB" in Path(f"/proc/{pid}/environ").read_text().split("\0")


# Fill sockets of their own that nobody reads, until no more is taken or the machine's sockets hold 300 MB.
HOLD_COMMON = """
import pathlib, socket, sys, time
def held(protocol):
    lines = pathlib.Path("/proc/net/sockstat").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(protocol + ":")).split()[-1]) * 4096
end, taken = time.monotonic() + 3, 0
def fill(protocol, writers, data):
    global taken
    while time.monotonic() < end and held(protocol) < 300 << 20:
        for writer in writers:
            try:
                taken += writer.send(data)
            except OSError:
                pass
"""
HOLD = {
    "TCP": """
listener = socket.create_server(("127.0.0.1", 5000), backlog=64)
pairs = [(socket.create_connection(("127.0.0.1", 5000)), listener.accept()) for _ in range(47)]
for writer, _ in pairs:
    writer.setblocking(False)
fill("TCP", [writer for writer, _ in pairs], bytes(65536))
""",
    "UDP": """
readers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(450)]
writers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in readers]
for reader, writer in zip(readers, writers):
    reader.bind(("127.0.0.1", 0))
    writer.connect(reader.getsockname())
fill("UDP", writers, bytes(30000))
""",
}
HOLD_END = """
print(taken, flush=True)
sys.stdin.read()
"""
TALK = """
import socket, threading
listener = socket.create_server(("127.0.0.1", 0))
writer = socket.create_connection(listener.getsockname())
reader = listener.accept()[0]
threading.Thread(target=lambda: (writer.sendall(bytes(8 << 20)), writer.close())).start()
assert sum(iter(lambda: len(reader.recv(65536)), 0)) == 8 << 20
"""
SOCKETS_MB = 32  # of a host with 512 MB


def sockets_held(protocol):
    """Bytes that the sockets of the whole machine hold."""
    lines = Path("/proc/net/sockstat").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{protocol}:")).split()[-1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def small(agent):
    one = agent.host(memory_limit_mb=512)
    one.task("host.create")
    one.task("host.start")
    yield one
    one.task("host.delete", '{"wipe": true}')


@pytest.mark.parametrize("protocol", HOLD)
def test_what_waits_in_sockets_has_a_limit_and_others_talk_on(host, small, protocol):
    before, program = sockets_held(protocol), HOLD_COMMON + HOLD[protocol] + HOLD_END
    docker = dict(os.environ, DOCKER_HOST=f"unix://{small.stack.docker_socket}")
    words = ["docker", "exec", "-i", "--user", "dev", small.container, "python3", "-c", program]
    with subprocess.Popen(words, env=docker, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hold:
        taken = int(hold.stdout.readline())
        held = sockets_held(protocol) - before
        status, said = host.run("timeout", "5", "python3", "-c", TALK)
        host.task("host.verify")
        hold.stdin.close()
    assert (status, said) == (0, "")
    assert taken > 8 << 20, "the limit is not so small that nothing works"
    if not TWO:
        assert held < (SOCKETS_MB + 16) << 20


def sockets_limit(pid):
    """Where the limit that the sockets of a container count towards is written."""
    controller, name = ("", "memory.max") if TWO else ("memory", "memory.kmem.tcp.limit_in_bytes")
    lines = [line.split(":") for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    (path,) = (path for _, controllers, path in lines if controllers == controller)
    return CGROUPS / controller / path.lstrip("/") / name


def test_the_next_agent_finds_the_limit_of_sockets(small):
    limit, expected = sockets_limit(small.pid), f"{(512 if TWO else SOCKETS_MB) << 20}\n"
    assert limit.read_text() == expected
    small.agent.kill()
    small.agent.start()
    small.task("host.verify")
    assert limit.read_text() == expected


def test_the_agent_tells_how_many_files_its_disk_has_room_for(small):
    files, free = small.owner.rows(
        "select disk_files, disk_free_files from ccp.nodes where name = %s", [small.agent.node]
    )[0]
    disk = os.statvfs(small.agent.stack.directory)
    assert files == disk.f_files
    assert 0 < free <= files


def test_the_next_agent_finds_the_group_of_an_engine_by_its_name(host):
    name, _ = engine(host)
    host.agent.kill()
    host.agent.release_all()
    assert not group("cpu", name).exists()
    assert not group("memory", name).exists()
    host.agent.start()
