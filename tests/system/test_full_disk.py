"""The disk of the state directory is full to the last block: nothing ends, it is said, and all goes on with room."""

import re
import subprocess
import time

import psycopg2
import pytest
from support import volume
from support.http import Api
from support.paths import SCRIPTS
from support.postgres import Connection
from support.wait import wait_until
from support.work import comes_back

SIZE_MB = 6144  # most of it is never written
LONG_S = 20
LOOK_S = 1
WAL_SEGMENTS = 64  # more than the server keeps to write again


@pytest.fixture(scope="module")
def stack(new_stack):
    """The whole product on a file system of its own."""
    one = new_stack("disk")
    volume.make(one.directory, SIZE_MB)
    try:
        yield one.up()
    finally:
        one.end()


@pytest.fixture
def disk(stack):
    """Where the disk is filled; it has room again when the test ends."""
    yield stack.directory
    if (stack.directory / "ballast").exists():
        volume.free(stack.directory)


def status(stack):
    """What `make status` says, and whether that is good."""
    done = subprocess.run(
        [SCRIPTS / "status"], env=stack.environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout, done.returncode == 0


def processes(stack):
    return dict(re.findall(r"^  (\S+) +runs  pid (\d+)", status(stack)[0], re.M))


def stays_full(disk, talk, work):
    """For a while: each request has an answer, and who is in a host works there."""
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:
        volume.fill(disk)
        assert set(work.requests.statuses(work.requests.harmless)) <= {200, 503}
        talk.echoes()
        time.sleep(LOOK_S)


def healthz(stack):
    return Api(int(stack.environment["CCP_HTTP_PORT"])).get("/healthz").json["checks"]


def is_said(stack):
    """By healthz: by an agent's word, or where PostgreSQL found no room for what it must write, by the API's own."""
    checks = healthz(stack)
    return checks.get("disk") == {"ok": "short", "away": "full"}[checks["database"]]


def all_but_postgres_are(before, after):
    return {name for name in before if after[name] != before[name]} <= {"postgres"}


def test_a_full_disk_ends_nothing_and_work_goes_on_after(stack, disk, client, talk, work):
    before = processes(stack)
    assert len(before) == 7
    volume.fill(disk)
    wait_until(lambda: is_said(stack), "healthz says that something is wrong")
    said, good = status(stack)
    assert "The disk is full" in said and not good
    stays_full(disk, talk, work)
    volume.free(disk)
    comes_back(client, talk, work)
    assert all_but_postgres_are(before, processes(stack))
    assert status(stack)[1]


def write_wal(stack):
    """Until the server has no file left for more, which ends it."""
    connection = Connection(stack.conninfo())
    for _ in range(WAL_SEGMENTS * 16):
        volume.fill(stack.directory)
        connection.rows("select pg_logical_emit_message(false, 'test', repeat('x', 1 << 20))")


def test_a_server_that_could_not_write_its_log_comes_back_when_there_is_room(stack, disk, client, talk, work):
    before = processes(stack)
    with pytest.raises(psycopg2.OperationalError):
        write_wal(stack)
    stays_full(disk, talk, work)
    assert not stack.postgres_answers()
    assert healthz(stack) == {"database": "away", "disk": "full"}
    volume.free(disk)
    wait_until(lambda: healthz(stack).get("disk", "ok") == "ok", "healthz says that there is room")
    comes_back(client, talk, work)
    assert all_but_postgres_are(before, processes(stack))


def test_a_stack_on_a_full_disk_can_be_stopped_and_started_when_there_is_room(stack, disk, client):
    volume.fill(disk)
    stack.script("down")
    volume.free(disk)
    stack.up()
    client.host.wait_status("running")
    assert status(stack)[1]
