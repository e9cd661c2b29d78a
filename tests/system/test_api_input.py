"""What the routes take: the published document is walked, so that a new route is in it at once."""

from urllib.parse import urlencode

from support.document import body_of, concrete, fingerprint, good_value, kinds, operations
from support.orders import JSON_TYPE

WRONG_KIND = {
    "string": [1, True, [], {}],
    "integer": ["1", 1.5, True, [], {}, 10**12, -(10**12), 1e300],
    "number": ["1", True, [], {}, 10**12, -(10**12), 1e300],
    "boolean": ["true", 0, 1, [], {}],
    "any": [],
    "object": [1, True, [], [{}], "x", "{}"],
    "array": [1, True, {}, [1], [None], [[]], [""], ["x"], "x"],
}


WRONG_SECRETS = [
    {},
    {"password": 1},
    {"password": None},
    {"password": ""},
    {"password": "x" * 1025},
    {"password": "a\nb"},
    {"Pass Word": "x"},
    {"uuid": "x"},
    {f"a{n}": "x" * 1000 for n in range(5)},
]


BODY_MAX = 64 * 1024

# What a terminal, a log or a script that reads lines could obey: C0, DEL, C1, Unicode's ends of line and paragraph.
CONTROLS = ("\n", "\r", "\t", "\x1b[2J", "\x7f", "\x85", "\x9b", "\u2028", "\u2029")


def takes_controls(schema):
    """What is only tried, or was pasted, may be anything."""
    kind = schema.get("format")
    return kind == "import-text" or (kind == "password" and schema["minLength"] == 1)


def wrong_texts(schema):
    """Texts that are no value of a string field."""
    if schema.get("maxLength", 0) < 9000:
        yield "x" * 9000
    if "maxLength" in schema:
        yield "x" * (schema["minLength"] - 1)
        if schema["maxLength"] < BODY_MAX:  # else it is the body that is too long
            yield "x" * (schema["maxLength"] + 1)
    if not takes_controls(schema):
        yield from ("\x01", *(f"one line{control}" for control in CONTROLS))
    if "enum" in schema or schema.get("format", "password") not in ("password", "import-text") or "pattern" in schema:
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
    if kind == "object" and schema["additionalProperties"] == {"type": "string"}:
        yield from WRONG_SECRETS
    if "minimum" in schema:
        yield from (schema["minimum"] - 1, schema["maximum"] + 1)


def wrong_query(schema):
    """Texts that a field of the query must not take."""
    kind = kinds(schema)[0]
    if kind == "string":
        yield from (text for text in wrong_texts(schema) if len(text) < 9000)
    elif kind == "boolean":
        yield from ("", "1", "yes", "TRUE", "null")
    elif kind == "array":
        good = good_value("", schema["items"])
        for text in wrong_query(schema["items"]):
            yield from (text, f"{good},{text}", f"{text},{good}")
        yield ",".join([good] * (schema["maxItems"] + 1))
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
            assert all(e["message"] for e in answer.json["errors"]), about
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
            # A place in a stream may be long, and of another installation.
            for value in ("", "a b") if parameter["name"] == "Last-Event-ID" else ("", "a b", "x" * 201):
                self.refused(400, self.base if self.has_body else None, **{parameter["name"].replace("-", "_"): value})
        for bad in ("0", "x" * 300, "%27", "..", "%00", "00000000-0000-0000-0000-00000000000g", "-" * 36):
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
    anonymous = server.client()
    for method, path, operation in operations(anonymous.get("/v1/openapi.json").json):
        body = {} if method != "GET" else None
        if operation["x-who"] == "public":
            assert (
                anonymous.send(method, path, body).status not in (401, 403)
                or "auth" in path
                or "login" in path
                or "sessions" in path
            )
            continue
        answer = anonymous.send(method, concrete(path), body)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer", (method, path, answer)
        if operation["x-who"] == "admin":
            answer = user.send(method, concrete(path), body_of(operation) if body is not None else None)
            assert answer.status == 403, (method, path, answer)


def test_the_document_names_every_answer_and_field(server):
    document = server.client().get("/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    assert document["openapi"] == "3.1.0"
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert any(status.startswith("2") for status in operation["responses"]), (method, path)
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
        for attribute in schema.get("properties", {}).values():
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
