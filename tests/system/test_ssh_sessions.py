"""How ssh sessions are recorded, how they end, what they survive, and what a child of the proxy can reach."""

import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pexpect
import pytest
from support.ssh import limited
from support.wait import WAIT_S, wait_until

IDLE_SESSIONS = 500
CONNECTIONS_MAX = 3  # of the whole proxy to the database


def rows_of(client, where):
    return client.host.owner.rows(
        "select id, end_reason, bytes_up, bytes_down from ccp.sessions"
        f" where host_id = %s and {where} order by created_at desc limit 1",
        [client.host.id],
    )


def goes_on(one):
    """Whether a session made by `talking` still carries bytes."""
    return one.communicate("word\n", timeout=WAIT_S)[0] == "got word\n"


def talking(client):
    return client.hold("echo begun; read line; echo got $line")


def restarted(client, name, number=signal.SIGKILL):
    stack = client.guest.stack
    old = stack.pid(name)
    stack.kill(name, number)
    stack.wait_restarted(name, old)


def logins_work(client):
    wait_until(lambda: client.run("echo in").stdout == "in\n", "logins work")


# --- what is written


def test_a_session_leaves_a_row_and_two_events(client):
    client.run("head -c 1000; head -c 5000 /dev/zero", input=b"x" * 1000)
    ((session_id, reason, up, down),) = wait_until(
        lambda: rows_of(client, "bytes_up = 1000 and ended_at is not null"), "the end is written"
    )
    assert (reason, up, down) == ("closed", 1000, 6000)
    events = client.host.owner.rows(
        "select type, user_id::text from ccp.events where metadata ->> 'session_id' = %s order by id", [str(session_id)]
    )
    assert events == [("ssh.session.opened", client.guest.user_id), ("ssh.session.closed", client.guest.user_id)]


def test_two_connections_are_two_sessions_and_each_ends_by_itself(client):
    client.wait_alone()
    first, second = talking(client), talking(client)
    assert client.sessions() == 2
    assert goes_on(first)
    wait_until(lambda: client.sessions() == 1, "the first one's row ends")
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
    client.host.owner.rows(
        "update ccp.sessions set end_requested_at = now(), end_reason = 'admin' where id ="
        " (select id from ccp.sessions where host_id = %s and ended_at is null order by created_at desc limit 1)",
        [client.host.id],
    )
    client.host.owner.rows("select pg_notify('ccp_sshproxy', '')")
    _, said = ended.communicate(timeout=WAIT_S)
    assert ended.returncode == 255 and "ended by an administrator" in said
    assert goes_on(kept)
    client.wait_alone()
    assert rows_of(client, "end_reason = 'admin'")


def test_a_session_that_is_not_read_ends_as_well(client):
    one = subprocess.Popen(
        client.ssh("cat /dev/zero"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        one.stdout.read(1 << 20)
        client.host.owner.rows(
            "update ccp.sessions set end_requested_at = now(), end_reason = 'admin'"
            " where host_id = %s and ended_at is null",
            [client.host.id],
        )
        client.host.owner.rows("select pg_notify('ccp_sshproxy', '')")
        client.wait_alone()
    finally:
        one.kill()
        one.communicate()


def test_a_host_that_stops_ends_its_sessions(client):
    one = client.hold()
    client.host.task("host.stop")
    try:
        _, said = one.communicate(timeout=WAIT_S)
        assert one.returncode == 255 and "This host was stopped; start it with: " in said
        client.wait_alone()
    finally:
        client.host.task("host.start")


@pytest.fixture
def idle(client):
    """Says after how many minutes a silent host is stopped, with fewer than an administrator may."""
    put = "update ccp.settings set value = %s::jsonb, min = %s where name = %s"
    owner = client.host.owner
    owner.rows(put, ['"no_traffic"', 10, "idle_means"])
    yield lambda minutes: owner.rows(put, [str(minutes), 0, "idle_stop_minutes"])
    owner.rows(put, [None, 10, "idle_stop_minutes"])
    owner.rows(put, ['"no_session"', 10, "idle_means"])
    client.host.task("host.start")


def test_a_silent_terminal_is_told_before_its_host_is_stopped(client, idle):
    words = client.ssh("echo begun; cat", options=["-tt"])
    terminal = pexpect.spawn(words[0], words[1:], timeout=WAIT_S, encoding="utf-8")
    terminal.expect("begun")
    idle(5)
    terminal.expect_exact("this host is stopped in 5 minutes, unless something does.\r\n")
    terminal.sendline("still here")
    terminal.expect_exact("still here\r\nstill here\r\n")
    idle(0)
    terminal.expect_exact("This host was stopped because nothing happened in it; start it with: ")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 255
    client.host.wait_status("stopped")
    desired = client.host.owner.value("select desired from ccp.hosts where id = %s", [client.host.id])
    assert desired == "stopped"


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
    wait_until(client.guest.stack.docker_answers, "Docker answers")


@pytest.fixture
def postgres(client):
    """PostgreSQL of the stack; runs again afterwards."""
    stack = client.guest.stack
    yield stack
    stack.sv("up", "postgres")
    wait_until(stack.postgres_answers, "PostgreSQL answers")


def test_without_postgresql_sessions_live_on_and_logins_are_refused(client, postgres):
    one = talking(client)
    postgres.sv("down", "postgres")
    for refused in (client.run("true"), client.by_password(client.guest.ssh_password, "true")):
        assert refused.returncode == 255 and "try again" in refused.stderr
    postgres.sv("up", "postgres")
    logins_work(client)
    assert goes_on(one)


def test_a_session_that_ended_while_postgresql_was_away_is_told_afterwards(client, postgres):
    one = client.hold("echo begun; read line; exit 3")
    before = rows_of(client, "ended_at is null")[0][0]
    postgres.sv("down", "postgres")
    one.communicate("word\n", timeout=WAIT_S)
    assert one.returncode == 3
    postgres.sv("up", "postgres")
    logins_work(client)
    ended = "select ended_at is not null and bytes_up = 5 from ccp.sessions where id = %s"
    wait_until(lambda: client.host.owner.value(ended, [before]), "its end is written")


def test_frozen_backends_hold_up_no_session_and_no_refusal(client):
    one = talking(client)
    frozen = [
        pid
        for (pid,) in client.host.owner.rows(
            "select pid from pg_stat_activity where usename = 'ccp_sshproxy' and application_name like 'ccp-sshproxy%'"
        )
    ]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        attempt = client.run("echo in")
        assert attempt.returncode == 0 or "try again" in attempt.stderr
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    logins_work(client)
    assert goes_on(one)


@pytest.mark.parametrize("who", ["listener", "monitor"])
def test_when_listener_or_monitor_dies_all_of_it_ends_with_a_sentence_and_is_back(client, who):
    one = client.hold()
    listener = client.proxy.listener
    os.kill(listener if who == "listener" else client.proxy.monitor, signal.SIGKILL)
    _, said = one.communicate(timeout=WAIT_S)
    assert one.returncode == 255 and "restarting" in said
    client.guest.stack.wait_restarted("ccp-sshproxy", listener)
    logins_work(client)
    client.wait_alone()


def test_a_killed_child_costs_its_own_session_only(client):
    client.wait_alone()
    doomed = client.hold()
    (child,) = client.proxy.children()
    kept = talking(client)
    os.kill(child, signal.SIGKILL)
    assert doomed.wait(WAIT_S) == 255
    doomed.communicate()
    assert goes_on(kept)
    client.wait_alone()
    assert rows_of(client, "end_reason = 'crashed'")


def test_a_monitor_without_a_free_descriptor_refuses_one_connection_and_keeps_the_others(client):
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
        return client.host.owner.value("select count(*) from pg_stat_activity where usename = 'ccp_sshproxy'")

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
            wait_until(all_in, "the sessions have logged in")
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
