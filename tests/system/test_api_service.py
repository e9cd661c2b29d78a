"""The program as a service: it starts, is well, does without a database, and stops in order."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from support.http import ApiServer
from support.orders import host_make, run_tasks
from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until

RACE_S = 0.3


UNFIT = {
    "POST /v1/user/hosts/{id}/start: the function lacks the argument p_login_id": "drop function api.own_host_task;"
    " create function api.own_host_task() returns api.task_ref language sql as 'select null::api.task_ref'",
    "GET /v1/user/hosts/{id}: the answer lacks the member version": "alter view api.host"
    " rename column version to edition",
    "GET /v1/admin/users/{id}: the database has no function user_get": "alter function api.user_get"
    " rename to user_get_it",
    "POST /v1/admin/users: the answer lacks the member password": "alter type api.new_user"
    " rename attribute password to secret",
    "GET /v1/admin/users: the database has another type for p_limit": "drop function api.user_list;"
    " create function api.user_list(p_login_id uuid, p_generation integer, p_limit integer default 50)"
    " returns api.user_page language sql as 'select null::api.user_page'",
    "GET /v1/admin/users: there are no bounds, pattern or words for api.filter": "alter domain api.filter"
    " drop constraint filter_is_short",
    "GET /v1/bootstrap/tasks/{id}/handoff: the function does not return sentence text": ""
    "drop function api.bootstrap_handoff;"
    " create function api.bootstrap_handoff(p_poll_sha256 text, p_address inet, p_id uuid,"
    " out answer api.handoff, out verdict ccp.verdict, out retry_after_s integer)"
    " language sql as 'select null::api.handoff, null, 0'",
    "POST /v1/auth/refresh: the function does not return generation integer": "drop function api.refresh;"
    " create function api.refresh(p_login_id uuid, p_generation integer, out answer api.login, out verdict ccp.verdict,"
    " out retry_after_s integer, out sentence text, out user_id uuid, out login_id uuid, out generation text)"
    " language sql as 'select null::api.login, null, 0, null, null::uuid, null::uuid, null'",
    "the pattern of ccp.username is not a POSIX regular expression": "alter domain ccp.username"
    " drop constraint username_is_a_name;"
    " alter domain ccp.username add constraint username_is_a_name check (value ~ '^(?:[a-z0-9]+)$')",
}


def test_the_program_refuses_to_serve_a_database_that_does_not_fit(server, database, program):
    server.program.stop()
    for complaint, change in UNFIT.items():
        database.rows(change)
        other = program("ccp-api", database, "--listen", f"127.0.0.1:{server.port}")
        assert other.wait() == 1
        assert complaint in other.log, (complaint, other.log)


def test_healthz_names_each_part_and_readyz_says_only_whether_requests_are_served(server, database):
    """The rest of the system being away, or new, is no reason to send requests elsewhere: 200, and the body tells."""
    client = server.client()
    parts = dict.fromkeys(("agent", "worker", "cron"), "absent")

    def shows(status):
        wait_until(
            lambda: client.get("/healthz").json
            == {"status": status, "checks": {"database": "ok", "locks": "ok", "disk": "ok"} | parts},
            f"{status}: {parts}",
        )
        assert client.get("/readyz").status == client.get("/healthz").status == 200

    shows("degraded")
    for program in ("agent", "worker"):
        database.rows("select process.register(%s, 'node1', 1, 'test')", (f"ccp-{program}",))
        parts[program] = "ok"
    database.rows("select clock.tick('cron')")
    parts["cron"] = "ok"
    shows("ok")
    database.rows("update ccp.processes set beat_at = beat_at - interval '1 minute' where program = 'ccp-agent'")
    parts["agent"] = "stale"
    shows("degraded")


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def test_requests_answer_503_while_backends_are_frozen_and_go_on_after(server, admin, database):
    frozen = [
        pid
        for (pid,) in database.rows(
            "select pid from pg_stat_activity where application_name like 'ccp-api%' and datname = current_database()"
        )
    ]
    frozen.append(parent_of(frozen[0]))  # the postmaster: no new connections either
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        answer = admin.get("/v1/user/me")
        assert answer.status == 503 and answer.headers["Retry-After"]
        assert admin.get("/healthz").status in (200, 503)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: admin.get("/v1/user/me").status == 200, "requests are served again")


def test_it_starts_and_answers_503_without_a_database(server, program, database):
    server.program.stop()
    with database.connect() as connection:
        name = database.name
        cluster = database.cluster.database("postgres")
        connection.close()
        cluster.rows(f"alter database {name} with allow_connections false")
        try:
            other = program("ccp-api", database, "--listen", f"127.0.0.1:{server.port}")
            other.wait_log("event=started")
            health = server.client().get("/healthz")
            assert health.status == 503 and health.json["checks"] == {"database": "away"}
            assert server.client().get("/readyz").status == 503
            assert server.client().post("/v1/auth/login", {"username": "a", "password": "b"}).status == 503
        finally:
            cluster.rows(f"alter database {name} with allow_connections true")
    wait_until(lambda: server.client().get("/readyz").status == 200, "it serves")


def unread(connection):
    """Bytes that the server has not yet read of a connection to it."""
    here, there = (f"127.0.0.1:{name[1]}" for name in (connection.getsockname(), connection.getpeername()))
    line = subprocess.run(["ss", "-tnH", "src", there, "dst", here], capture_output=True, text=True, check=True).stdout
    return int(line.split()[1])


def test_it_stops_while_long_polls_wait(server, admin, database):
    user, _ = host_make(admin, database)
    session = server.client().post("/v1/bootstrap/sessions", {"username": "alice", "password": user["password"]}).json
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as connection:
        connection.sendall(
            f"GET {session['status_url']}?wait=25 HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {session['poll_token']}\r\n\r\n".encode()
        )
        wait_until(lambda: unread(connection) == 0, "the request is read")
        time.sleep(RACE_S)  # that it waits cannot be seen from outside
        assert server.program.stop() == 0, server.program.log
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_poll_token_waits_twice_at_most_and_beyond_that_is_answered_at_once(server, admin, database):
    user, _ = host_make(admin, database)
    session = server.client().post("/v1/bootstrap/sessions", {"username": "alice", "password": user["password"]}).json
    poller = server.client()
    poller.token = session["poll_token"]
    with ThreadPoolExecutor(8) as threads:
        polls = [threads.submit(poller.get, f"{session['status_url']}?wait=25") for _ in range(8)]
        wait_until(lambda: sum(poll.done() for poll in polls) >= 6, "polls are answered at once")
        assert poller.get(f"{session['status_url']}?wait=25").status == 200
        assert not all(poll.done() for poll in polls)
        run_tasks(database)
        assert [poll.result().status for poll in polls] == [200] * 8


def log_in_until_it_stops(server):
    """One connection, kept alive; the statuses of its logins."""
    seen = []
    body = json.dumps({"username": "root", "password": ApiServer.PASSWORD})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_S)
    try:
        while True:
            connection.request("POST", "/v1/auth/login", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            seen.append(answer.status)
    except (http.client.HTTPException, OSError):
        return seen
    finally:
        connection.close()


def test_it_stops_in_order_while_logins_go_from_pool_to_pool(database, program):
    """With the address sanitizer: nothing may touch a pool that is gone."""
    subprocess.run(["make", "-s", "FLAVOUR=asan", "build/asan/ccp-api"], cwd=CHECKOUT, check=True)
    server = ApiServer(database, program, flavour="asan")
    for _ in range(3):
        with ThreadPoolExecutor(12) as threads:
            running = [threads.submit(log_in_until_it_stops, server) for _ in range(12)]
            wait_until(lambda: server.program.log.count("status=200") >= 5, "logins are answered")
            assert server.program.stop() == 0, server.program.log[-3000:]
            seen = {status for one in running for status in one.result()}
        assert 200 in seen <= {200, 503}, seen
        server.start()
