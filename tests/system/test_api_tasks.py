"""Tasks and evidence over HTTP: several values a filter, ended, asked for again."""

import json
import uuid

from support.orders import host_make, run_tasks


def kinds(answer):
    assert answer.status == 200, answer
    return [task["kind"] for task in answer.json["tasks"]]


def test_a_filter_takes_several_values_and_names_what_it_does_not_know(server, admin, database):
    _, host = host_make(admin, database)
    assert admin.post(f"/v1/admin/hosts/{host['id']}/start").status == 202
    assert kinds(admin.get("/v1/admin/tasks?status=queued,succeeded")) == ["host.start", "host.create"]
    assert kinds(admin.get("/v1/admin/tasks?status=succeeded&kind=host.start,host.create")) == ["host.create"]
    assert kinds(admin.get("/v1/admin/tasks?status=running%2Cqueued")) == ["host.start"]
    assert kinds(admin.get('/v1/admin/tasks?kind=x"},{\\,host.start')) == ["host.start"]
    assert len(admin.get("/v1/admin/hosts?status=starting,failed").json["hosts"]) == 1
    for query in (
        "status=",
        "status=queued,",
        "status=,queued",
        "status=queued,ended",
        "status=queued%20",
        "kind=",
        "status=queued&status=running",
    ):
        answer = admin.get(f"/v1/admin/tasks?{query}")
        assert answer.status == 422 and answer.json["errors"][0]["field"] in ("status", "kind"), (query, answer)
    assert admin.get(f"/v1/admin/tasks?status={','.join(['queued'] * 21)}").status == 422
    parameters = admin.get("/v1/openapi.json").json["paths"]["/v1/admin/tasks"]["get"]["parameters"]
    status = next(p for p in parameters if p["name"] == "status")
    assert status["explode"] is False and "queued" in status["schema"]["items"]["enum"]


def test_a_task_is_ended_and_asked_for_again(server, admin, database):
    _, host = host_make(admin, database)
    asked = admin.post(f"/v1/admin/hosts/{host['id']}/start").json
    path = f"/v1/admin/tasks/{asked['task_id']}"
    assert admin.post(f"{path}/retry").json["error_code"] == "task_not_retryable"
    for _ in range(2):
        ended = admin.post(f"{path}/cancel")
        assert ended.status == 200 and (ended.json["status"], ended.json["error_message"]) == (
            "canceled",
            "canceled by root",
        )
    again = admin.send("POST", f"{path}/retry", headers={"Idempotency-Key": "once"})
    assert (
        again.status == 202
        and admin.send("POST", f"{path}/retry", headers={"Idempotency-Key": "once"}).json == again.json
    )
    assert kinds(admin.get("/v1/admin/tasks?status=queued")) == ["host.start"]
    run_tasks(database)
    assert admin.post(f"/v1/admin/tasks/{again.json['task_id']}/cancel").json["error_code"] == "task_ended"
    for action in ("cancel", "retry"):
        assert admin.post(f"/v1/admin/tasks/{uuid.uuid4()}/{action}").json["error_code"] == "task_not_found"
        assert admin.post(f"/v1/admin/tasks/1/{action}").status == 404
    types = [e["type"] for e in admin.get("/v1/admin/events").json["events"]]
    assert types.count("admin.task.canceled") == types.count("admin.task.retried") == 1


def test_a_user_reads_what_was_done_with_a_host_and_its_evidence(server, admin, database):
    user, host = host_make(admin, database)
    checks = [{"name": "dns", "outcome": "passed", "ms": 1.5, "detail": "asked 198.51.100.53"}]
    database.rows(
        "insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, observed_ip, checks, duration_ms)"
        " values (%s, %s, 1, 'start', 'passed', '198.51.100.7', %s, 12)",
        (host["id"], user["id"], json.dumps(checks)),
    )
    alice = server.client().login("alice", user["password"])
    own = f"/v1/user/hosts/{host['id']}"
    evidence = alice.get(f"{own}/verifications?outcome=passed,failed").json["verifications"]
    assert [(v["kind"], v["observed_ip"], v["checks"]) for v in evidence] == [("start", "198.51.100.7", checks)]
    assert admin.get(f"/v1/admin/hosts/{host['id']}/verifications").json["verifications"] == evidence
    assert alice.get(f"{own}/verifications?outcome=failed&kind=full").json["verifications"] == []
    assert kinds(alice.get(f"{own}/tasks?status=succeeded")) == ["host.create"]
    events = alice.get(f"{own}/events?type=admin.host.action,admin.binding.created").json["events"]
    assert [e["type"] for e in events] == ["admin.host.action", "admin.binding.created"]
    assert all(e["actor"] == "root" and e["actor_address"] is None for e in events)
    for query in ("events?level=bad", "events?type=x", "verifications?outcome=x", "tasks?status=x"):
        assert alice.get(f"{own}/{query}").status == 422, query
