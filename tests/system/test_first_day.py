"""The walks that people read (tests/walk) do what they say. API and worker are real, the agent is this test."""

import json
import subprocess
import threading

import pytest
from support.orders import EXIT, node_make, run_tasks
from support.paths import CHECKOUT
from support.wait import WAIT_S


@pytest.fixture
def agent(database):
    """Is heard, and brings each task to success."""
    node_make(database)
    over = threading.Event()

    def work():
        while not over.wait(0.1):
            database.rows("update ccp.processes set beat_at = now() where program = 'ccp-agent'")
            run_tasks(database)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def worker(program, database):
    program("ccp-worker", database).wait_log("event=registered")


def test_an_administrators_first_day(server, worker, agent, tmp_path):
    (tmp_path / "password").write_text(server.PASSWORD + "\n")
    (tmp_path / "exit").write_text(json.dumps(EXIT))
    done = subprocess.run(
        [
            CHECKOUT / "tests" / "walk" / "admin.sh",
            server.client().url,
            "root",
            tmp_path / "password",
            tmp_path / "exit",
        ],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0 and done.stderr.endswith("== done\n"), done.stderr + done.stdout
    assert "curl -sSf" not in done.stdout and server.PASSWORD not in done.stderr
