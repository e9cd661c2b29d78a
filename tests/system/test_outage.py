"""What the agent stands on goes away under it: PostgreSQL restarted, stopped or frozen, Docker killed.

Work that was under way ends well, what runs goes on and stays proven, and a check that fails meanwhile closes its host
at once and is reported afterwards.
"""

import os
import signal
import time

import pytest
from support.agent import can_send
from support.wait import wait_until

BRIEFLY_S = 5
LONG_S = 20  # longer than the 15 s after which a silent process counts as dead
LOOK_S = 0.5
LIGHT_S, PROOF_LIFE_S = 1, 4


@pytest.fixture(scope="module")
def agent(agent):
    """Whose proofs run out soon if they are not renewed."""
    with agent.stack.settings(verify_light_s=LIGHT_S, proof_life_s=PROOF_LIFE_S):
        yield agent


def stays_open(pid, seconds):
    """Looks meanwhile: a proof that is not renewed would have run out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert can_send(pid)
        time.sleep(LOOK_S)


def backends(agent, name):
    """Server processes of the agent's connections: `ccp-agent` the bus, `ccp-agent/dispatch/1` of claims,
    `ccp-agent/N` a task's."""
    return [
        pid
        for (pid,) in agent.owner.rows(
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
        if not agent.owner.value("select count(*) from pg_locks where pid = any (%s)", [pids]):
            return pids
        thaw(pids)
        return None

    return wait_until(frozen, "the agent's backends hold nothing")


def thaw(pids):
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def ends_well(host, task):
    host.wait_succeeded(task)
    assert host.agent.stuck() == []


def claimed(host, task):
    wait_until(
        lambda: host.owner.value("select status from ccp.task_rows where id = %s", [task]) != "queued", "a claim"
    )


def works(host):
    """A task is done as always."""
    host.task("host.verify")
    assert host.agent.stuck() == []


def once(host, kind, before):
    rows = host.owner.rows(
        "select count(*) filter (where status = 'succeeded'), count(*)"
        " from ccp.task_rows where host_id = %s and kind = %s",
        [host.id, kind],
    )
    assert (rows[0][0] - before[0], rows[0][1] - before[1]) == (1, 1)


def counted(host, kind):
    return host.owner.rows(
        "select count(*) filter (where status = 'succeeded'), count(*)"
        " from ccp.task_rows where host_id = %s and kind = %s",
        [host.id, kind],
    )[0]


def stop_postgres(agent):
    agent.stack.sv("down", "postgres")


def start_postgres(agent):
    agent.stack.sv("up", "postgres")
    wait_until(agent.stack.postgres_answers, "PostgreSQL answers")


def test_a_restarted_server_is_worked_with_again(agent, host):
    stop_postgres(agent)
    start_postgres(agent)
    works(host)


@pytest.mark.parametrize("away_s", [0, BRIEFLY_S, LONG_S])
def test_a_start_under_way_ends_well_when_the_server_goes_away(agent, stopped_host, away_s):
    before = counted(stopped_host, "host.start")
    task = stopped_host.insert("host.start")
    claimed(stopped_host, task)
    stop_postgres(agent)
    time.sleep(away_s)
    start_postgres(agent)
    ends_well(stopped_host, task)
    once(stopped_host, "host.start", before)
    assert len(agent.containers()) == len(agent.engines()) == 1
    assert can_send(stopped_host.pid)


@pytest.mark.parametrize("away_s", [0, BRIEFLY_S])
def test_a_stop_under_way_ends_well_when_the_server_goes_away(agent, host, away_s):
    before = counted(host, "host.stop")
    task = host.insert("host.stop")
    claimed(host, task)
    stop_postgres(agent)
    time.sleep(away_s)
    start_postgres(agent)
    ends_well(host, task)
    once(host, "host.stop", before)
    assert agent.containers() == agent.engines() == []


def test_a_running_host_stays_proven_while_the_server_is_away(agent, host):
    container, pid = host.container, host.pid
    stop_postgres(agent)
    try:
        stays_open(pid, LONG_S)
    finally:
        start_postgres(agent)
    works(host)
    assert (host.status, host.container) == ("running", container)


def test_a_check_that_fails_while_the_server_is_away_closes_at_once_and_is_told_afterwards(agent, host):
    last = agent.owner.value("select coalesce(max(id), 0) from ccp.verifications")
    stop_postgres(agent)
    try:
        os.kill(agent.engine_pids()[0], signal.SIGKILL)
        wait_until(lambda: agent.containers() == [], "the container is stopped")
        died_at = time.time()
        time.sleep(BRIEFLY_S)
    finally:
        start_postgres(agent)
    host.wait_status("unavailable")
    code, at = wait_until(
        lambda: agent.owner.rows(
            "select error_code, extract(epoch from at)::float8 from ccp.verifications"
            " where host_id = %s and id > %s and outcome <> 'passed' order by id",
            [host.id, last],
        ),
        "the evidence is there",
    )[0]
    assert code == "tunnel_no_handshake"
    assert abs(at - died_at) < 3  # its own time, not that of the return
    assert agent.engines() == []
    host.task("host.start")


@pytest.mark.parametrize("name", ["ccp-agent", "ccp-agent/%"])
def test_a_frozen_backend_holds_nothing_up_for_long(agent, host, name):
    frozen = freeze(agent, name)
    try:
        stays_open(host.pid, BRIEFLY_S)
        host.task("host.verify")
    finally:
        thaw(frozen)
    works(host)


def test_a_backend_that_freezes_during_a_start_does_not_stop_it(agent, stopped_host):
    before = counted(stopped_host, "host.start")
    task = stopped_host.insert("host.start")
    claimed(stopped_host, task)
    frozen = freeze(agent, "ccp-agent%")
    try:
        ends_well(stopped_host, task)
        once(stopped_host, "host.start", before)
    finally:
        thaw(frozen)
    works(stopped_host)


def test_a_killed_docker_comes_back_and_the_host_has_not_noticed(agent, host):
    container, pid, old = host.container, host.pid, agent.stack.pid("dockerd")
    agent.stack.kill("dockerd", signal.SIGKILL)
    stays_open(pid, 2)
    agent.stack.wait_restarted("dockerd", old)
    wait_until(agent.stack.docker_answers, "Docker answers")
    assert host.container == container
    works(host)
    host.task("host.stop")
    host.task("host.start")


def test_a_container_that_dies_while_docker_is_away_is_noticed(agent, host):
    pid = host.pid
    agent.stack.sv("down", "dockerd")
    os.kill(pid, signal.SIGKILL)
    agent.stack.sv("up", "dockerd")
    wait_until(agent.stack.docker_answers, "Docker answers")
    host.wait_status("unavailable")
    wait_until(lambda: agent.engines() == [], "the engine is ended")
    host.task("host.start")
    assert can_send(host.pid)


def test_a_start_during_which_docker_is_killed_leaves_nothing_half_done(agent, stopped_host):
    task = stopped_host.insert("host.start")
    claimed(stopped_host, task)
    old = agent.stack.pid("dockerd")
    agent.stack.kill("dockerd", signal.SIGKILL)
    status, code, _, _ = stopped_host.wait_task(task)
    agent.stack.wait_restarted("dockerd", old)
    wait_until(agent.stack.docker_answers, "Docker answers")
    assert (status, code) in (("succeeded", None), ("failed", "docker_failed"))
    if status == "failed":
        wait_until(lambda: agent.containers() == agent.engines() == [], "nothing runs")
        stopped_host.wait_status("running")
    assert can_send(stopped_host.pid)
    assert len(agent.containers()) == len(agent.engines()) == 1
