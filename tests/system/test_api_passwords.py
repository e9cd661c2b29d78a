"""Passwords that are changed or given anew, what ends with them, and the keys that an administrator registers."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.http import ApiServer
from support.orders import SSH_KEY, user_make

NEW = "another horse battery"


@pytest.fixture
def alice(server, admin):
    """Her password, and three logins."""
    password = user_make(admin, "alice")["password"]
    return password, [server.client().login("alice", password) for _ in range(3)]


def change(client, old, new=NEW, **options):
    return client.post("/v1/user/change-password", {"old_password": old, "new_password": new}, **options)


def test_a_user_changes_the_password_and_only_the_other_logins_end(server, alice):
    password, (here, *others) = alice
    answer = change(here, password)
    assert answer.status == 200 and answer.json["logins"] == 2, answer
    assert here.get("/v1/user/me").status == 200
    assert [other.get("/v1/user/me").status for other in others] == [401, 401]
    assert server.client().post("/v1/auth/login", {"username": "alice", "password": password}).status == 401
    server.client().login("alice", NEW)


def test_a_wrong_old_password_is_refused_like_a_wrong_login_and_logs_nobody_out(server, alice, database):
    password, (here, *_) = alice
    refused = change(here, "wrong wrong")
    assert (refused.status, refused.json["error_code"]) == (401, "auth_invalid"), refused
    assert "goes on" in refused.json["detail"] and here.get("/v1/user/me").status == 200
    ended = server.user("bobby")
    ended.post("/v1/auth/logout")
    assert change(ended, password).json["error_code"] != "auth_invalid"
    for bad in ({"old_password": password}, {"old_password": password, "new_password": "short"}, {}):
        assert here.post("/v1/user/change-password", bad).status == 422
    elsewhere = server.client("127.0.70.1")
    elsewhere.token = here.token
    answers = [change(elsewhere, "wrong wrong") for _ in range(5)]
    assert answers[-1].status == 429 and int(answers[-1].headers["Retry-After"]) > 0, answers[-1]
    assert change(elsewhere, password).status == 429
    assert (
        server.client("127.0.70.1").post("/v1/auth/login", {"username": "alice", "password": password}).status == 429
    ), "the limits are those of logins"
    assert change(here, password).status == 200
    assert database.value("select count(*) from ccp.events where type = 'user.password_changed'") == 1


def test_of_two_changes_at_once_one_is_refused(alice):
    password, logins = alice
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda one: change(one, password).status, logins))
    assert answers.count(200) == 1 and set(answers) == {200, 401}, answers


def test_a_repeated_change_is_answered_as_the_first_and_a_refused_one_is_not_kept(alice, database):
    password, (here, *_) = alice
    key = {"Idempotency-Key": "one"}
    assert change(here, "wrong wrong", headers=key).status == 401
    first, again = change(here, password, headers=key), change(here, password, headers=key)
    assert first.status == again.status == 200 and first.json == again.json, again
    assert database.value("select count(*) from ccp.events where type = 'user.password_changed'") == 1
    stored = database.value("select string_agg(k::text, '') from ccp.idempotency_keys as k")
    assert password not in stored and NEW not in stored


def test_an_admin_gives_a_user_a_new_password_shown_once_and_all_logins_end(server, admin, alice):
    password, logins = alice
    path = f"/v1/admin/users/{logins[0].get('/v1/user/me').json['id']}/rotate-password"
    key = {"Idempotency-Key": "one"}
    first, again = admin.post(path, headers=key), admin.post(path, headers=key)
    assert first.status == again.status == 200 and first.json["logins"] == 3, first
    assert len(first.json["password"]) >= 20 and again.json["password"] is None
    assert [one.get("/v1/user/me").status for one in logins] == [401] * 3
    assert server.client().post("/v1/auth/login", {"username": "alice", "password": password}).status == 401
    user = server.client().login("alice", first.json["password"])
    assert user.post(path).status == 403
    assert admin.post(f"/v1/admin/users/{uuid.uuid4()}/rotate-password").status == 404
    assert admin.get("/v1/user/me").status == 200


def test_an_admin_ends_all_that_a_user_has_open_and_a_disabled_admin_is_out_at_once(server, admin, alice):
    _, logins = alice
    path = f"/v1/admin/users/{logins[0].get('/v1/user/me').json['id']}/sessions"
    answer = admin.send("DELETE", path)
    assert (answer.status, answer.json) == (200, {"sessions": 0, "logins": 3}), answer
    assert [one.get("/v1/user/me").status for one in logins] == [401] * 3
    assert admin.send("DELETE", f"/v1/admin/users/{uuid.uuid4()}/sessions").status == 404
    other_password = admin.post("/v1/admin/users", {"username": "other", "role": "admin"}).json
    other = server.client().login("other", other_password["password"])
    root = other.get("/v1/admin/users?username=root").json["users"][0]
    assert other.send("PATCH", f"/v1/admin/users/{root['id']}", {"status": "disabled"}).status == 200
    rotate = path.replace("sessions", "rotate-password")
    for method, closed in (("DELETE", path), ("GET", "/v1/admin/sessions"), ("POST", rotate)):
        refused = admin.send(method, closed)
        assert (refused.status, refused.json["error_code"]) == (403, "account_disabled"), refused
    assert server.client().post("/v1/auth/login", {"username": "root", "password": ApiServer.PASSWORD}).status == 403


def test_an_admin_registers_and_removes_the_keys_of_users(admin, server):
    alice, bobby = server.user("alice"), server.user("bobby")
    ids = {name: one.get("/v1/user/me").json["id"] for name, one in (("alice", alice), ("bobby", bobby))}
    path = f"/v1/admin/users/{ids['alice']}/ssh-keys"
    key = {"Idempotency-Key": "one"}
    made = admin.post(path, {"public_key": SSH_KEY + " me@home\n", "name": "laptop"}, headers=key)
    again = admin.post(path, {"public_key": SSH_KEY + " me@home\n", "name": "laptop"}, headers=key)
    assert made.status == again.status == 201 and made.json == again.json, made
    assert made.json["public_key"] == SSH_KEY and made.json["user_id"] == ids["alice"]
    assert alice.get("/v1/user/ssh-keys").json["ssh_keys"] == admin.get(path).json["ssh_keys"] == [made.json]
    assert admin.post(path, {"public_key": SSH_KEY}).json["error_code"] == "ssh_key_exists"
    assert admin.post(path, {"public_key": "ssh-dss AAAA"}).status == 422
    nobody = f"/v1/admin/users/{uuid.uuid4()}/ssh-keys"
    assert admin.post(nobody, {"public_key": SSH_KEY}).status == 404 == admin.get(nobody).status
    theirs = f"/v1/admin/users/{ids['bobby']}/ssh-keys/{made.json['id']}"
    assert admin.send("DELETE", theirs).status == 404
    assert alice.send("DELETE", f"{path}/{made.json['id']}").status == 403
    assert admin.send("DELETE", f"{path}/{made.json['id']}").status == 204
    assert admin.send("DELETE", f"{path}/{made.json['id']}").status == 404
    assert admin.send("DELETE", f"{path}/x").status == 404
    assert alice.get("/v1/user/ssh-keys").json["ssh_keys"] == []
