"""What OpenSSH's client does not do, but others do: a driver with libssh."""

import signal
import subprocess

import pytest
from support.paths import CHECKOUT
from support.wait import WAIT_S

TOOL = CHECKOUT / "build" / "release" / "driver" / "sshtool"


@pytest.fixture(scope="module")
def tool():
    """Runs the driver."""
    subprocess.run(
        ["make", "-s", "FLAVOUR=release", str(TOOL.relative_to(CHECKOUT))],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    return lambda *words: subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.mark.parametrize("name", ["TERM", "KILL", "USR1"])
def test_a_clients_signal_ends_the_command_and_its_name_comes_back(client, tool, name):
    done = tool("signal", str(client.proxy.port), client.name, client.key, name, "echo; exec sleep 100")
    assert (done.returncode, done.stdout) == (0, f"signal {name}\n"), done.stderr


def test_a_command_that_takes_a_clients_signal_ends_as_it_likes(client, tool):
    command = "trap 'echo taken; exit 5' INT; echo; while :; do sleep 0.1; done"
    done = tool("signal", str(client.proxy.port), client.name, client.key, "INT", command)
    assert (done.returncode, done.stdout) == (0, "taken\nstatus 5\n"), done.stderr


def test_a_signature_that_is_not_taken_is_denied_at_once_and_the_next_one_lets_in(client, tool, tmp_path):
    mine, client.key = client.key, tmp_path / "key"
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", client.key], check=True)
        client.register()
        done = tool("sha1", str(client.proxy.port), client.name, client.key)
        assert (done.returncode, done.stdout) == (0, "ssh-rsa denied\nrsa-sha2-256 success\n"), done.stderr
    finally:
        client.key = mine


@pytest.mark.parametrize(("attempt", "status"), [("nothing", 0), ("kill", -signal.SIGSYS), ("owner", -signal.SIGSYS)])
def test_a_child_can_send_no_signal_to_the_other_processes_of_the_proxy(tool, attempt, status):
    assert tool("sandbox", attempt).returncode == status
