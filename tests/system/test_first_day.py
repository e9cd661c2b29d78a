"""The walks that people read (tests/walk) do what they say. API and worker are real, the agent is this test."""

import json
import subprocess
import threading

import pytest
from support.orders import EXIT, KEY, node_make
from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until


class Agent(threading.Thread):
    """Is heard, and brings each task to success by way of a step. The first task of a kind that the walk follows goes
    on when the walk has shown that step."""

    def __init__(self, database, shown):
        super().__init__()
        self.database, self.shown = database, shown
        self.followed = {"host.create", "host.start"}
        self.over = threading.Event()

    def is_shown(self, text):
        self.beat()
        return text in self.shown.read_text() or self.over.is_set()

    def beat(self):
        self.database.rows("update ccp.processes set beat_at = now() where program = 'ccp-agent'")

    def work(self):
        claim = "task.claim((select max(id) from ccp.processes where program = 'ccp-agent'), 10)"
        for task, lease, kind in self.database.rows(f"select task_id, lease, kind from {claim}"):
            step = f"{kind} goes on"
            self.database.rows("select task.progress(%s, %s, 'verifying', 50, %s)", (task, lease, step))
            if kind in self.followed:
                self.followed.remove(kind)
                wait_until(lambda step=step: self.is_shown(step), f"the walk shows that {step}")
            result = json.dumps({"wg_public_key": KEY})
            self.database.rows("select task.succeed(%s, %s, %s)", (task, lease, result))

    def run(self):
        while not self.over.wait(0.1):
            self.beat()
            self.work()


@pytest.fixture
def shown(tmp_path):
    """What a walk shows."""
    path = tmp_path / "shown"
    path.touch()
    return path


@pytest.fixture
def agent(database, shown):
    node_make(database)
    one = Agent(database, shown)
    one.start()
    yield one
    one.over.set()
    one.join()


@pytest.fixture
def worker(program, database):
    program("ccp-worker", database).wait_log("event=registered")


def test_an_administrators_first_day(server, worker, agent, shown, tmp_path):
    (tmp_path / "password").write_text(server.PASSWORD + "\n")
    (tmp_path / "exit").write_text(json.dumps(EXIT))
    walk = CHECKOUT / "tests" / "walk" / "admin.sh"
    words = [walk, server.client().url, "root", tmp_path / "password", tmp_path / "exit"]
    with shown.open("w") as stderr:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=WAIT_S, check=False)
    told = shown.read_text()
    assert done.returncode == 0 and told.endswith("== done\n"), told + done.stdout
    assert "curl -sSf" not in done.stdout and server.PASSWORD not in told
    assert not agent.followed, "the steps of these were not shown"
