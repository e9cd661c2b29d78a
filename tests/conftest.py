"""The one test runner: what is a test, and the servers that tests own.

C test programs and pgTAP files are collected beside the Python tests. Servers start at first need, once for each
xdist worker, through the scripts that `make up` uses, in a directory of the worker's own; they end with it.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from support import cmocka, pgtap
from support.postgres import Cluster
from support.program import Program
from support.stack import Lab, Stack, sweep

SERVERS_DIR = Path("/var/tmp")


def pytest_collect_file(file_path, parent):
    return cmocka.collect(file_path, parent) or pgtap.collect(file_path, parent)


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        sweep(SERVERS_DIR)


def pytest_terminal_summary(terminalreporter):
    """The figures that tests have told, where they are asked for."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    told = [value for report in reports for name, value in report.user_properties if name == "figures"]
    if os.environ.get("CCP_LEAK") and told:
        terminalreporter.section("figures")
        for line in sorted(set(told)):
            terminalreporter.write_line(line)


def pytest_unconfigure(config):
    """The last line. An error is a failure, and so is a skip: a test that cannot ask its question has not passed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or reporter is None:
        return
    count = {name: len(reporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    print(f"{count['passed']} passed, {count['failed'] + count['error'] + count['skipped']} failed", flush=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def stack_of(worker_id, kind):
    """A stack of which nothing runs yet. Its directory's name holds the run's pid: sweep() knows whose it was."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")[:4] or f"{os.getpid() % 0x10000:04x}"
    controller = os.getppid() if worker_id != "master" else os.getpid()
    number = re.sub(r"\D", "", worker_id) or "0"
    return Stack(SERVERS_DIR / f"ccp-test-{controller}-{worker_id}{kind}", f"{kind}{run}{number}")


@pytest.fixture(scope="session")
def stack_directory(worker_id):
    """Where the worker's PostgreSQL, Docker engine and lab are, for tests that start programs of their own."""
    stack = stack_of(worker_id, "parts")
    yield stack
    stack.end()


@pytest.fixture(scope="session")
def cluster(stack_directory):
    """A PostgreSQL cluster with pg_cron."""
    stack_directory.up("postgres")
    return Cluster(stack_directory.directory).hurry()


@pytest.fixture
def database(cluster):
    """A database of the test's own, with everything applied and a clock that can be set."""
    database = cluster.database_make()
    yield database
    cluster.database_drop(database)


@pytest.fixture(scope="session")
def dockerd(stack_directory):
    """A Docker engine (`docker_socket`, `docker()`) that has the user image."""
    return stack_directory.up("docker", "image")


@pytest.fixture(scope="session")
def lab(stack_directory):
    """The fake internet, without a product in it."""
    stack_directory.up("lab")
    return Lab(stack_directory.environment["CCP_LAB_PREFIX"])


@pytest.fixture(scope="session")
def new_stack(worker_id):
    """new_stack(KIND): a stack of which nothing runs yet, for who ends it."""
    return lambda kind: stack_of(worker_id, kind)


@pytest.fixture(scope="session")
def stack(new_stack):
    """The whole product, as after `make up`. A test that breaks it mends it."""
    stack = new_stack("whole")
    try:
        yield stack.up()
    finally:
        stack.end()


@pytest.fixture(scope="module")
def tsan_stack(new_stack):
    """The whole product with the thread sanitizer in its programs, which the module has built."""
    stack = new_stack("tsan")
    stack.environment["FLAVOUR"] = "tsan"
    try:
        yield stack.up()
    finally:
        stack.end()


@pytest.fixture(scope="module")
def embedded_stack(worker_id):
    """The whole product with the agent as the worker's child, as after `make up MODE=embedded`."""
    stack = stack_of(worker_id, "embed")
    stack.environment["CCP_MODE"] = "embedded"
    try:
        yield stack.up()
    finally:
        stack.end()


@pytest.fixture
def program():
    """Starts programs: program("ccp-worker", database, flavour="debug"). They end with the test."""
    directory = Path(tempfile.mkdtemp(prefix="ccp-program-", dir=SERVERS_DIR))
    started = []

    def start(name, database=None, *arguments, **options):
        started.append(Program(name, database, options.pop("directory", directory), *arguments, **options))
        return started[-1]

    yield start
    for one in reversed(started):
        one.stop()
    shutil.rmtree(directory)
