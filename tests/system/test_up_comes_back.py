"""What is killed comes back by itself: each program, each server."""

from contextlib import suppress

import pytest
from support.comeback import PROGRAMS, SERVERS, kill_until_served, ssh_says_hello
from support.host import Host
from support.ssh import Proxy
from support.wait import wait_until


@pytest.fixture
def host(stack):
    """The stack's own host, which runs, whatever tests before left."""
    return Host(stack).running()


def does_its_job(stack, host):
    """The host is where it should be, and ssh says hello."""
    host.wait_status("running")
    host.task("host.verify")

    def hello():
        with suppress(OSError):
            return ssh_says_hello(stack)

    wait_until(hello, "the ssh proxy answers")


@pytest.mark.parametrize("name", [*PROGRAMS, *SERVERS])
def test_what_is_killed_serves_again(stack, host, name):
    pid = stack.pid(name)
    kill_until_served(stack, pid, (PROGRAMS | SERVERS)[name])
    assert stack.pid(name) != pid
    does_its_job(stack, host)


def test_a_killed_monitor_takes_the_listener_along_and_ssh_answers_again(stack, host):
    listener = stack.pid("ccp-sshproxy")
    kill_until_served(stack, Proxy(stack).monitor, lambda stack, _: ssh_says_hello(stack, killed=listener))
    does_its_job(stack, host)
