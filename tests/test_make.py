"""`make`: what it says there is, is there."""

import re
import shutil
import subprocess

import pytest
from support.paths import CHECKOUT
from support.wait import WAIT_S

TARGETS = re.search(r"^\.PHONY:(.*)", (CHECKOUT / "Makefile").read_text(), re.M)[1].split()


def make(*arguments):
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def test_make_alone_prints_help_that_names_everything_people_type():
    done = make()
    assert done.returncode == 0, done.stderr
    named = re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.M)
    assert set(named) >= {"up", "down", "status", "psql", "test", "bench", "lint", "build", "clean"}
    assert set(named) == set(TARGETS) - {"init"}  # a part of build
    assert re.search(r"FLAVOUR=debug\|asan\|tsan\|release", done.stdout)


@pytest.mark.parametrize("flavour", ["bogus", "", "release "])
def test_a_flavour_that_does_not_exist_is_refused_with_a_sentence(flavour):
    done = make(f"FLAVOUR={flavour}", "build")
    assert done.returncode == 2
    assert f'FLAVOUR is debug, asan, tsan or release, not "{flavour}"' in done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_recipe_that_make_can_read(target):
    done = make("-n", target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("flavour", ["debug", "asan", "tsan", "release"])
def test_a_flavour_is_built_to_a_folder_of_its_own(flavour):
    done = make("-n", "-B", f"FLAVOUR={flavour}", "build")
    assert done.returncode == 0, done.stderr
    assert f"build/{flavour}/ccp-agent" in done.stdout
    others = {"debug", "asan", "tsan", "release"} - {flavour}
    if flavour == "tsan":  # of ccp-runtime it has the released one
        others.remove("release")
    assert not re.search(rf"build/({'|'.join(others)})/", done.stdout)


@pytest.mark.parametrize(
    "change",
    ["VERSION=9.9.9", "CC=clang", "CFLAGS=-O3", "LIBS_lib=-lm", "LIBRARY_VERSIONS=1 2", "COMPILER_VERSION=gcc 99"],
)
def test_another_version_compiler_or_flag_makes_again_what_depends_on_it(change):
    """tests/run has built the release flavour."""
    assert "ccp-agent" not in make("FLAVOUR=release", "-n", "build").stdout
    done = make("FLAVOUR=release", "-n", "build", change)
    assert done.returncode == 0, done.stderr
    assert "LD   build/release/ccp-agent" in done.stdout
    assert ("CC   build/release/obj/lib/err.o" in done.stdout) == (not change.startswith("LIBS_"))
    alone = change.startswith(("LIB", "CFLAGS"))  # it is linked with none and has flags of its own
    assert ("LD   build/ccp-init" in done.stdout) == (not alone)


def test_the_version_that_was_asked_for_is_built(tmp_path):
    """What `make` says it would do again, it does: a copy of the tree is built, and built again as another version."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    for name in files.decode().split("\0"):
        if re.match(r"(Makefile|tools/|lib/|workers/)", name):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, tmp_path / name)
    for version in ("9.9.8", "9.9.9"):
        words = ["make", "-s", "-j2", f"VERSION={version}", "build/release/ccp-worker"]
        subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=WAIT_S, check=True)
        told = subprocess.run([tmp_path / "build/release/ccp-worker", "--version"], capture_output=True, text=True)
        assert told.stdout.strip() == f"ccp-worker {version}"
