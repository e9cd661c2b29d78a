"""Signing keys: several API processes, rotations and a key that is retired."""

import shutil
import tempfile
import time
from contextlib import contextmanager

import pytest
from support.http import Api
from support.program import Program
from support.stack import free_port
from support.tokens import tokens_make
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


class Still:
    """A database through a connection that is open already."""

    def __init__(self, connection):
        self.connection = connection

    def rows(self, sql, parameters=None):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def opened(database):
    with database.connect() as connection:
        yield Still(connection)


def token_of_new_key(database, admin):
    kid = admin.post("/v1/admin/signing-keys/rotate").json["kid"]
    return tokens_make(database, "root", kid=kid)[0]


def test_every_process_takes_part_in_a_rotation_within_a_second(server, admin, second, database):
    for api in (second, server.client()):
        api.token = token_of_new_key(database, admin)
        began = time.monotonic()
        wait_until(lambda a=api: a.get("/v1/user/me").status == 200, "it knows the key, which does not sign yet")
        assert time.monotonic() - began < 1
    assert database.value("select count(*) from ccp.events where type = 'key.rotated'") == 2


BUS = """
    select pg_terminate_backend(a.pid)
    from pg_stat_activity as a
    where a.datname = current_database() and a.usename = 'ccp_api' and a.query ~ 'process[.]beat'
"""


def test_a_process_that_hears_nothing_takes_no_new_key_for_a_forged_one(server, admin, second, database):
    """Its database takes no new connections, so the one that listens stays away."""
    processes = (second, server.client())
    allow = f"alter database {database.name} with allow_connections "
    with opened(database) as still:
        database.cluster.database("postgres").rows(allow + "false")
        try:
            wait_until(lambda: still.rows(BUS), "the connections that listen have ended")
            wait_until(lambda: all(api.get("/healthz").status == 503 for api in processes), "both know")
            token = tokens_make(still, "root", kid=still.rows("select token.rotate()")[0][0])[0]
            for api in processes:
                api.token = token
                answer = api.get("/v1/user/me")
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1"), answer
        finally:
            database.cluster.database("postgres").rows(allow + "true")
    for api in processes:  # before the keys are a minute old
        wait_until(lambda a=api: a.get("/v1/user/me").status == 200, "it has read the keys", timeout_s=20)
        api.token = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]
        assert api.get("/v1/user/me").status == 401
