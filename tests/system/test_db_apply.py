"""What db/apply refuses, drops and ends with."""

import shutil
import subprocess

from support.paths import CHECKOUT
from support.wait import WAIT_S


def test_a_migration_that_changed_after_it_was_applied_is_refused(database, tmp_path):
    shutil.copytree(CHECKOUT / "db", tmp_path / "db")
    with open(tmp_path / "db" / "migrations" / "0001_base.sql", "a", encoding="utf-8") as file:
        file.write("-- one more thing\n")
    done = database.apply(tmp_path / "db")
    assert done.returncode == 1
    assert "0001_base.sql was changed after it was applied" in done.stderr


def test_a_function_that_no_file_makes_any_more_is_dropped(database):
    database.rows("set role ccp_owner; create function task.leftover() returns int language sql as 'select 1'")
    assert database.apply().returncode == 0
    assert database.value("select to_regproc('task.leftover') is null")


def test_the_schema_is_the_golden_one(database):
    """After a change that is meant: tests/race/golden --write."""
    done = subprocess.run(
        [CHECKOUT / "tests" / "race" / "golden", database.conninfo("postgres")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
