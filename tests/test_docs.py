"""The Markdown files lead where they say."""

import re
import subprocess

from support.paths import CHECKOUT

LINK = re.compile(r"\]\(([^)#:\s]+)\)")


def test_every_link_leads_to_a_file():
    listed = subprocess.run(["git", "ls-files", "-z", "*.md"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    files = [CHECKOUT / name for name in listed.stdout.split("\0")[:-1]]
    links = [(file, link) for file in files for link in LINK.findall(file.read_text())]
    assert len(links) > 50
    assert [f"{file.relative_to(CHECKOUT)}: {link}" for file, link in links if not (file.parent / link).exists()] == []
