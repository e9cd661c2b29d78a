"""Who comes in by ssh and who does not: keys, one-time keys, passwords, limits, and what strangers learn."""

import base64
import contextlib
import hashlib
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pexpect
import pytest
from support.ssh import key_digest, key_make, limited
from support.stack import free_port
from support.timing import assert_fastest_agree
from support.wait import WAIT_S, wait_until

TIMED_TRIES = 15
PER_ADDRESS = 16  # that have not logged in
PLACES = 100  # for all of them


def last_session(client):
    return client.host.owner.rows(
        "select method, host(address) from ccp.sessions where host_id = %s order by created_at desc limit 1",
        [client.host.id],
    )[0]


# --- keys


def test_a_registered_key_lets_in(client):
    assert client.run("echo in").stdout == "in\n"
    assert last_session(client) == ("key", "127.0.0.1")


@pytest.mark.parametrize("kind", [["rsa", "-b", "3072"], ["ecdsa"]])
def test_other_kinds_of_registered_keys_let_in(client, tmp_path, kind):
    mine, client.key = client.key, tmp_path / "key"
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-f", client.key], check=True)
        client.register()
        assert client.run("echo in").stdout == "in\n"
    finally:
        client.key = mine


def test_a_key_of_another_user_is_not_taken(client, tmp_path):
    done = client.run("true", key=key_make(tmp_path / "other"))
    assert done.returncode == 255 and "Permission denied" in done.stderr


def test_the_right_key_is_found_among_wrong_ones(client, tmp_path):
    wrong = [word for n in range(4) for word in ("-i", str(key_make(tmp_path / f"wrong{n}")))]
    command = [
        "ssh",
        *client.options,
        *wrong,
        *client.with_key(),
        "-p",
        str(client.proxy.port),
        f"{client.name}@127.0.0.1",
        "echo in",
    ]
    assert subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False).stdout == "in\n"


def failures(client, address):
    return client.host.owner.value(
        "select count(*) from ccp.events where type = 'ssh.auth.failed' and metadata ->> 'address' = %s", [address]
    )


def test_wrong_keys_alone_are_a_failed_login(client, tmp_path):
    client.run("true", key=key_make(tmp_path / "other"), options=["-o", "BindAddress=127.0.0.24"])
    reason, seconds = wait_until(lambda: penalty(client, "127.0.0.24"), "the penalty is written")
    assert (reason, failures(client, "127.0.0.24")) == ("auth_failed", 1) and seconds <= 5


def test_wrong_keys_before_the_right_one_cost_nothing_and_before_a_wrong_password_nothing_more(client, tmp_path):
    wrong = ["-i", str(key_make(tmp_path / "wrong"))]
    assert client.run("echo in", options=[*wrong, "-o", "BindAddress=127.0.0.25"]).stdout == "in\n"
    where = ["-p", str(client.proxy.port), f"{client.name}@127.0.0.1"]
    command = [
        "sshpass",
        "-e",
        "ssh",
        *client.options,
        *wrong,
        "-o",
        "NumberOfPasswordPrompts=1",
        "-o",
        "BindAddress=127.0.0.26",
        *where,
    ]
    subprocess.run(
        command,
        env=dict(os.environ, SSHPASS="wrong horse"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )
    client.wait_alone()
    socket.create_connection(("127.0.0.1", client.proxy.port), WAIT_S, source_address=("127.0.0.27", 0)).close()
    wait_until(lambda: penalty(client, "127.0.0.27"), "all that was told is written")
    assert (penalty(client, "127.0.0.25"), failures(client, "127.0.0.25")) == (None, 0)
    reason, seconds = penalty(client, "127.0.0.26")
    assert (reason, failures(client, "127.0.0.26")) == ("auth_failed", 1) and seconds <= 5


def test_a_certificate_is_not_taken(client, tmp_path):
    authority, user = key_make(tmp_path / "ca"), key_make(tmp_path / "user")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "id", "-n", client.name, f"{user}.pub"], check=True)
    done = client.run("true", key=user)
    assert done.returncode == 255 and "Permission denied" in done.stderr


def grant(client, key):
    client.host.owner.rows(
        "insert into ccp.access_grants (purpose, user_id, host_id, key_sha256, poll_token_sha256, expires_at)"
        " values ('bootstrap', %s, %s, %s, %s, now() + interval '15 minutes')",
        [client.guest.user_id, client.host.id, key_digest(key), secrets.token_hex(32)],
    )
    return key


def test_a_one_time_key_lets_in_once(client, tmp_path):
    once = grant(client, key_make(tmp_path / "once"))
    assert client.run("echo in", key=once).stdout == "in\n"
    assert last_session(client)[0] == "grant"
    again = client.run("true", key=once)
    assert again.returncode == 255 and "Permission denied" in again.stderr


def test_of_ten_logins_at_once_with_a_one_time_key_one_comes_in(client, tmp_path):
    once = grant(client, key_make(tmp_path / "once"))
    tries = [
        subprocess.Popen(
            client.ssh("echo in", key=once), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for _ in range(8)
    ]
    assert sorted(one.communicate(timeout=WAIT_S)[0] for one in tries) == [b""] * 7 + [b"in\n"]


# --- passwords


def test_the_hosts_password_lets_in(client):
    done = client.by_password(client.guest.ssh_password, "echo in")
    assert (done.returncode, done.stdout) == (0, "in\n")
    assert last_session(client)[0] == "password"


def test_the_login_password_does_not(client):
    done = client.by_password(client.guest.password, "echo in")
    assert done.returncode == 255 and "Permission denied" in done.stderr


def answer(done):
    """What ssh prints at the end, without the name."""
    return done.returncode, done.stderr.splitlines()[-1].split("@127.0.0.1: ")[-1]


def test_a_wrong_password_and_an_unknown_host_get_the_same_answer(client):
    wrong = answer(client.by_password("wrong horse"))
    assert wrong[0] == 255 and "Permission denied" in wrong[1]
    assert answer(client.by_password(client.guest.ssh_password, name="zzzzzzzz")) == wrong
    assert answer(client.by_password(client.guest.ssh_password, name="No-Such Name!")) == wrong
    assert answer(client.by_password("x" * 1000)) == wrong


class Prompt:
    """One ssh that asks for passwords, to time the answers alone."""

    TRIES = 5

    def __init__(self, client, name=None):
        argv = client.ssh_by_password(name=name, options=["-o", f"NumberOfPasswordPrompts={self.TRIES}"])
        self.terminal = pexpect.spawn(argv[0], argv[1:], timeout=WAIT_S)
        self.terminal.delaybeforesend = None
        self.terminal.expect("password: ")

    def timed(self, password):
        begin = time.perf_counter()
        self.terminal.sendline(password)
        self.terminal.expect(["password: ", pexpect.EOF])
        return time.perf_counter() - begin


def test_a_wrong_password_and_an_unknown_host_take_the_same_time(client):
    """A check costs about 20 ms: its absence would show."""

    def timed(name):
        """The fastest of as many tries as one connection has."""
        prompt = Prompt(client, name)
        return min(prompt.timed("wrong horse") for _ in range(Prompt.TRIES))

    assert_fastest_agree(timed, (client.name, "zzzzzzzz", "nobody"), 1.3)


# --- what is told after right credentials


def expire(client, when):
    client.guest.told("PUT", f"/v1/admin/users/{client.guest.user_id}/expiry", {"expires_at": when})


def set_status(client, status):
    guest = client.guest
    version = guest.admin.get(f"/v1/admin/users/{guest.user_id}").headers["ETag"]
    told = guest.admin.send("PATCH", f"/v1/admin/users/{guest.user_id}", {"status": status}, {"If-Match": version})
    assert told.status == 200, told


def told_only_to_who_may_know(client, words):
    assert words in client.run("true").stderr
    assert words in client.by_password(client.guest.ssh_password, "true").stderr
    assert answer(client.by_password("wrong horse")) == answer(client.by_password("wrong horse", name="zzzzzzzz"))


def test_an_expired_account_is_named_after_right_credentials_only(client):
    expire(client, "2020-01-01T00:00:00Z")
    try:
        told_only_to_who_may_know(client, "account has expired")
    finally:
        expire(client, None)
    client.host.wait_status("running")
    client.host.running()
    assert client.run("echo in").stdout == "in\n"


def test_a_disabled_account_is_named_after_right_credentials_only(client):
    set_status(client, "disabled")
    try:
        told_only_to_who_may_know(client, "account is disabled")
    finally:
        set_status(client, "active")
    client.host.wait_status("running")
    client.host.running()
    assert client.run("echo in").stdout == "in\n"


def test_a_stopped_host_is_named_after_right_credentials_only(client):
    client.host.task("host.stop")
    try:
        told_only_to_who_may_know(client, "host is stopped")
    finally:
        client.host.task("host.start")
    assert client.run("echo in").stdout == "in\n"


# --- limits


def test_wrong_passwords_earn_a_wait_for_their_source_and_no_other(client):
    there = ["-o", "BindAddress=127.0.0.7"]
    answers = [client.by_password("wrong horse", options=there).stderr for _ in range(6)]
    assert "Too many attempts" not in answers[0]
    assert "Too many attempts" in answers[-1]
    assert "Too many attempts" in client.by_password(client.guest.ssh_password, "true", options=there).stderr
    assert client.run("echo in", options=there).stdout == "in\n"  # a right key does not wait for mistakes
    assert client.run("echo in", options=["-o", "BindAddress=127.0.0.8"]).stdout == "in\n"
    assert client.by_password(client.guest.ssh_password, "echo in").stdout == "in\n"
    events = client.host.owner.value(
        "select count(*) from ccp.events where type = 'ssh.auth.failed' and metadata ->> 'address' = '127.0.0.7'"
    )
    assert events >= 3


def penalty(client, address):
    """(reason, seconds left) of an address. now() may be older than what the statement sees."""
    rows = client.host.owner.rows(
        "select reason, extract(epoch from expires_at - clock_timestamp())::float8 from ccp.penalties"
        " where source like %s and source not like '%%@%%'",
        [f"{address}%"],
    )
    return rows[0] if rows else None


def test_coming_and_going_without_a_try_costs_a_second(client):
    (connection,) = idle(client, "127.0.0.9", 1)
    assert connection.recv(64).startswith(b"SSH-2.0-")
    connection.close()
    reason, seconds = wait_until(lambda: penalty(client, "127.0.0.9"), "the penalty is written")
    assert reason == "no_auth" and seconds <= 1


def test_who_does_not_log_in_is_hung_up_on(database, program):
    port = free_port()
    proxy = program("ccp-sshproxy", database, "--listen", f"127.0.0.1:{port}", "--login-grace", "1")
    proxy.wait_log("event=registered")
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), WAIT_S, source_address=("127.0.0.10", 0)) as connection:
        while connection.recv(4096):
            pass
        assert time.monotonic() - begin > 0.9
    wait_until(lambda: database.rows("select 1 from ccp.penalties where reason = 'grace'"), "the penalty is written")


def idle(client, source, count):
    """Connections from an address that say nothing."""
    where = ("127.0.0.1", client.proxy.port)
    return [socket.create_connection(where, WAIT_S, source_address=(source, 0)) for _ in range(count)]


def close_all(connections):
    for connection in connections:
        connection.close()


def test_one_address_that_holds_the_door_keeps_no_other_out(client):
    client.wait_alone()
    waiting = idle(client, "127.0.0.20", 120)
    try:
        wait_until(lambda: "too many connections" in client.proxy.log(), "some are refused")
        assert len(client.proxy.children()) <= PER_ADDRESS
        assert [client.run("echo in").stdout for _ in range(5)] == ["in\n"] * 5
    finally:
        close_all(waiting)
    client.wait_alone()


def test_silent_connections_of_an_address_leave_for_one_of_it_that_speaks(client):
    client.wait_alone()
    waiting = idle(client, "127.0.0.1", PER_ADDRESS)
    try:
        wait_until(lambda: client.run("echo in").stdout == "in\n", "those that were silent for long leave")
        assert len(client.proxy.children()) <= PER_ADDRESS
    finally:
        close_all(waiting)
    client.wait_alone()


@pytest.mark.parametrize("words", [b"", b"SSH-2.0-slow\r\n"], ids=["silent", "slow"])
@pytest.mark.parametrize("where", ["127.0.1.{}", "127.0.{}.9"], ids=["one network", "many networks"])
def test_any_number_of_addresses_that_do_not_log_in_keep_nobody_out(client, words, where):
    """100 places: seven addresses fill them. Who is within is not disturbed."""
    one = client.hold("echo begun; read line; echo got $line")
    waiting = []
    try:
        for n in range(10, 19):
            waiting += idle(client, where.format(n), PER_ADDRESS)
            for connection in waiting[-PER_ADDRESS:]:
                with contextlib.suppress(OSError):  # it has made room by now
                    connection.sendall(words)
        wait_until(lambda: len(client.proxy.children()) >= 90, "most places are taken")
        assert [client.run("echo in").stdout for _ in range(5)] == ["in\n"] * 5
        assert len(client.proxy.children()) <= PLACES + 1
        assert one.communicate("word\n", timeout=WAIT_S)[0] == "got word\n"
    finally:
        close_all(waiting)
    client.wait_alone()
    assert client.run("echo in").stdout == "in\n"


def test_a_right_password_waits_for_a_few_of_the_wrong_ones_of_others_and_not_for_all(client):
    stop = threading.Event()

    def flood(source):
        while not stop.is_set():
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                where = ("127.0.0.1", client.proxy.port)
                transport = paramiko.Transport(socket.create_connection(where, WAIT_S, source_address=(source, 0)))
                with contextlib.closing(transport):
                    transport.start_client(timeout=WAIT_S)
                    transport.auth_password(secrets.token_hex(6), "wrong horse", fallback=False)

    took = []
    with ThreadPoolExecutor(12) as threads:
        running = [threads.submit(flood, "127.0.70.1") for _ in range(12)]
        try:
            for _ in range(5):
                began = time.monotonic()
                done = client.by_password(client.guest.ssh_password, "echo in")
                took.append(time.monotonic() - began)
                assert done.stdout == "in\n", done
        finally:
            stop.set()
        for one in running:
            one.result()
    print(f"median {sorted(took)[2]:.3f} s, most {max(took):.3f} s")


# --- clients of Debian 12 that know neither gcm nor etm


def test_curl_with_libssh2_gets_a_file(client):
    """It knows aes-ctr and hmac-sha2 only."""
    assert "libssh2/1.10.0" in subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    line = client.directory.joinpath("known_hosts").read_text().split()[2]
    pin = base64.b64encode(hashlib.sha256(base64.b64decode(line)).digest()).decode().rstrip("=")
    command = [
        "curl",
        "-sS",
        "--key",
        client.key,
        "--pubkey",
        f"{client.key}.pub",
        "--hostpubsha256",
        pin,
        "-u",
        f"{client.name}:",
    ]
    url = f"sftp://127.0.0.1:{client.proxy.port}/etc/hostname"
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0 and done.stdout == client.run("cat /etc/hostname").stdout, done


@pytest.mark.parametrize("cipher", ["aes128-ctr", "aes256-ctr"])
@pytest.mark.parametrize("digest", ["hmac-sha2-256", "hmac-sha2-512"])
def test_paramiko_runs_a_command(client, cipher, digest):
    assert paramiko.__version__.startswith("2.12.")
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", client.proxy.port), WAIT_S))
    with contextlib.closing(transport):
        transport.get_security_options().ciphers = [cipher]
        transport.get_security_options().digests = [digest]
        transport.connect(username=client.name, pkey=paramiko.Ed25519Key.from_private_key_file(str(client.key)))
        channel = transport.open_session(timeout=WAIT_S)
        channel.exec_command("echo in; exit 3")
        assert (channel.makefile().read(), channel.recv_exit_status()) == (b"in\n", 3)


def test_a_child_that_dies_of_a_fault_costs_its_source_a_penalty_and_one_that_is_killed_does_not(client):
    client.wait_alone()
    for source, number in (("127.0.0.21", signal.SIGKILL), ("127.0.0.22", signal.SIGSEGV)):
        (connection,) = idle(client, source, 1)
        (child,) = wait_until(client.proxy.children, "there is a child")
        os.kill(child, number)
        assert connection.recv(64) in (b"", b"SSH-2.0-cloud-cli-proxy\r\n")
        connection.close()
        client.wait_alone()
    reason, seconds = wait_until(lambda: penalty(client, "127.0.0.22"), "the penalty is written")
    assert reason == "crash" and seconds > 60
    assert penalty(client, "127.0.0.21") is None


def test_a_connection_for_which_there_is_no_process_costs_its_user_nothing(database, program):
    port = free_port()
    proxy = program("ccp-sshproxy", database, "--listen", f"127.0.0.1:{port}")
    proxy.wait_log("event=registered")
    with (
        limited(proxy.pid, "nproc", 1),
        socket.create_connection(("127.0.0.1", port), 8, source_address=("127.0.0.23", 0)) as connection,
    ):
        assert connection.recv(64) == b""
    with socket.create_connection(("127.0.0.1", port), 8, source_address=("127.0.0.23", 0)) as connection:
        assert connection.recv(64).startswith(b"SSH-2.0-")
    rows = wait_until(
        lambda: database.rows("select reason, extract(epoch from expires_at - updated_at)::integer from ccp.penalties"),
        "the end is told",
    )
    assert set(rows) == {("no_auth", 1)}


# --- bytes that are no ssh


NOISE = {
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "ssh 1": b"SSH-1.5-old\r\n",
    "a packet without a length": b"SSH-2.0-x\r\n" + b"\xff" * 4096,
    "zeroes": b"\0" * 100_000,
    "an endless banner": b"SSH-2.0-" + b"a" * 100_000,
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_hung_up_on_and_nothing_dies(client, name):
    client.wait_alone()
    log_begin = len(client.proxy.log())
    with socket.create_connection(("127.0.0.1", client.proxy.port), 10) as connection:
        try:
            connection.sendall(NOISE[name])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        except OSError:  # hung up on, at whatever moment
            pass
    wait_until(lambda: not client.proxy.children(), "the child ends")
    assert "died" not in client.proxy.log()[log_begin:]


def test_random_bytes_into_an_encrypted_looking_session_kill_no_child(client):
    log_begin = len(client.proxy.log())
    for _ in range(50):
        connection = socket.create_connection(("127.0.0.1", client.proxy.port), WAIT_S)
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"SSH-2.0-noise\r\n" + os.urandom(2000))
    wait_until(lambda: not client.proxy.children(), "the children end")
    assert "died" not in client.proxy.log()[log_begin:]


def test_ssh_audit_finds_nothing_wrong(client):
    report = subprocess.run(
        ["ssh-audit", "-n", "-p", str(client.proxy.port), "127.0.0.1"],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    ).stdout
    assert "curve25519-sha256" in report and "[fail]" not in report, report
    assert "compression: disabled" in report
