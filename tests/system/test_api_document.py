"""The OpenAPI document, read by those who will read it: a validator, a linter, a generator of types."""

import json
import os
import subprocess

import pytest
from support.document import operations
from support.paths import CHECKOUT, pin
from support.wait import WAIT_S

OPENAPI = CHECKOUT / "tests" / "openapi"


@pytest.fixture(scope="module")
def tools():
    return pin("openapi_tools")


@pytest.fixture
def document(server):
    return server.client().get("/v1/openapi.json").json


@pytest.fixture
def file(document, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    return path


def run(*words, **environment):
    return subprocess.run(
        [str(word) for word in words],
        env=os.environ | {"NO_COLOR": "1", "CI": "1", "REDOCLY_TELEMETRY": "off"} | environment,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def test_the_program_prints_the_document_that_it_serves(server, document):
    done = server.program.once("--openapi")
    assert done.returncode == 0 and json.loads(done.stdout) == document, done.stderr


def test_a_database_that_is_away_is_said(server):
    done = server.program.once("--openapi", conninfo="host=/nowhere dbname=ccp user=ccp_api")
    assert done.returncode == 1 and not done.stdout and "/nowhere" in done.stderr


def test_the_document_is_valid(file, tools):
    done = run("/usr/bin/python3", "-m", "openapi_spec_validator", file, PYTHONPATH=f"{tools}/python")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing(file, tools):
    words = ("lint", "--config", OPENAPI / "redocly.yaml", "--format", "json", file)
    done = run(f"{tools}/node_modules/.bin/redocly", *words, REDOCLY_SUPPRESS_UPDATE_NOTICE="true")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and not found["problems"], json.dumps(found["problems"][:5], indent=1)


def test_generated_types_know_every_value(file, tools, tmp_path):
    """`unknown` is what the generator writes where the document does not say what a value is, and for other headers."""
    types = tmp_path / "schema.d.ts"
    done = run(f"{tools}/node_modules/.bin/openapi-typescript", file, "--output", types)
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in types.read_text().splitlines()]
    unknown = [line for line in lines if line.endswith("unknown;") and line != "[name: string]: unknown;"]
    assert not unknown, unknown
    done = run(f"{tools}/node_modules/.bin/tsc", "--noEmit", "--strict", types)
    assert done.returncode == 0, done.stdout


def test_every_operation_has_its_own_id_and_one_tag(document):
    tags = {tag["name"] for tag in document["tags"]}
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for method, path, operation in operations(document):
        assert len(operation["tags"]) == 1 and set(operation["tags"]) <= tags, (method, path)
    paths = document["paths"]
    assert paths["/v1/user/hosts/{id}/start"]["post"]["operationId"] == "own_host_start"
    assert paths["/v1/admin/users"]["get"]["operationId"] == "user_list"


def test_what_is_a_word_is_an_enum(document, database):
    schemas = document["components"]["schemas"]

    def words(schema, member):
        return schemas[schema]["properties"][member]["enum"]

    assert words("user", "role") == ["user", "admin"]
    assert set(words("host", "desired")) == {"running", "stopped", "absent"}
    assert None in words("task", "stop_reason")
    for schema, member, sql in (
        ("host", "status", "select status from ccp.host_statuses"),
        ("task", "kind", "select kind from ccp.task_kinds"),
        ("problem", "error_code", "select code from ccp.error_codes"),
    ):
        assert set(words(schema, member)) == {row[0] for row in database.rows(sql)}


def test_each_way_to_say_who_one_is_is_a_scheme(document):
    schemes = document["components"]["securitySchemes"]
    told = {name: [scheme.get(key) for key in ("type", "scheme", "in", "name")] for name, scheme in schemes.items()}
    assert told == {
        "jwt": ["http", "bearer", None, None],
        "pollToken": ["http", "bearer", None, None],
        "refreshCookie": ["apiKey", None, "cookie", "__Host-ccp_refresh"],
    }
    used = {}
    for _, _, operation in operations(document):
        ways = [tuple(way) for way in operation["security"]]
        used.setdefault((operation["x-who"], *ways), set()).add(operation["operationId"])
    assert used.pop(("user", ("jwt",), ("refreshCookie",))) == {"refresh", "logout"}, "either will do"
    assert set(used) == {("public",), ("poll token", ("pollToken",)), ("user", ("jwt",)), ("admin", ("jwt",))}


def test_scripts_and_lines_are_named_by_their_types(document):
    script = document["paths"]["/v1/bootstrap/script"]["get"]["responses"]["200"]["content"]
    assert list(script) == ["text/x-shellscript"]
    poll = document["paths"]["/v1/bootstrap/tasks/{id}"]["get"]
    assert set(poll["responses"]["200"]["content"]) == {"application/json", "text/plain"}
    assert poll["security"] == [{"pollToken": []}]
    assert document["paths"]["/v1/user/me"]["get"]["security"] == [{"jwt": []}]
