"""How ssh sessions are recorded, how they end, what they survive, and what a child of the proxy can reach."""

import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.automation import Automation
from support.ssh import limited
from support.wait import wait_until

IDLE_SESSIONS = 500
CONNECTIONS_MAX = 3  # of the whole proxy to the database
REFUSED_WITHIN_S = 5


def rows_of(client, where):
    return client.host.rows(
        "select id, end_reason, bytes_up, bytes_down from ccp.sessions"
        f" where host_id = %s and {where} order by created_at desc limit 1",
        [client.host.host_id],
    )


def goes_on(one):
    """Whether a session made by `talking` still carries bytes."""
    return one.communicate("word\n", timeout=15)[0] == "got word\n"


def talking(client):
    return client.hold("echo begun; read line; echo got $line")


def restarted(client, name, number=signal.SIGKILL):
    stack = client.guest.stack
    old = stack.pid(name)
    stack.kill(name, number)
    stack.wait_restarted(name, old, 5)


def logins_work(client):
    wait_until(lambda: client.run("echo in").stdout == "in\n", 15, "logins work")


# --- what is written


def test_a_session_leaves_a_row_and_two_events(client):
    client.run("head -c 1000; head -c 5000 /dev/zero", input=b"x" * 1000)
    ((session_id, reason, up, down),) = wait_until(
        lambda: rows_of(client, "bytes_up = 1000 and ended_at is not null"), 5, "the end is written"
    )
    assert (reason, up, down) == ("closed", 1000, 6000)
    events = client.host.rows(
        "select type, user_id::text from ccp.events where metadata ->> 'session_id' = %s order by id", [str(session_id)]
    )
    assert events == [("ssh.session.opened", client.guest.user_id), ("ssh.session.closed", client.guest.user_id)]


def test_two_connections_are_two_sessions_and_each_ends_by_itself(client):
    client.wait_alone()
    first, second = talking(client), talking(client)
    assert client.sessions() == 2
    assert goes_on(first)
    wait_until(lambda: client.sessions() == 1, 5, "the first one's row ends")
    assert goes_on(second)
    client.wait_alone()


def test_a_client_that_dies_ends_its_session(client):
    one = client.hold()
    one.kill()
    one.communicate()
    client.wait_alone()


# --- who ends it


def test_a_session_whose_end_is_asked_for_ends_with_a_sentence(client):
    kept, ended = talking(client), client.hold()
    client.host.rows(
        "update ccp.sessions set end_requested_at = now(), end_reason = 'admin' where id ="
        " (select id from ccp.sessions where host_id = %s and ended_at is null order by created_at desc limit 1)",
        [client.host.host_id],
    )
    client.host.rows("select pg_notify('ccp_sshproxy', '')")
    began = time.monotonic()
    _, said = ended.communicate(timeout=10)
    assert ended.returncode == 255 and "ended by an administrator" in said
    assert time.monotonic() - began < 4
    assert goes_on(kept)
    client.wait_alone()
    assert rows_of(client, "end_reason = 'admin'")


def test_a_session_that_nobody_reads_ends_as_well(client):
    one = subprocess.Popen(
        client.ssh("cat /dev/zero"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        one.stdout.read(1 << 20)
        client.host.rows(
            "update ccp.sessions set end_requested_at = now(), end_reason = 'admin'"
            " where host_id = %s and ended_at is null",
            [client.host.host_id],
        )
        client.host.rows("select pg_notify('ccp_sshproxy', '')")
        client.wait_alone()
    finally:
        one.kill()
        one.communicate()


def test_a_host_that_stops_ends_its_sessions(client):
    one = client.hold()
    client.host.task("host.stop")
    try:
        _, said = one.communicate(timeout=10)
        assert one.returncode == 255 and "host closed the connection" in said
        client.wait_alone()
    finally:
        client.host.task("host.start")


# --- what it survives


def test_sessions_live_on_while_the_agent_is_killed(client):
    one = talking(client)
    restarted(client, "ccp-agent")
    assert goes_on(one)
    logins_work(client)


def test_sessions_live_on_while_docker_is_killed(client):
    one = talking(client)
    restarted(client, "dockerd")
    assert goes_on(one)
    wait_until(client.guest.stack.docker_answers, 20, "Docker answers")


@pytest.fixture
def postgres(client):
    """PostgreSQL of the stack; runs again afterwards."""
    stack = client.guest.stack
    yield stack
    stack.sv("up", "postgres")

    def connected():
        try:
            client.guest.host = client.host = Automation(stack, client.host.host_id)
        except Exception:
            return False
        return True

    wait_until(connected, 20, "PostgreSQL answers")


def refused_in_time(client):
    began = time.monotonic()
    refused = client.run("true")
    assert refused.returncode == 255 and "try again" in refused.stderr
    assert time.monotonic() - began < REFUSED_WITHIN_S


def test_without_postgresql_sessions_live_on_and_logins_are_refused_soon(client, postgres):
    one = talking(client)
    postgres.sv("down", "postgres")
    refused_in_time(client)
    began = time.monotonic()
    by_password = client.by_password(client.guest.ssh_password, "true")
    assert by_password.returncode == 255 and "try again" in by_password.stderr
    assert time.monotonic() - began < REFUSED_WITHIN_S
    postgres.sv("up", "postgres")
    logins_work(client)
    assert goes_on(one)


def test_a_session_that_ended_while_postgresql_was_away_is_told_afterwards(client, postgres):
    one = client.hold("echo begun; read line; exit 3")
    before = rows_of(client, "ended_at is null")[0][0]
    postgres.sv("down", "postgres")
    one.communicate("word\n", timeout=10)
    assert one.returncode == 3
    postgres.sv("up", "postgres")
    logins_work(client)
    fresh = Automation(postgres, client.host.host_id)
    wait_until(
        lambda: fresh.value("select ended_at is not null and bytes_up = 5 from ccp.sessions where id = %s", [before]),
        10,
        "its end is written",
    )
    fresh.close()


def test_frozen_backends_hold_up_no_session_and_no_refusal(client):
    one = talking(client)
    frozen = [
        pid
        for (pid,) in client.host.rows(
            "select pid from pg_stat_activity where usename = 'ccp_sshproxy' and application_name like 'ccp-sshproxy%'"
        )
    ]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        attempt = client.run("echo in")
        assert time.monotonic() - began < REFUSED_WITHIN_S
        assert attempt.returncode == 0 or "try again" in attempt.stderr
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    logins_work(client)
    assert goes_on(one)


@pytest.mark.parametrize("who", ["listener", "monitor"])
def test_when_acceptor_or_authority_dies_all_of_it_ends_with_a_sentence_and_is_back(client, who):
    one = client.hold()
    listener = client.proxy.listener
    os.kill(listener if who == "listener" else client.proxy.monitor, signal.SIGKILL)
    _, said = one.communicate(timeout=10)
    assert one.returncode == 255 and "restarting" in said
    client.guest.stack.wait_restarted("ccp-sshproxy", listener, 2)
    logins_work(client)
    client.wait_alone()


def test_a_killed_child_costs_its_own_session_only(client):
    client.wait_alone()
    doomed = client.hold()
    (child,) = client.proxy.children()
    kept = talking(client)
    os.kill(child, signal.SIGKILL)
    assert doomed.wait(10) == 255
    doomed.communicate()
    assert goes_on(kept)
    client.wait_alone()
    assert rows_of(client, "end_reason = 'crashed'")


def test_an_authority_without_a_free_descriptor_refuses_one_connection_and_keeps_the_others(client):
    one = talking(client)
    monitor = client.proxy.monitor
    used = {int(number) for number in os.listdir(f"/proc/{monitor}/fd")}
    free = min(set(range(len(used) + 1)) - used)
    with limited(monitor, "nofile", free):
        assert client.run("true").returncode == 255
    assert goes_on(one)
    logins_work(client)


# --- how much it holds


def memory_kb(pids):
    """Proportional memory of processes together."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:  # it has ended
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total


def test_five_hundred_idle_sessions_hold_three_connections(client):
    client.wait_alone()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))

    def connections():
        return client.host.value("select count(*) from pg_stat_activity where usename = 'ccp_sshproxy'")

    runs = []

    def all_in():
        return client.sessions() == len(runs)

    try:
        while len(runs) < IDLE_SESSIONS:
            runs += [
                subprocess.Popen(
                    client.ssh("-N"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                for _ in range(5)
            ]
            wait_until(all_in, 60, "the sessions have logged in")
        assert connections() <= CONNECTIONS_MAX
        assert client.run("echo in").stdout == "in\n"
        assert connections() <= CONNECTIONS_MAX
        assert memory_kb(client.proxy.children()) < 1024 * IDLE_SESSIONS
    finally:
        for run in runs:
            run.kill()
        for run in runs:
            run.wait()
    client.wait_alone()


def test_a_child_has_three_descriptors_no_rights_and_a_filter(client):
    client.wait_alone()
    one = client.hold()
    try:
        (child,) = client.proxy.children()
        status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
        assert re.search(r"^Seccomp:\t2$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M)
        assert re.search(r"^CapEff:\t0+$", status, re.M)
        held = {number: os.readlink(f"/proc/{child}/fd/{number}") for number in os.listdir(f"/proc/{child}/fd")}
        assert [held.pop(number) for number in "012"] == ["/dev/null"] * 3
        assert len(held) == 3 and all(path.startswith("socket:") for path in held.values())
    finally:
        one.kill()
        one.communicate()
