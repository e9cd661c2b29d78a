"""`make up` and `make down`: idempotent, mended by the supervisor, and gone without a trace."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from support.automation import Automation
from support.stack import Stack
from support.wait import wait_until

PROGRAMS = ("ccp-api", "ccp-worker", "ccp-agent", "ccp-sshproxy")
SERVERS = ("postgres", "dockerd")
TABLES = ("users", "hosts", "egress_ips", "bindings", "settings")


def rows(stack):
    owner = Automation(stack)
    try:
        return {table: owner.value(f"select count(*) from ccp.{table}") for table in TABLES}
    finally:
        owner.close()


def pids(stack):
    return {name: stack.pid(name) for name in (*PROGRAMS, *SERVERS)}


def processes_of(stack):
    """{pid: command} of every process that names the stack's directory or its lab, or runs from it."""
    found = {}
    marks = (str(stack.directory).encode() + b"/", stack.environment["CCP_LAB_PREFIX"].encode() + b"-")
    for path in Path("/proc").glob("[0-9]*"):
        if int(path.name) == os.getpid():
            continue
        try:
            command = (path / "cmdline").read_bytes()
            exe = os.readlink(path / "exe")
        except OSError:
            continue
        if any(mark in command for mark in marks) or exe.startswith(f"{stack.directory}/"):
            found[int(path.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


@pytest.fixture(scope="module")
def second():
    """A second product beside the first."""
    other = Stack(Path("/var/tmp") / f"ccp-test-{os.getpid()}-second", f"ts{os.getpid() % 10000}")
    try:
        yield other.up()
    finally:
        other.end()


def test_up_again_changes_nothing_and_takes_at_most_20_s(stack):
    before = rows(stack), pids(stack)
    begin = time.monotonic()
    output = stack.script("up")
    assert time.monotonic() - begin <= 20
    assert (rows(stack), pids(stack)) == before
    assert stack.env["CCP_EXIT_IP"] in output and "from curl to the prompt" in output


def test_the_env_file_is_private_and_complete(stack):
    path = stack.run_dir / "env"
    assert path.stat().st_mode & 0o777 == 0o600
    for name in (
        "CCP_URL CCP_SSH_HOST CCP_SSH_PORT CCP_DBA_URL CCP_AUTOMATION_URL CCP_OWNER_URL CCP_ADMIN_USER CCP_ADMIN_PASSWORD_FILE"
        " CCP_DEMO_USER CCP_DEMO_PASSWORD_FILE CCP_DEMO_HOST CCP_DEMO_HOST_ID CCP_DEMO_SSH_PASSWORD_FILE CCP_EXIT_IP CCP_EXIT2_ID"
        " CCP_EXIT_PEER_NET CCP_ECHO_URL CCP_LAB CCP_UPLINK_NETNS CCP_DOCKER_SOCKET CCP_STATE_DIR CCP_DATA_DIR CCP_LOG_DIR"
    ).split():
        assert stack.env[name], name
    for name, value in stack.env.items():
        if name.endswith("_FILE"):
            assert Path(value).stat().st_mode & 0o777 == 0o600, name


def restarted(stack, name, timeout_s):
    pid = stack.pid(name)
    stack.kill(name, signal.SIGKILL)
    stack.wait_restarted(name, pid, timeout_s)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_killed_program_is_back_within_two_seconds(stack, name):
    restarted(stack, name, 2)
    answers(stack)


def test_a_killed_authority_takes_the_acceptor_along_and_both_are_back_within_two_seconds(stack):
    acceptor = stack.pid("ccp-sshproxy")
    children = Path(f"/proc/{acceptor}/task/{acceptor}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    stack.wait_restarted("ccp-sshproxy", acceptor, 2)
    answers(stack)


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_is_back_within_ten_seconds(stack, name):
    restarted(stack, name, 10)
    answers(stack)


def answers(stack):
    """The product does its main job again: the host is where it should be and ssh says hello."""
    host = Automation(stack) if wait_until(lambda: database_answers(stack), 10, "PostgreSQL answers") else None
    host.wait_status("running", 60)
    host.task("host.verify")
    host.close()

    def banner():
        try:
            with socket.create_connection(("127.0.0.1", int(stack.env["CCP_SSH_PORT"])), 2) as connection:
                return connection.recv(64).startswith(b"SSH-2.0-")
        except OSError:
            return False

    wait_until(banner, 5, "the ssh proxy answers")


def database_answers(stack):
    try:
        Automation(stack).close()
        return True
    except Exception:  # psycopg2 raises a class of its own for each way of being away
        return False


def test_a_taken_port_is_named():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        other = Stack(Path("/var/tmp") / f"ccp-test-{os.getpid()}-port", "tport")
        other.environment["CCP_HTTP_PORT"] = str(port)
        try:
            with pytest.raises(RuntimeError) as refusal:
                other.up("programs")
            assert f"port {port}" in str(refusal.value)
        finally:
            other.end()


@pytest.fixture
def directory():
    """Where a test may do as it likes, with a path that is short enough for a stack."""
    with tempfile.TemporaryDirectory(prefix="ccp-", dir="/var/tmp") as path:
        yield Path(path)


def test_a_directory_that_holds_other_things_is_not_taken(directory):
    (directory / "precious").touch(mode=0o600)
    mode = directory.stat().st_mode
    with pytest.raises(RuntimeError, match="holds other things"):
        Stack(directory, "tother").up("postgres")
    assert [path.name for path in directory.iterdir()] == ["precious"] and directory.stat().st_mode == mode


def test_status_tells_each_service_and_what_the_doctor_says(second):
    told = second.script("status")
    for name in (*PROGRAMS, *SERVERS):
        assert re.search(rf"{name} +runs +pid {second.pid(name)} .* MB", told), told
    assert "the worker ticks each second" in told


def test_psql_is_the_dbas(second):
    assert second.script("psql", "-XAtc", "select current_user").strip() == "ccp_dba"
    assert second.script("psql", "-XAtc", "select current_user", ROLE="ccp_automation").strip() == "ccp_automation"


def test_the_env_of_another_stack_chooses_nothing(second):
    told = second.script("status", CCP_DOCKER_SOCKET="/nowhere", CCP_SSH_PORT="1", CCP_STATE_DIR="/nowhere")
    assert second.docker_socket in told and second.env["CCP_SSH_PORT"] in told


@pytest.mark.parametrize(
    "words",
    ["swap-exit 1", "swap-exit 2", "restore", "dns stop", "dns start", "capture start FILE", "capture stop FILE", "peers"],
)
def test_the_lab_obeys_a_shell_that_has_read_env(second, words, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "lab.pcap"
    line = f". {second.run_dir}/env && $CCP_LAB {words.replace('FILE', str(file))}"
    subprocess.run(["sh", "-c", line], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def test_up_mends_what_was_killed_altogether(second):
    """As after a power cut: nothing runs, and all that it left lies about."""
    before = rows(second)
    supervisor = int((second.directory / "run" / "supervisor.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    while processes := processes_of(second):
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    output = second.script("up")
    assert second.env["CCP_EXIT_IP"] in output
    assert rows(second) == before


def test_down_leaves_nothing_behind(second):
    http, ssh = int(second.env["CCP_URL"].rsplit(":", 1)[1]), int(second.env["CCP_SSH_PORT"])
    assert second.script("down") == ""
    assert processes_of(second) == {}
    namespaces = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert second.environment["CCP_LAB_PREFIX"] + "-" not in namespaces
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(second.directory) + "/" not in mounts
    for port in (http, ssh):
        with socket.socket() as connection:
            assert connection.connect_ex(("127.0.0.1", port)) != 0
    assert second.script("down") == ""
    assert (second.directory / "pg").exists()
    second.script("down", PURGE="1")
    assert not second.directory.exists()
