"""A user is deleted over HTTP: out at once, hosts first, the user last. The worker is real, the agent is this test."""

import pytest
from support.orders import host_make, user_make
from support.wait import wait_until


@pytest.fixture
def worker(program, database):
    one = program("ccp-worker", database)
    one.wait_log("event=registered")
    return one


def agent_works(database):
    """Brings all that waits for the node's agent to success; how many there were."""
    return database.rows(
        "select task.succeed(c.task_id, c.lease, '{}') from ccp.processes as p"
        " cross join task.claim(p.id, 9) as c where p.program = 'ccp-agent' and p.ended_at is null"
    )


def test_a_user_is_out_at_once_and_gone_when_the_hosts_are(server, admin, database, worker):
    alice, host = host_make(admin, database, "alice", "one")
    path = f"/v1/admin/users/{alice['id']}"
    client = server.client().login("alice", alice["password"])
    asked = admin.send("DELETE", f"{path}?wipe=true")
    assert asked.status == 202 and asked.json["status_url"] == f"/v1/admin/tasks/{asked.json['task_id']}", asked
    assert client.get("/v1/user/me").status == 401
    late = server.client().post("/v1/auth/login", {"username": "alice", "password": alice["password"]})
    assert (late.status, late.json["error_code"]) == (403, "account_disabled"), late
    assert admin.get(path).json["status"] == "deleting"
    assert admin.send("DELETE", f"{path}?wipe=true").json["task_id"] == asked.json["task_id"]
    assert admin.send("DELETE", path).json["error_code"] == "user_being_deleted"
    assert admin.send("PATCH", path, {"status": "active"}).json["error_code"] == "user_being_deleted"
    assert admin.get(f"/v1/admin/hosts/{host['id']}").json["desired"] == "absent"
    task = asked.json["status_url"]
    wait_until(lambda: admin.get(task).json["attempt"] >= 1, "the worker has looked")
    assert admin.get(task).json["status"] in ("queued", "running")
    assert len(agent_works(database)) == 1
    wait_until(lambda: admin.get(task).json["status"] == "succeeded", "the user is gone")
    assert admin.get(path).status == admin.send("DELETE", path).status == 404
    assert admin.get("/v1/admin/users?username=alice").json["users"] == []
    assert admin.post("/v1/admin/users", {"username": "alice"}).json["error_code"] == "username_taken"
    told = [
        e for e in admin.get(f"/v1/admin/events?user_id={alice['id']}").json["events"] if "user.deleted" in e["type"]
    ]
    assert [(e["type"], e["actor"]) for e in told] == [
        ("user.deleted", "ccp_worker"),
        ("admin.user.deleted", "root"),
    ]


def test_a_user_without_hosts_goes_at_once_and_no_admin_deletes_oneself(server, admin, worker):
    bobby = server.user("bobby")
    path = f"/v1/admin/users/{bobby.get('/v1/user/me').json['id']}"
    assert bobby.send("DELETE", path).status == 403
    task = admin.send("DELETE", path).json["status_url"]
    wait_until(lambda: admin.get(task).json["status"] == "succeeded", "the user is gone")
    root = admin.get("/v1/user/me").json["id"]
    refused = admin.send("DELETE", f"/v1/admin/users/{root}")
    assert (refused.status, refused.json["error_code"]) == (409, "own_account"), refused
    other = user_make(admin, "other")
    admin.send("PATCH", f"/v1/admin/users/{other['id']}", {"role": "admin"})
    chief = server.client().login("other", other["password"])
    assert chief.send("DELETE", f"/v1/admin/users/{root}").status == 202
    assert admin.get("/v1/admin/users").status == 401


def test_a_canceled_deletion_keeps_the_user_disabled(admin, database):
    alice, host = host_make(admin, database, "alice", "one")
    path = f"/v1/admin/users/{alice['id']}"
    task = admin.send("DELETE", path).json["status_url"]
    assert admin.post(f"{task}/cancel").status in (200, 202)
    assert admin.get(path).json["status"] == "disabled"
    assert admin.get(f"/v1/admin/hosts/{host['id']}").json["desired"] == "stopped"
    assert admin.send("PATCH", path, {"status": "active"}).json["status"] == "active"
