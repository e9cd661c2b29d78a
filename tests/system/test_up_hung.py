"""`make down` with programs, servers and engines that hang: seconds, and nothing is left."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.host import Host
from support.stack import Stack
from support.wait import wait_until
from test_up import engines, lives, processes_of

SECONDS = 120  # all deadlines together, on a busy machine; idle it is about 14


@pytest.fixture(scope="module")
def third():
    other = Stack(Path("/var/tmp") / f"ccp-test-{os.getpid()}-third", f"th{os.getpid() % 10000}")
    try:
        yield other
    finally:
        other.end()


def hang(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def of(processes, pattern):
    return [pid for (pid, _), command in processes.items() if re.search(pattern, command)]


def ended(stack, processes, namespaces):
    """Nothing of it lives, and down took seconds."""
    began = time.monotonic()
    said = stack.script("down")
    took = time.monotonic() - began
    assert [command for (pid, start), command in processes.items() if lives(pid, start)] == [], said
    assert processes_of(stack, namespaces) == {}, said
    assert f"{stack.directory}/" not in Path("/proc/self/mountinfo").read_text()
    assert not list(Path("/run/netns").glob(f"{stack.environment['CCP_LAB_PREFIX']}-*"))
    assert took < SECONDS, said
    return said


def cron_launcher(stack):
    """PostgreSQL's child that is not there for a connection but for pg_cron."""
    parent = str(stack.pid("postgres"))
    found = subprocess.run(
        ["pgrep", "-P", parent, "-f", "pg_cron launcher"], capture_output=True, text=True, check=True
    )
    return [int(pid) for pid in found.stdout.split()]


def test_down_with_stopped_programs_engines_and_a_hung_cron_launcher(third, namespaces_of):
    third.up()
    Host(third).running()
    namespaces = namespaces_of(third)
    processes = processes_of(third, namespaces)
    assert third.containers() and engines(third)
    hang(of(processes, r"libexec/ccp-|libexec/(wireguard-go|sing-box) "))
    hang(cron_launcher(third))
    ended(third, processes, namespaces)


def test_down_with_a_docker_engine_and_supervisors_that_hang(third, namespaces_of):
    third.up()
    Host(third).running()
    namespaces = namespaces_of(third)
    processes = processes_of(third, namespaces)
    shims = of(processes, "containerd-shim")
    assert shims
    supervisors = [
        int(pid)
        for pid in subprocess.run(
            ["pgrep", "-P", (third.directory / "run" / "supervisor.pid").read_text().strip()],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    ]
    hang([third.pid("dockerd"), third.pid("containerd"), *shims, *supervisors, *of(processes, "^runsvdir ")])
    ended(third, processes, namespaces)


def container_ids(stack):
    """Of all containers, running or not."""
    ids = [path.name for path in (stack.directory / "docker" / "data" / "containers").iterdir()]
    assert ids
    return ids


def inside(stack):
    """Processes in control groups of the stack's containers, running or being started."""
    ids = container_ids(stack)
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            groups = (path / "cgroup").read_text()
            if any(one in groups for one in ids):
                found.append((path / "cmdline").read_bytes())
    return found


@pytest.mark.parametrize("moment", ["shim", "container"])
def test_down_while_a_container_is_being_started(third, moment):
    """The agent and Docker stop in the middle of it: what is made so far is no container of Docker's list yet."""
    third.up()
    Host(third).stopped().insert("host.start")
    servers = [third.pid(name) for name in ("ccp-agent", "dockerd", "containerd")]

    def begun():
        shims = of(processes_of(third), "containerd-shim")
        return shims if moment == "shim" else [pid for shim in shims for pid in children(shim)]

    wait_until(begun, f"there is a {moment}")
    hang(servers)
    ended(third, processes_of(third), ())
    assert inside(third) == []


def children(pid):
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()


def test_a_stack_that_was_ended_so_comes_back(third):
    """Also when containerd was killed in the first steps of a start, of which it cleans up nothing."""
    third.up()
    third.script("down")
    begun = third.directory / "run" / "containerd" / "io.containerd.runtime.v2.task" / "moby"
    for container in container_ids(third):
        (begun / container).mkdir(parents=True, exist_ok=True)
        (begun / container / "config.json").write_text("{}")
        (begun / container / "shim-binary-path").write_text("/usr/bin/containerd-shim-runc-v2")
    third.up()
    Host(third).running()
    wait_until(lambda: engines(third), "the host's engine runs")
    third.script("down")
