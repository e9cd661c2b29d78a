"""Collects tests/sql/**/*.sql: each file is a test, run by psql in a database of its own."""

import os
import subprocess

import pytest
from support import tap

FILE_TIMEOUT_S = 120


def run(path, conninfo, options=""):
    """Runs a file with psql; None when all its tests passed, else what is wrong."""
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", path, conninfo],
        env=dict(os.environ, PGOPTIONS=f"-c search_path=tap,public -c client_min_messages=warning {options}"),
        cwd=path.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FILE_TIMEOUT_S,
        check=False,
    )
    report = tap.parse(done.stdout)
    # A warning is a refusal that the function swallowed; a file that means one sets client_min_messages to error.
    warnings = [line for line in done.stdout.splitlines() if "WARNING:  " in line]
    if done.returncode == 0 and not report.failures and report.complete and not warnings:
        return None
    return f"psql exit status {done.returncode}, {len(report.results)} of {report.planned} results\n" + (
        "\n".join(report.failures) or done.stdout[-4000:]
    )


class SqlFailure(Exception):
    pass


class SqlFile(pytest.File):
    def collect(self):
        yield SqlItem.from_parent(self, name="pgTAP")


class SqlItem(pytest.Item):
    """One file. Gets its database through pytest's fixtures, as a Python test would."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.funcargs = {}
        self.obj = lambda: None
        self._fixtureinfo = self.session._fixturemanager.getfixtureinfo(self, self.obj, None, funcargs=False)
        self.fixturenames = self._fixtureinfo.names_closure

    def runtest(self):
        request = pytest.FixtureRequest(self, _ispytest=True)
        failure = run(self.path, request.getfixturevalue("database").conninfo("postgres"))
        if failure:
            raise SqlFailure(failure)

    def repr_failure(self, excinfo):
        return str(excinfo.value) if excinfo.errisinstance(SqlFailure) else super().repr_failure(excinfo)

    def reportinfo(self):
        return self.path, None, f"{self.path.parent.name}/{self.path.stem}"


def collect(path, parent):
    if path.suffix == ".sql" and "sql" in path.parts:
        return SqlFile.from_parent(parent, path=path)
    return None
