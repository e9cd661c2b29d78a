"""The agent as the worker's child: who runs as whom, who starts whom again, and whose end is whose."""

import datetime
import os
import pwd
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from support import proc
from support.comeback import kill_until_served, noop_is_done
from support.host import Host
from support.program import Program
from support.wait import wait_until

# Stands in for ccp-agent: writes down each life and what it was started with.
STAND_IN = """#!/bin/bash
printf '%s\\n' "$$ $*" >>"$(dirname "$0")/lives"
{}
"""
LIVES = "exec sleep infinity"


class Embedded(Program):
    """ccp-worker as a supervisor starts it in this mode: as root."""

    def __init__(self, database, directory, stand_in=LIVES):
        agent = directory / "ccp-agent"
        agent.write_text(STAND_IN.format(stand_in))
        agent.chmod(0o755)
        super().__init__("ccp-worker", database, directory)

    def command(self, conninfo, *arguments):
        words = [self.words[-3], *self.words[-2:], "--database", conninfo]
        return [*words, "--embed-agent", "--", "--node", "n1", *arguments]

    @property
    def lives(self):
        path = self.directory / "lives"
        return [line.split(" ", 1) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def agent(self):
        """The present one's pid."""
        return int(wait_until(lambda: self.lives, "the agent was started")[-1][0])

    @property
    def keeper(self):
        (pid,) = proc.children(self.pid)
        return pid


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def gone(pid):
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def directory():
    path = Path(tempfile.mkdtemp(prefix="ccp-program-", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start(database, directory):
    started = []

    def begin(stand_in=LIVES):
        started.append(Embedded(database, directory, stand_in))
        started[-1].wait_log("database connected")
        return started[-1]

    yield begin
    for one in started:
        one.stop()


def test_the_agent_runs_as_root_with_its_arguments_and_the_worker_as_itself(start, database, directory):
    worker = start()
    agent = worker.agent
    assert worker.lives == [[str(agent), f"--state-dir {directory} --node n1"]]
    assert status_of(agent)["Uid"].split()[:3] == ["0"] * 3
    fields = status_of(worker.pid)
    assert set(fields["Uid"].split()) == {str(pwd.getpwnam("ccp-worker").pw_uid)}
    assert [fields[name] for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")] == ["0" * 16] * 4
    assert fields["NoNewPrivs"] == "1"
    task = database.value("insert into ccp.tasks (kind) values ('system.noop') returning id")
    status = "select status from ccp.task_rows where id = %s"
    wait_until(lambda: database.value(status, (task,)) == "succeeded", "the worker works")


def test_an_agent_that_dies_is_started_again(start):
    worker = start()
    first = worker.agent
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(worker.lives) == 2, "another agent was started")
    assert worker.agent != first and "the embedded agent has ended" in worker.log


def test_one_that_does_not_last_is_started_less_and_less_often(start):
    worker = start("exit 3")
    seen = []  # when the next one was there, at the earliest
    for count in range(2, 5):
        wait_until(lambda: len(worker.lives) >= count, f"start {count}")  # noqa: B023
        seen.append(time.time())
    ended = re.findall(r'^time=(\S+) .*event="the embedded agent has ended"', worker.log, re.M)
    ends = [datetime.datetime.fromisoformat(one).timestamp() for one in ended]
    pauses = [after - before for before, after in zip(ends, seen, strict=False)]
    assert len(pauses) == 3 and all(pause > 0.99 * 2**number for number, pause in enumerate(pauses)), pauses
    assert "status=3" in worker.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_workers_end_is_the_agents(start, number):
    worker = start()
    agent, keeper = worker.agent, worker.keeper
    worker.kill(number)
    assert worker.wait() == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    wait_until(lambda: gone(agent) and gone(keeper), "agent and keeper are gone")
    assert len(worker.lives) == 1


def test_an_agent_that_does_not_end_is_killed(start):
    worker = start("trap '' TERM; while :; do sleep 1; done")
    agent = worker.agent
    assert worker.stop() == 0
    assert gone(agent)


def test_the_keepers_end_is_both_others(start):
    worker = start()
    agent = worker.agent
    os.kill(worker.keeper, signal.SIGKILL)
    assert worker.wait() == 1
    wait_until(lambda: gone(agent), "the agent is gone")


def test_it_needs_root_and_its_words_need_it(program, database):
    refused = program("ccp-worker", database)
    refused.wait_log("database connected")
    asked = refused.once("--embed-agent")
    assert asked.returncode == 1 and "needs root" in asked.stderr
    stray = refused.once("stray")
    assert stray.returncode == 1 and "is for --embed-agent" in stray.stderr


def agent_of(stack):
    return stack.owner.value("select pid from ccp.processes where program = 'ccp-agent' and ended_at is null")


def test_the_whole_product_stands_in_this_mode_and_goes_back(embedded_stack):
    stack = embedded_stack
    worker = stack.pid("ccp-worker")
    assert stack.pid("ccp-agent") is None
    agent = agent_of(stack)
    assert proc.parent(proc.parent(agent)) == worker
    assert "program=ccp-agent" in stack.log("ccp-worker") and "program=ccp-worker" in stack.log("ccp-worker")
    assert set(status_of(worker)["Uid"].split()) == {str(pwd.getpwnam("ccp-worker").pw_uid)}
    host = Host(stack)
    host.running()

    kill_until_served(stack, worker, noop_is_done)
    wait_until(lambda: agent_of(stack) not in (None, agent), "another agent runs")
    host.task("host.verify")
    host.stopped().running()

    stack.script("up", CCP_MODE="socket")
    wait_until(lambda: agent_of(stack) == stack.pid("ccp-agent"), "the agent is a service again")
    assert proc.children(stack.pid("ccp-worker")) == []
    host.task("host.verify")
