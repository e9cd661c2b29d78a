"""db/apply while the programs work, with changed views and rules too: no request and no task fails."""

import http.client
import threading

from support.db_folder import DbFolder
from support.http import ApiServer
from support.machine import Caller, Counts, apply_while
from support.wait import WAIT_S, wait_until


def test_no_request_and_no_task_fails(database, program, tmp_path):
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
    apply_while(threads, over, database, changed)
    assert counts.problems == []
    assert counts.numbers["requests"] > 20
    wait_until(
        lambda: not database.rows("select id from ccp.task_rows where finished_at is null"), "all tasks have ended"
    )
    assert database.rows(
        "select kind, status, attempt from ccp.task_rows where kind = 'system.noop' group by 1, 2, 3"
    ) == [("system.noop", "succeeded", 1)]
    assert database.value("select count(*) from ccp.task_rows where kind = 'system.noop'") == counts.numbers["tasks"]
