"""What db/golden keeps for reviewers is true: db/catalogue.golden and docs/state-graph.md."""

import subprocess

import pytest
from support.paths import CHECKOUT
from support.wait import WAIT_S


def run(name, *arguments, database):
    return subprocess.run(
        [CHECKOUT / "db" / name, *arguments, "--database", database.conninfo("postgres")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


@pytest.fixture
def plain(cluster):
    """A database as users get it, without the clock that tests can set."""
    database = cluster.database("plain")
    assert run("apply", "--no-cron", database=database).returncode == 0
    yield database
    cluster.database_drop(database)


def test_the_catalogue_and_the_state_graph_are_those_of_the_folder(plain):
    done = run("golden", database=plain)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nIf that is meant: db/golden --write (see db/README.md)"
