"""Signing keys: several API processes, rotations and a key that is retired."""

import shutil
import tempfile
import time

import pytest
from support.http import Api
from support.program import Program
from support.stack import free_port
from support.wait import wait_until


class Elsewhere(Program):
    """On a machine of another name."""

    def command(self, conninfo, *arguments):
        words = super().command(conninfo, *arguments)
        return ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh", *words]


@pytest.fixture
def second(database, server):
    """The API on another machine, on the same database."""
    port = free_port()
    directory = tempfile.mkdtemp(prefix="ccp-program-", dir="/var/tmp")
    one = Elsewhere("ccp-api", database, directory, "--listen", f"127.0.0.1:{port}")
    try:
        one.wait_log("event=serving")
        yield Api(port)
    finally:
        one.stop()
        shutil.rmtree(directory)


def states(admin):
    return [key["state"] for key in admin.get("/v1/admin/signing-keys").json["signing_keys"]]


def test_nobody_is_logged_out_by_rotations_at_any_process(server, admin, second, database):
    alice = server.user("alice")
    second.token = alice.token
    assert states(admin) == ["signing"]
    assert "secret" not in admin.get("/v1/admin/signing-keys").text
    asked = admin.post("/v1/admin/signing-keys/rotate")
    assert (asked.status, asked.json["state"]) == (200, "pending"), asked
    until = time.monotonic() + 5
    fresh = admin.another()
    while time.monotonic() < until:
        fresh.login("root", server.PASSWORD)
        second.token = fresh.token
        assert second.get("/v1/user/me").status == 200
        assert admin.get("/v1/user/me").status == alice.get("/v1/user/me").status == 200
    assert states(admin) == ["signing", "verifying"]
    kids = {key["kid"] for key in admin.get("/v1/admin/signing-keys").json["signing_keys"]}
    signed_by = database.value("select kid from ccp.signing_keys where retired_at is null")
    assert signed_by == asked.json["kid"] and len(kids) == 2
    for _ in range(14):
        assert admin.post("/v1/admin/signing-keys/rotate").status == 200
    refused = admin.post("/v1/admin/signing-keys/rotate")
    assert (refused.status, refused.json["error_code"]) == (409, "too_many_keys"), refused
    assert admin.get("/v1/user/me").status == alice.get("/v1/user/me").status == 200
    assert alice.get("/v1/admin/signing-keys").status == alice.post("/v1/admin/signing-keys/rotate").status == 403


def test_a_retired_key_is_refused_by_every_process_within_a_second(server, admin, second):
    alice = server.user("alice")
    second.token = alice.token
    assert second.get("/v1/user/me").status == 200
    kid = admin.get("/v1/admin/signing-keys").json["signing_keys"][0]["kid"]
    assert admin.post("/v1/admin/signing-keys/nokey/retire").status == 404
    assert admin.post(f"/v1/admin/signing-keys/{kid}/retire").status == 204
    began = time.monotonic()
    wait_until(lambda: second.get("/v1/user/me").status == alice.get("/v1/user/me").status == 401, "both have heard")
    assert time.monotonic() - began < 1
    again = server.admin()
    second.token = again.token
    wait_until(lambda: second.get("/v1/user/me").status == 200, "the new key counts at both")
    assert states(again) == ["signing"]
