"""The published document as a list of operations, values that they take, and what they could have written."""

import re
import uuid

import jsonschema
from support.orders import EXIT, KEY, SSH_KEY

WRITTEN = [
    "users",
    "hosts",
    "egress_ips",
    "bindings",
    "task_rows",
    "ssh_keys",
    "sessions",
    "signing_keys",
    "settings",
    "access_grants",
    "idempotency_keys",
    "webhooks",
    "webhook_deliveries",
]


def fingerprint(database):
    tables = " union all ".join(
        f"select '{t}', md5(string_agg(t::text, '|' order by t::text)) from ccp.{t} as t" for t in WRITTEN
    )
    return database.rows(tables)


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


GOOD = EXIT | {
    "username": "mallory",
    "password": "correct horse",
    "old_password": "correct horse",
    "new_password": "another horse",
    "public_key": SSH_KEY,
    "wg_preshared_key": KEY,
    "wg_private_key": KEY,
    "url": "https://hooks.example/",
}
GOOD_FORMAT = {"uuid": str(uuid.UUID(int=1)), "date-time": "2030-01-31T12:00:00Z"}


class Contract:
    """The document as a promise: what the API answers is one of the answers that it lists."""

    def __init__(self, document):
        self.document = document
        self.paths = {re.compile(re.sub(r"\{[a-z_]+\}", "[^/]+", path)): path for path in document["paths"]}

    def find(self, method, path):
        """The responses of an operation, or None."""
        for pattern, template in self.paths.items():
            if pattern.fullmatch(path.partition("?")[0]):
                method = "get" if method == "HEAD" else method.lower()
                operation = self.document["paths"][template].get(method)
                return operation and operation["responses"]
        return None

    def check(self, method, path, answer):
        responses = self.find(method, path)
        if responses is None:
            assert answer.status in (400, 404, 405, 431), (method, path, answer)
            return
        assert str(answer.status) in responses, (method, path, answer)
        resolver = jsonschema.RefResolver("", self.document)  # of this thread: it has a state
        response = responses[str(answer.status)]
        if "$ref" in response:
            response = resolver.resolve(response["$ref"])[1]
        if not answer.text:
            return
        kind = answer.headers["Content-Type"].partition(";")[0]
        if kind == "text/plain" and answer.status >= 400:
            return  # a problem as lines, for scripts
        assert kind in response["content"], (method, path, answer)
        if kind.endswith(("/json", "+json")):
            schema = response["content"][kind]["schema"]
            jsonschema.Draft202012Validator(schema, resolver=resolver).validate(answer.json)


def kinds(schema):
    if "$ref" in schema:
        return ["any", "null"]
    return schema["type"] if isinstance(schema["type"], list) else [schema["type"]]


def good_value(name, schema):
    if name in GOOD:
        return GOOD[name]
    if schema.get("format") in GOOD_FORMAT:
        return GOOD_FORMAT[schema["format"]]
    if "enum" in schema:
        return schema["enum"][0]
    return {"string": "x", "integer": schema.get("minimum"), "object": {}, "any": {}}[kinds(schema)[0]]


def body_of(operation):
    """What it requires, and nothing else."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {"properties": {}, "required": []})
    return {name: good_value(name, schema["properties"][name]) for name in schema["required"]}


def concrete(path):
    """A path of the document with ids that are nobody's, and the name of a setting."""
    path = path.replace("{name}", "ssh_port").replace("nodes/{id}", "nodes/999").replace("{short_id}", "abcdef")
    return re.sub(r"{\w+}", lambda _: str(uuid.uuid4()), path)
