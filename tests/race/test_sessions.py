"""Two sessions that meet: the first holds its transaction open, the second comes meanwhile. Who waits, who does not,
and what both are told. The outcome is the same as if one had come after the other."""

import threading

import psycopg2
import pytest
from support.wait import WAIT_S, wait_until

SKIP_MS = 20_000  # what passes by locks answers, and does not wait for them


class Session:
    """A connection whose calls may wait for another session's locks."""

    def __init__(self, database):
        self.connection = psycopg2.connect(database.conninfo())
        self.cursor = self.connection.cursor()
        self.pid = self.connection.info.backend_pid
        self.database = database

    def call(self, sql, *parameters):
        """The rows; the first call opens a transaction that lasts until commit() or rollback()."""
        self.cursor.execute(sql, parameters)
        return self.cursor.fetchall() if self.cursor.description else []

    def value(self, sql, *parameters):
        return self.call(sql, *parameters)[0][0]

    def begin_waiting(self, sql, *parameters):
        """Starts a call that has to wait for another session, and sees that it does. Its answer comes from answer()."""
        self.outcome = None

        def run():
            try:
                self.outcome = self.call(sql, *parameters)
                self.connection.commit()
            except psycopg2.Error as error:
                self.outcome = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        wait_until(
            lambda: self.outcome is not None
            or self.database.value("select wait_event_type = 'Lock' from pg_stat_activity where pid = %s", [self.pid]),
            "the second session waits",
        )
        assert self.outcome is None, f"it did not wait: {self.outcome}"

    def answer(self):
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive(), "it waits for ever"
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def commit(self):
        self.connection.commit()

    def rollback(self):
        self.connection.rollback()


class Scene:
    """One host with an agent that tests play, a worker, and two sessions."""

    def __init__(self, database):
        self.database = database
        (self.host,) = database.hosts_make(1)
        self.agent = self.register()
        self.worker = database.value("select process_id from process.register('ccp-worker', 'racer', 1, 'race')")
        self.first = Session(database)
        self.second = Session(database)

    def register(self):
        return self.database.value("select process_id from process.register('ccp-agent', 'racer', 1, 'race')")

    def ask(self, kind):
        return self.database.value("select (task.enqueue(%s, %s)).id", [kind, self.host])

    def claim(self):
        """(task_id, lease) of the host's task."""
        return self.database.rows("select task_id, lease from task.claim(%s, 1)", [self.agent])[0]

    def run(self):
        self.ask("host.start")
        self.database.rows("select task.succeed(%s, %s, '{}')", self.claim())

    def task(self, task_id, columns="status"):
        row = self.database.rows(f"select {columns} from ccp.task_rows where id = %s", [task_id])[0]
        return row[0] if len(row) == 1 else row

    @property
    def status(self):
        return self.database.value("select status from ccp.hosts")

    @property
    def desired(self):
        return self.database.value("select desired from ccp.hosts")


@pytest.fixture
def scene(database):
    scene = Scene(database)
    yield scene
    for session in (scene.first, scene.second):
        session.connection.close()


CLAIM = "select task_id from task.claim(%s, 1)"


# --- claims do not wait


def test_two_claims_at_once_take_two_tasks(scene):
    tasks = {
        scene.database.value("select (task.enqueue('system.noop', null, jsonb_build_object('label', %s))).id", [n])
        for n in "ab"
    }
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    taken = scene.first.value(CLAIM, scene.worker)
    other = scene.second.value(CLAIM, scene.worker)
    assert {taken, other} == tasks
    assert scene.second.call(CLAIM, scene.worker) == []


def test_a_claim_passes_by_a_task_that_is_being_canceled(scene):
    task = scene.ask("host.start")
    scene.first.call("select task.cancel(%s, 'no')", task)
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.call(CLAIM, scene.agent) == []
    scene.second.rollback()
    scene.first.rollback()
    assert scene.second.value(CLAIM, scene.agent) == task


def test_a_host_never_runs_two_tasks_whoever_claims(scene):
    scene.run()
    scene.ask("host.stop")
    scene.claim()
    scene.ask("host.start")
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.first.call(CLAIM, scene.agent) == scene.second.call(CLAIM, scene.agent) == []


def test_a_claim_that_raced_with_its_process_burial_is_released_by_the_tick(scene):
    task = scene.ask("host.start")
    scene.first.call("select process.declare_dead(%s, 'silent')", scene.agent)
    assert scene.second.value(CLAIM, scene.agent) == task
    scene.second.commit()
    scene.first.commit()
    assert scene.task(task) == "running"
    scene.database.rows("select clock.tick('worker')")
    assert scene.task(task) == "queued"


# --- requests


def test_the_same_request_twice_at_once_is_one_task(scene):
    task = scene.first.value("select (task.enqueue('host.start', %s)).id", scene.host)
    scene.second.begin_waiting("select (task.enqueue('host.start', %s)).id", scene.host)
    scene.first.commit()
    assert scene.second.answer() == [(task,)]


def test_the_same_request_after_one_that_was_taken_back_is_a_task_of_its_own(scene):
    task = scene.first.value("select (task.enqueue('host.start', %s)).id", scene.host)
    scene.second.begin_waiting("select (task.enqueue('host.start', %s)).id", scene.host)
    scene.first.rollback()
    assert scene.second.answer() != [(task,)]
    assert scene.status == "starting"


def test_the_same_request_for_nothing_in_particular_twice_at_once_is_one_task(scene):
    task = scene.first.value("select (task.enqueue('system.noop')).id")
    scene.second.begin_waiting("select (task.enqueue('system.noop')).id")
    scene.first.commit()
    assert scene.second.answer() == [(task,)]


def test_one_idempotency_key_used_by_two_at_once_makes_one_task(scene):
    task = scene.first.value("select (task.enqueue('host.start', %s, '{}', 'key')).id", scene.host)
    scene.second.begin_waiting("select (task.enqueue('host.start', %s, '{}', 'key')).id", scene.host)
    scene.first.commit()
    assert scene.second.answer() == [(task,)]


def test_requests_that_exclude_each_other_at_once_are_decided_by_who_came_first(scene):
    scene.run()
    scene.first.value("select (task.enqueue('host.rebuild', %s)).id", scene.host)
    scene.second.begin_waiting("select (task.enqueue('host.verify', %s)).id", scene.host)
    scene.first.commit()
    with pytest.raises(psycopg2.Error) as caught:
        scene.second.answer()
    assert caught.value.pgcode == "CP409"


def test_a_stop_that_meets_the_claim_of_the_start_asks_it_to_stop_and_waits(scene):
    start = scene.ask("host.start")
    assert scene.first.value(CLAIM, scene.agent) == start
    scene.second.begin_waiting("select (task.enqueue('host.stop', %s)).id", scene.host)
    scene.first.commit()
    ((stop,),) = scene.second.answer()
    assert scene.task(start, "status, stop_reason") == ("running", "superseded")
    assert scene.task(stop) == "queued"
    assert scene.status == "starting"
    lease = scene.task(start, "lease")
    assert scene.database.value("select task.canceled(%s, %s, 'stopped')", [start, lease]) == "ok"
    assert (scene.status, scene.task(stop)) == ("stopped", "succeeded")


def test_a_claim_that_meets_the_stop_of_its_start_leaves_it_alone(scene):
    start = scene.ask("host.start")
    stop = scene.first.value("select (task.enqueue('host.stop', %s)).id", scene.host)
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.call(CLAIM, scene.agent) == []
    scene.second.rollback()
    scene.first.commit()
    assert scene.task(start, "status, error_code") == ("canceled", "superseded")
    assert scene.claim()[0] == stop


# --- people


ADMINS = """
    with people as (
        insert into ccp.users (username, short_id, role) values ('one', 'admin1', 'admin'), ('two', 'admin2', 'admin')
        returning id
    )
    insert into ccp.logins (user_id, expires_at) select id, now() + interval '1 hour' from people returning id, user_id
"""


@pytest.mark.parametrize("change", ["p_status => 'disabled'", "p_role => 'user'"])
def test_of_two_admins_who_send_each_other_away_one_stays(scene, change):
    (one_login, one), (two_login, two) = scene.database.rows(ADMINS)
    update = f"select api.user_update(p_login_id => %s, p_generation => 1, p_id => %s, {change})"
    scene.first.call(update, one_login, two)
    scene.second.begin_waiting(update, two_login, one)
    scene.first.commit()
    with pytest.raises(psycopg2.Error) as caught:
        scene.second.answer()
    assert caught.value.pgcode == "CP403"
    assert scene.database.value("select count(*) from ccp.users where role = 'admin' and disabled_at is null") == 1


AWAY = [
    "select account.edit(%s, p_status => 'disabled')",
    "select account.edit(%s, p_expires_at => now())",
    "select account.delete(%s)",
]


@pytest.mark.parametrize("first", AWAY)
@pytest.mark.parametrize("second", AWAY)
def test_of_two_admins_who_are_sent_away_in_psql_at_once_one_stays(scene, first, second):
    (_, one), (_, two) = scene.database.rows(ADMINS)
    scene.first.call(first, two)
    scene.second.begin_waiting(second, one)
    scene.first.commit()
    with pytest.raises(psycopg2.Error) as caught:
        scene.second.answer()
    assert caught.value.pgcode == "CP409" and '"last_admin"' in caught.value.diag.message_detail
    left = "select account.state(disabled_at, expires_at) from ccp.users where id = %s"
    assert scene.database.value(left, [one]) == "active"


def test_an_admin_made_while_another_is_locked_is_counted_and_kept(scene):
    (_, one), (_, two) = scene.database.rows(ADMINS)
    scene.first.call("select account.edit(%s, p_role => 'user')", two)
    scene.first.call("select account.edit(%s, p_role => 'admin')", two)
    scene.second.begin_waiting("select account.edit(%s, p_status => 'disabled')", one)
    scene.first.commit()
    assert scene.second.answer()


# --- reports


def test_a_cancel_that_comes_after_the_success_is_told_so_and_changes_nothing(scene):
    task = scene.ask("host.start")
    lease = scene.claim()[1]
    scene.first.call("select task.succeed(%s, %s, '{}')", task, lease)
    scene.second.begin_waiting("select task.cancel(%s, 'too late')", task)
    scene.first.commit()
    assert scene.second.answer() == [("succeeded",)]
    assert (scene.status, scene.desired) == ("running", "running")


def test_a_success_that_comes_after_the_cancel_counts_and_the_host_is_stopped_then(scene):
    task = scene.ask("host.start")
    lease = scene.claim()[1]
    scene.first.call("select task.cancel(%s, 'no')", task)
    scene.second.begin_waiting("select task.succeed(%s, %s, '{}')", task, lease)
    scene.first.commit()
    assert scene.second.answer() == [("ok",)]
    assert scene.task(task) == "succeeded"
    assert (scene.status, scene.desired) == ("stopping", "stopped")


def test_a_report_that_comes_after_the_successor_is_stale(scene):
    task = scene.ask("host.start")
    lease = scene.claim()[1]
    scene.first.call("select process.register('ccp-agent', 'racer', 2, 'race')")
    scene.second.begin_waiting("select task.succeed(%s, %s, '{}')", task, lease)
    scene.first.commit()
    assert scene.second.answer() == [("stale",)]
    assert scene.task(task, "status, losses") == ("queued", 1)


def test_a_successor_that_comes_after_the_report_finds_the_task_done(scene):
    task = scene.ask("host.start")
    lease = scene.claim()[1]
    scene.first.call("select task.succeed(%s, %s, '{}')", task, lease)
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    scene.second.call("select process.register('ccp-agent', 'racer', 2, 'race')")
    scene.second.commit()
    scene.first.commit()
    scene.database.rows("select clock.tick('worker')")
    assert scene.task(task, "status, losses") == ("succeeded", 0)
    assert scene.status == "running"
    assert scene.database.value("select count(*) from ccp.events where type = 'reconcile.task.stale'") == 0


def test_progress_that_comes_after_the_successor_is_stale(scene):
    task = scene.ask("host.start")
    lease = scene.claim()[1]
    scene.first.call("select process.register('ccp-agent', 'racer', 2, 'race')")
    scene.second.begin_waiting("select task.progress(%s, %s, 'verifying', 50, 'x')", task, lease)
    scene.first.commit()
    assert scene.second.answer() == [("stale",)]
    assert scene.task(task, "stage") is None


def test_two_successors_at_once_leave_one_alive(scene):
    scene.first.call("select process.register('ccp-agent', 'racer', 2, 'race')")
    scene.second.begin_waiting("select process.register('ccp-agent', 'racer', 3, 'race')")
    scene.first.commit()
    scene.second.answer()
    assert scene.database.rows("select pid from ccp.processes where program = 'ccp-agent' and ended_at is null") == [
        (3,)
    ]


# --- the tick


def test_the_tick_waits_for_no_host(scene):
    scene.run()
    scene.database.rows("update ccp.users set expires_at = now()")
    scene.first.call("select from ccp.hosts for no key update")
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.value("select clock.tick('worker')") == "done"
    scene.second.commit()
    assert scene.status == "running"
    scene.first.commit()
    scene.database.rows("select clock.tick('worker')")
    assert scene.status == "stopping"


def test_who_holds_one_host_keeps_no_rule_from_all_the_others(scene):
    task = scene.ask("host.start")
    scene.claim()
    scene.database.rows(
        "update ccp.task_rows set deadline_at = now() - interval '1 minute', stop_reason = 'deadline',"
        " stop_requested_at = now() - interval '1 minute'"
    )
    scene.first.call("select from ccp.hosts for update")
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.value("select clock.tick('worker')") == "done"
    scene.second.commit()
    assert scene.database.rows("select end_reason from ccp.processes where id = %s", [scene.agent]) == [("overdue",)]
    assert scene.task(task) == "running"
    scene.first.commit()
    scene.database.rows("select clock.tick('worker')")
    assert scene.task(task) == "failed"


def test_who_holds_one_host_keeps_no_program_from_registering_and_beating(scene):
    task = scene.ask("host.start")
    scene.claim()
    scene.database.rows("update ccp.task_rows set started_at = now() - interval '1 minute'")
    scene.first.call("select from ccp.hosts for update")
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.value("select alive from process.beat(%s, '{}')", scene.agent) is True
    scene.second.call("select process.register('ccp-agent', 'racer', 2, 'race')")
    scene.second.commit()
    assert scene.task(task) == "running"
    scene.first.commit()
    scene.database.rows("select clock.tick('worker')")
    assert scene.task(task, "status, losses") == ("queued", 1)


def test_two_ticks_at_once_are_one(scene):
    assert scene.first.value("select clock.tick('worker')") == "done"
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.value("select clock.tick('cron')") == "busy"


@pytest.mark.parametrize("role", ["ccp_dba", "ccp_automation", "ccp_api", "ccp_sshproxy"])
def test_no_other_role_can_hold_back_the_tick(scene, role):
    scene.first.call(f"set session authorization {role}")
    scene.first.call("savepoint before")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        scene.first.call("select pg_advisory_lock(hashtext('cloud-cli-proxy tick'))")
    scene.first.call("rollback to savepoint before")
    scene.second.call(f"set statement_timeout = {SKIP_MS}")
    assert scene.second.value("select clock.tick('worker')") == "done"
    assert scene.second.call("select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()") == []
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        scene.first.call("select from ccp.tick_rules for no key update")


# --- callers whose snapshot is old


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
@pytest.mark.parametrize(
    "sql",
    [
        "insert into ccp.tasks (kind, host_id) select 'host.verify', id from ccp.hosts returning id",
        "insert into ccp.tasks (kind) values ('system.noop') returning id",
        "insert into ccp.tasks (kind, params, idempotency_key)"
        " values ('system.noop', '{\"label\": \"x\"}', 'key') returning id",
    ],
    ids=["host", "plain", "key"],
)
def test_an_old_snapshot_gets_a_refusal_it_understands(scene, level, sql):
    scene.run()
    scene.second.call(f"set transaction isolation level {level}")
    scene.second.call("select from ccp.task_rows")
    ((task,),) = scene.database.rows(sql)
    with pytest.raises(psycopg2.Error) as caught:
        scene.second.call(sql)
    assert caught.value.pgcode == "CP409"
    assert "too old to see" in caught.value.diag.message_primary
    assert "ask again" in caught.value.diag.message_hint
    scene.second.rollback()
    assert scene.second.call(sql) == [(task,)]
