"""A copy of db/ that a test changes and applies."""

import shutil

from support.paths import CHECKOUT


class DbFolder:
    def __init__(self, directory):
        self.path = shutil.copytree(CHECKOUT / "db", directory / "db")

    def edit(self, file, old, new):
        text = (self.path / file).read_text()
        assert old in text, f"{file} has no {old}"
        (self.path / file).write_text(text.replace(old, new))
