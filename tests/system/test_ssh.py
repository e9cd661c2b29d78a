"""ssh into a host of the whole product: everything that OpenSSH's users rely on goes through."""

import hashlib
import os
import re
import secrets
import shlex
import socket
import subprocess
import time
from pathlib import Path

import pexpect
import pytest
from support.stack import free_port
from support.wait import WAIT_S, wait_until

MIB = 1 << 20
SLOW_READ_S = 0.01  # after each 32 KiB
SAMPLE_S = 0.1


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """200 MB that do not compress."""
    path = tmp_path_factory.mktemp("data") / "file"
    with path.open("wb") as out:
        for _ in range(200):
            out.write(secrets.token_bytes(MIB))
    return path


def sha256(path):
    return subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]


def shell_sha256(line):
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{line} | sha256sum"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


# --- one command


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_the_exit_status_is_the_commands(client, status):
    done = client.run(f"echo out; echo err >&2; exit {status}")
    assert (done.returncode, done.stdout, done.stderr) == (status, "out\n", "err\n")


def test_a_signal_that_ends_the_command_reaches_the_client(client):
    done = client.run("kill -TERM $$", options=["-v"])
    assert done.returncode == 255
    assert re.search(r"exit-signal", done.stderr)


def test_eof_goes_both_ways(client):
    done = client.run("cat; echo after", input=b"in")
    assert done.stdout == b"inafter\n"
    done = client.run("exec 1>&-; read line; echo got $line >&2", input=b"word\n")
    assert done.stderr == b"got word\n"


def test_stdin_that_stays_open_does_not_hold_the_end_up(client):
    one = subprocess.Popen(client.ssh("echo done"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert one.wait(WAIT_S) == 0
    assert one.stdout.read() == b"done\n"


def test_a_command_in_the_background_that_keeps_its_output_open_holds_the_session_as_with_sshd(client):
    done = client.run("sleep 1 & echo begun")
    assert (done.returncode, done.stdout) == (0, "begun\n")


def test_environment_and_long_commands_arrive(client):
    done = subprocess.run(
        client.ssh("printenv LC_CCP", options=["-o", "SendEnv=LC_CCP"]),
        env=dict(os.environ, LC_CCP="a value"),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.stdout == "a value\n"
    assert client.run(f"echo {'x' * 120_000} | wc -c").stdout == "120001\n"


# What a client could turn a program of the host's into another with: for a user's own shell no matter, for what runs
# before it (sshd, PAM, sudo, a forced command) it would be.
INJECTED = {
    "LD_PRELOAD": "/home/dev/evil.so",
    "LD_LIBRARY_PATH": "/home/dev",
    "BASH_ENV": "/home/dev/evil",
    "ENV": "/home/dev/evil",
    "PATH": "/home/dev/evil",
    "HOME": "/tmp",
    "SHELL": "/home/dev/evil",
    "USER": "root",
    "LOGNAME": "root",
    "IFS": "x",
    "PYTHONPATH": "/home/dev",
    "SSH_AUTH_SOCK": "/home/dev/evil",
    "SSH_ORIGINAL_COMMAND": "evil",
    "BASH_FUNC_ls%%": "() { echo evil; }",
    "lc_ALL": "evil",
    "XLC_ALL": "evil",
}


def test_an_environment_that_is_sent_changes_only_what_is_the_users(client):
    options = [word for name in (*INJECTED, "LC_*") for word in ("-o", f"SendEnv={name}")]
    values = INJECTED | {"LC_CCP": "one\nPATH=/evil\nLC_TWO=two", "LC_": "$(touch /tmp/evil)", "LC_LONG": "x" * 20000}
    done = subprocess.run(
        client.ssh("env -0 && ! test -e /tmp/evil", options=options),
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | values | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done
    there = dict(one.split("=", 1) for one in done.stdout.split("\0") if one)
    for name, value in INJECTED.items():
        assert there.get(name) != value, name
    assert "LC_TWO" not in there and there["LC_CCP"] == values["LC_CCP"]
    assert (there["USER"], there["HOME"]) == ("dev", "/home/dev")


def test_keepalives_are_answered(client):
    done = client.run("sleep 4; echo alive", options=["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1"])
    assert done.stdout == "alive\n"


def test_a_subsystem_that_the_host_does_not_have_is_refused_at_once(client):
    done = client.run("nothing", options=["-s"])
    assert done.returncode == 255 and "subsystem request failed" in done.stderr


# --- a terminal


@pytest.fixture
def terminal(client):
    argv = client.ssh("-tt")
    one = pexpect.spawn(argv[0], argv[1:], dimensions=(31, 77), timeout=WAIT_S, encoding="utf-8")
    yield one
    one.close(force=True)


def test_a_terminal_has_the_clients_size_and_follows_it(terminal):
    terminal.sendline("stty size; tty; echo $TERM")
    terminal.expect("31 77")
    terminal.expect("/dev/pts/")
    terminal.setwinsize(40, 120)
    terminal.sendline("while [ \"$(stty size)\" != '40 120' ]; do :; done; echo re''sized")
    terminal.expect("resized")


def test_a_login_shells_terminal_erases_whole_letters(client, terminal):
    terminal.sendline("echo wi''thout $(stty -a | grep -cw -- -iutf8)")
    terminal.expect_exact("without 0")
    assert " iutf8" in client.run("exec zsh -lc 'stty -a'", options=["-tt"]).stdout


def test_keys_of_a_terminal_are_signals_and_the_shells_status_is_the_clients(terminal):
    terminal.sendline("echo st''arting; sleep 100")
    terminal.expect("starting")
    terminal.sendintr()
    terminal.sendline("echo st''atus $?")
    terminal.expect("status 130")
    terminal.sendline("exit 9")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 9


def test_a_terminal_that_is_closed_ends_what_ran_in_it(client, terminal):
    mark = secrets.token_hex(6)
    terminal.sendline(f"exec -a {mark} sleep 1000")
    wait_until(lambda: client.run(f"pgrep -f ^{mark}").returncode == 0, "the command runs")
    terminal.close(force=True)
    wait_until(lambda: client.run(f"pgrep -f ^{mark}").returncode == 1, "the command has ended")


# --- bytes


@pytest.mark.parametrize("limit", ["1M", "4M", "16M"])
def test_200_mb_are_equal_both_ways_with_rekeys(client, file, limit):
    options = ["-o", f"RekeyLimit={limit}"]
    wanted = sha256(file)
    with file.open("rb") as data:
        up = client.run("tee copy | sha256sum", options=options, stdin=data)
    assert up.stdout.split()[0] == wanted
    assert shell_sha256(shlex.join(client.ssh("cat copy", options=options))) == wanted


def test_bytes_come_back_in_order_through_cat_with_rekeys(client, file):
    command = shlex.join(client.ssh("cat", options=["-o", "RekeyLimit=1M"]))
    assert shell_sha256(f"{command} <{file}") == sha256(file)


def test_both_streams_of_a_command_are_whole(client):
    done = client.run(
        "head -c 20000000 /dev/zero >&2 & head -c 20000000 /dev/zero; wait", options=["-o", "RekeyLimit=1M"], text=False
    )
    assert (len(done.stdout), len(done.stderr)) == (20_000_000, 20_000_000)


def memory_kb(pid):
    """What a process holds; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    match = re.search(r"^VmRSS:\s+(\d+)", status, re.M)
    return int(match[1]) if match else 0


@pytest.mark.parametrize("streams", [">&1", ">&2", "| tee /dev/stderr"])
def test_a_slow_reader_holds_back_the_writer_and_the_proxys_memory_stays_small(client, streams):
    """Every byte that is read lets a window's worth more come, unless what waits already is counted."""
    client.wait_alone()
    one = subprocess.Popen(
        client.ssh(f"head -c 300000000 /dev/zero {streams}"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        total = len(one.stdout.read(1))
        (child,) = client.proxy.children()
        for _ in range(200):
            total += len(one.stdout.read(32 * 1024))
            time.sleep(SLOW_READ_S)
        assert memory_kb(child) < 16 * 1024
        total += sum(len(part) for part in iter(lambda: one.stdout.read(MIB), b""))
        assert total == 300_000_000 * (2 if "tee" in streams else 1)
        assert one.wait(WAIT_S) == 0
    finally:
        one.kill()
        one.communicate()


def test_a_little_stderr_between_much_stdout_is_whole_for_a_slow_reader(client, tmp_path):
    """Each line of stderr lets a window's worth of stdout come, unless the container is not read then."""
    line = "seq 8000000 | split -b 1000000 --filter 'cat; echo line >&2'"
    with (tmp_path / "stderr").open("wb") as stderr:
        one = subprocess.Popen(client.ssh(line), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
    digest = hashlib.sha256()
    try:
        for _ in range(200):
            digest.update(one.stdout.read(32 * 1024))
            time.sleep(SLOW_READ_S)
        for part in iter(lambda: one.stdout.read(MIB), b""):
            digest.update(part)
        assert one.wait(WAIT_S) == 0, (tmp_path / "stderr").read_text()
        assert digest.hexdigest() == shell_sha256("seq 8000000").strip()
        assert (tmp_path / "stderr").read_text() == "line\n" * 63
    finally:
        one.kill()
        one.communicate()


def test_a_slow_command_holds_back_what_is_sent_to_it(client):
    client.wait_alone()
    line = "for i in $(seq 100); do head -c 32768 >/dev/null; sleep 0.02; done; wc -c"
    one = subprocess.Popen(client.ssh(line), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    source = subprocess.Popen(["head", "-c", "100000000", "/dev/zero"], stdout=one.stdin)
    one.stdin.close()
    try:
        (child,) = wait_until(client.proxy.children, "the session is there")
        while one.poll() is None:
            assert memory_kb(child) < 16 * 1024
            time.sleep(SAMPLE_S)
        assert int(one.stdout.read()) > 90_000_000
    finally:
        one.kill()
        source.kill()
        one.wait()
        source.wait()


def test_sftp_and_scp_carry_files(client, file, tmp_path):
    where = [*client.options, *client.with_key(), "-P", str(client.proxy.port)]
    there = f"{client.name}@127.0.0.1"
    small = tmp_path / "small"
    small.write_bytes(file.read_bytes()[: 5 * MIB + 13])
    batch = tmp_path / "batch"
    batch.write_text(f"put {small} by-sftp\nget by-sftp {tmp_path}/back\nls\n")
    subprocess.run(["sftp", *where, "-b", batch, there], check=True, capture_output=True, timeout=WAIT_S)
    assert sha256(tmp_path / "back") == sha256(small)
    for protocol in ([], ["-O"]):
        subprocess.run(
            ["scp", *where, *protocol, small, f"{there}:by-scp"], check=True, capture_output=True, timeout=WAIT_S
        )
        subprocess.run(
            ["scp", *where, *protocol, f"{there}:by-scp", tmp_path / "again"],
            check=True,
            capture_output=True,
            timeout=WAIT_S,
        )
        assert sha256(tmp_path / "again") == sha256(small)


def test_rsync_and_git_work(client, tmp_path):
    shell = shlex.join(client.ssh()[:-1])
    there = f"{client.name}@127.0.0.1"
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(50):
        (tree / f"f{number}").write_bytes(secrets.token_bytes(10_000))
    subprocess.run(
        ["rsync", "-a", "-e", shell, f"{tree}/", f"{there}:tree/"], check=True, capture_output=True, timeout=WAIT_S
    )
    subprocess.run(
        ["rsync", "-a", "-e", shell, f"{there}:tree/", tmp_path / "back"],
        check=True,
        capture_output=True,
        timeout=WAIT_S,
    )
    subprocess.run(["diff", "-r", tree, tmp_path / "back"], check=True)
    made = client.run(
        "git init -q repo && cd repo && cp ../tree/* . && git add ."
        " && git -c user.name=a -c user.email=a@b commit -qm first"
    )
    assert made.returncode == 0, made.stderr
    subprocess.run(
        ["git", "clone", "-q", f"{there}:repo", tmp_path / "clone"],
        env=dict(os.environ, GIT_SSH_COMMAND=shell, GIT_CONFIG_NOSYSTEM="1"),
        check=True,
        capture_output=True,
        timeout=WAIT_S,
    )
    subprocess.run(["diff", "-r", "-x", ".git", tree, tmp_path / "clone"], check=True)


# --- many channels


@pytest.fixture
def shared(client, tmp_path):
    """Options with which every ssh goes through one connection."""
    path = tmp_path / "c"
    control = ["-o", f"ControlPath={path}"]
    master = subprocess.Popen(client.ssh("-MN", options=control), stdin=subprocess.DEVNULL)
    wait_until(path.exists, "the master is connected")
    yield control
    subprocess.run(client.ssh("-O", "exit", options=control), capture_output=True, timeout=WAIT_S, check=False)
    master.wait(WAIT_S)


def test_ten_sessions_share_one_connection(client, shared):
    before = client.sessions("true")
    runs = [
        subprocess.Popen(
            client.ssh(f"head -c 3000000 /dev/zero | sha256sum; exit {n}", options=shared), stdout=subprocess.PIPE
        )
        for n in range(10)
    ]
    outputs = {run.communicate(timeout=WAIT_S)[0] for run in runs}
    assert [run.returncode for run in runs] == list(range(10))
    assert len(outputs) == 1
    assert client.sessions("true") == before


def test_many_short_commands_on_one_connection_leave_nothing_behind(client, shared):
    (child,) = client.proxy.children()
    for n in range(100):
        assert client.run(f"exit {n}", options=shared).returncode == n
    assert memory_kb(child) < 16 * 1024


def test_a_channel_that_is_not_read_holds_up_no_other(client, shared):
    stuck = subprocess.Popen(
        client.ssh("cat /dev/zero", options=shared), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    try:
        stuck.stdout.read(MIB)
        for n in range(5):
            assert client.run(f"exit {n}", options=shared).returncode == n
    finally:
        stuck.kill()
        stuck.wait()


# --- what is not offered


@pytest.mark.parametrize(
    "options, words",
    [
        (["-W", "127.0.0.1:22"], "stdio forwarding failed"),
        (["-N", "-o", "ExitOnForwardFailure=yes", "-R", "9:127.0.0.1:9"], "remote port forwarding failed"),
    ],
)
def test_forwarding_is_refused_at_once(client, options, words):
    done = client.run(options=options)
    assert done.returncode == 255
    assert words in done.stderr


@pytest.mark.parametrize("kind", ["-L", "-D"])
def test_a_forwarded_connection_is_closed_at_once_and_the_session_goes_on(client, kind):
    port = free_port()
    where = f"{port}:127.0.0.1:22" if kind == "-L" else str(port)
    one = subprocess.Popen(
        client.ssh("echo begun; read line; echo got $line", options=[kind, where]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert one.stdout.readline() == "begun\n"
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        if kind == "-D":
            connection.sendall(b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x16")
            assert connection.recv(2) == b"\x05\x00"
        assert b"SSH-" not in connection.recv(64)
        assert connection.recv(64) == b""
    assert one.communicate("on\n", timeout=WAIT_S)[0] == "got on\n"


def test_asking_for_agent_and_x11_forwarding_does_not_disturb_a_session(client):
    command = client.ssh("echo fine ${SSH_AUTH_SOCK-none} ${DISPLAY-none}", options=["-v", "-A", "-Y"])
    done = subprocess.run(
        ["ssh-agent", *command],
        env=dict(os.environ, DISPLAY=":9"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert "Requesting authentication agent forwarding" in done.stderr and "Requesting X11 forwarding" in done.stderr
    assert (done.returncode, done.stdout) == (0, "fine none none\n")
