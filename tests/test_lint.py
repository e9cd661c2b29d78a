"""The style checks of `make lint`, one test each."""

import subprocess

import pytest
from support.paths import CHECKOUT


@pytest.mark.parametrize(
    "check", ["clang-format", "handwriting", "includes", "gcc", "clang", "ruff", "shellcheck", "sqlfluff"]
)
def test_the_tree_passes(check):
    done = subprocess.run(
        [CHECKOUT / "tools" / "lint", check],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
