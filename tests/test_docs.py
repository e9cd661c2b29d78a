"""What the documents name is there: files, make's targets."""

import re
import subprocess

import pytest
from support.paths import CHECKOUT

LISTED = subprocess.run(  # what the changelog names may be gone by now
    ["git", "-c", f"safe.directory={CHECKOUT}", "ls-files", "*.md", ":!CHANGELOG.md"],
    cwd=CHECKOUT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
FOLDERS = sorted(path.name for path in CHECKOUT.iterdir() if path.is_dir() and not path.name.startswith("."))


@pytest.fixture(params=LISTED)
def document(request):
    return CHECKOUT / request.param


def test_every_link_leads_to_a_file(document):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


def test_every_path_in_the_tree_that_is_named_exists(document):
    """A name in quotes that begins with one of the tree's folders; `*` and `...` stand for more than one."""
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`", document.read_text())
    assert [path for path in named if "..." not in path and not list(CHECKOUT.glob(path.rstrip("/")))] == []


def test_every_make_target_that_is_named_exists(document):
    targets = re.search(r"^\.PHONY:(.*)", (CHECKOUT / "Makefile").read_text(), re.M)[1].split()
    named = re.findall(r"(?:`|^\s+)make ([a-z][a-z-]*)\b", document.read_text(), re.M)
    assert set(named) <= set(targets)
