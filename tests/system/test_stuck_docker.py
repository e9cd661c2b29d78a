"""Docker is stuck with one container: that costs this host alone, and its people learn what ends it."""

import os
import signal
import subprocess

import pytest
from support.proc import fields, parent
from support.wait import wait_until

FIFO = "rm /etc/passwd; mkfifo /etc/passwd"
ATTEMPTS_S = 400  # a stop is tried three times, each until Docker has not answered in its time


@pytest.fixture
def neighbour(agent):
    one = agent.host()
    one.task("host.create")
    one.task("host.start")
    yield one
    one.task("host.delete", '{"wipe": true}')


def docker_in_background(host, *words):
    environment = dict(os.environ, DOCKER_HOST=f"unix://{host.stack.docker_socket}")
    nothing = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(["docker", *words], env=environment, **nothing)


def is_stuck(host, container):
    words = ["curl", "-s", "-m", "1", "-o", "/dev/null", "--unix-socket", host.stack.docker_socket]
    return subprocess.run([*words, f"http://docker/containers/{container}/json"]).returncode == 28


def engine_restarted(stack):
    """As an administrator is told to do; live-restore leaves containers alone."""
    old = stack.pid("dockerd")
    stack.kill("dockerd", signal.SIGKILL)
    stack.wait_restarted("dockerd", old)
    wait_until(stack.docker_answers, "Docker answers")


def test_a_container_that_docker_is_stuck_with_costs_its_own_host_only(agent, host, neighbour):
    """Somebody with rights on the machine starts it by hand: dockerd waits for a writer of its FIFO, with a lock."""
    container, pid = host.container, neighbour.pid
    assert host.run("sh", "-c", FIFO)[0] == 0
    host.task("host.stop")
    stuck = docker_in_background(host, "start", container)
    try:
        wait_until(lambda: is_stuck(host, container), "Docker is stuck with the container")
        started = host.insert("host.start")
        neighbour.task("host.verify")
        neighbour.task("host.stop")
        neighbour.task("host.start")
        assert neighbour.pid != pid
        other = agent.host()
        other.task("host.create")
        other.task("host.delete", '{"wipe": true}')
        status, code, message, _ = host.wait_task(started)
        assert (status, code) == ("failed", "docker_failed")
        assert "stuck with this one" in message and "restart of the Docker engine" in message
        why = "select why from ccp.host_status where id = %s"
        wait_until(lambda: "restart of the Docker engine" in agent.owner.value(why, [host.id]), "status says it")
        pid = neighbour.pid
        engine_restarted(agent.stack)
    finally:
        stuck.kill()
        stuck.wait()
    assert neighbour.pid == pid and neighbour.status == "running"
    host.task("host.rebuild", '{"mode": "keep"}')
    assert host.run("true") == (0, "")


def test_a_host_that_docker_cannot_stop_has_no_process_left(host, neighbour):
    """Its shim is stopped, so Docker waits for it with a lock. What runs is ended without Docker."""
    pid = host.pid
    shim = parent(pid)
    os.kill(shim, signal.SIGSTOP)
    try:
        stopped = host.insert("host.stop")
        neighbour.task("host.verify")
        assert host.wait_task(stopped, ATTEMPTS_S)[1] == "docker_failed"
        assert fields(pid)[0] == "Z"  # its parent does not wait for it
        assert neighbour.status == "running"
    finally:
        os.kill(shim, signal.SIGCONT)
    host.wait_status("stopped")
    assert host.pid is None
