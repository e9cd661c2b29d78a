"""What the agent watches over: containers that die, settings that cannot be read, what nobody is responsible for."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.agent import Agent, Host
from support.wait import wait_until


@pytest.fixture(scope="module")
def agent(stack_directory):
    stack_directory.up("postgres", "database", "docker", "image", "lab")
    one = Agent(stack_directory).start()
    yield one
    one.end()


@pytest.fixture(scope="module")
def created(agent):
    one = Host(agent)
    one.task("host.create")
    yield one
    one.task("host.delete", '{"wipe": true}')


@pytest.fixture
def host(created):
    """A running host."""
    created.task("host.start")
    return created


@contextmanager
def setting(agent, name, value):
    change = "update ccp.settings set value = %s::jsonb where name = %s"
    before = agent.value("select value::text from ccp.settings where name = %s", [name])
    agent.rows(change, [value, name])
    try:
        yield
    finally:
        agent.rows(change, [before, name])


def verification_stopped(agent, timeout_s=20):
    """Stops the next child that verifies, so that its check keeps the host; the child's pid."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        for path in Path(f"/proc/{agent.process.pid}/task").glob("*/children"):
            try:
                for pid in path.read_text().split():
                    if b"verify" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        os.kill(int(pid), signal.SIGSTOP)
                        return int(pid)
            except OSError:
                continue
    raise AssertionError("nothing is verified")


def test_a_container_that_dies_while_a_check_has_its_host_is_not_proven_again(agent, host):
    with setting(agent, "verify_light_s", "1"):
        child = verification_stopped(agent)
        agent.stack.docker("kill", host.container)
        wait_until(lambda: agent.containers() == [], 10, "Docker knows of the death")
        os.kill(child, signal.SIGCONT)
        host.wait_status("unavailable", 10)
        assert agent.engines() == []


def test_a_dead_container_has_no_proof_also_when_docker_tells_nothing(agent, host):
    namespace = os.open(f"/proc/{host.pid}/ns/net", os.O_RDONLY)
    pid = host.pid
    rules = ["nsenter", f"--net=/proc/self/fd/{namespace}", "nft", "list", "set", "inet", "ccp", "proven"]

    def is_open():
        return b"elements" in subprocess.run(rules, check=True, capture_output=True, pass_fds=[namespace]).stdout

    assert is_open()
    with setting(agent, "verify_light_s", "1"):
        host.task("host.verify")  # the setting is known
        agent.stack.kill("dockerd", signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_open(), 10, "the host is closed")
        finally:
            agent.stack.kill("dockerd", signal.SIGCONT)
    os.close(namespace)
    host.wait_status("unavailable", 30)
