"""The published document as a list of operations, values that they take, and what they could have written."""

import re
import uuid

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
}
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


def concrete(path):
    return re.sub(r"{\w+}", lambda _: str(uuid.uuid4()), path)
