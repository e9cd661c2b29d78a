"""Exits and hosts: ordered, asked for, told of."""

import base64
import secrets
import uuid

from support.orders import EXIT, KEY, host_make, run_tasks, user_make


def test_bad_exit_parameters_are_refused_by_name(server, admin):
    bad = {
        "ip_address": ["198.51.100.0/24", "198.51.100", "exit.example", ""],
        "wg_endpoint": [
            "198.51.100.1",
            "198.51.100.1:0",
            "198.51.100.1:65536",
            "::1:51820",
            "exit.example:1",
            "a b:1",
            "1.2.3:4",
        ],
        "wg_public_key": ["short", KEY[:-1], KEY[:-2] + "==", "!" * 44, base64.b64encode(bytes(33)).decode()],
        "wg_preshared_key": ["short", base64.b64encode(bytes(31)).decode()],
        "wg_allowed_ips": [
            [],
            ["10.0.0.1/8"],
            ["x"],
            "10.0.0.0/33",
            ["0.0.0.0/0"] * 65,
            "10.0.0.0/8 192.168.0.0/16",
            ["", "10.0.0.0/8"],
        ],
        "wg_dns_server": ["198.51.100.53/32", "dns.example"],
        "wg_peer_address": ["10.66.0.2/33", "x"],
        "wg_mtu": [575, 1279, 1501, "1420", 1420.5],
        "tunnel_type": ["ipsec"],
        "status": ["deleted"],
        "label": ["", "x" * 101, "a\nb"],
    }
    for field, values in bad.items():
        for value in values:
            answer = admin.post("/v1/admin/egress-ips", EXIT | {field: value})
            assert answer.status == 422 and [e["field"] for e in answer.json["errors"]] == [field], (
                field,
                value,
                answer,
            )
    good = EXIT | {
        "wg_endpoint": "[2001:db8::1]:51820",
        "wg_allowed_ips": ["0.0.0.0/0", "::/0"],
        "wg_mtu": 1380,
        "wg_peer_address": "10.66.0.2/24",
    }
    made = admin.post("/v1/admin/egress-ips", good)
    assert (
        made.status == 201
        and made.json["wg_peer_address"] == "10.66.0.2/24"
        and made.json["wg_allowed_ips"] == ["0.0.0.0/0", "::/0"]
    )
    assert admin.post("/v1/admin/egress-ips", EXIT).json["error_code"] == "label_taken"
    assert admin.get("/v1/admin/egress-ips?label=on&status=active").json["egress_ips"] == [made.json]
    assert (
        admin.get("/v1/admin/egress-ips?label=two").json["egress_ips"]
        == admin.get("/v1/admin/egress-ips?status=disabled").json["egress_ips"]
        == []
    )
    shown = admin.get(f"/v1/admin/egress-ips/{made.json['id']}")
    assert shown.json == made.json and shown.headers["ETag"] == made.headers["ETag"]
    assert admin.get(f"/v1/admin/egress-ips/{uuid.uuid4()}").json["error_code"] == "egress_ip_not_found"


def test_a_preshared_key_is_sealed_and_never_shown(server, admin, database):
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    assert (
        admin.post("/v1/admin/egress-ips", EXIT | {"wg_preshared_key": secret}).json["error_code"]
        == "settings_incomplete"
    )
    # The public half of any key pair will do; 9 is the curve's base point.
    public = base64.b64encode(bytes([9]) + bytes(31)).decode()
    database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'sealing_key'", (public,))
    answer = admin.post("/v1/admin/egress-ips", EXIT | {"wg_preshared_key": secret})
    assert answer.status == 201, server.program.log
    assert answer.json["has_preshared_key"] and secret not in answer.text
    stored = database.value("select wg_preshared_key_sealed from ccp.egress_ips")
    assert secret not in stored and len(base64.b64decode(stored)) == 44 + 48
    assert secret not in server.program.log


def test_a_host_is_ordered_and_its_tasks_are_asked_for(server, admin, database):
    user, host = host_make(admin, database)
    path = f"/v1/admin/hosts/{host['id']}"
    shown = admin.get(path).json
    assert (shown["status"], shown["exit_label"], shown["username"], shown["cpu_limit"]) == (
        "stopped",
        "one",
        "alice",
        0.1,
    )
    assert admin.get(f"/v1/admin/hosts?user_id={user['id']}").json["hosts"] == [shown]
    assert admin.get("/v1/admin/hosts?status=running").json["hosts"] == []
    assert admin.post(f"{path}/verify").status == 409
    for action in ("start", "verify", "rebuild", "stop"):
        answer = admin.post(f"{path}/{action}", {"mode": "keep"} if action == "rebuild" else None)
        assert answer.status == 202 and answer.json["status"] == "queued", (action, answer)
        task = admin.get(answer.json["status_url"]).json
        assert task["kind"] == f"host.{action}"
        run_tasks(database)
    rotated = admin.post(f"{path}/rotate-ssh-password").json["ssh_password"]
    assert len(rotated) >= 20 and rotated != host["ssh_password"]
    assert database.value("select ssh_password_hash from ccp.hosts").startswith("$y$j9T$")
    assert admin.send("DELETE", f"{path}?wipe=true").status == 202
    run_tasks(database)
    assert admin.get(path).status == 404
    assert len(admin.get("/v1/admin/events?type=admin.host.action").json["events"]) == 7 - 1
    assert admin.get("/v1/admin/tasks?limit=3").json["tasks"][0]["kind"] == "host.delete"


def test_an_exit_goes_to_one_host_and_bad_references_are_named(server, admin, database):
    user, host = host_make(admin, database)
    exit_id = admin.get(f"/v1/admin/hosts/{host['id']}").json["egress_ip_id"]
    order = {"user_id": user["id"], "egress_ip_id": exit_id}
    assert admin.post("/v1/admin/hosts", order).json["error_code"] == "egress_ip_bound"
    for field, value in (
        ("user_id", str(uuid.uuid4())),
        ("egress_ip_id", str(uuid.uuid4())),
        ("timezone", "Mars/Base"),
    ):
        answer = admin.post("/v1/admin/hosts", order | {field: value})
        assert answer.status == 422 and answer.json["errors"][0]["field"] == field, answer


def test_events_are_filtered_and_paged(server, admin):
    for n in range(4):
        user_make(admin, f"user{n}")
    page = admin.get("/v1/admin/events?type=admin.user.created&limit=3").json
    rest = admin.get(f"/v1/admin/events?type=admin.user.created&limit=3&cursor={page['next_cursor']}").json
    messages = [e["message"] for e in page["events"] + rest["events"]]
    assert messages[:4] == [f"user user{n} was made" for n in (3, 2, 1, 0)] and rest["next_cursor"] is None
    assert page["events"][0]["actor"] == "root" and page["events"][0]["actor_address"] == "127.0.0.1"
    oldest = admin.get("/v1/admin/events?type=admin.user.created&limit=1&sort=time").json
    second = admin.get(
        f"/v1/admin/events?type=admin.user.created&limit=1&sort=time&cursor={oldest['next_cursor']}"
    ).json
    assert [e["message"] for e in oldest["events"] + second["events"]] == messages[-1:-3:-1]
    assert admin.get("/v1/admin/events?until=2000-01-01T00:00:00Z").json["events"] == []
    assert admin.get("/v1/admin/events?since=yesterday").json["errors"][0]["field"] == "since"


def test_hosts_and_users_say_after_how_long_without_anybody_a_host_is_stopped(server, admin, database):
    user, host = host_make(admin, database)
    for path, get in ((f"/v1/admin/hosts/{host['id']}", "host"), (f"/v1/admin/users/{user['id']}", "user")):
        assert admin.get(path).json["idle_stop_minutes"] is None, get
        answer = admin.send("PATCH", path, {"idle_stop_minutes": 60})
        assert answer.status == 200, answer
        assert admin.get(path).json["idle_stop_minutes"] == 60
        other = {"label": "x"} if get == "host" else {"role": "user"}
        assert admin.send("PATCH", path, other).status == 200
        assert admin.get(path).json["idle_stop_minutes"] == 60, "what is absent stays"
        for bad in (9, 525601, "60", 10.5):
            refused = admin.send("PATCH", path, {"idle_stop_minutes": bad})
            assert refused.status == 422 and refused.json["errors"][0]["field"] == "idle_stop_minutes", (get, bad)
        assert admin.send("PATCH", path, {"idle_stop_minutes": None}).status == 200
        assert admin.get(path).json["idle_stop_minutes"] is None
    edited = admin.send("PATCH", f"/v1/admin/hosts/{host['id']}", {"idle_stop_minutes": 60}).json
    assert edited["applies"] is None  # at once
