"""A Docker that takes a call and answers late or never: failures have names, and nothing is said that is not so."""

import socket
import threading

import pytest
from support.agent import Agent
from support.wait import WAIT_S


class Between:
    """A socket in front of Docker's that swallows or holds calls to start a container while it is told to."""

    def __init__(self, path, docker_socket):
        self.path = path
        self.docker_socket = docker_socket
        self.silent = False
        self.open = threading.Event()  # cleared: a call to start waits here
        self.open.set()
        self.reached = threading.Event()
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.server.accept()
            docker = socket.socket(socket.AF_UNIX)
            docker.connect(self.docker_socket)
            for source, sink in ((client, docker), (docker, client)):
                threading.Thread(target=self.pass_on, args=(source, sink), daemon=True).start()

    def pass_on(self, source, sink):
        try:
            while data := source.recv(65536):
                starts = b"/start HTTP/" in data
                if starts and self.silent:
                    continue
                if starts:
                    self.reached.set()
                    self.open.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()


@pytest.fixture
def between(stack_directory):
    stack_directory.up("postgres", "database", "docker", "image", "lab")
    path = stack_directory.directory / "between.sock"
    yield Between(path, stack_directory.docker_socket)
    path.unlink()


@pytest.fixture
def host(stack_directory, between):
    class SlowlyServed(Agent):
        def command(self, *arguments):
            words = super().command(*arguments)
            words[words.index("--docker-socket") + 1] = between.path
            return words

    agent = SlowlyServed(stack_directory).start()
    one = agent.host()
    one.task("host.create")
    yield one
    agent.end()


def test_a_start_whose_docker_does_not_answer_fails_with_name_and_evidence(between, host):
    between.silent = True
    status, code, message, _ = host.wait_task(host.insert("host.start"))
    between.silent = False
    assert (status, code) == ("failed", "docker_failed"), message
    assert "in time" in message
    evidence = host.owner.value("select error_code from ccp.verifications where host_id = %s", [host.id])
    assert evidence == "docker_failed"
    host.task("host.start")


def test_a_stop_asked_while_a_rebuild_starts_the_host_has_succeeded_when_nothing_of_it_runs(between, host):
    host.running()
    between.reached.clear()
    between.open.clear()
    try:
        rebuild = host.insert("host.rebuild")
        assert between.reached.wait(WAIT_S)
        stop = host.insert("host.stop")
    finally:
        between.open.set()
    assert host.wait_task(rebuild)[0] == "succeeded"
    assert host.wait_task(stop)[0] == "succeeded"
    assert host.pid is None
    assert host.status == "stopped"
