"""Random requests, cancellations, crashes and lost reports at once: no caller sees a deadlock, nothing is done twice,
and every host ends as desired."""

import random
import threading
import time

from support.machine import Agent, Caller, Counts
from support.wait import WAIT_S, wait_until

HOSTS = 50
ENOUGH = {"reports": 2000, "crashes": 10, "lost_results": 50, "cancels": 50}  # then the race has been one
SETTLE_S = 60

SETUP = """
    create table race_work (task_id uuid not null, lease bigint not null unique, host_id uuid not null);
    drop index ccp.one_live_process_per_program_and_node;
"""
# What waits because of a failure that an agent played (or that its playing dead became) may wait out its time.
UNSETTLED = """
    select h.short_id, h.status, w.wanted, t.kind, t.status, case
        when h.error_code in ('docker_failed', 'lost') and h.retry_at > now()
            then extract(epoch from h.retry_at - now())::float8
        when t.error_code = 'docker_failed' and t.status = 'queued'
            then extract(epoch from t.run_at - now())::float8
    end
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
            kind = self.random.choice(
                ("host.start", "host.start", "host.stop", "host.stop", "host.verify", "host.rebuild")
            )
            row = self.caller.call(
                "insert into ccp.tasks (kind, host_id) values (%s, %s) returning id, status", kind, host
            )
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


def settle(database):
    """Waits until every host is as desired. Returns those that are not, SETTLE_S after now or after a wait's end."""
    ends = {}
    begin = time.monotonic()
    while unsettled := database.rows(UNSETTLED):
        now = time.monotonic()
        for host, *_, wait_s in unsettled:
            ends[host] = max(ends.get(host, begin + SETTLE_S), now + wait_s + SETTLE_S if wait_s else 0)
        if late := [row for row in unsettled if ends[row[0]] < now]:
            return late
        time.sleep(0.05)
    return []


def test_random_requests_cancels_crashes_and_lost_reports_end_with_every_host_as_desired(database):
    database.rows(SETUP)
    hosts = database.hosts_make(HOSTS)
    counts = Counts()
    enough, over = threading.Event(), threading.Event()
    requesters = [Requester(database, counts, number, hosts, enough) for number in range(4)]
    agents = [Agent(database, counts, f"agent{number}", 0.1, over) for number in range(4)]
    ticker = Ticker(database, counts, over)
    for thread in requesters + agents + [ticker]:
        thread.start()
    try:
        wait_until(lambda: all(counts.numbers.get(name, 0) >= many for name, many in ENOUGH.items()), f"{ENOUGH}")
    finally:
        enough.set()
    for thread in requesters:
        thread.join(WAIT_S)
    # From here on no more faults: what was broken has to mend itself.
    for agent in agents:
        agent.faults = 0
    late = settle(database)
    over.set()
    for thread in [*agents, ticker]:
        thread.join(WAIT_S)

    print(counts.numbers)
    assert counts.problems == []
    assert counts.numbers.get("deadlocks", 0) == 0
    assert late == []
    assert database.rows("select lease from race_work group by lease having count(*) > 1") == []
    # The daily retention waits for a worker, and none runs here.
    assert database.rows("select what, name, why from ccp.stuck where name <> 'events.retain'") == []
