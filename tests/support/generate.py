"""Requests made up from the document: half right, half wrong, each from a number."""

import json
import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from support.document import good_value, kinds, operations

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ODD_TEXTS = [
    "",
    " ",
    "x",
    "0",
    "-1",
    "null",
    "true",
    "é" * 30,
    "\U0001f600",
    "\ufeff",
    "\u202e",
    "a\nb",
    "\x7f",
    "'; drop table ccp.users; --",
    "%",
    "_",
    "\\",
    '"',
    "{}",
    "../../etc/passwd",
    "x" * 300,
    "9" * 40,
    "1e308",
    "NaN",
    "infinity",
    "-infinity",
    "epoch",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2030-06-30T23:59:60Z",
    "0.0.0.0",
    "::",
    "255.255.255.255/0",
    "00000000-0000-0000-0000-000000000000",
    "eyJhIjoxfQ",
]
ODD_NUMBERS = [0, -1, 1, 0.1, 1.5, 2**31 - 1, 2**31, 2**63, 2**64, -(2**63), 1e15, 1e300, -1e300]
ODD_VALUES = [None, True, False, [], {}, [[]], [None], {"a": {"b": [1]}}, ["x"] * 50]
ODD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"{}" * 2,
    b"\xff\xfe",
    b'{"a":1,"a":2}',
    b'{"a":' * 200,
    b'{"\\u0000":1}',
    b'{"a":"\\ud800"}',
    b" " * 5000,
    b"a=1&b=2",
]
ODD_HEADERS = {
    "Content-Type": ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""],
    "Accept": ["text/plain", "text/csv", "*/*", "application/xml", "", "text/html;q=0.1"],
    "If-Match": ["*", '"1"', '"2", "3"', 'W/"1"', "1", '"', '"' + "9" * 300 + '"', '""'],
    "Idempotency-Key": ["k1", "k2", "k3", "x" * 201, "a b", ""],
    "X-Request-Id": ["a", "x" * 100, "a b"],
    "Cookie": ["a=b", "__Host-ccp_refresh=x", "__Host-ccp_refresh=" + str(uuid.UUID(int=7)) + "." + "x" * 43],
    "Origin": ["null", "https://evil.example", "http://127.0.0.1"],
    "Sec-Fetch-Site": ["same-origin", "cross-site"],
    "Last-Event-ID": ["x", "0", "9" * 40],
    "Range": ["bytes=0-1"],
}


def is_endless(operation):
    """A stream of events, of which an answer has no end."""
    return "text/event-stream" in operation["responses"].get("200", {}).get("content", {})


@dataclass
class Request:
    operation: str
    who: str
    method: str
    path: str
    body: object
    headers: dict = field(default_factory=dict)


class Generator:
    """`kept`: ids of users that no request may be about, since others are made as them."""

    def __init__(self, document, kept):
        self.rows = [row for row in operations(document) if not is_endless(row[2])]
        self.kept = kept
        self.known = []

    def learn(self, text):
        """Ids that answers held: requests are about them from now on."""
        self.known = [*self.known[-300:], *(one for one in UUID.findall(text) if one not in self.kept)]

    def identity(self, chance):
        if self.known and chance.random() < 0.7:
            return chance.choice(self.known)
        return chance.choice([str(uuid.UUID(int=chance.getrandbits(128), version=4)), *ODD_TEXTS])

    def odd_value(self, chance):
        return chance.choice(chance.choice([ODD_TEXTS, ODD_NUMBERS, ODD_VALUES]))

    def good(self, name, schema, chance):
        kind = kinds(schema)[0]
        if name in ("username", "label"):
            one = f"{name}{chance.randrange(10**9)}"
        elif schema.get("format") == "uuid":
            one = self.identity(chance)
        elif kind == "array":
            one = [self.good("", schema["items"], chance) for _ in range(chance.randrange(3))]
        elif "enum" in schema or kind == "boolean":
            one = chance.choice(schema.get("enum", [True, False]))
        elif "minimum" in schema:
            one = chance.choice([schema["minimum"], schema["maximum"], schema["minimum"] + 1])
        else:
            one = good_value(name, schema)
        return one

    def value(self, name, schema, chance):
        return self.good(name, schema, chance) if chance.random() < 0.9 else self.odd_value(chance)

    def path(self, template, chance):
        def part(match):
            if match[1] in ("name", "kid"):
                return chance.choice(["idle", "ssh_port", "verify_full_s", "x"])
            if template.startswith("/v1/admin/nodes"):
                return chance.choice(["1", "2", "0", "-1", "99999999999999999999"])
            return quote(self.identity(chance), safe="")

        return re.sub(r"{(\w+)}", part, template)

    def query(self, operation, chance):
        pairs = []
        for parameter in operation["parameters"]:
            if parameter["in"] != "query" or parameter["name"] == "follow" or chance.random() < 0.6:
                continue
            value = self.value(parameter["name"], parameter["schema"], chance)
            if isinstance(value, list):
                value = ",".join(map(str, value))
            value = str(value).lower() if isinstance(value, bool) else value
            pairs.append((parameter["name"], value))
        if chance.random() < 0.03:
            pairs.append(chance.choice([("unknown", "1"), ("limit", "1"), ("a", "\x00")]))
        return "?" + urlencode(pairs) if pairs else ""

    def body(self, operation, chance):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if chance.random() < 0.04:
            return chance.choice(ODD_BODIES)
        if content is None:
            return None
        schema, body = content["schema"], {}
        for name, one in schema["properties"].items():
            if name in schema["required"] or chance.random() < 0.3:
                body[name] = self.value(name, one, chance)
        if body and chance.random() < 0.05:
            del body[chance.choice(list(body))]
        if chance.random() < 0.03:
            body[chance.choice(["unknown", "id", "role", "__proto__"])] = self.odd_value(chance)
        return json.dumps(body).encode()

    def request(self, chance):
        method, template, operation = chance.choice(self.rows)
        if method == "GET" and chance.random() < 0.05:
            method = "HEAD"
        headers = {name: chance.choice(values) for name, values in ODD_HEADERS.items() if chance.random() < 0.06}
        body = None if method in ("GET", "HEAD") and chance.random() < 0.98 else self.body(operation, chance)
        path = self.path(template, chance) + self.query(operation, chance)
        return Request(operation["operationId"], operation["x-who"], method, path, body, headers)
