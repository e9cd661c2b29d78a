"""GET /metrics: a listener of its own, and what all programs have counted."""

import re

import pytest
from support.http import Api
from support.metrics import Metrics, promtool, scrape, scrape_text
from support.orders import host_make
from support.wait import wait_until

ROUTE = "/v1/admin/users/{id}"


def wait_for(port, sees, what):
    """Beats come each five seconds."""
    wait_until(lambda: sees(scrape(port)), what)
    return scrape(port)


def test_it_is_served_on_its_own_listener_and_nothing_else_is(server):
    monitor = Api(server.metrics_port)
    assert monitor.get("/metrics").status == 200
    for path in ("/healthz", "/v1/openapi.json", "/v1/auth/login", "/v1/admin/users", "/"):
        answer = monitor.get(path)
        assert answer.status == 404 and answer.json["error_code"] == "not_found", (path, answer)
    assert monitor.post("/metrics", {}).status == 405
    assert monitor.post("/v1/auth/login", {"username": "root", "password": server.PASSWORD}).status == 404
    assert Api(server.port).get("/metrics").status == 404
    assert "/metrics" not in server.contract.document["paths"]


def test_prometheus_own_tool_finds_nothing(server, admin):
    admin.get("/v1/admin/users")
    wait_for(server.metrics_port, lambda m: m.total("ccp_http_requests_total") > 0, "requests are counted")
    assert promtool("check", "metrics", text=scrape_text(server.metrics_port)).strip() == ""


def test_requests_are_counted_by_route_and_status_and_by_no_word_of_a_client(server, admin, database):
    user, host = host_make(admin, database)
    for _ in range(3):
        assert admin.get(f"/v1/admin/users/{user['id']}").status == 200
    assert admin.get("/v1/admin/users/00000000-0000-4000-8000-000000000000").status == 404
    for i in range(20):
        assert Api(server.port).get(f"/nothing/{i}?secret={i}").status == 404
        assert Api(server.port).send(f"ODD{i}", "/healthz").status == 405
    server.client().post("/v1/auth/login", {"username": "alice", "password": "not-the-password"})
    counted = wait_for(
        server.metrics_port,
        lambda m: m.find("ccp_http_requests_total", route="/v1/auth/login", status="401") == [1],
        "the last request is counted",
    )
    name = "ccp_http_requests_total"
    assert counted.find(name, route=ROUTE, method="GET", status="200") == [3]
    assert counted.find(name, route=ROUTE, method="GET", status="404") == [1]
    assert counted.find(name, route="", method="", status="404") == [20]
    assert counted.find(name, route="", method="", status="405") == [20]
    took = "ccp_http_request_duration_seconds"
    assert counted.find(f"{took}_count", route=ROUTE, status="200") == [3]
    assert 0 < counted.total(f"{took}_sum", route=ROUTE, status="200") < 60
    buckets = counted.find(f"{took}_bucket", route=ROUTE, status="200")
    assert buckets == sorted(buckets) and buckets[-1] == 3, "each counts the smaller ones too"
    text = scrape_text(server.metrics_port)
    for word in ("alice", "root", "nothing", "secret", "ODD", user["id"], host["id"], host["short_id"]):
        assert word not in text, word


def test_a_restart_begins_again_and_leaves_one_series(server, admin):
    for _ in range(5):
        admin.get("/v1/user/me")
    labels = {"route": "/v1/user/me", "status": "200"}

    def count():
        return scrape(server.metrics_port).find("ccp_http_requests_total", **labels)

    wait_until(lambda: count() == [5], "five are counted")
    server.program.kill()
    server.program.wait()
    server.start()
    assert count() == [], "those of the dead process have ended"
    again = server.admin()
    again.get("/v1/user/me")
    wait_until(lambda: count() == [1], "counting goes on from zero")
    assert scrape(server.metrics_port).find("ccp_program_up", program="ccp-api") == [1]


def test_tasks_ticks_pools_and_memory_are_counted_and_end_with_their_program(server, database, program):
    worker = program("ccp-worker", database)
    for i in range(4):
        database.rows("insert into ccp.tasks (kind, params) values ('system.noop', %s)", (f'{{"label": "{i}"}}',))
    held = database.value(
        """insert into ccp.tasks (kind, params) values ('system.noop', '{"hold_ms": "60000"}') returning id"""
    )
    running = "select status = 'running' from ccp.task_rows where id = %s"
    wait_until(lambda: database.value(running, (held,)), "the last task runs")
    database.rows("select task.cancel(%s, 'enough')", (held,))
    kind = {"kind": "system.noop", "program": "ccp-worker"}
    counted = wait_for(
        server.metrics_port,
        lambda m: m.total("ccp_task_ends_total", **kind) >= 5,
        "five tries have ended",
    )
    assert counted.find("ccp_task_ends_total", end="succeeded", **kind) == [4]
    assert counted.find("ccp_task_ends_total", end="canceled", **kind) == [1]
    assert counted.total("ccp_task_duration_seconds_count", **kind) >= 5
    assert counted.total("ccp_task_wait_seconds_count", **kind) >= 5
    assert 0 < counted.total("ccp_task_wait_seconds_sum", **kind) < 600
    assert counted.total("ccp_task_step_duration_seconds_count", step="hold", **kind) >= 5
    assert counted.total("ccp_tick_duration_seconds_count") > 0
    assert counted.total("ccp_pool_wait_seconds_count", pool="db", program="ccp-api") > 0
    for name in ("ccp-api", "ccp-worker"):
        assert 1e6 < counted.find("ccp_process_resident_memory_bytes", program=name)[0] < 1e9
        assert counted.find("ccp_process_cpu_seconds_total", program=name)[0] > 0
        assert counted.find("ccp_program_up", program=name) == [1]
    assert worker.stop() == 0
    after = scrape(server.metrics_port)
    assert [key for key in after if ("program", "ccp-worker") in key[1]] == [], "a stopped program has no series"


def test_one_that_died_shows_as_not_up(server, database, program):
    worker = program("ccp-worker", database)
    wait_for(server.metrics_port, lambda m: m.find("ccp_program_up", program="ccp-worker") == [1], "it is up")
    worker.kill()
    worker.wait()
    database.rows("update ccp.test_clock set shift = interval '25 seconds'")
    wait_for(server.metrics_port, lambda m: m.find("ccp_program_up", program="ccp-worker") == [0], "it is not")
    database.rows("select clock.tick('cron')")


def test_nobody_writes_a_row_for_a_request(server, admin, database):
    """But of the beat, each five seconds, whatever the number of requests."""

    def written():
        return database.value("select n_tup_ins + n_tup_upd from pg_stat_user_tables where relname = 'process_samples'")

    before = database.value("select coalesce(max(at), 'epoch') from ccp.process_samples")
    for _ in range(300):
        admin.get("/healthz")
    wait_until(
        lambda: database.value("select max(at) > %s from ccp.process_samples", (before,)), "another beat has come"
    )
    assert database.value("select count(*) from ccp.process_samples") == 1
    assert written() is None or written() < 50


@pytest.mark.timeout(2000)
def test_a_whole_installation_is_measured(stack, client):
    """A start by its stages, a session by its bytes, proofs by their age, the machine's disk."""
    port = int(stack.environment["CCP_METRICS_PORT"])
    assert client.run("printf 0123456789").stdout == "0123456789"

    def complete(m):
        return (
            m.total("ccp_ssh_bytes_total", direction="down") > 0
            and m.total("ccp_task_ends_total", kind="host.start", end="succeeded") > 0
            and m.find("ccp_proof_age_max_seconds")
        )

    counted = wait_for(port, complete, "all programs have beaten")
    stages = {
        dict(pairs)["step"]
        for name, pairs in counted
        if name == "ccp_task_step_duration_seconds_count" and ("kind", "host.start") in pairs
    }
    assert len(stages) > 5, stages
    assert counted.total("ccp_ssh_connections_total") >= 1
    assert counted.total("ccp_ssh_sessions_ended_total") >= 1
    assert counted.find("ccp_hosts", status="running")[0] >= 1
    assert 0 <= counted.find("ccp_proof_age_max_seconds")[0] < counted.find("ccp_proof_life_seconds")[0]
    for name in ("ccp-api", "ccp-worker", "ccp-agent", "ccp-sshproxy"):
        assert counted.find("ccp_program_up", program=name) == [1]
        assert counted.find("ccp_process_resident_memory_bytes", program=name)
    assert 0 < counted.find("ccp_node_disk_free_bytes")[0] <= counted.find("ccp_node_disk_bytes")[0]
    text = scrape_text(port)
    assert promtool("check", "metrics", text=text).strip() == ""
    known = {name for (name,) in stack.owner.rows("select name from ccp.metrics")}
    unknown = stack.owner.rows(
        "select distinct c ->> 'name' from ccp.process_samples as s, jsonb_array_elements(s.samples) as c"
        " where not exists (select from ccp.metrics as m where m.name = c ->> 'name')"
    )
    assert unknown == []
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in Metrics(text)}
    assert known - shown <= {"ccp_pool_refusals_total", "ccp_tick_failures_total"}, "all that there is is given out"
    for word in (client.guest.name, client.guest.short_id, stack.env["CCP_DEMO_USER"], "127.0.0.1"):
        assert word not in text, word
