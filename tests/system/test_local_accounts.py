"""What other accounts of the machine can reach: nothing, unless an administrator has put them into a group."""

import os
import select
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg2
import pytest
from support.paths import SCRIPTS
from support.postgres import Cluster
from support.wait import WAIT_S, wait_until

PEOPLE = ("dba", "automation", "admin")
STRANGER = "nobody"  # a person's account without any of our groups
AS_STRANGER = ("setpriv", "--reuid", STRANGER, "--regid", "nogroup", "--clear-groups")


@pytest.fixture(scope="module")
def stack(stack_directory):
    """Its database."""
    return stack_directory.up("postgres", "database")


@pytest.fixture(scope="module")
def member(stack):
    """A new account in the group ccp-dba; `make up` has been run since."""
    name = f"ccp-t{os.getpid()}"
    subprocess.run(["useradd", "--system", "--no-create-home", "--groups", "ccp-dba", name], check=True)
    stack.script("up", "postgres")
    yield name
    subprocess.run(["userdel", name], check=True)
    stack.script("up", "postgres")


def psql(user, conninfo, sql):
    """What an account that has just logged in is told: (output, error)."""
    done = subprocess.run(
        ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "psql", "-XAtqc", sql, conninfo],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    return done.stdout.strip(), done.stderr


def sockets(stack):
    return [path for path in Path(stack.directory, "run").rglob("*") if path.is_socket()]


def test_a_stranger_opens_none_of_the_sockets(stack):
    found = sockets(stack)
    assert {path.parent.name for path in found} >= {"pg", *PEOPLE}
    ask = "import socket, sys; socket.socket(socket.AF_UNIX, int(sys.argv[1])).connect(sys.argv[2])"
    for path in found:
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            done = subprocess.run(
                [*AS_STRANGER, "/usr/bin/python3", "-c", ask, str(int(kind)), str(path)],
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
            assert "PermissionError" in done.stderr, f"{path}: {done.stderr}"


def test_each_directory_of_sockets_is_closed_to_others_and_has_its_group(stack):
    groups = {"pg": "ccp-db", "dial": "ccp-dial"} | {name: f"ccp-{name}" for name in PEOPLE}
    run = Path(stack.directory, "run")
    assert {name: (run / name).group() for name in groups} == groups
    for name in groups:
        assert (run / name).stat().st_mode & 0o777 == 0o750


def conninfo(stack, name, dbname="ccp"):
    return f"host={stack.directory}/run/{name} user=ccp_{name} dbname={dbname}"


def test_a_member_of_a_group_is_the_role_of_its_name_and_no_other(stack, member):
    running = stack.pid("postgres")
    assert psql(member, conninfo(stack, "dba"), "select session_user")[0] == "ccp_dba"
    assert stack.pid("postgres") == running
    for role in ("automation", "admin"):
        as_other = conninfo(stack, "dba").replace("ccp_dba", f"ccp_{role}")
        assert "Peer authentication failed" in psql(member, as_other, "select 1")[1]
        assert "Permission denied" in psql(member, conninfo(stack, role), "select 1")[1]
    assert "Permission denied" in psql(member, conninfo(stack, "pg").replace("ccp_pg", "ccp_dba"), "select 1")[1]


def test_who_has_left_the_group_is_nobody_there(stack, member):
    subprocess.run(["gpasswd", "-d", member, "ccp-dba"], check=True, capture_output=True)
    try:
        assert "Permission denied" in psql(member, conninfo(stack, "dba"), "select 1")[1]
        stack.script("up", "postgres")
        assert member not in Path(stack.directory, "pg", "pg_ident.conf").read_text()
    finally:
        subprocess.run(["gpasswd", "-a", member, "ccp-dba"], check=True, capture_output=True)
        stack.script("up", "postgres")


@pytest.mark.parametrize("dbname", ["postgres", "template1"])
@pytest.mark.parametrize("role", PEOPLE)
def test_our_roles_come_into_no_other_database(stack, role, dbname):
    with pytest.raises(psycopg2.OperationalError, match=r"pg_hba\.conf rejects"):
        psycopg2.connect(conninfo(stack, role, dbname))


def test_there_are_places_for_all_roles_together_and_some_more(stack):
    postgres = Cluster(stack.directory).database("postgres")
    (limits, most, kept) = postgres.rows(
        "select (select sum(rolconnlimit) from pg_roles where rolname ~ '^ccp_' and rolcanlogin),"
        " current_setting('max_connections')::int, current_setting('superuser_reserved_connections')::int"
    )[0]
    assert limits + kept <= most and kept >= 5
    assert not postgres.rows("select from pg_roles where rolname ~ '^ccp_' and rolcanlogin and rolconnlimit < 1")


@pytest.mark.parametrize("role", ["dba", "automation"])
def test_a_role_takes_its_own_places_only(stack, role):
    """The cluster's other tests may hold some of them already."""
    limit = (
        Cluster(stack.directory)
        .database("postgres")
        .value("select rolconnlimit from pg_roles where rolname = %s", [f"ccp_{role}"])
    )
    with ExitStack() as held:

        def take_all():
            for _ in range(limit + 1):
                held.enter_context(closing(psycopg2.connect(conninfo(stack, role))))

        with pytest.raises(psycopg2.OperationalError, match="too many connections for role"):
            take_all()
        others = {"postgres", "ccp_agent", "ccp_dba", "ccp_automation", "ccp_admin"} - {f"ccp_{role}"}
        for other in others:
            psycopg2.connect(stack.conninfo(other)).close()


def test_root_runs_nothing_from_a_directory_of_another_account(tmp_path):
    """In a directory that all may write to, anybody can make the one that root is going to use."""
    directory = Path(f"/var/tmp/ccp-t{os.getpid()}-state")
    ran = tmp_path / "ran"
    (directory / "service" / "ccp-agent").mkdir(parents=True)
    (directory / "stack").touch()
    (directory / "libexec").mkdir()
    for script in (directory / "service" / "ccp-agent" / "run", directory / "libexec" / "ccp-agent"):
        script.write_text(f"#!/bin/sh\ntouch {ran}\n")
        script.chmod(0o755)
    shutil.chown(directory, STRANGER)
    try:
        for name in ("up", "down", "status", "psql", "image"):
            done = subprocess.run(
                [SCRIPTS / name],
                env=dict(os.environ, STATE_DIR=str(directory), PURGE="1"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=WAIT_S,
                check=False,
            )
            assert done.returncode != 0 and "would run as root" in done.stderr, (name, done.stdout + done.stderr)
        assert not ran.exists() and directory.exists()
    finally:
        shutil.rmtree(directory)


def test_nobody_else_can_hold_a_lock_that_root_waits_for(stack):
    for path in ("/var/cache/cloud-cli-proxy", stack.directory):
        held = subprocess.run(
            [*AS_STRANGER, "flock", "-n", f"{path}/lock", "true"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Permission denied" in held.stderr, held
        held = subprocess.run(
            [*AS_STRANGER, "flock", "-n", path, "true"],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Permission denied" in held.stderr, held


def test_refused_clients_push_nothing_else_out_of_the_servers_log(stack):
    """They have a log of their own."""
    for _ in range(20):
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(conninfo(stack, "dba").replace("ccp_dba", "ccp_owner"))
        with suppress(psycopg2.OperationalError):
            psycopg2.connect(conninfo(stack, "dba", "postgres"))
    refused = Path(stack.directory, "log", "postgres", "refused", "current")
    wait_until(lambda: refused.read_text().count("Peer authentication failed") >= 20, "each refusal is logged")
    wait_until(lambda: refused.read_text().count("pg_hba.conf rejects") >= 20, "of both kinds")
    assert "Peer authentication failed" not in stack.log("postgres")
    # What the server says of itself is in its own, however often others have made it say that.
    stack.sv("hup", "postgres")
    wait_until(lambda: "received SIGHUP" in stack.log("postgres"), "the server's own words are logged")
    assert "received SIGHUP" not in refused.read_text()


@pytest.mark.parametrize("role", ["dba", "automation"])
def test_what_a_reader_makes_the_server_print_pushes_nothing_out_of_its_log(stack, role):
    with closing(psycopg2.connect(conninfo(stack, role))) as connection, connection.cursor() as cursor:
        cursor.execute("set debug_print_parse = on; set debug_print_rewritten = on; set debug_print_plan = on")
        cursor.execute("select count(*) from ccp.now")
        with pytest.raises(psycopg2.errors.InvalidTextRepresentation):
            cursor.execute("select cast(repeat('x', 100000) as integer)")
    Cluster(stack.directory).database("postgres").rows(f"do $$ begin raise log 'after {role}'; end $$")
    wait_until(lambda: f"after {role}" in stack.log("postgres"), "what was said later is logged")
    assert "plan:" not in stack.log("postgres") and "invalid input syntax" not in stack.log("postgres")


def flood(path, until):
    """Connections that say nothing, in every place that the server has: where one ends there is another."""
    held, said = {}, select.poll()
    while time.monotonic() < until:
        with suppress(OSError):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(0.05)
            one.connect(str(path))
            held[one.fileno()] = one
            said.register(one, select.POLLIN)
        for number, _ in said.poll(0):  # refused
            said.unregister(number)
            held.pop(number).close()
    for one in held.values():
        one.close()


def test_pg_cron_goes_on_after_a_flood_of_silent_connections(stack):
    """Of those who may connect. At a full minute pg_cron wants to begin its job, and there is no place."""
    seen = "select coalesce(max(seen_at), 'epoch') from ccp.ticks where who = 'cron'"
    to_minute_s = 60 - time.time() % 60
    time.sleep(max(0, to_minute_s - 4))  # the job's moment is what is tested
    flood(Path(stack.directory, "run", "pg", ".s.PGSQL.5432"), time.monotonic() + 8)
    after = wait_until(lambda: now(stack), "the server takes connections again")
    wait_until(lambda: stack.owner.value(seen) > after, "pg_cron ticks again")


def now(stack):
    """The server's time, or None while it takes no connection."""
    try:
        return Cluster(stack.directory).database("ccp").value("select now()")
    except psycopg2.OperationalError:
        return None
