"""What a role that may only read, or only ask for tasks, could take from all: each way in, tried."""

import re
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from support.orders import host_make
from support.wait import wait_until

ROLES = ("ccp_dba", "ccp_automation")
SMALL_FILES = "set work_mem = '64kB'"


@contextmanager
def session(database, role, *settings):
    """A session that has set for itself what it likes."""
    with closing(psycopg2.connect(database.conninfo(role))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for setting in settings:
                cursor.execute(setting)
            yield cursor


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "sql",
    [
        "select pg_advisory_lock(n) from generate_series(1, 100000) as n",
        "select pg_try_advisory_xact_lock_shared(1, n) from generate_series(1, 100000) as n",
        "select lo_create(0) from generate_series(1, 100000)",
        "select lo_from_bytea(0, decode(repeat('00', 1000000), 'hex'))",
        "select pg_notify('ccp_event', repeat('x', 7999)) from generate_series(1, 1000000)",
        "select pg_logical_emit_message(false, 'x', repeat('x', 1000000)) from generate_series(1, 1000)",
        "select pg_export_snapshot()",
        "do $$ begin loop raise log 'x'; end loop; end $$",
        "create temporary table mine as select generate_series(1, 100000000)",
        "create table ccp.mine ()",
        "create schema mine",
        "begin; prepare transaction 'mine'",
        "lock table ccp.hosts in share mode",
        "lock table ccp.task_rows in row exclusive mode",
        "select from ccp.hosts for update",
        "select from ccp.hosts for key share",
        "select from ccp.tasks for update",
        "set temp_file_limit = -1",
        "alter role current_user set temp_file_limit = -1",
        "alter role current_user connection limit -1",
        "set session_replication_role = replica",
        "alter system set max_connections = 1",
        "copy (select generate_series(1, 100000000)) to '/tmp/mine'",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename <> session_user",
        "select pg_reload_conf()",
        "select setval('ccp.lease_ids', 1)",
        "select nextval('ccp.lease_ids')",
    ],
)
def test_it_is_refused(database, role, sql):
    with (
        session(database, role, "set transaction_read_only = off", "set default_transaction_read_only = off") as cursor,
        database.connect("ccp_admin"),
        pytest.raises(psycopg2.Error) as refusal,
    ):
        cursor.execute(sql)
    assert isinstance(
        refusal.value,
        psycopg2.errors.InsufficientPrivilege
        | psycopg2.errors.ObjectNotInPrerequisiteState
        | psycopg2.errors.NoActiveSqlTransaction,
    ), refusal.value


@pytest.mark.parametrize("role", ROLES)
def test_what_does_not_fit_into_memory_takes_its_share_of_the_disk_only(database, role):
    sort = "select count(*) from (select n from generate_series(1, 100000000) as n order by -n) as s"
    with session(database, role, SMALL_FILES, "set statement_timeout = 0") as cursor:
        with pytest.raises(psycopg2.errors.ConfigurationLimitExceeded):
            cursor.execute(sort)
        cursor.execute("begin")
        cursor.execute("declare c cursor with hold for select repeat('x', 1000) from generate_series(1, 100000000)")
        with pytest.raises(psycopg2.errors.ConfigurationLimitExceeded):
            cursor.execute("commit")


HUNGRY = {
    "sort": "select count(*) from (select repeat(n::text, 30) from generate_series(1, 20000000) as n order by 1) as s",
    "hash": "select count(*) from (select distinct repeat(n::text, 30) from generate_series(1, 20000000) as n) as s",
    "array": "select array_agg(repeat(n::text, 30)) from generate_series(1, 20000000) as n",
    "many": "select "
    + ", ".join(f"length(repeat(repeat('x', {90_000_000 + n}), 10))" for n in range(3))
    + " from (select array_agg(repeat(n::text, 900)) from generate_series(1, 1000000) as n) as s",
}
OWN_MB, SHARED_MB = 512, 128


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", HUNGRY)
def test_a_statement_that_wants_much_memory_fails_and_its_session_goes_on(database, role, kind):
    settings = ("set work_mem = '2GB'", "set hash_mem_multiplier = 100", "set jit = on", "set statement_timeout = 0")
    with session(database, role, *settings) as cursor:
        cursor.execute("select pg_backend_pid()")
        (pid,) = cursor.fetchone()
        with pytest.raises(psycopg2.errors.OutOfMemory):
            cursor.execute(HUNGRY[kind])
        cursor.execute("select 1")
        peak_kb = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
        assert peak_kb < (OWN_MB + SHARED_MB + 100) * 1024
        # The kernel would end it before the server, whose child it is.
        assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "500\n"


@pytest.fixture
def limits(database):
    """Limits of a second, so that no test waits long."""
    database.rows(
        "update ccp.session_limits set statement_max = '1 s', idle_max = '1 s'"
        " where role in ('ccp_dba', 'ccp_automation')"
    )


def ended(database, cursor):
    """Ticks until that session is gone; what the audit log says of it."""
    pid = cursor.connection.info.backend_pid
    gone = f"select not exists (select from pg_stat_activity where pid = {pid})"
    wait_until(lambda: database.value("select clock.tick('worker')") and database.value(gone), "the session is ended")
    return database.value(
        "select message from ccp.events where type = 'database.session.ended' and message like %s",
        [f"session {pid} of %"],
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_transaction_that_waits_for_its_client_is_ended_whatever_the_role_has_set(database, limits, role):
    with session(
        database, role, "set idle_in_transaction_session_timeout = 0", "begin isolation level repeatable read"
    ) as one:
        one.execute("select count(*) from ccp.now")
        assert f"of {role} was ended: its transaction waited" in ended(database, one)
        with pytest.raises(psycopg2.Error):
            one.execute("select 1")


@pytest.mark.parametrize("role", ROLES)
def test_a_statement_that_does_not_end_is_ended_whatever_the_role_has_set(database, limits, role):
    with session(database, role, "set default_transaction_read_only = off") as cursor:
        cursor.execute("alter role current_user set statement_timeout = 0")  # for all its later sessions
        connection = psycopg2.connect(database.conninfo(role), async_=True)
        with closing(connection):
            wait_until(lambda: connection.poll() == psycopg2.extensions.POLL_OK, "the session is there")
            busy = connection.cursor()
            busy.execute("select pg_sleep(3600)")
            try:
                assert f"of {role} was ended: its statement ran for" in ended(database, busy)
            finally:
                database.apply()  # the role's settings again


def test_locks_on_tables_are_counted_too(database):
    database.rows("update ccp.session_limits set locks_max = 20 where role = 'ccp_dba'")
    with session(database, "ccp_dba", "begin") as cursor:
        cursor.execute("select count(*) from ccp.doctor")  # reads most tables, and so locks them
        assert "of ccp_dba was ended: it held" in ended(database, cursor)


def test_all_places_of_people_with_every_lock_they_can_have_leave_room(database):
    """A lock that many share is one place in the table and one for each of them."""
    tables = database.value(
        "select string_agg(oid::regclass::text, ', ') from pg_class"
        " where relkind in ('r', 'p', 'v') and has_table_privilege('ccp_dba', oid, 'select')"
        " and relnamespace in ('ccp'::regnamespace, 'pg_catalog'::regnamespace)"
    )
    limit = database.value("select rolconnlimit from pg_roles where rolname = 'ccp_dba'")
    others = database.value("select count(*) from pg_stat_activity where usename = 'ccp_dba'")  # of other databases
    assert others < limit / 2
    with ExitStack() as held:
        for _ in range(limit - others):
            cursor = held.enter_context(session(database, "ccp_dba", "begin"))
            cursor.execute(f"lock table {tables} in access share mode")
        assert database.value("select access.lock_share()") < 0.5
        assert database.value("select clock.tick('worker')")
        assert database.value("select ok from ccp.doctor where name = 'locks'")


# --- and who does it is named


def test_healthz_and_the_doctor_say_that_the_table_of_locks_fills_and_who_fills_it(database, server):
    share = "select access.lock_share()"
    with session(database, "postgres") as cursor:  # whom nothing limits
        cursor.execute("select count(pg_advisory_lock(n)) from generate_series(1, 45000) as n")
        pid = cursor.connection.info.backend_pid
        assert database.value(share) > 0.5
        (row,) = database.rows("select ok, why from ccp.doctor where name = 'locks'", user="ccp_dba")
        assert not row[0]
        assert f"session {pid} of postgres" in row[1] and "holds 4500" in row[1]
        health = wait_until(
            lambda: (h := server.client().get("/healthz").json)["checks"].get("locks") == "filling" and h,
            "healthz says so",
        )
        assert health["status"] == "degraded"
    wait_until(lambda: server.client().get("/healthz").json["checks"]["locks"] == "ok", "and that it is over")


def test_a_request_that_waits_for_a_persons_lock_is_told_who_holds_it(database, server):
    admin = server.admin()
    host = host_make(admin, database)[1]["id"]
    with session(database, "ccp_admin", "set role ccp_owner", "begin") as cursor:
        cursor.execute("select from ccp.hosts where id = %s for update", [host])
        pid = cursor.connection.info.backend_pid
        is_old = "select clock_timestamp() - xact_start > interval '1 second' from pg_stat_activity where pid = %s"
        wait_until(lambda: database.rows(is_old, [pid]) == [(True,)], "it holds the lock as long as a person does")
        answer = admin.post(f"/v1/admin/hosts/{host}/stop")
        assert answer.status == 503 and answer.headers["Retry-After"], answer
        problem = answer.json
        assert problem["error_code"] == "locked"
        assert (problem["holder"]["pid"], problem["holder"]["role"]) == (pid, "ccp_admin")
        assert f"Session {pid} of ccp_admin" in problem["detail"] and "pg_terminate_backend" in problem["detail"]
        assert "does not answer" not in answer.text
    assert admin.post(f"/v1/admin/hosts/{host}/stop").status < 500
