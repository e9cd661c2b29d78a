"""An agent that only talks to the database: it claims, reports, crashes and loses reports; and what its callers saw."""

import random
import threading

import psycopg2
from psycopg2 import errors
from support.paths import CHECKOUT
from support.wait import WAIT_S

RETRY = (errors.DeadlockDetected, errors.SerializationFailure)


class Counts:
    """What the threads saw, added up under one lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers = {}
        self.problems = []

    def add(self, name, number=1):
        with self.lock:
            self.numbers[name] = self.numbers.get(name, 0) + number

    def problem(self, text):
        with self.lock:
            self.problems.append(text)


class Caller:
    """A connection that counts what the caller of a function would see go wrong."""

    def __init__(self, database, counts, user="postgres"):
        self.connection = psycopg2.connect(database.conninfo(user))
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.counts = counts

    def call(self, sql, *parameters):
        """Its rows; None when the request was refused (class CP)."""
        try:
            self.cursor.execute(sql, parameters)
            return self.cursor.fetchall() if self.cursor.description else []
        except RETRY as error:
            self.counts.add("deadlocks")
            self.counts.problem(str(error))
        except psycopg2.Error as error:
            if not (error.pgcode or "").startswith("CP"):
                self.counts.problem(f"{error.pgcode} {error}")
            else:
                self.counts.add("refused")
        return None

    def close(self):
        self.connection.close()


class Agent(threading.Thread):
    """Claims and reports until told to stop. Now and then it dies with its tasks or loses a report or a claim."""

    def __init__(self, database, counts, name, faults, stop):
        super().__init__(daemon=True)
        self.caller = Caller(database, counts)
        self.counts = counts
        self.node = name
        self.faults = faults
        self.stop = stop
        self.random = random.Random(name)

    def register(self):
        # One node for all: its queue is the hosts' queue. Each agent is a process row of its own, made by hand
        # because real agents would replace each other.
        rows = self.caller.call(
            "insert into ccp.processes (program, node_id, queue, pid, version, ended_at, end_reason)"
            " select 'ccp-agent', id, 'ccp_agent_' || id, 1, 'race', null, null from ccp.nodes where name = 'racer'"
            " returning id"
        )
        self.process = rows[0][0]

    def run(self):
        self.register()
        while not self.stop.is_set():
            if not self.work(crash=self.random.random() < self.faults / 10):
                self.stop.wait(0.005)
        self.caller.close()

    def work(self, crash):
        limit = self.random.choice((1, 1, 4))
        tasks = self.caller.call(
            "select task_id, kind, host_id, lease, attempt from task.claim(%s, %s)", self.process, limit
        )
        if not tasks:
            return False
        if crash:
            self.counts.add("crashes")
            self.caller.call("select process.declare_dead(%s, 'silent')", self.process)
            self.register()
            return True
        for task in tasks:
            self.report(*task)
        return True

    def report(self, task, kind, host, lease, attempt):
        self.caller.call("insert into race_work (task_id, lease, host_id) values (%s, %s, %s)", task, lease, host)
        said = self.caller.call("select task.progress(%s, %s, 'verifying', 50, 'at it')", task, lease)
        chance = self.random.random()
        if said == [("stop",)]:
            report = ("select task.canceled(%s, %s, 'asked to')", task, lease)
        elif chance < self.faults:
            report = ("select task.fail(%s, %s, 'docker_failed', 'on purpose', true)", task, lease)
        else:
            report = ("select task.succeed(%s, %s, '{}')", task, lease)
        if self.random.random() < self.faults:
            self.counts.add("lost_results")
            self.caller.call("select process.declare_dead(%s, 'silent')", self.process)
            answer = self.caller.call(*report)
            if answer != [("stale",)]:
                self.counts.problem(f"a late report was answered {answer}")
            self.register()
            return
        answer = self.caller.call(*report)
        again = self.caller.call(*report)
        if answer != again:
            self.counts.problem(f"{report[0]} answered {answer}, then {again}")
        self.counts.add("reports")


APPLIES = 5


def apply_while(threads, over, database, changed):
    """Applies a changed folder of db/ and ours in turn while the threads work, which then end. No apply may fail."""
    for thread in threads:
        thread.start()
    outcomes = [database.apply(folder) for _ in range(APPLIES) for folder in (changed.path, CHECKOUT / "db")]
    over.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert [(one.returncode, one.stderr) for one in outcomes] == [(0, "")] * 2 * APPLIES
