"""The HTTP routes: every one of the table with bad input, tokens, limits, the parser's holes, outages."""

import base64
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from support.http import ApiServer
from support.paths import CHECKOUT
from support.wait import wait_until

KEY = base64.b64encode(bytes(32)).decode()
SSH_KEY = (
    "ssh-ed25519 "
    + base64.b64encode((11).to_bytes(4, "big") + b"ssh-ed25519" + (32).to_bytes(4, "big") + bytes(32)).decode()
)
EXIT = {
    "label": "one",
    "ip_address": "198.51.100.7",
    "wg_endpoint": "198.51.100.1:51820",
    "wg_public_key": KEY,
    "wg_dns_server": "198.51.100.53",
    "wg_peer_address": "10.66.0.2/32",
}
JSON_TYPE = "Content-Type: application/json\r\n"
WRITTEN = [
    "users",
    "hosts",
    "egress_ips",
    "bindings",
    "task_rows",
    "ssh_keys",
    "settings",
    "access_grants",
    "idempotency_keys",
]


@pytest.fixture
def server(database, program):
    return ApiServer(database, program)


@pytest.fixture
def admin(server):
    return server.admin()


def node_make(database):
    database.rows("select process.register('ccp-agent', 'node1', 1, 'test')")


def user_make(admin, username="alice"):
    return admin.post("/v1/admin/users", {"username": username}).json


def host_make(admin, database, username="alice", label="one"):
    """A user with a host that host.create has made: stopped."""
    if not database.rows("select 1 from ccp.processes where program = 'ccp-agent'"):
        node_make(database)
    user = user_make(admin, username)
    exit_id = admin.post("/v1/admin/egress-ips", EXIT | {"label": label}).json["id"]
    answer = admin.post("/v1/admin/hosts", {"user_id": user["id"], "egress_ip_id": exit_id, "cpu_limit": 0.1})
    assert answer.status == 202, answer
    run_tasks(database)
    return user, answer.json


def run_tasks(database):
    """What an agent would do: claims what there is and succeeds."""
    database.rows(
        "select task.succeed(c.task_id, c.lease, jsonb_build_object('wg_public_key', repeat('A', 43) || '='))"
        " from task.claim((select max(id) from ccp.processes where program = 'ccp-agent'), 10) as c"
    )


def fingerprint(database):
    tables = " union all ".join(
        f"select '{t}', md5(string_agg(t::text, '|' order by t::text)) from ccp.{t} as t" for t in WRITTEN
    )
    return database.rows(tables)


def concrete(path):
    return path.replace("{id}", str(uuid.uuid4()))


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


# --- the walk: driven by the document, so a new route is in it at once


WRONG_KIND = {
    "string": [1, True, [], {}],
    "integer": ["1", 1.5, True, [], {}, 10**12, -(10**12), 1e300],
    "number": ["1", True, [], {}, 10**12, -(10**12), 1e300],
    "boolean": ["true", 0, 1, [], {}],
    "array": [1, True, {}, [1], [None], [[]], [""], ["x"], "x"],
}
GOOD = EXIT | {"username": "mallory", "password": "correct horse", "public_key": SSH_KEY, "wg_preshared_key": KEY}
GOOD_FORMAT = {"uuid": str(uuid.UUID(int=1)), "date-time": "2030-01-31T12:00:00Z"}


def kinds(schema):
    return schema["type"] if isinstance(schema["type"], list) else [schema["type"]]


def good_value(name, schema):
    if name in GOOD:
        return GOOD[name]
    if schema.get("format") in GOOD_FORMAT:
        return GOOD_FORMAT[schema["format"]]
    return (
        schema["enum"][0] if "enum" in schema else {"string": "x", "integer": schema.get("minimum")}[kinds(schema)[0]]
    )


def wrong_texts(schema):
    """Texts that are no value of a string field."""
    yield "x" * 9000
    if "maxLength" in schema:
        yield from ("x" * (schema["maxLength"] + 1), "x" * (schema["minLength"] - 1))
    if schema.get("format") != "password":  # a password may be anything
        yield "\x01"
    if "enum" in schema or schema.get("format", "password") != "password" or "pattern" in schema:
        yield from ("", "!")
    if schema.get("format") == "date-time":
        yield from ("2020-13-01T00:00:00Z", "2020-01-01T00:00:00", "yesterday")


def wrong_values(schema):
    """JSON values that a field must not take."""
    kind = kinds(schema)[0]
    yield from WRONG_KIND[kind]
    if "null" not in kinds(schema):
        yield None
    if kind == "string":
        yield from wrong_texts(schema)
    if "minimum" in schema:
        yield from (schema["minimum"] - 1, schema["maximum"] + 1)


def wrong_query(schema):
    """Texts that a field of the query must not take."""
    kind = kinds(schema)[0]
    if kind == "string":
        yield from (text for text in wrong_texts(schema) if len(text) < 9000)
    elif kind == "boolean":
        yield from ("", "1", "yes", "TRUE", "null")
    else:
        yield from ("", "x", "1.5", "1e1", " 1", "0x1", "9" * 30, schema["minimum"] - 1, schema["maximum"] + 1)


class Walk:
    """Sends what must be refused, with a token that may use the route, and sees that it is refused by name."""

    def __init__(self, client, method, path, operation):
        self.client, self.method, self.operation = client, method, operation
        self.path = concrete(path)
        self.template = path
        self.headers = {"Authorization": f"Bearer {'x' * 43}"} if operation["x-who"] == "poll token" else {}
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {"properties": {}, "required": []})
        self.fields = schema["properties"]
        self.required = schema["required"]
        self.takes_forms = "application/x-www-form-urlencoded" in content
        self.has_body = method != "GET"
        self.base = {name: good_value(name, self.fields[name]) for name in self.required}
        self.count = 0

    def parameters(self, where):
        return [parameter for parameter in self.operation["parameters"] if parameter["in"] == where]

    def refused(self, status, body=None, query="", fields=None, **headers):
        """`fields`: exactly what the answer's `errors` must name."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.send(self.method, self.path + query, body, headers=self.headers | headers)
        about = (self.method, self.template, query, body if body is None else repr(body)[:200], answer)
        assert answer.status == status, about
        assert answer.headers["Content-Type"] == "application/problem+json", about
        if fields is not None:
            assert [e["field"] for e in answer.json["errors"]] == fields, about
        self.count += 1

    def walk_body(self):
        for name, schema in self.fields.items():
            for value in wrong_values(schema):
                self.refused(422, self.base | {name: value}, fields=[name])
        for name in self.required:
            self.refused(422, {n: v for n, v in self.base.items() if n != name}, fields=[name])
        self.refused(422, self.base | {"unknown": 1}, fields=["unknown"])
        for body in (b"{", b"[]", b'"x"', b"null", b'{"a":1,"a":2}', b'{"x":"\\u0000"}', b"\xff", b'{"n":01}'):
            self.refused(400, body)
        self.refused(413, b"x" * (64 * 1024 + 1))
        self.refused(415, b"{}", Content_Type="text/plain")

    def walk_form(self):
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        if not self.takes_forms:
            self.refused(415, b"a=b", **form)
            return
        for name in self.required:
            rest = urlencode({n: v for n, v in self.base.items() if n != name}).encode()
            self.refused(422, rest, fields=[name], **form)
            self.refused(422, rest + f"&{name}=a&{name}=b".encode(), fields=[name], **form)
        self.refused(422, urlencode(self.base).encode() + b"&unknown=1", fields=["unknown"], **form)
        self.refused(400, b"a=%00", **form)

    def walk_query(self):
        body = self.base if self.has_body else None
        for parameter in self.parameters("query"):
            name = parameter["name"]
            for value in wrong_query(parameter["schema"]):
                self.refused(422, body, "?" + urlencode({name: value}), [name])
            good = urlencode({name: good_value(name, parameter["schema"]) if "enum" in parameter["schema"] else "1"})
            self.refused(422, body, f"?{good}&{good}", None)
        self.refused(422, body, "?unknown=1", ["unknown"])
        for query in ("?a=%00", "?a=%zz", "?" + "&".join(["a=1"] * 80)):
            self.refused(400, body, query)

    def walk_head(self):
        if not self.has_body:
            self.refused(400, b"x")
        for parameter in self.parameters("header"):
            for value in ("", "a b", "x" * 201):
                self.refused(400, self.base, **{parameter["name"].replace("-", "_"): value})
        for bad in ("1", "x" * 300, "%27", "..", "%00", "00000000-0000-0000-0000-00000000000g", "-" * 36):
            path = self.template.replace("{id}", bad)
            if path != self.template:
                answer = self.client.send(self.method, path, self.base if self.has_body else None, headers=self.headers)
                assert answer.status in (400, 404), (self.method, path, answer)
        token = self.headers.get("Authorization", f"Bearer {self.client.token}")
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{JSON_TYPE}"
        for lengths in ("Content-Length: 2\r\nTransfer-Encoding: chunked", "Content-Length: 2\r\nContent-Length: 2"):
            answer = self.client.raw(f"{head}{lengths}\r\n\r\n{{}}".encode())
            assert answer.startswith(b"HTTP/1.1 4"), (self.method, self.path, lengths, answer)


def test_every_route_refuses_bad_input_by_name_and_writes_nothing(server, admin, database):
    document = server.client().get("/v1/openapi.json").json
    before = fingerprint(database)
    count = 0
    for method, path, operation in operations(document):
        walk = Walk(admin, method, path, operation)
        if walk.has_body:
            walk.walk_body()
            walk.walk_form()
        walk.walk_query()
        walk.walk_head()
        count += walk.count
    assert count > 1000
    assert fingerprint(database) == before
    assert admin.get("/v1/user/me").status == 200


def test_every_route_is_closed_unless_the_table_says_public(server):
    user = server.user("alice")
    nobody = server.client()
    for method, path, operation in operations(nobody.get("/v1/openapi.json").json):
        body = {} if method != "GET" else None
        if operation["x-who"] == "public":
            assert (
                nobody.send(method, path, body).status not in (401, 403)
                or "auth" in path
                or "login" in path
                or "sessions" in path
            )
            continue
        answer = nobody.send(method, concrete(path), body)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer", (method, path, answer)
        if operation["x-who"] == "admin":
            answer = user.send(method, concrete(path), valid_body(operation))
            assert answer.status == 403, (method, path, answer)


def valid_body(operation):
    """Good values for what a route requires: the refusal must be about the caller, not the input."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    good = EXIT | {
        "username": "mallory",
        "user_id": str(uuid.uuid4()),
        "egress_ip_id": str(uuid.uuid4()),
        "expires_at": None,
    }
    return {name: good[name] for name in content["schema"]["required"]}


def test_the_document_names_every_answer_and_field(server):
    document = server.client().get("/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    assert document["openapi"] == "3.1.0"
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        for content in (c for r in operation["responses"].values() for c in r.get("content", {}).values()):
            assert content["schema"]["$ref"].rpartition("/")[2] in schemas, (method, path)
    keyed = {
        path
        for method, path, operation in operations(document)
        for p in operation["parameters"]
        if p["name"] == "Idempotency-Key"
    }
    assert "/v1/admin/users" in keyed and not {p for p in keyed if "auth" in p or "login" in p or "bootstrap" in p}
    exit_fields = document["paths"]["/v1/admin/egress-ips"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]["properties"]
    assert "names are not resolved" in exit_fields["wg_endpoint"]["description"]
    for schema in schemas.values():
        for attribute in schema["properties"].values():
            assert "description" in attribute or "$ref" in attribute


def test_another_method_is_405_with_allow_and_another_path_404(server):
    answer = server.client().send("DELETE", "/v1/auth/login")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert server.client().send("PUT", "/v1/admin/users").headers["Allow"] == "GET, HEAD, POST"
    assert server.client().get("/v1/nothing").status == 404
    assert server.client().get("/healthz/").status == 404
    assert server.client().send("HEAD", "/healthz").status == 200


def test_a_problem_document_has_all_its_members(server):
    answer = server.client().post("/v1/auth/login", {"username": 1}, headers={"X-Request-Id": "my-id.1"})
    problem = answer.json
    assert answer.headers["X-Request-Id"] == "my-id.1" == problem["request_id"]
    assert problem["status"] == answer.status == 422
    assert (
        problem["instance"] == "/v1/auth/login"
        and problem["title"]
        and problem["type"]
        and problem["message"] == problem["detail"]
    )
    assert {e["field"] for e in problem["errors"]} == {"username", "password"}
    server.program.wait_log("request_id=my-id.1")
    forged = server.client().get("/v1/nothing", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"]
    assert forged != "a b" and forged


def test_types_and_sizes_of_bodies_are_limited(server):
    client = server.client()
    assert client.post("/v1/auth/login", b"x" * (64 * 1024 + 1)).status == 413
    assert (
        client.post("/v1/auth/login", b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}).status
        == 415
    )
    assert client.post("/v1/auth/login", b"{}", headers={"Content-Type": "text/plain"}).status == 415
    assert (
        client.post("/v1/auth/login", b"{}", headers={"Content-Type": "application/json; charset=utf-8"}).status == 422
    )
    chunked = f"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\n{JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    assert b" 413 " in client.raw(chunked + chunk * 5 + b"0\r\n\r\n").split(b"\r\n")[0]


# --- what the HTTP parser lets through

HOST = b"Host: x\r\n"
LOGIN = b'{"username":"a","password":"b"}'
POST = b"POST /v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
REFUSED = {
    "both length headers": POST + b"Content-Length: 31\r\nTransfer-Encoding: chunked\r\n\r\n" + LOGIN,
    "two equal lengths": POST + b"Content-Length: 31\r\nContent-Length: 31\r\n\r\n" + LOGIN,
    "two lengths": POST + b"Content-Length: 31\r\nContent-Length: 3\r\n\r\n" + LOGIN,
    "a signed length": POST + b"Content-Length: +31\r\n\r\n" + LOGIN,
    "a huge length": POST + b"Content-Length: 99999999999999\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a transfer encoding that only ends in chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\nD: e\r\n\r\n",
    "a folded last line": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
    "a folded first line": b"GET /healthz HTTP/1.1\r\n " + HOST + b"A: b\r\n\r\n",
    "NUL in the path": b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the query": b"GET /healthz?a=%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\0c\r\n\r\n",
    "CR in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\rc\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a blank before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "two authorizations": b"GET /v1/user/me HTTP/1.1\r\n" + HOST + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "a body where none belongs": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
}


def test_what_the_http_parser_lets_through_is_refused_and_the_server_lives(server):
    client = server.client()
    for name, request in REFUSED.items():
        answer = client.raw(request)
        assert answer.startswith(b"HTTP/1.1 4"), (name, answer)
    plain = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Accept:*/*\r\nX-Empty:\r\nX-Blank:   a  \r\n\r\n"
    assert client.raw(plain).startswith(b"HTTP/1.1 200"), client.raw(plain)
    assert client.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_connections_that_dawdle_are_closed(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(1)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        began = time.monotonic()
        while time.monotonic() - began < 20:
            try:
                connection.sendall(b"A: b\r\n")
                if connection.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 8 < time.monotonic() - began < 15


def test_one_address_has_a_limit_of_connections_and_others_are_served(server):
    held = []
    try:
        for _ in range(300):
            one = socket.socket()
            one.bind(("127.0.0.2", 0))
            one.connect(("127.0.0.1", server.port))
            held.append(one)
        assert server.client("127.0.0.3").get("/healthz").status == 200
        with pytest.raises(OSError):
            server.client("127.0.0.2").get("/healthz", timeout_s=5)
    finally:
        for one in held:
            one.close()
    wait_until(lambda: server.client("127.0.0.2").get("/healthz").status == 200, 5, "the address is served again")


# --- logins


def test_a_login_gives_a_token_and_whose_it_is(server, database):
    answer = server.client().post("/v1/admin/login", {"username": "root", "password": ApiServer.PASSWORD}).json
    assert {"token", "role", "username", "short_id", "expires_in"} == set(answer)
    assert (answer["role"], answer["username"]) == ("admin", "root")
    assert database.value("select count(*) from ccp.events where type = 'auth.success'") == 1


def test_wrong_passwords_and_unknown_names_get_the_same_answer_in_the_same_time(server):
    took = {}
    answers = {}
    for name in ("root", "nobody-at-all"):
        times = []
        for _ in range(5):
            began = time.monotonic()
            answers[name] = server.client().post("/v1/auth/login", {"username": name, "password": "wrong wrong"})
            times.append(time.monotonic() - began)
        took[name] = min(times)
    first, second = ({k: v for k, v in a.json.items() if k != "request_id"} for a in answers.values())
    assert first == second and first["error_code"] == "auth_invalid" and first["status"] == 401
    assert 0.5 < took["root"] / took["nobody-at-all"] < 2, took


def test_repeated_wrong_passwords_make_their_address_wait_and_nobody_else(server):
    bad = server.client("127.0.0.2")
    answer = None
    for _ in range(5):
        answer = bad.post("/v1/auth/login", {"username": "root", "password": "wrong wrong"})
    assert answer.status == 429 and int(answer.headers["Retry-After"]) > 0, answer
    assert bad.post("/v1/auth/login", {"username": "root", "password": ApiServer.PASSWORD}).status == 429
    assert (
        server.client("127.0.0.3").post("/v1/auth/login", {"username": "root", "password": ApiServer.PASSWORD}).status
        == 200
    )


def test_refresh_replaces_the_token_and_a_stolen_one_ends_the_login(server, database):
    client = server.user("alice")
    old = client.token
    answer = client.post("/v1/auth/refresh")
    assert answer.status == 200
    assert client.get("/v1/user/me").status == 401
    client.token = answer.json["token"]
    assert client.get("/v1/user/me").status == 200
    database.rows("update ccp.logins set refreshed_at = refreshed_at - interval '1 minute'")
    client.token = old
    assert client.post("/v1/auth/refresh").status == 401
    client.token = answer.json["token"]
    assert client.get("/v1/user/me").status == 401


def test_who_may_not_use_a_route_is_refused_before_a_hash_is_made(server):
    """The hash pool takes 17 jobs at a time: were these hashed, most would be answered 503."""
    user, revoked = server.user("alice"), server.user("bobby")
    assert revoked.post("/v1/auth/logout").status == 204
    refused = [
        (user, "/v1/admin/users", {"username": "mallory"}, 403),
        (user, concrete("/v1/admin/hosts/{id}/rotate-ssh-password"), None, 403),
        (revoked, concrete("/v1/user/hosts/{id}/rotate-ssh-password"), None, 401),
    ]
    for client, path, body, status in refused:
        with ThreadPoolExecutor(40) as threads:
            answers = list(threads.map(lambda _, c=client, p=path, b=body: c.post(p, b).status, range(40)))
        assert answers == [status] * 40, path


def test_a_user_who_asks_for_passwords_without_end_keeps_nobody_from_logging_in(server):
    user = server.user("alice")
    path = concrete("/v1/user/hosts/{id}/rotate-ssh-password")
    stop = threading.Event()

    def rotate():
        seen = set()
        while not stop.is_set():
            status = user.post(path).status
            seen.add(status)
            if status == 503:  # it is the hash pool that is to be full, not the machine
                stop.wait(0.05)
        return seen

    with ThreadPoolExecutor(24) as threads:
        flood = [threads.submit(rotate) for _ in range(24)]
        try:
            for _ in range(15):
                server.admin()
        finally:
            stop.set()
        assert set().union(*(one.result() for one in flood)) == {404, 503}


def test_logout_ends_the_login_at_once(server):
    client = server.user("alice")
    assert client.post("/v1/auth/logout").status == 204
    assert client.get("/v1/user/me").status == 401


def test_a_disabled_or_expired_user_is_named_after_the_right_password_and_its_token_is_refused(server, admin):
    user = user_make(admin)
    client = server.client().login("alice", user["password"])
    login = {"username": "alice", "password": user["password"]}
    for change, code in (
        ({"status": "disabled"}, "account_disabled"),
        ({"status": "active", "expires_at": "2020-01-01T00:00:00Z"}, "account_expired"),
    ):
        assert admin.send("PATCH", f"/v1/admin/users/{user['id']}", change).status == 200
        answer = server.client().post("/v1/auth/login", login)
        assert (answer.status, answer.json["error_code"]) == (403, code)
        wrong = server.client().post("/v1/auth/login", login | {"password": "wrong wrong"})
        assert (wrong.status, wrong.json["error_code"]) == (401, "auth_invalid")
        answer = client.get("/v1/user/me")
        assert (answer.status, answer.json["error_code"]) == (403, code)
    assert admin.send("PUT", f"/v1/admin/users/{user['id']}/expiry", {"expires_at": None}).json["status"] == "active"
    assert client.get("/v1/user/me").status == 200


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_forged_tokens_are_refused(server, admin):
    head, claims, signature = admin.token.split(".")
    none = b64(b'{"alg":"none","typ":"JWT"}')
    forged = [
        f"{none}.{claims}.",
        f"{none}.{claims}.{signature}",
        f"{head}.{claims}.",
        f"{head}.{claims}.{b64(bytes(32))}",
        f"{head}.{b64(base64.urlsafe_b64decode(claims + '==').replace(b'1', b'2', 1))}.{signature}",
        f"{b64(base64.urlsafe_b64decode(head + '==').replace(b'HS256', b'HS512'))}.{claims}.{signature}",
        "x" * 5000,
        "a.b.c",
        "",
    ]
    for token in forged:
        server_client = server.client()
        server_client.token = token
        assert server_client.get("/v1/user/me").status == 401, token


# --- users, keys, exits, hosts


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
        "tunnel_type": ["proxy"],
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


def test_users_see_and_touch_only_their_own_things(server, admin, database):
    alice, alices = host_make(admin, database, "alice", "one")
    _, bobbys = host_make(admin, database, "bobby", "two")
    client = server.client().login("alice", alice["password"])
    assert [h["id"] for h in client.get("/v1/user/hosts").json["hosts"]] == [alices["id"]]
    assert client.get(f"/v1/user/hosts/{alices['id']}").json["exit_label"] == "one"
    other = f"/v1/user/hosts/{bobbys['id']}"
    assert client.get(other).status == 404
    for action in ("start", "stop", "rotate-ssh-password"):
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


# --- the database


# From the table's last row to its first: each change stays, and the first difference is the one that is told.
UNFIT = {
    "GET /v1/admin/users/{id}: there is no function api. user_get": "alter function api.user_get rename to user_get_it",
    "POST /v1/admin/users: the answer lacks the member password": "alter type api.new_user"
    " rename attribute password to secret",
    "GET /v1/admin/users: another type has p_limit": "drop function api.user_list;"
    " create function api.user_list(p_login_id uuid, p_generation integer, p_limit text default '50')"
    " returns api.user_page language sql as 'select null::api.user_page'",
    "POST /v1/user/hosts/{id}/stop: the function lacks the argument p_login_id": "drop function api.own_host_stop;"
    " create function api.own_host_stop() returns api.task_ref language sql as 'select null::api.task_ref'",
    "GET /v1/user/hosts/{id}: the answer lacks the member version": "alter view api.host"
    " rename column version to edition",
    "GET /v1/bootstrap/tasks/{id}/handoff: the function does not return sentence text": ""
    "drop function api.bootstrap_handoff;"
    " create function api.bootstrap_handoff(p_poll_sha256 text, p_address inet, p_id uuid,"
    " out answer api.handoff, out verdict ccp.verdict, out retry_after_s integer)"
    " language sql as 'select null::api.handoff, null, 0'",
    "POST /v1/auth/refresh: the function does not return generation integer": "drop function api.refresh;"
    " create function api.refresh(p_login_id uuid, p_generation integer, out answer api.login, out verdict ccp.verdict,"
    " out retry_after_s integer, out sentence text, out user_id uuid, out login_id uuid, out generation text)"
    " language sql as 'select null::api.login, null, 0, null, null::uuid, null::uuid, null'",
}


def test_the_program_refuses_to_serve_a_database_that_does_not_fit(server, database, program):
    server.program.stop()
    for complaint, change in UNFIT.items():
        database.rows(change)
        other = program("ccp-api", database, "--listen", f"127.0.0.1:{server.port}")
        assert other.wait() == 1
        assert complaint in other.log, (complaint, other.log)


def test_healthz_names_each_part_and_readyz_says_only_whether_requests_are_served(server, database):
    """The rest of the system being away, or new, is no reason to send requests elsewhere: 200, and the body tells."""
    client = server.client()
    parts = dict.fromkeys(("agent", "worker", "cron"), "absent")

    def shows(status):
        wait_until(
            lambda: client.get("/healthz").json == {"status": status, "checks": {"database": "ok"} | parts},
            8,
            f"{status}: {parts}",
        )
        assert client.get("/readyz").status == client.get("/healthz").status == 200

    shows("degraded")
    for program in ("agent", "worker"):
        database.rows("select process.register(%s, 'node1', 1, 'test')", (f"ccp-{program}",))
        parts[program] = "ok"
    database.rows("select clock.tick('cron')")
    parts["cron"] = "ok"
    shows("ok")
    database.rows("update ccp.processes set beat_at = beat_at - interval '1 minute' where program = 'ccp-agent'")
    parts["agent"] = "stale"
    shows("degraded")


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


def test_requests_answer_503_within_5_s_while_backends_are_frozen_and_go_on_after(server, admin, database):
    frozen = [
        pid
        for (pid,) in database.rows(
            "select pid from pg_stat_activity where application_name like 'ccp-api%' and datname = current_database()"
        )
    ]
    frozen.append(parent_of(frozen[0]))  # the postmaster: no new connections either
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = admin.get("/v1/user/me")
        assert time.monotonic() - began < 5
        assert answer.status == 503 and answer.headers["Retry-After"]
        assert admin.get("/healthz").status in (200, 503)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: admin.get("/v1/user/me").status == 200, 5, "requests are served again")


def test_it_starts_and_answers_503_without_a_database(server, program, database):
    server.program.stop()
    with database.connect() as connection:
        name = database.name
        cluster = database.cluster.database("postgres")
        connection.close()
        cluster.rows(f"alter database {name} with allow_connections false")
        try:
            other = program("ccp-api", database, "--listen", f"127.0.0.1:{server.port}")
            other.wait_log("event=started")
            health = server.client().get("/healthz")
            assert health.status == 503 and health.json["checks"] == {"database": "away"}
            assert server.client().get("/readyz").status == 503
            assert server.client().post("/v1/auth/login", {"username": "a", "password": "b"}).status == 503
        finally:
            cluster.rows(f"alter database {name} with allow_connections true")
    wait_until(lambda: server.client().get("/readyz").status == 200, 5, "it serves")


def test_it_stops_while_long_polls_wait(server, admin, database):
    user, _ = host_make(admin, database)
    session = server.client().post("/v1/bootstrap/sessions", {"username": "alice", "password": user["password"]}).json
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(
            f"GET {session['status_url']}?wait=25 HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {session['poll_token']}\r\n\r\n".encode()
        )
        time.sleep(0.3)  # it cannot be seen from outside that the request waits
        assert server.program.stop(5) == 0, server.program.log
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_a_poll_token_waits_twice_at_most_and_beyond_that_is_answered_at_once(server, admin, database):
    user, _ = host_make(admin, database)
    session = server.client().post("/v1/bootstrap/sessions", {"username": "alice", "password": user["password"]}).json
    poller = server.client()
    poller.token = session["poll_token"]
    with ThreadPoolExecutor(8) as threads:
        polls = [threads.submit(poller.get, f"{session['status_url']}?wait=10") for _ in range(8)]
        wait_until(lambda: sum(poll.done() for poll in polls) >= 2, 8, "polls are answered at once")
        began = time.monotonic()
        assert poller.get(f"{session['status_url']}?wait=10").status == 200
        assert time.monotonic() - began < 5
        assert not all(poll.done() for poll in polls)
        run_tasks(database)
        assert [poll.result().status for poll in polls] == [200] * 8


def log_in_until_it_stops(server):
    """One connection, kept alive; the statuses of its logins."""
    seen = []
    body = json.dumps({"username": "root", "password": ApiServer.PASSWORD})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        while True:
            connection.request("POST", "/v1/auth/login", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            seen.append(answer.status)
    except (http.client.HTTPException, OSError):
        return seen
    finally:
        connection.close()


def test_it_stops_in_order_while_logins_go_from_pool_to_pool(database, program):
    """With the address sanitizer: nothing may touch a pool that is gone."""
    subprocess.run(["make", "-s", "FLAVOUR=asan", "build/asan/ccp-api"], cwd=CHECKOUT, check=True)
    server = ApiServer(database, program, flavour="asan")
    for _ in range(3):
        with ThreadPoolExecutor(12) as threads:
            running = [threads.submit(log_in_until_it_stops, server) for _ in range(12)]
            wait_until(lambda: server.program.log.count("status=200") >= 5, 20, "logins are answered")
            assert server.program.stop() == 0, server.program.log[-3000:]
            seen = {status for one in running for status in one.result()}
        assert 200 in seen <= {200, 503}, seen
        server.start()
