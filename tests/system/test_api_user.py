"""Users: made, listed, edited; orders that are repeated; their keys and what they see."""

import secrets

from support.orders import EXIT, SSH_KEY, host_make, node_make, user_make


def test_users_are_made_listed_in_pages_and_shown(server, admin):
    made = [user_make(admin, f"user{n}")["id"] for n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/v1/admin/users?limit=2{cursor and '&cursor=' + cursor}").json
        assert len(page["users"]) <= 2
        seen += [user["id"] for user in page["users"]]
        cursor = page["next_cursor"]
    assert seen[:5] == made[::-1] and len(seen) == 6 == len(set(seen))
    assert admin.get("/v1/admin/users?cursor=nonsense").json["errors"][0]["field"] == "cursor"
    oldest = admin.get("/v1/admin/users?sort=created_at&limit=2").json
    rest = admin.get(f"/v1/admin/users?sort=created_at&cursor={oldest['next_cursor']}").json
    assert [user["id"] for user in oldest["users"] + rest["users"]] == seen[::-1] and rest["next_cursor"] is None
    for other in ("users?", "tasks?sort=created_at&", "events?"):
        answer = admin.get(f"/v1/admin/{other}cursor={oldest['next_cursor']}")
        assert answer.status == 422 and answer.json["errors"][0]["field"] == "cursor", other
    assert [
        user["id"] for user in admin.get("/v1/admin/users?username=user3&role=user&status=active").json["users"]
    ] == [made[3]]
    assert admin.get("/v1/admin/users?status=disabled").json["users"] == []
    assert [user["username"] for user in admin.get("/v1/admin/users?role=admin").json["users"]] == ["root"]
    assert admin.get(f"/v1/admin/users/{made[0]}").json["username"] == "user0"
    assert admin.post("/v1/admin/users", {"username": "user0"}).json["error_code"] == "username_taken"


def test_an_edit_of_an_old_version_is_refused(server, admin):
    user = user_make(admin)
    path = f"/v1/admin/users/{user['id']}"
    tag = admin.get(path).headers["ETag"]
    assert tag == f'"{user["version"]}"'
    changed = admin.send("PATCH", path, {"role": "admin"}, headers={"If-Match": tag})
    assert changed.status == 200 and changed.headers["ETag"] != tag
    late = admin.send("PATCH", path, {"role": "user"}, headers={"If-Match": tag})
    assert late.status == 412 and f'"{late.json["version"]}"' == changed.headers["ETag"]
    assert admin.get(path).json["role"] == "admin"
    now = changed.headers["ETag"]
    given = {
        "*": 200,
        f'"7", {now}': 200,
        f"W/{now}": 412,
        f'{tag},"x"': 412,
        '"9,1"': 412,
        "nonsense": 400,
        f"{now},": 400,
        f"{now} {tag}": 400,
    }
    for value, status in given.items():
        answer = admin.send("PATCH", path, {}, headers={"If-Match": value})
        assert answer.status == status, (value, answer)
        assert admin.get(path).headers["ETag"] == now


def test_an_admin_cannot_lock_oneself_out(server, admin):
    me = admin.get("/v1/user/me").json["id"]
    for change in ({"status": "disabled"}, {"role": "user"}, {"expires_at": "2020-01-01T00:00:00Z"}):
        assert admin.send("PATCH", f"/v1/admin/users/{me}", change).json["error_code"] == "own_account"


def test_the_last_admin_does_not_expire_some_day_either(admin):
    me = f"/v1/admin/users/{admin.get('/v1/user/me').json['id']}"
    some_day = {"expires_at": "2099-01-01T00:00:00Z"}
    for method, path in (("PATCH", me), ("PUT", f"{me}/expiry")):
        refused = admin.send(method, path, some_day)
        assert (refused.status, refused.json["error_code"]) == (409, "last_admin"), refused
        assert refused.json["message"] == "User root is the last active administrator.", refused
    other = admin.post("/v1/admin/users", {"username": "other", "role": "admin"})
    assert other.status == 201 and admin.send("PUT", f"{me}/expiry", some_day).status == 200
    refused = admin.send("PATCH", f"/v1/admin/users/{other.json['id']}", {"role": "user"})
    assert refused.json["error_code"] == "last_admin" and "expire before" in refused.json["message"], refused


def test_an_idempotency_key_gives_the_same_ids_again_and_never_a_secret(server, admin, database):
    node_make(database)
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first = admin.post("/v1/admin/users", {"username": "alice"}, headers=key)
    again = admin.post("/v1/admin/users", {"username": "alice"}, headers=key)
    assert first.status == again.status == 201 and first.json["id"] == again.json["id"]
    assert len(first.json["password"]) >= 20 and again.json["password"] is None
    assert (
        admin.post("/v1/admin/users", {"username": "bobby"}, headers=key).json["error_code"] == "idempotency_key_reused"
    )

    exit_id = admin.post("/v1/admin/egress-ips", EXIT).json["id"]
    order = {"user_id": first.json["id"], "egress_ip_id": exit_id}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    host = admin.post("/v1/admin/hosts", order, headers=key)
    again = admin.post("/v1/admin/hosts", order, headers=key)
    assert host.status == again.status == 202, again
    assert (host.json["id"], host.json["task_id"]) == (again.json["id"], again.json["task_id"])
    assert len(host.json["ssh_password"]) >= 20 and again.json["ssh_password"] is None
    assert database.value("select count(*) from ccp.hosts") == 1
    stored = database.value("select string_agg(k::text, '') from ccp.idempotency_keys as k")
    assert host.json["ssh_password"] not in stored and first.json["password"] not in stored


def test_what_is_stored_of_a_request_says_nothing_of_its_password(server, admin, database):
    stored = []
    for password in ("first password", "another password"):
        answer = admin.post(
            "/v1/admin/users",
            {"password": password, "username": "alice", "role": "user"}
            if stored
            else {"role": "user", "username": "alice", "password": password},
            headers={"Idempotency-Key": "one"},
        )
        assert answer.status == 201, answer
        stored += database.rows("select ids, request_sha256 from ccp.idempotency_keys")
    assert stored[0] == stored[1]
    other = admin.post("/v1/admin/users", {"role": "admin", "username": "alice"}, headers={"Idempotency-Key": "one"})
    assert other.json["error_code"] == "idempotency_key_reused"


def test_users_see_and_touch_only_their_own_things(server, admin, database):
    alice, alices = host_make(admin, database, "alice", "one")
    _, bobbys = host_make(admin, database, "bobby", "two")
    client = server.client().login("alice", alice["password"])
    assert [h["id"] for h in client.get("/v1/user/hosts").json["hosts"]] == [alices["id"]]
    assert client.get(f"/v1/user/hosts/{alices['id']}").json["exit_label"] == "one"
    other = f"/v1/user/hosts/{bobbys['id']}"
    assert client.get(other).status == 404
    for action in ("start", "stop", "rebuild", "rotate-ssh-password"):
        assert client.post(f"{other}/{action}").status == 404
    assert client.get(f"/v1/user/tasks/{bobbys['task_id']}").status == 404
    assert client.get(f"/v1/user/tasks/{alices['task_id']}").json["status"] == "succeeded"
    started = client.post(f"/v1/user/hosts/{alices['id']}/start")
    assert started.status == 202 and client.get(started.json["status_url"]).json["kind"] == "host.start"
    assert client.post(f"/v1/user/hosts/{alices['id']}/stop").status == 202
    assert len(client.post(f"/v1/user/hosts/{alices['id']}/rotate-ssh-password").json["ssh_password"]) >= 20


def test_ssh_keys_are_registered_once_and_removed_by_their_owner(server):
    alice, bobby = server.user("alice"), server.user("bobby")
    made = alice.post("/v1/user/ssh-keys", {"public_key": SSH_KEY + " me@home\n", "name": "laptop"})
    assert made.status == 201 and made.json["public_key"] == SSH_KEY, made
    assert alice.post("/v1/user/ssh-keys", {"public_key": SSH_KEY}).json["error_code"] == "ssh_key_exists"
    assert bobby.send("DELETE", f"/v1/user/ssh-keys/{made.json['id']}").status == 404
    assert [k["name"] for k in alice.get("/v1/user/ssh-keys").json["ssh_keys"]] == ["laptop"]
    assert bobby.get("/v1/user/ssh-keys").json["ssh_keys"] == []
    assert alice.send("DELETE", f"/v1/user/ssh-keys/{made.json['id']}").status == 204
    for bad in (
        "ssh-dss AAAA",
        "ssh-ed25519 AAAA",
        SSH_KEY.replace("ssh-ed25519 ", "ssh-rsa "),
        "ssh-ed25519-cert-v01@openssh.com AAAA",
    ):
        assert alice.post("/v1/user/ssh-keys", {"public_key": bad}).status == 422, bad
