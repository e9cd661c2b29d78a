"""The worker: its queue, its stop, its death, and the tick."""

import os
import signal
import time

import psycopg2
import pytest
from support.wait import wait_until

STOP_S = 3  # what a worker that stops leaves to its tasks
PLACES = 12  # for tasks that are not housekeeping


@pytest.fixture
def worker(database, program):
    """A running worker, in release, that claims."""
    one = program("ccp-worker", database)
    one.wait_log("database connected")
    return one


def noop(database, label, hold_ms=0):
    return database.value(
        "insert into ccp.tasks (kind, params) values ('system.noop',"
        " jsonb_build_object('hold_ms', %s, 'label', %s)) returning id",
        (hold_ms, label),
    )


def status(database, task):
    return database.value("select status from ccp.task_rows where id = %s", (task,))


def wait_status(database, task, wanted):
    wait_until(lambda: status(database, task) == wanted, f"the task is {wanted}")


def all_places_are_taken(database):
    busy = "select count(*) from ccp.workers where running_tasks = %s"
    wait_until(lambda: database.value(busy, [PLACES]), "all places are taken")


def nothing_is_stuck(database):
    return database.rows("select * from ccp.stuck") == []


def test_an_inserted_task_is_run_and_its_timings_are_its_result(database, worker):
    task = noop(database, "one")
    wait_status(database, task, "succeeded")
    result = database.value("select result from ccp.task_rows where id = %s", (task,))
    assert "hold" in result["timings"]


def test_the_doorbell_wakes_the_worker(database, worker):
    """Each task comes just after the worker has looked. By itself it would look again a second later, never sooner."""
    took = []
    for number in range(10):
        task = noop(database, f"wake {number}")
        wait_status(database, task, "succeeded")
        took.append(
            database.value(
                "select extract(epoch from started_at - created_at) from ccp.task_rows where id = %s", (task,)
            )
        )
    assert min(took) < 0.5, took


def test_all_places_work_at_the_same_time(database, worker):
    tasks = [noop(database, f"place {number}", 5000) for number in range(PLACES)]
    for task in tasks:
        wait_status(database, task, "running")
    assert database.value("select count(*) from ccp.task_rows where status = 'running'") == PLACES


def test_one_requesters_tasks_do_not_hold_up_another_requester(database, worker):
    """In turns: whoever comes while many wait is among the next for whom there is a place."""
    with database.connect("ccp_automation") as connection, connection.cursor() as cursor:
        for number in range(100):
            cursor.execute(
                "insert into ccp.tasks (kind, params) values ('system.noop',"
                " jsonb_build_object('hold_ms', 1000, 'label', %s))",
                (f"bulk {number}",),
            )
    all_places_are_taken(database)
    other = noop(database, "other")
    wait_status(database, other, "succeeded")
    began = "select count(*) from ccp.task_rows where created_by = 'ccp_automation' and started_at < %s"
    before = database.value(began, [database.value("select created_at from ccp.task_rows where id = %s", (other,))])
    until = database.value(began, [database.value("select started_at from ccp.task_rows where id = %s", (other,))])
    assert until - before <= PLACES and until < 100


def test_housekeeping_is_done_while_all_other_places_are_taken(database, worker):
    for number in range(PLACES + 1):
        noop(database, f"hold {number}", 50000)
    all_places_are_taken(database)
    database.rows("delete from ccp.task_rows where kind = 'events.retain' and finished_at is not null")
    retain = database.value("insert into ccp.tasks (kind) values ('events.retain') returning id")
    wait_status(database, retain, "succeeded")
    assert database.value("select count(*) from ccp.task_rows where status = 'running'") == PLACES


def test_a_cancel_ends_a_running_task_at_once(database, worker):
    task = noop(database, "long", 50000)
    wait_status(database, task, "running")
    database.rows("select task.cancel(%s, 'enough')", (task,))
    wait_status(database, task, "canceled")


def test_a_stop_hands_the_running_task_back_with_its_attempt_not_counted(database, worker):
    task = noop(database, "long", 50000)
    wait_status(database, task, "running")
    assert worker.stop() == 0
    assert "task handed back" in worker.log
    assert database.rows("select status, attempt from ccp.task_rows where id = %s", (task,)) == [("queued", 0)]


def test_a_stop_lets_a_short_task_finish(database, worker):
    task = noop(database, "short", 700)
    worker.wait_log(f'event="task claimed" task={task}')
    begin = time.monotonic()
    assert worker.stop() == 0
    assert status(database, task) == "succeeded" or time.monotonic() - begin >= STOP_S


def test_the_task_of_a_killed_worker_goes_on_in_its_successor(database, worker, program):
    task = noop(database, "long", 3000)
    wait_status(database, task, "running")
    worker.kill(signal.SIGKILL)
    worker.wait()
    again = program("ccp-worker", database)
    again.wait_log("task claimed")
    wait_status(database, task, "succeeded")
    assert nothing_is_stuck(database)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_at_a_step_boundary_leaves_nothing_stuck(database, program, when):
    dying = program("ccp-worker", database, flavour="debug", environment={"CCP_FAILPOINT": f"system.noop:hold:{when}"})
    dying.wait_log("database connected")
    task = noop(database, "deadly")
    assert dying.wait() == -signal.SIGKILL
    assert status(database, task) == "running"
    program("ccp-worker", database, flavour="debug")
    wait_status(database, task, "succeeded")
    assert nothing_is_stuck(database)


def test_a_second_worker_waits_for_the_lock_and_says_who_holds_it(database, worker, program):
    second = program("ccp-worker", database)
    assert second.wait() == 1
    assert f"held by process {worker.pid}" in second.log


def test_killed_connections_are_made_again_and_a_finished_task_is_reported(database, worker):
    task = noop(database, "through a cut", 1500)
    wait_status(database, task, "running")
    database.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = 'ccp_worker' and datname = current_database()"
    )
    wait_status(database, task, "succeeded")
    later = noop(database, "after the cut")
    wait_status(database, later, "succeeded")
    assert nothing_is_stuck(database)


def test_many_tasks_end_well_through_cut_connections_and_a_killed_worker(database, worker, program):
    """Reports and claims that share a transaction are lost together, and made again."""
    many = 5000
    database.rows(
        "insert into ccp.tasks (kind, params)"
        " select 'system.noop', jsonb_build_object('label', n::text) from generate_series(1, %s) as n",
        [many],
    )
    ended = "select count(*) from ccp.task_rows where kind = 'system.noop' and finished_at is not null"
    for part in range(1, 5):
        wait_until(lambda part=part: database.value(ended) >= part * many / 8, "some of the tasks have ended")
        database.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'ccp-worker/dispatch%' and datname = current_database()"
        )
    worker.kill()
    worker.wait()
    assert database.value(ended) < many
    program("ccp-worker", database)
    wait_until(lambda: database.value(ended) == many, "all tasks have ended")
    assert database.rows("select distinct status from ccp.task_rows where kind = 'system.noop'") == [("succeeded",)]
    assert nothing_is_stuck(database)


def test_a_frozen_backend_does_not_freeze_the_worker(database, worker):
    frozen = database.value(
        "select pid from pg_stat_activity where application_name = 'ccp-worker' and datname = current_database()"
    )
    os.kill(frozen, signal.SIGSTOP)
    try:
        worker.wait_log("database lost")
        task = noop(database, "past the frozen one")
        wait_status(database, task, "succeeded")
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert nothing_is_stuck(database)


def test_a_worker_declared_dead_leaves(database, worker):
    database.rows("select process.declare_dead(max(id), 'silent') from ccp.processes")
    assert worker.wait() == 70
    assert "declared dead" in worker.log


def test_the_worker_ticks_each_second(database, worker):
    seen = "select seen_at from ccp.ticks where who = 'worker'"
    first = database.value(seen)
    wait_until(lambda: database.value(seen) not in (None, first), "the worker has ticked")


def retained(database):
    """The result of the only retention, once it has succeeded."""
    return wait_until(
        lambda: [
            r
            for (r,) in database.rows(
                "select result from ccp.task_rows where kind = 'events.retain' and status = 'succeeded'"
            )
        ],
        "retention has run",
    )[0]


def test_retention_goes_on_until_nothing_past_its_time_is_left(database, program):
    database.rows(
        "insert into ccp.task_rows (kind, params, queue, created_by, status, created_at, finished_at)"
        " select 'system.noop', '{}', 'ccp_worker', 'test', 'succeeded',"
        " now() - interval '91 days', now() - interval '91 days'"
        " from generate_series(1, 2500)"
    )
    program("ccp-worker", database)
    result = retained(database)
    assert result["tasks"] == 2500
    assert (result["more"], result["months_in_use"]) == (False, False)
    assert database.value("select count(*) from ccp.task_rows where kind = 'system.noop'") == 0


def test_a_month_that_is_being_read_does_not_hold_up_retention(database, program):
    database.rows(
        "select set_config('test.now', (now() - interval '8 months')::text, false); select event.make_months()"
    )
    (month,) = database.rows(
        "select min(inhrelid::regclass::text) from pg_inherits where inhparent = 'ccp.events'::regclass"
    )[0]
    with database.connect(autocommit=False) as reader, reader.cursor() as cursor:
        cursor.execute(f"lock table {month} in access share mode")
        program("ccp-worker", database)
        result = retained(database)
        assert result["months_in_use"] is True
        assert result["months"] > 0
        assert database.value("select to_regclass(%s) is not null", (month,))
    # The tick asks again after a minute; what it asks for finds the month free.
    database.rows("update ccp.test_clock set shift = interval '61 seconds'")
    wait_until(lambda: database.value("select to_regclass(%s) is null", (month,)), "the month is gone")


def test_a_worker_without_a_database_waits_for_it(database, program):
    class Absent:
        @staticmethod
        def conninfo(_user):
            return "host=/nonexistent dbname=ccp"

    lonely = program("ccp-worker", Absent)
    lonely.wait_log("database lost")
    assert lonely.stop() == 0


def test_the_worker_role_cannot_touch_tables(database):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        database.rows("set role ccp_worker; select * from ccp.task_rows")
