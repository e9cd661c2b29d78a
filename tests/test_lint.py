"""The style checks of `make lint`, one test each."""

import shutil
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


@pytest.fixture
def tree(tmp_path):
    """The sources and the check of includes, to be changed."""
    for folder in ("lib", "workers", "api", "agent", "sshproxy"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    (tmp_path / "tools").mkdir()
    shutil.copy(CHECKOUT / "tools" / "check-includes", tmp_path / "tools")
    return tmp_path


def append(path, text):
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def check_includes(tree):
    done = subprocess.run([tree / "tools" / "check-includes"], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def test_the_allowed_arrows_are_printed(tree):
    code, text = check_includes(tree)
    assert code == 0, text
    assert "agent/net        -> agent/evidence.h lib libmnl libnftnl\n" in text


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("lib/loop.c", '#include "agent/evidence.h"'),
        ("api/main.c", '#include "sshproxy/message.h"'),
        ("agent/net/link.c", '#include "agent/host/host.h"'),
        ("agent/host/run.c", '#include "agent/task/kinds.h"'),
        ("agent/store/home.c", '#include "agent/agent.h"'),
        ("agent/init/sshd.c", '#include "lib/mem.h"'),
        ("workers/tick.c", "#include <libssh/libssh.h>"),
    ],
)
def test_a_forced_breach_is_refused(tree, file, line):
    append(tree / file, line + "\n")
    code, text = check_includes(tree)
    assert code == 1
    assert f"{file} may not include {line.removeprefix('#include ')}" in text


def test_files_that_include_each_other_are_refused(tree):
    append(tree / "lib" / "err.h", '#include "lib/wait.h"\n')
    append(tree / "lib" / "wait.h", '#include "lib/err.h"\n')
    code, text = check_includes(tree)
    assert code == 1
    assert "a circle: lib/err.h lib/wait.h" in text


def test_a_call_upwards_is_refused_whatever_header_declares_it(tree):
    append(
        tree / "agent" / "host" / "host.c",
        "\nint run_check(struct run *run);\nint host_look(struct run *run)\n{\n\treturn run_check(run);\n}\n",
    )
    append(
        tree / "agent" / "host" / "run.c",
        "\nint host_look(struct run *run);\nint run_twice(struct run *run)\n{\n\treturn host_look(run);\n}\n",
    )
    code, text = check_includes(tree)
    assert code == 1
    assert "a circle: agent/host/host agent/host/run" in text


def test_a_folder_without_a_rule_is_refused(tree):
    (tree / "agent" / "misc").mkdir()
    (tree / "agent" / "misc" / "x.c").write_text("int x;\n", encoding="utf-8")
    code, text = check_includes(tree)
    assert code == 1
    assert "agent/misc/x.c is in a folder that has no rule" in text
