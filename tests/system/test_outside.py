"""What a user costs the machine outside the container: it has a limit, and that is the user's own."""

import os
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


def test_the_next_agent_finds_the_group_of_an_engine_by_its_name(host):
    name, _ = engine(host)
    host.agent.kill()
    host.agent.release_all()
    assert not group("cpu", name).exists()
    assert not group("memory", name).exists()
    host.agent.start()
