"""Collects tests/unit/test_*.c: each case of each program is a test, and so is that the program ends well."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from support import tap
from support.paths import CHECKOUT

DEFINE = re.compile(r"^#define .*", re.M)
CASE = re.compile(r"\b(?:cmocka_unit_test\w*|TEST)\(\s*(\w+)")  # TEST: a file's own, with setup and teardown
PROGRAM_TIMEOUT_S = 120


class UnitFailure(Exception):
    pass


class UnitFile(pytest.File):
    """A test program: compiled by `make units` with the address sanitizer, run once for all of its cases."""

    def collect(self):
        self.outcome = None
        for name in dict.fromkeys(CASE.findall(DEFINE.sub("", self.path.read_text()))):
            yield UnitCase.from_parent(self, name=name)
        yield UnitEnd.from_parent(self, name="the program ends well")

    def run(self):
        if self.outcome is None:
            program = CHECKOUT / "build" / "asan" / "unit" / self.path.stem
            environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", UBSAN_OPTIONS="print_stacktrace=1")
            done = subprocess.run(
                [program],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROGRAM_TIMEOUT_S,
                check=False,
            )
            text = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
            self.outcome = tap.parse(text[0]), done.returncode, "\n".join(text)
        return self.outcome


class UnitCase(pytest.Item):
    def runtest(self):
        report, _, text = self.parent.run()
        found = report.find(self.name)
        if found is None:
            raise UnitFailure(f"the program did not come to {self.name}:\n{text[-4000:]}")
        if not found[1]:
            raise UnitFailure(f"{found[2]}\n{text[-4000:]}")

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, None, f"{self.path.stem}: {self.name}"


class UnitEnd(UnitCase):
    """Catches what no single case shows: a leak told at exit, a crash, a case that was never run."""

    def runtest(self):
        report, status, text = self.parent.run()
        if status != 0 or not report.complete:
            raise UnitFailure(f"exit status {status}, {len(report.results)} of {report.planned} cases:\n{text[-4000:]}")


def collect(path: Path, parent):
    if path.parent.name == "unit" and path.suffix == ".c" and path.name.startswith("test_"):
        return UnitFile.from_parent(parent, path=path)
    return None
