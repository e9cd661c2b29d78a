"""What the agent stands on goes away under it: PostgreSQL restarted, stopped or frozen, Docker killed.

Work that was under way ends well, what runs goes on and stays proven, and a check that fails meanwhile closes its host
at once and is reported afterwards.
"""

import os
import signal
import time

import pytest
from support.agent import Agent, Host, can_send
from support.wait import wait_until

GOES_ON_S = 2
BRIEFLY_S = 5
LONG_S = 30
LIGHT_S, PROOF_LIFE_S = 1, 4


@pytest.fixture(scope="module")
def agent(stack_directory):
    stack_directory.up("postgres", "database", "docker", "image", "lab")
    one = Agent(stack_directory)
    one.rows("update ccp.settings set value = to_jsonb(%s) where name = 'verify_light_s'", [LIGHT_S])
    one.rows("update ccp.settings set value = to_jsonb(%s) where name = 'proof_life_s'", [PROOF_LIFE_S])
    yield one.start()
    one.end()


@pytest.fixture(scope="module")
def made(agent):
    one = Host(agent)
    one.task("host.create")
    yield one
    one.task("host.delete", '{"wipe": true}')


@pytest.fixture
def stopped(made):
    if made.status != "stopped":
        made.task("host.stop")
    return made


@pytest.fixture
def running(made):
    if made.status != "running":
        made.task("host.start")
    return made


def stays_open(pid, seconds):
    """Looks twice a second: a proof that nobody renews would have run out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert can_send(pid)
        time.sleep(0.5)


def backends(agent, name):
    """Server processes of the agent's connections: `ccp-agent` the bus, `ccp-agent/N` a task's."""
    return [
        pid
        for (pid,) in agent.rows(
            "select pid from pg_stat_activity where usename = 'ccp_agent' and application_name like %s"
            " order by backend_start",
            [name],
        )
    ]


def freeze(agent, name):
    """Stops them where they hold nothing: what a frozen backend has locked stays locked, whatever its client does."""

    def frozen():
        pids = backends(agent, name)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if not agent.value("select count(*) from pg_locks where pid = any (%s)", [pids]):
            return pids
        thaw(pids)
        return None

    return wait_until(frozen, 5, "the agent's backends hold nothing")


def thaw(pids):
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def ends_well(host, task):
    status, code, message, _ = host.wait(task)
    assert status == "succeeded", f"{code}: {message}\n{host.agent.log()[-4000:]}"
    assert host.agent.stuck() == []


def ends_in_time(host, task):
    """From the moment that the server answers; start_postgres() returns then."""
    began = time.monotonic()
    ends_well(host, task)
    assert time.monotonic() - began < GOES_ON_S


def claimed(host, task):
    wait_until(
        lambda: host.agent.value("select status from ccp.task_rows where id = %s", [task]) != "queued", 5, "a claim"
    )


def works(host):
    """A task is done as always, at once."""
    began = time.monotonic()
    host.task("host.verify")
    assert time.monotonic() - began < GOES_ON_S
    assert host.agent.stuck() == []


def once(host, kind, before):
    rows = host.agent.rows(
        "select count(*) filter (where status = 'succeeded'), count(*)"
        " from ccp.task_rows where host_id = %s and kind = %s",
        [host.id, kind],
    )
    assert (rows[0][0] - before[0], rows[0][1] - before[1]) == (1, 1)


def counted(host, kind):
    return host.agent.rows(
        "select count(*) filter (where status = 'succeeded'), count(*)"
        " from ccp.task_rows where host_id = %s and kind = %s",
        [host.id, kind],
    )[0]


def stop_postgres(agent):
    agent.stack.sv("down", "postgres")


def start_postgres(agent):
    agent.stack.sv("up", "postgres")
    wait_until(lambda: answers(agent), 20, "PostgreSQL answers")


def answers(agent):
    try:
        return agent.value("select 1") == 1
    except Exception:
        return False


def test_a_restarted_server_is_worked_with_again_at_once(agent, running):
    stop_postgres(agent)
    start_postgres(agent)
    works(running)


@pytest.mark.parametrize("away_s", [0, BRIEFLY_S, LONG_S])
def test_a_start_under_way_ends_well_when_the_server_goes_away(agent, stopped, away_s):
    before = counted(stopped, "host.start")
    task = stopped.insert("host.start")
    claimed(stopped, task)
    stop_postgres(agent)
    time.sleep(away_s)
    start_postgres(agent)
    ends_in_time(stopped, task)
    once(stopped, "host.start", before)
    assert len(agent.containers()) == len(agent.engines()) == 1
    assert can_send(stopped.pid)


@pytest.mark.parametrize("away_s", [0, BRIEFLY_S])
def test_a_stop_under_way_ends_well_when_the_server_goes_away(agent, running, away_s):
    before = counted(running, "host.stop")
    task = running.insert("host.stop")
    claimed(running, task)
    stop_postgres(agent)
    time.sleep(away_s)
    start_postgres(agent)
    ends_in_time(running, task)
    once(running, "host.stop", before)
    assert agent.containers() == agent.engines() == []


def test_a_running_host_stays_proven_while_the_server_is_away(agent, running):
    container, pid = running.container, running.pid
    stop_postgres(agent)
    try:
        stays_open(pid, LONG_S)
    finally:
        start_postgres(agent)
    works(running)
    assert (running.status, running.container) == ("running", container)


def test_a_check_that_fails_while_the_server_is_away_closes_at_once_and_is_told_afterwards(agent, running):
    last = agent.value("select coalesce(max(id), 0) from ccp.verifications")
    stop_postgres(agent)
    try:
        os.kill(agent.engine_pids()[0], signal.SIGKILL)
        wait_until(lambda: agent.containers() == [], 5, "the container is stopped")
        died_at = time.time()
        time.sleep(BRIEFLY_S)
    finally:
        start_postgres(agent)
    running.wait_status("unavailable", 10)
    code, at = wait_until(
        lambda: agent.rows(
            "select error_code, extract(epoch from at)::float8 from ccp.verifications where host_id = %s and id > %s",
            [running.id, last],
        ),
        5,
        "the evidence is there",
    )[0]
    assert code == "tunnel_no_handshake"
    assert abs(at - died_at) < 3  # its own time, not that of the return
    assert agent.engines() == []
    running.task("host.start")


@pytest.mark.parametrize("name", ["ccp-agent", "ccp-agent/%"])
def test_a_frozen_backend_holds_nothing_up_for_long(agent, running, name):
    frozen = freeze(agent, name)
    try:
        stays_open(running.pid, BRIEFLY_S)
        running.task("host.verify")
    finally:
        thaw(frozen)
    works(running)


def test_a_backend_that_freezes_during_a_start_does_not_stop_it(agent, stopped):
    before = counted(stopped, "host.start")
    task = stopped.insert("host.start")
    claimed(stopped, task)
    frozen = freeze(agent, "ccp-agent%")
    try:
        ends_well(stopped, task)
        once(stopped, "host.start", before)
    finally:
        thaw(frozen)
    works(stopped)


def test_a_killed_docker_comes_back_and_the_host_has_not_noticed(agent, running):
    container, pid, old = running.container, running.pid, agent.stack.pid("dockerd")
    agent.stack.kill("dockerd", signal.SIGKILL)
    stays_open(pid, 2)
    agent.stack.wait_restarted("dockerd", old, 10)
    wait_until(agent.stack.docker_answers, 20, "Docker answers")
    assert running.container == container
    works(running)
    running.task("host.stop")
    running.task("host.start")


def test_a_container_that_dies_while_docker_is_away_is_noticed(agent, running):
    pid = running.pid
    agent.stack.sv("down", "dockerd")
    os.kill(pid, signal.SIGKILL)
    agent.stack.sv("up", "dockerd")
    wait_until(agent.stack.docker_answers, 20, "Docker answers")
    running.wait_status("unavailable", 10)
    wait_until(lambda: agent.engines() == [], 10, "the engine is ended")
    running.task("host.start")
    assert can_send(running.pid)


def test_a_start_during_which_docker_is_killed_leaves_nothing_half_done(agent, stopped):
    task = stopped.insert("host.start")
    claimed(stopped, task)
    old = agent.stack.pid("dockerd")
    agent.stack.kill("dockerd", signal.SIGKILL)
    status, code, _, _ = stopped.wait(task)
    agent.stack.wait_restarted("dockerd", old, 10)
    wait_until(agent.stack.docker_answers, 20, "Docker answers")
    assert (status, code) in (("succeeded", None), ("failed", "docker_failed"))
    if status == "failed":
        wait_until(lambda: agent.containers() == agent.engines() == [], 10, "nothing runs")
        stopped.task("host.start")
    assert can_send(stopped.pid)
    assert len(agent.containers()) == len(agent.engines()) == 1
