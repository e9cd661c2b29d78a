"""Every request in every status, beside every other at every step of it: nothing that SQL says is ever otherwise.

The agent here is slow at each of its steps and has a world of one bit: does anything of the host run, open and proven?
What it does and reports is what agent/task does. After each thing that happens, the status of the host and what became
of its tasks are compared with the world.
"""

import itertools
from contextlib import contextmanager

import psycopg2
import pytest

# What a tick does that moves hosts, tasks or accounts.
RULES = [
    "process.declare_silent_dead",
    "clock.enforce_deadlines",
    "task.release_orphans",
    "account.enforce",
    "clock.resume",
    "clock.reconcile_all",
    "clock.forget_failures",
]
CLOCK = "select set_config('test.now', (pg_catalog.now() + %(seconds)s * interval '1 second')::text, true)"
TICK = f"select clock.tick('worker', r) from unnest(array{RULES}) with ordinality as t (r, n) order by n"

# What SQL may say of a host, by what runs of it.
TRUE_OF = {
    True: {"starting", "running", "stopping", "rebuilding", "unavailable", "failed", "deleting"},
    False: {"pending", "stopped", "starting", "stopping", "rebuilding", "unavailable", "failed", "deleting", "deleted"},
}
# While none of its tasks is live nothing is on its way: what runs is running.
TRUE_AT_REST = {True: {"running"}, False: TRUE_OF[False]}
# What has succeeded is so.
TRUE_OF_SUCCESS = {"host.start": True, "host.stop": False, "host.delete": False}

# The steps of agent/task/kinds.c that change the world, or look at what is wanted.
STEPS = {
    "host.create": ["nothing"],
    "host.start": ["end", "boot", "prove"],
    "host.stop": ["end"],
    "host.rebuild": ["end", "remove", "wish", "prove"],
    "host.verify": ["check"],
    "host.delete": ["end", "remove"],
}

REQUESTS = {
    "start": "select status from task.enqueue('host.start', %(host)s)",
    "stop": "select status from task.enqueue('host.stop', %(host)s)",
    "rebuild, keep": "select status from task.enqueue('host.rebuild', %(host)s)",
    "rebuild, wipe": """select status from task.enqueue('host.rebuild', %(host)s, '{"mode": "wipe"}')""",
    "verify": "select status from task.enqueue('host.verify', %(host)s)",
    "create": "select status from task.enqueue('host.create', %(host)s)",
    "delete": "select status from task.enqueue('host.delete', %(host)s)",
    "cancel": "select task.cancel(id, 'x') from ccp.task_rows where finished_at is null order by status limit 1",
    "expire": "update ccp.users set expires_at = clock.now()",
    "disable": "update ccp.users set disabled_at = clock.now()",
    "disable and enable": [
        "update ccp.users set disabled_at = clock.now()",
        TICK,
        "update ccp.users set disabled_at = null",
    ],
    "expire and extend": [
        "update ccp.users set expires_at = clock.now()",
        TICK,
        "update ccp.users set expires_at = clock.now() + interval '1 day'",
    ],
    "limits": "update ccp.hosts set memory_limit_mb = 2048, cpu_limit = 1",
    "unbind": "update ccp.bindings set ended_at = clock.now() where ended_at is null",
    "deadline": [
        "update ccp.task_rows set deadline_at = clock.now() - interval '1 second' where status = 'running'",
        TICK,
    ],
}
FIRST = {
    "start": "host.start",
    "stop": "host.stop",
    "rebuild, keep": "host.rebuild",
    "verify": "host.verify",
    "create": "host.create",
    "delete": "host.delete",
}
BASES = {
    "pending": [],
    "stopped": ["create"],
    "running": ["create", "start"],
    "unavailable": ["create", "start", "drift"],
    "failed": ["create", "start", "stop badly"],
}
ENDINGS = ["succeeded", "failed", "dies"]


class Untrue(AssertionError):
    pass


class Walk:
    """One host, one agent, one transaction that is rolled back to where each walk begins."""

    def __init__(self, connection):
        self.cursor = connection.cursor()
        self.sequence = 0
        self.seconds = 0
        self.log = []
        self.up = False
        self.task = None
        self.succeeded = set()
        self.rows(
            "insert into ccp.users (username, short_id) values ('walker', 'walker');"
            "insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)"
            " values ('one', '198.51.100.1', '198.51.100.1:51820', repeat('A', 43) || '=', '198.51.100.53',"
            " '10.9.0.2/32')"
        )
        self.register()
        self.host = self.value(
            "insert into ccp.hosts (short_id, user_id, node_id, image)"
            " select 'walker', u.id, n.id, 'image' from ccp.users as u, ccp.nodes as n returning id"
        )
        self.rows(
            "insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)"
            " select h.id, e.id, h.user_id, e.label, e.ip_address from ccp.hosts as h, ccp.egress_ips as e"
        )

    def register(self):
        self.process = self.value("select process_id from process.register('ccp-agent', 'walk', 1, 'x')")

    def rows(self, sql, **values):
        self.seconds += 0.1
        values |= {"host": getattr(self, "host", None), "seconds": self.seconds}
        self.cursor.execute(f"{CLOCK}; {sql}", values)
        return self.cursor.fetchall() if self.cursor.description else []

    def value(self, sql, **values):
        return self.rows(sql, **values)[0][0]

    @contextmanager
    def returns_here(self):
        kept = {name: getattr(self, name) for name in ("sequence", "seconds", "up", "task", "process")}
        kept |= {"log": list(self.log), "succeeded": set(self.succeeded)}
        name = f"s{len(self.log)}"
        self.cursor.execute(f"savepoint {name}")
        yield
        self.cursor.execute(f"rollback to savepoint {name}")
        self.__dict__.update(kept)

    # What is said, and whether it is so.

    def check(self, what):
        status, error, live, succeeded = self.rows(
            "select h.status, h.error_code, count(*) filter (where t.status in ('queued', 'running')),"
            " array_agg(t.id || ' ' || t.kind order by t.id) filter (where t.status = 'succeeded')"
            " from ccp.hosts as h left join ccp.task_rows as t on t.host_id = h.id where h.id = %(host)s group by h.id"
        )[0]
        self.log.append(f"{what}: {status}, {'up' if self.up else 'down'}")
        allowed = TRUE_OF if live or error == "lost" else TRUE_AT_REST
        if status not in allowed[self.up]:
            raise Untrue(f"the host is said to be {status}: " + "; ".join(self.log))
        for task, kind in (one.split() for one in succeeded or ()):
            if task not in self.succeeded and TRUE_OF_SUCCESS.get(kind, self.up) != self.up:
                raise Untrue(f"{kind} is said to have succeeded: " + "; ".join(self.log))
            self.succeeded.add(task)
        return status

    def ask(self, request):
        statements = REQUESTS[request]
        for sql in [statements] if isinstance(statements, str) else statements:
            self.cursor.execute("savepoint asking")
            try:
                self.rows(sql)
            except psycopg2.Error as error:
                self.cursor.execute("rollback to savepoint asking")
                if not error.pgcode.startswith("CP"):
                    raise
                self.log.append(f"{request} refused: {error.diag.message_primary}")
                return False
        self.check(request)
        return True

    # The agent.

    def left(self):
        self.sequence += 1
        if self.up:
            return "running", self.sequence
        return ("stopped", self.sequence) if self.ended else (None, None)

    def observe(self, code=None):
        self.sequence += 1
        self.rows(
            "select host.observe(%(process)s, %(host)s, %(sequence)s, %(state)s, %(code)s, null, clock.now())",
            process=self.process,
            sequence=self.sequence,
            state="running" if self.up else "stopped",
            code=code,
        )

    def claim(self):
        rows = self.rows("select task_id, lease, kind from task.claim(%(process)s, 1)", process=self.process)
        self.task = rows[0] if rows else None
        self.ended = False
        if self.task:
            self.check(f"{self.task[2]} claimed")
        return bool(rows)

    def stops(self):
        task, lease, _ = self.task
        said = self.value("select task.progress(%(task)s, %(lease)s, 'verifying', 1, 'x')", task=task, lease=lease)
        return said == "stop"

    def step(self, step):
        if step == "end":
            self.up, self.ended = False, True
        elif step == "prove":
            self.up = True
        self.log.append(step)

    def steps(self, kind):
        """Each step as it is about to be done. A wish that is not to run ends it there."""
        for step in STEPS[kind]:
            if step == "wish" and self.value("select host.spec(%(host)s) ->> 'wanted'") != "running":
                return
            yield step

    def report(self, end):
        task, lease, kind = self.task
        if end != "succeeded" and self.ended:
            self.up = False
        state, sequence = self.left()
        sql = {
            "succeeded": "select task.succeed(%(task)s, %(lease)s, %(result)s, %(state)s, %(sequence)s)",
            "failed": "select task.fail(%(task)s, %(lease)s, 'docker_failed', 'x', false, %(state)s, %(sequence)s)",
            "canceled": "select task.canceled(%(task)s, %(lease)s, 'x', %(state)s, %(sequence)s)",
        }[end]
        result = '{"wg_public_key": "%s="}' % ("B" * 43) if kind == "host.create" else "{}"
        self.rows(sql, task=task, lease=lease, state=state, sequence=sequence, result=result)
        self.task = None
        self.check(f"{kind} {end}")

    def work(self, begin=0, until=None, end="succeeded"):
        """Does steps of the claimed task: all that are left, or up to one; stops when it is asked to."""
        kind = self.task[2]
        for number, step in enumerate(self.steps(kind)):
            if number == until:
                return
            if number < begin:
                continue
            if self.stops():
                self.report("canceled")
                return
            self.step(step)
        if until is None:
            self.report(end)

    def die(self):
        """The agent dies and comes back. What runs of a host that is said to run it adopts, anything else it ends."""
        self.task = None
        self.register()
        status = self.value("select status from ccp.hosts where id = %(host)s")
        self.up = self.up and status == "running"
        self.observe()
        self.check("the agent died and is back")

    def settle(self):
        """Lets time and the agent go on until nothing is left to do."""
        for _ in range(12):
            if self.task:
                self.work()
            self.rows(TICK)
            self.check("tick")
            if not self.claim():
                self.seconds += 3700
                self.rows("update ccp.processes set beat_at = clock.now() where ended_at is null")
                self.rows(TICK)
                if not self.claim():
                    return
        raise Untrue("it never rests: " + "; ".join(self.log))

    def reach(self, base):
        for request in BASES[base]:
            if request == "drift":
                self.up = False
                self.observe("exit_mismatch")
            elif request == "stop badly":
                self.ask("stop")
                self.claim()
                self.up = False  # closed; Docker did not answer
                self.report("failed")
            else:
                self.ask(request)
                self.claim()
                self.work()
        self.succeeded = {row[0] for row in self.rows("select id::text from ccp.task_rows")}
        assert self.check("there") == base

    # The walks.

    def pair(self, place, second, ending, refused):
        """The first request waits (place -1) or has done so many steps when the second comes; then it ends so. A second
        one that is refused changes nothing: what follows the first that was is walked for all of them."""
        if place >= 0:
            if not self.claim():
                return
            self.work(until=place)
        if not self.ask(second) and isinstance(REQUESTS[second], str):
            if (place, ending) in refused:
                return
            refused.add((place, ending))
        if ending == "dies":
            self.die()
        elif self.task:
            self.work(begin=place, end=ending)
        self.settle()


@pytest.mark.parametrize("base", BASES)
def test_no_status_and_no_task_ever_says_what_is_not(database, base):
    with database.connect(autocommit=False) as connection:
        walk = Walk(connection)
        walk.reach(base)
        walks = 0
        for first, kind in FIRST.items():
            with walk.returns_here():
                if not walk.ask(first):
                    continue
                places = range(-1, 1 + len(STEPS[kind]))
                refused = set()
                for place, second, ending in itertools.product(places, REQUESTS, ENDINGS):
                    if place < 0 and ending == "failed":
                        continue  # what does not run does not fail
                    with walk.returns_here():
                        walk.pair(place, second, ending, refused)
                        walks += 1
    assert walks > 100
