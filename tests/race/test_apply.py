"""db/apply while the product works, with changed views and rules too: no call, no request and no task fails."""

import http.client
import threading

from machine import Agent, Caller, Counts
from support.db_folder import DbFolder
from support.http import ApiServer
from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until

APPLIES = 5


def test_apply_under_load_fails_no_call(database, tmp_path):
    changed = DbFolder(tmp_path)
    changed.edit("views/10_tasks.sql", "t.progress::integer as", "coalesce(t.progress::integer, 0) as")
    changed.edit("views/20_host_status.sql", "n.name as node,", "n.name || '' as node,")
    changed.edit("rules/task_kinds.sql", "'60 seconds'", "'61 seconds'")
    database.rows("drop index ccp.one_live_process_per_program_and_node")
    database.rows("create table race_work (task_id uuid not null, lease bigint not null unique, host_id uuid not null)")
    hosts = database.hosts_make(10)
    counts = Counts()
    over = threading.Event()

    def ask():
        caller = Caller(database, counts)
        while not over.is_set():
            for host in hosts:
                for kind in ("host.start", "host.stop"):
                    caller.call("insert into ccp.tasks (kind, host_id) values (%s, %s) returning id", kind, host)
                    caller.call("select why from ccp.host_status where id = %s", host)
                    counts.add("asked")
        caller.close()

    threads = [threading.Thread(target=ask, daemon=True)] + [
        Agent(database, counts, f"a{n}", 0, over) for n in range(3)
    ]
    for thread in threads:
        thread.start()
    outcomes = [database.apply(folder) for _ in range(APPLIES) for folder in (changed.path, CHECKOUT / "db")]
    over.set()
    for thread in threads:
        thread.join(WAIT_S)

    assert [(one.returncode, one.stderr) for one in outcomes] == [(0, "")] * 2 * APPLIES
    assert counts.problems == []
    assert counts.numbers["asked"] > 20
    assert counts.numbers["reports"] > 20


def test_apply_while_the_programs_work_fails_no_request_and_no_task(database, program, tmp_path):
    changed = DbFolder(tmp_path)
    changed.edit("types/user.sql", "u.short_id,", "lower(u.short_id) as short_id,")
    changed.edit("rules/task_kinds.sql", "do nothing, slowly if asked", "do nothing")
    user = ApiServer(database, program).user("asker")
    worker = program("ccp-worker", database)
    worker.wait_log("database connected")
    counts = Counts()
    over = threading.Event()

    def request():
        connection = http.client.HTTPConnection("127.0.0.1", user.port, timeout=WAIT_S)
        while not over.is_set():
            connection.request("GET", "/v1/user/me", headers={"Authorization": f"Bearer {user.token}"})
            answer = connection.getresponse()
            said = answer.read()
            counts.add("requests")
            if answer.status != 200 or b'"asker"' not in said:
                counts.problem(f"{answer.status} {said}")
        connection.close()

    def ask():
        caller = Caller(database, counts)
        while not over.is_set():
            caller.call(
                "insert into ccp.tasks (kind, params)"
                " values ('system.noop', jsonb_build_object('label', %s)) returning id",
                str(counts.numbers.get("tasks", 0)),
            )
            counts.add("tasks")
            over.wait(0.005)
        caller.close()

    threads = [threading.Thread(target=work, daemon=True) for work in (request, request, ask)]
    for thread in threads:
        thread.start()
    outcomes = [database.apply(folder) for _ in range(APPLIES) for folder in (changed.path, CHECKOUT / "db")]
    over.set()
    for thread in threads:
        thread.join(WAIT_S)

    assert [(one.returncode, one.stderr) for one in outcomes] == [(0, "")] * 2 * APPLIES
    assert counts.problems == []
    assert counts.numbers["requests"] > 20
    wait_until(
        lambda: not database.rows("select id from ccp.task_rows where finished_at is null"), "all tasks have ended"
    )
    assert database.rows(
        "select kind, status, attempt from ccp.task_rows where kind = 'system.noop' group by 1, 2, 3"
    ) == [("system.noop", "succeeded", 1)]
    assert database.value("select count(*) from ccp.task_rows where kind = 'system.noop'") == counts.numbers["tasks"]
