"""A Docker that takes a call and does not answer: the host's start fails with a name and evidence."""

import socket
import threading

import pytest
from support.agent import Agent


class Between:
    """A socket in front of Docker's that swallows calls to start a container while it is told to."""

    def __init__(self, path, docker_socket):
        self.path = path
        self.docker_socket = docker_socket
        self.silent = False
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
                if not (self.silent and b"/start HTTP/" in data):
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()


@pytest.fixture
def between(stack_directory):
    stack_directory.up("postgres", "database", "docker", "image", "lab")
    return Between(stack_directory.directory / "between.sock", stack_directory.docker_socket)


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
