"""Exits and hosts over HTTP: edited, written as a whole, bound and unbound, deleted."""

import base64
import json
import secrets
import uuid

import pytest
from support.boxes import pair_make, public_of
from support.orders import EXIT, host_make, node_make, run_tasks

PROXY = {
    "label": "lisbon",
    "ip_address": "198.51.100.9",
    "tunnel_type": "proxy",
    "proxy_config": {"type": "tuic", "server": "198.51.100.9", "server_port": 443, "tls": {"server_name": "a.example"}},
    "dns_server": "198.51.100.53",
}
SOCKS = {"type": "socks", "server": "198.51.100.9", "server_port": 1080}
TUIC_SECRET = {"uuid": "0c9e5f0a-3d9f-4b0e-9a5e-6f1d2c3b4a59", "password": "hunter2Zq \u00fc"}


def changed(client, method, path, body, **headers):
    answer = client.send(method, path, body, headers=headers)
    assert answer.status == 200, answer
    return answer


def test_an_exit_is_edited_by_its_version_and_its_key_is_never_shown(server, admin, database):
    public = base64.b64encode(bytes([9]) + bytes(31)).decode()
    database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'sealing_key'", (public,))
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    made = admin.post("/v1/admin/egress-ips", EXIT | {"provider": "someone"})
    path = f"/v1/admin/egress-ips/{made.json['id']}"
    sealed = changed(admin, "PATCH", path, {"wg_preshared_key": secret}, **{"If-Match": made.headers["ETag"]})
    assert sealed.json["has_preshared_key"] and secret not in sealed.text and sealed.json["provider"] == "someone"
    assert admin.send("PATCH", path, {"wg_mtu": 1300}, headers={"If-Match": made.headers["ETag"]}).status == 412
    whole = changed(admin, "PUT", path, EXIT | {"label": "other"}).json
    assert whole["has_preshared_key"] and (whole["label"], whole["provider"]) == ("other", None)
    assert not changed(admin, "PUT", path, EXIT | {"wg_preshared_key": None}).json["has_preshared_key"]
    assert changed(admin, "PATCH", path, {"provider": "x"}).json["provider"] == "x"
    assert changed(admin, "PATCH", path, {"provider": None}).json["provider"] is None
    for body in ({"label": None}, {"ip_address": "x"}, {"wg_private_key": "x"}, {"wg_preshared_key": "x"}):
        assert admin.send("PATCH", path, body).status == 422, body
    for field in set(EXIT) - {"label"}:
        answer = admin.send("PUT", path, {name: EXIT[name] for name in EXIT if name != field})
        assert answer.status == 422 and [e["field"] for e in answer.json["errors"]] == [field]
    assert secret not in server.program.log
    assert admin.send("DELETE", path).status == 204 and admin.get(path).status == 404
    for method, body in (("PATCH", {}), ("PUT", EXIT), ("DELETE", None)):
        assert admin.send(method, path, body).json["error_code"] == "egress_ip_not_found"


@pytest.fixture
def unseal(database):
    """unseal(label, column): what the agent would read in a sealed column of an exit."""
    public, opened = pair_make()
    database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'sealing_key'", [public])

    def read(label, column="secret_sealed"):
        box = database.value(f"select {column} from ccp.egress_ips where label = %s", [label])
        return box and opened(box)

    return read


def refused_fields(answer):
    assert answer.status == 422, answer
    return [error["field"] for error in answer.json["errors"]]


def test_a_proxy_is_registered_with_its_secret_sealed_as_one(server, admin, database, unseal):
    key = {"Idempotency-Key": "p"}
    made = admin.send("POST", "/v1/admin/egress-ips", PROXY | {"proxy_secret": TUIC_SECRET}, headers=key)
    assert made.status == 201 and made.json["has_secret"] and made.json["wg_endpoint"] is None, made
    assert made.json["proxy_config"] == PROXY["proxy_config"] and made.json["dns_server"] == PROXY["dns_server"]
    assert json.loads(unseal("lisbon")) == TUIC_SECRET
    other = {"proxy_secret": TUIC_SECRET | {"password": "another"}}
    again = admin.send("POST", "/v1/admin/egress-ips", PROXY | other, headers=key)
    assert again.json["id"] == made.json["id"], "secrets are no part of what a key stands for"
    path = f"/v1/admin/egress-ips/{made.json['id']}"
    assert changed(admin, "PATCH", path, {"ip_address": "198.51.100.10"}).json["has_secret"]
    assert json.loads(unseal("lisbon")) == TUIC_SECRET
    assert changed(admin, "PUT", path, PROXY).json["has_secret"], "what a client cannot know stays"
    changed(admin, "PATCH", path, other | {"wg_private_key": None})
    assert json.loads(unseal("lisbon")) == other["proxy_secret"]
    assert refused_fields(admin.send("PATCH", path, {"proxy_secret": None})) == ["proxy_secret"]
    socks = {"proxy_config": {"type": "socks", "server": "2001:db8::9", "server_port": 1080}}
    assert not changed(admin, "PATCH", path, socks).json["has_secret"], "the secret of another type is none of its own"
    stored = database.rows("select e::text from ccp.egress_ips as e")
    assert not [s for s in TUIC_SECRET.values() if s in repr(stored) + server.program.log + made.text]


def test_a_key_has_the_size_of_its_method(server, admin, unseal):
    path = "/v1/admin/egress-ips"
    config = PROXY["proxy_config"] | {"type": "shadowsocks", "method": "2022-blake3-aes-128-gcm"}
    config.pop("tls")
    short, right = "aHVudGVyMlpx", "aHVudGVyMlpxaHVudGVyMg=="

    def of(password, **more):
        return PROXY | {"proxy_config": config | more, "proxy_secret": {"password": password}}

    for password in (short, "hunter2Zq", right.rstrip("="), f"{right}:{short}", f"{right}:"):
        answer = admin.post(path, of(password))
        assert refused_fields(answer) == ["proxy_secret.password"] and password not in answer.text, answer
    made = admin.post(path, of(f"{right}:{right}"))
    assert made.status == 201 and json.loads(unseal("lisbon")) == {"password": f"{right}:{right}"}, made
    one = f"{path}/{made.json['id']}"
    for method, body in (("PATCH", {"proxy_secret": {"password": short}}), ("PUT", of(short))):
        assert refused_fields(admin.send(method, one, body)) == ["proxy_secret.password"]
    assert changed(admin, "PUT", one, of("any word", method="aes-128-gcm")).json["has_secret"]
    assert right not in server.program.log and short not in server.program.log


def test_a_proxy_is_refused_by_field_and_without_its_secret(server, admin, unseal):
    def of(**more):
        return PROXY | {"proxy_secret": TUIC_SECRET} | more

    config = PROXY["proxy_config"]
    for field, body in {
        "proxy_secret": PROXY,
        "proxy_secret.uuid": of(proxy_secret={"password": "hunter2Zq"}),
        "proxy_secret.obfs_password": of(proxy_secret=TUIC_SECRET | {"obfs_password": "hunter2Zq"}),
        "proxy_config": of(proxy_config=None),
        "dns_server": of(dns_server=None),
        "proxy_config.type": of(proxy_config=config | {"type": "naive"}),
        "proxy_config.server": of(proxy_config=config | {"server": "px.example"}),
        "proxy_config.password": of(proxy_config=config | {"password": "hunter2Zq"}),
        "proxy_config.hunter": of(proxy_config=config | {"hunter": 2}),
        "proxy_config.tls.insecure": of(proxy_config=config | {"tls": {"insecure": True}}),
        "wg_private_key": of(wg_private_key=EXIT["wg_public_key"]),
        "wg_endpoint": of(wg_endpoint=EXIT["wg_endpoint"]),
    }.items():
        answer = admin.post("/v1/admin/egress-ips", body)
        assert refused_fields(answer) == [field] and "hunter2Zq" not in answer.text, answer
    assert refused_fields(admin.post("/v1/admin/egress-ips", EXIT | {"proxy_secret": TUIC_SECRET})) == ["proxy_secret"]
    for field in set(EXIT) - {"label", "ip_address"}:
        body = {name: EXIT[name] for name in EXIT if name != field}
        assert refused_fields(admin.post("/v1/admin/egress-ips", body)) == [field]
    assert "hunter2Zq" not in server.program.log


def test_a_providers_private_key_is_sealed_and_its_public_half_is_shown(server, admin, database, unseal):
    private, shared = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    made = admin.post("/v1/admin/egress-ips", EXIT | {"wg_private_key": private, "wg_preshared_key": shared})
    assert made.status == 201 and made.json["has_secret"] and made.json["has_preshared_key"], made
    assert json.loads(unseal("one")) == {"private_key": private}
    assert unseal("one", "wg_preshared_key_sealed") == shared
    own = made.json["wg_own_public_key"]
    assert own == public_of(private)
    path = f"/v1/admin/egress-ips/{made.json['id']}"
    assert changed(admin, "PUT", path, EXIT).json["wg_own_public_key"] == own
    assert changed(admin, "PATCH", path, {"proxy_secret": None}).json["has_secret"]
    other = changed(admin, "PATCH", path, {"wg_private_key": shared}).json
    assert other["wg_own_public_key"] == public_of(shared) and json.loads(unseal("one")) == {"private_key": shared}
    gone = changed(admin, "PATCH", path, {"wg_private_key": None}).json
    assert not gone["has_secret"] and gone["wg_own_public_key"] is None and gone["has_preshared_key"]
    changed(admin, "PATCH", path, {"wg_private_key": private})
    proxy = changed(admin, "PUT", path, PROXY | {"proxy_secret": TUIC_SECRET}).json
    assert proxy["tunnel_type"] == "proxy" and proxy["wg_own_public_key"] is None and not proxy["has_preshared_key"]
    assert json.loads(unseal("lisbon")) == TUIC_SECRET
    assert changed(admin, "PUT", path, EXIT).json["has_secret"] is False
    assert private not in server.program.log + made.text and shared not in server.program.log


def test_without_an_agents_key_a_secret_is_not_taken(server, admin):
    answer = admin.post("/v1/admin/egress-ips", PROXY | {"proxy_secret": TUIC_SECRET})
    assert answer.status == 503 and "Start an agent first" in answer.json["detail"]
    user = server.user("alice")
    assert user.post("/v1/admin/egress-ips", PROXY | {"proxy_secret": TUIC_SECRET}).status == 403


def test_an_exit_that_is_written_back_as_it_is_changes_nothing_while_its_host_runs(server, admin, database):
    _, host = host_make(admin, database)
    shown = admin.get(f"/v1/admin/hosts/{host['id']}").json
    path = f"/v1/admin/egress-ips/{shown['egress_ip_id']}"
    assert admin.post(f"/v1/admin/hosts/{host['id']}/start").status == 202
    run_tasks(database)
    before = admin.get(path).json
    assert changed(admin, "PUT", path, EXIT).json["version"] == before["version"]
    more = ("provider", "status", "tunnel_type", "wg_allowed_ips", "wg_mtu", "proxy_config", "dns_server")
    again = changed(admin, "PUT", path, {name: before[name] for name in (*EXIT, *more)})
    assert again.json["version"] == before["version"]


def test_a_bound_exit_stays_until_its_host_is_stopped_and_unbound(server, admin, database):
    _, host = host_make(admin, database)
    shown = admin.get(f"/v1/admin/hosts/{host['id']}").json
    path, binding = f"/v1/admin/egress-ips/{shown['egress_ip_id']}", f"/v1/admin/bindings/{shown['binding_id']}"
    assert admin.post(f"/v1/admin/hosts/{host['id']}/start").status == 202
    run_tasks(database)
    changed(admin, "PATCH", path, {"ip_address": "198.51.100.8"})
    refused = admin.send("PATCH", path, {"ip_address": EXIT["ip_address"]})
    assert refused.status == 409 and "a task is under way" in refused.json["detail"], refused
    run_tasks(database)
    moved = admin.get(f"/v1/admin/hosts/{host['id']}").json
    assert (moved["status"], moved["exit_address"]) == ("running", "198.51.100.8")
    assert changed(admin, "PATCH", path, {"label": "renamed"}).json["label"] == "renamed"
    assert admin.get(f"/v1/admin/hosts/{host['id']}").json["exit_label"] == "renamed"
    assert admin.send("DELETE", path).json["error_code"] == "egress_ip_bound"
    assert admin.send("DELETE", binding).json["error_code"] == "host_running"
    assert admin.post(f"/v1/admin/hosts/{host['id']}/stop").status == 202
    run_tasks(database)
    assert admin.send("DELETE", binding).status == 204
    assert admin.send("DELETE", binding).json["error_code"] == "binding_not_found"
    order = {"host_id": host["id"], "egress_ip_id": shown["egress_ip_id"]}
    first = admin.send("POST", "/v1/admin/bindings", order, headers={"Idempotency-Key": "b"})
    assert first.status == 201 and (first.json["host_id"], first.json["exit_label"]) == (host["id"], "renamed")
    assert admin.send("POST", "/v1/admin/bindings", order, headers={"Idempotency-Key": "b"}).json == first.json
    assert admin.post("/v1/admin/bindings", order).json["error_code"] == "host_bound"
    for field in order:
        answer = admin.post("/v1/admin/bindings", order | {field: str(uuid.uuid4())})
        assert answer.status == 422 and answer.json["errors"][0]["field"] == field
    assert admin.send("DELETE", f"/v1/admin/bindings/{first.json['id']}").status == 204
    assert admin.send("DELETE", path).status == 204
    types = [e["type"] for e in admin.get(f"/v1/admin/events?host_id={host['id']}").json["events"]]
    assert types.count("admin.binding.created") == types.count("admin.binding.deleted") == 2


def test_a_host_is_edited_and_the_answer_says_when_that_takes_effect(server, admin, database):
    _, host = host_make(admin, database)
    path = f"/v1/admin/hosts/{host['id']}"
    etag = admin.get(path).headers["ETag"]
    limits = {"memory_limit_mb": 2048, "cpu_limit": 1.5, "label": "laptop", "disk_limit_gb": 10}
    answer = changed(admin, "PATCH", path, limits, **{"If-Match": etag})
    assert answer.json["applies"] == "With the next start: cpu_limit, disk_limit_gb, memory_limit_mb."
    assert {name: answer.json["host"][name] for name in limits} == limits
    assert answer.headers["ETag"] == admin.get(path).headers["ETag"] != etag
    assert admin.send("PATCH", path, {"sudo": False}, headers={"If-Match": etag}).status == 412
    gone = changed(admin, "PATCH", path, {"label": None, "disk_limit_gb": None}).json
    assert gone["host"]["label"] is gone["host"]["disk_limit_gb"] is None and gone["host"]["cpu_limit"] == 1.5
    assert changed(admin, "PATCH", path, {"image": "x:1"}).json["applies"] == "With the next rebuild: image."
    for body in ({"timezone": "Mars/Base"}, {"memory_limit_mb": None}, {"memory_limit_mb": 1}, {"status": "running"}):
        assert admin.send("PATCH", path, body).status == 422, body
    assert changed(admin, "PATCH", path, {}).json["applies"] is None


def test_a_running_host_is_moved_to_another_exit_by_a_task(server, admin, database):
    _, host = host_make(admin, database)
    assert admin.post(f"/v1/admin/hosts/{host['id']}/start").status == 202
    run_tasks(database)
    other = admin.post("/v1/admin/egress-ips", EXIT | {"label": "two", "ip_address": "198.51.100.8"}).json
    order = {"host_id": host["id"], "egress_ip_id": other["id"]}
    for query in ("", "?switch=false"):
        assert admin.post(f"/v1/admin/bindings{query}", order).json["error_code"] == "host_bound"
    for query in ("?switch=1", "?switch=", "?switch=true&switch=true"):
        assert refused_fields(admin.post(f"/v1/admin/bindings{query}", order)) == ["switch"]
    assert refused_fields(admin.post("/v1/admin/bindings?switch=true", {"host_id": host["id"]})) == ["egress_ip_id"]
    key = {"Idempotency-Key": "s"}
    asked = admin.send("POST", "/v1/admin/bindings?switch=true", order, headers=key)
    assert asked.status == 202 and asked.json["status"] == "queued", asked
    assert admin.send("POST", "/v1/admin/bindings?switch=true", order, headers=key).json == asked.json
    assert admin.send("POST", "/v1/admin/bindings", order, headers=key).json["error_code"] == "idempotency_key_reused"
    assert admin.get(asked.json["status_url"]).json["kind"] == "host.switch"
    run_tasks(database)
    moved = admin.get(f"/v1/admin/hosts/{host['id']}").json
    assert (moved["status"], moved["egress_ip_id"]) == ("running", other["id"])
    assert server.user("bob").post("/v1/admin/bindings?switch=true", order).status == 403


def test_an_exit_is_tested_by_a_task_and_its_tests_are_listed(server, admin, database):
    path = f"/v1/admin/egress-ips/{admin.post('/v1/admin/egress-ips', PROXY | {'proxy_config': SOCKS}).json['id']}"
    keyless = f"/v1/admin/egress-ips/{admin.post('/v1/admin/egress-ips', EXIT).json['id']}"
    assert admin.post(f"{path}/test").json["error_code"] == "no_node"
    node_make(database)
    refused = admin.post(f"{keyless}/test")
    assert (refused.status, refused.json["error_code"]) == (409, "egress_ip_without_key")
    assert "bind it to one, or give it a private key" in refused.json["detail"]
    key = {"Idempotency-Key": "t"}
    asked = admin.send("POST", f"{path}/test", None, headers=key)
    assert (asked.status, asked.json["status"]) == (202, "queued"), asked
    assert admin.send("POST", f"{path}/test", None, headers=key).json == admin.post(f"{path}/test").json == asked.json
    assert admin.get(asked.json["status_url"]).json["kind"] == "egress.test"
    (test,) = admin.get(f"{path}/tests").json["tests"]
    assert (test["id"], test["outcome"], test["ended_at"]) == (asked.json["task_id"], None, None)
    check = {"name": "exit_ip", "outcome": "failed", "ms": 1.5, "detail": "another one"}
    found = {"outcome": "failed", "error_code": "exit_mismatch", "message": "another one", "exit_ip": "198.51.100.66"}
    database.rows(
        "select task.succeed(c.task_id, c.lease, %s)"
        " from task.claim((select max(id) from ccp.processes where program = 'ccp-agent'), 10) as c",
        [json.dumps(found | {"checks": [check], "duration_ms": 321})],
    )
    (test,) = admin.get(f"{path}/tests?outcome=failed").json["tests"]
    assert {name: test[name] for name in found} == found and test["checks"] == [check]
    assert (test["duration_ms"], test["node"], test["expected_ip"]) == (321, "node1", "198.51.100.9")
    assert admin.get(path).json["state"] == "down"
    assert admin.get(f"{path}/tests?outcome=passed").json == {"tests": [], "next_cursor": None}
    assert admin.post(f"{path}/test").json["task_id"] != asked.json["task_id"], "the next one"
    first = admin.get(f"{path}/tests?limit=1").json
    second = admin.get(f"{path}/tests?limit=1&cursor={first['next_cursor']}").json
    assert [page["tests"][0]["outcome"] for page in (first, second)] == [None, "failed"]
    bob = server.user("bob")
    assert [bob.post(f"{path}/test").status, bob.get(f"{path}/tests").status] == [403, 403]
    gone = f"/v1/admin/egress-ips/{uuid.uuid4()}"
    assert [admin.post(f"{gone}/test").status, admin.get(f"{gone}/tests").status] == [404, 404]
