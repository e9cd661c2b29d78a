"""Random requests, cancellations, crashes and lost reports at once: nobody sees a deadlock, nothing is done twice,
and every host ends as desired."""

import random
import threading
import time

from machine import Agent, Caller, Counts, hosts_make

HOSTS = 50
SECONDS = 20
SETTLE_S = 2

SETUP = """
    create table race_work (task_id uuid not null, lease bigint not null unique, host_id uuid not null);
    drop index ccp.one_live_process_per_program_and_node;
"""
UNSETTLED = """
    select h.short_id, h.status, w.wanted, h.retry_at, t.kind, t.status
    from ccp.hosts as h
    join ccp.host_wants as w on w.host_id = h.id
    left join ccp.task_rows as t on t.host_id = h.id and t.status in ('queued', 'running')
    where h.status <> case w.wanted when 'absent' then 'deleted' else w.wanted end
"""


class Requester(threading.Thread):
    def __init__(self, database, counts, number, hosts, stop):
        super().__init__(daemon=True)
        self.caller = Caller(database, counts)
        self.counts = counts
        self.hosts = hosts
        self.stop = stop
        self.random = random.Random(number)

    def run(self):
        while not self.stop.is_set():
            host = self.random.choice(self.hosts)
            kind = self.random.choice(("host.start", "host.start", "host.stop", "host.stop", "host.verify", "host.rebuild"))
            row = self.caller.call("insert into ccp.tasks (kind, host_id) values (%s, %s) returning id, status", kind, host)
            self.counts.add("requests")
            if row and self.random.random() < 0.15:
                self.caller.call("select task.cancel(%s, 'changed my mind')", row[0][0])
                self.counts.add("cancels")
        self.caller.close()


class Ticker(threading.Thread):
    def __init__(self, database, counts, stop):
        super().__init__(daemon=True)
        self.caller = Caller(database, counts)
        self.stop = stop

    def run(self):
        while not self.stop.is_set():
            self.caller.call("update ccp.processes set beat_at = now() where ended_at is null")
            self.caller.call("select clock.tick('worker')")
            self.stop.wait(0.25)
        self.caller.close()


def test_random_requests_cancels_crashes_and_lost_reports_end_with_every_host_as_desired(database):
    database.rows(SETUP)
    hosts = hosts_make(database, HOSTS)
    counts = Counts()
    enough, over = threading.Event(), threading.Event()
    requesters = [Requester(database, counts, number, hosts, enough) for number in range(4)]
    agents = [Agent(database, counts, f"agent{number}", 0.1, over) for number in range(4)]
    ticker = Ticker(database, counts, over)
    for thread in requesters + agents + [ticker]:
        thread.start()
    time.sleep(SECONDS)  # the length of the race, not a wait for something
    enough.set()
    for thread in requesters:
        thread.join(10)
    # From here on no more faults: what was broken has to mend itself. Back-off after failures is forgotten, as it is
    # when a person asks.
    for agent in agents:
        agent.faults = 0
    database.rows("update ccp.hosts set failures = 0, retry_at = null where failures > 0")
    deadline = time.monotonic() + SETTLE_S
    while (unsettled := database.rows(UNSETTLED)) and time.monotonic() < deadline:
        time.sleep(0.05)
    settled_in = SETTLE_S - (deadline - time.monotonic())
    over.set()
    for thread in agents + [ticker]:
        thread.join(10)

    print(counts.numbers, f"settled in {settled_in:.2f} s")
    assert counts.problems == []
    assert counts.numbers.get("deadlocks", 0) == 0
    assert unsettled == []
    assert counts.numbers["reports"] > 100
    assert database.rows(
        "select lease from race_work group by lease having count(*) > 1"
    ) == []
    assert database.rows("select id from ccp.stuck where what = 'host'") == []
