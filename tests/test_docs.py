"""The Markdown files lead where they say, and what they name is there."""

import re
import subprocess

from support.paths import CHECKOUT

LINK = re.compile(r"\]\(([^)#:\s]+)\)")


def markdown():
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return [CHECKOUT / name for name in listed.stdout.split("\0")[:-1]]


def test_every_link_leads_to_a_file():
    links = [(file, link) for file in markdown() for link in LINK.findall(file.read_text())]
    assert len(links) > 50
    assert [f"{file.relative_to(CHECKOUT)}: {link}" for file, link in links if not (file.parent / link).exists()] == []


def test_what_is_named_of_the_database_and_the_tree_is_there():
    catalogue = (CHECKOUT / "db" / "catalogue.golden").read_text()
    schemas = "|".join(sorted(path.name for path in (CHECKOUT / "db" / "code").iterdir()))
    named = re.compile(rf"`((?:ccp|{schemas})\.[a-z_]+)(?:\([^`]*\))?`")
    placed = re.compile(r"`((?:\.ci|agent|api|db|deploy|docs|lib|runtime|sshproxy|tests|tools|workers)/[\w./-]*)`")
    texts = {file: file.read_text() for file in markdown()}
    assert sum(len(named.findall(text)) for text in texts.values()) > 50
    assert [
        f"{file.relative_to(CHECKOUT)}: {name}"
        for file, text in texts.items()
        for name in named.findall(text)
        if not re.search(rf"\b{re.escape(name)}\b", catalogue)
    ] == []
    assert [
        f"{file.relative_to(CHECKOUT)}: {place}"
        for file, text in texts.items()
        for place in placed.findall(text)
        if not (CHECKOUT / place).exists() and not (CHECKOUT / f"{place}.h").exists()
    ] == []
