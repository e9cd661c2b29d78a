"""The style checks of `make lint`, one test each."""

import re
import shutil
import subprocess

import pytest
from support.paths import CHECKOUT


# Not gcc's warnings: what tests/run has built, it has built with them.
@pytest.mark.timeout(1800)  # sqlfluff takes minutes on a busy machine
@pytest.mark.parametrize(
    "check",
    ["merges", "clang-format", "handwriting", "sizes", "includes", "clang", "ruff", "shellcheck", "sqlfluff"],
)
def test_the_tree_passes(check):
    done = subprocess.run(
        [CHECKOUT / "tools" / "lint", check],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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


@pytest.fixture
def sizes(tmp_path):
    """tools/sizes over files that a test names: sizes({path: text}) is its exit status and what it printed."""
    (tmp_path / "tools").mkdir()
    shutil.copy(CHECKOUT / "tools" / "sizes", tmp_path / "tools")

    def run(files):
        for path, text in files.items():
            (tmp_path / path).write_text(text, encoding="utf-8")
        for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
            subprocess.run(command, cwd=tmp_path, check=True)
        done = subprocess.run([tmp_path / "tools" / "sizes"], stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout

    return run


def function(lines):
    return "int f(void)\n{\n" + "\tf();\n" * (lines - 2) + "}\n"


def test_the_sizes_of_functions_are_printed(sizes):
    code, text = sizes({"a.c": function(3) + "\n" + function(12), "b.c": "struct s {\n\tint a;\n};\n" + function(12)})
    assert (code, text) == (0, "3 functions: median 12 lines, 100.0 % within 40, longest 12 b.c:5\n")


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"a.py": "x = 1\n" * 601}, "a.py has more than 600 lines"),
        ({"a": "#!/bin/sh\n" + ":\n" * 600}, "a has more than 600 lines"),
        ({"a.c": function(13)}, "median 13 lines"),
        ({"a.c": function(5) * 9 + function(41)}, "90.0 % within 40"),
    ],
)
def test_what_is_too_long_is_refused(sizes, files, what):
    code, text = sizes({"b.c": "", **files})
    assert code == 1
    assert what in text


FLAG = re.compile(r"^\s*(\w+)\s*=\s*1[uUlL]* << (\d+),", re.MULTILINE)


def flags_that_share_a_bit(text):
    """Of each enum whose members are bits, two that are one: a merge puts them there when both sides took the next."""
    for body in re.findall(r"\benum\b[^{};()]*\{([^}]*)\}", text):
        names = {}
        for name, bit in FLAG.findall(body):
            if bit in names:
                yield names[bit], name
            names[bit] = name


def test_no_two_flags_of_an_enum_are_one_bit():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    texts = {name: (CHECKOUT / name).read_text(encoding="utf-8") for name in files.stdout.split()}
    assert "ROUTE_FORM " in texts["api/route.h"] and len(FLAG.findall(texts["api/route.h"])) > 20
    assert {name: list(flags_that_share_a_bit(text)) for name, text in texts.items()} == {name: [] for name in texts}


def test_two_flags_that_are_one_bit_are_seen():
    text = "enum e {\n\tA = 1 << 0, // a\n\tB = 1 << 1,\n};\nenum f {\n\tC  = 1 << 1,\n\tD = 1u << 1, // d\n};\n"
    assert list(flags_that_share_a_bit(text)) == [("C", "D")]
