"""Exits and hosts over HTTP: edited, written as a whole, bound and unbound, deleted."""

import base64
import secrets
import uuid

from support.orders import EXIT, host_make, run_tasks


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
    for body in ({"label": None}, {"ip_address": "x"}, {"wg_private_key": secret}, {"wg_preshared_key": "x"}):
        assert admin.send("PATCH", path, body).status == 422, body
    answer = admin.send("PUT", path, {"label": "one"})
    assert answer.status == 422 and {e["field"] for e in answer.json["errors"]} == set(EXIT) - {"label"}
    assert secret not in server.program.log
    assert admin.send("DELETE", path).status == 204 and admin.get(path).status == 404
    for method, body in (("PATCH", {}), ("PUT", EXIT), ("DELETE", None)):
        assert admin.send(method, path, body).json["error_code"] == "egress_ip_not_found"


def test_a_bound_exit_stays_until_its_host_is_stopped_and_unbound(server, admin, database):
    _, host = host_make(admin, database)
    shown = admin.get(f"/v1/admin/hosts/{host['id']}").json
    path, binding = f"/v1/admin/egress-ips/{shown['egress_ip_id']}", f"/v1/admin/bindings/{shown['binding_id']}"
    assert admin.post(f"/v1/admin/hosts/{host['id']}/start").status == 202
    run_tasks(database)
    refused = admin.send("PATCH", path, {"ip_address": "198.51.100.8"})
    assert refused.status == 409 and "stop that host" in refused.json["detail"], refused
    assert (
        changed(admin, "PATCH", path, {"label": "renamed", "ip_address": EXIT["ip_address"]}).json["label"] == "renamed"
    )
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
