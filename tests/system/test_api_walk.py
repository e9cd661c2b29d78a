"""The document walked by everybody: who is let in where, and requests that nobody thought of.

The walk of generated requests is as long as CCP_REQUESTS says and begins where CCP_SEED says (CONTRIBUTING.md).
"""

import itertools
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from jsonschema import ValidationError
from support.document import body_of, concrete, operations
from support.generate import Generator, is_endless
from support.orders import host_make
from support.tokens import tokens_make

REQUESTS = int(os.environ.get("CCP_REQUESTS", "2000"))
SEED = int(os.environ.get("CCP_SEED", "1"))
THREADS = 8

OUT = {"none": (401, "unauthenticated"), "disabled": (403, "account_disabled"), "expired": (403, "account_expired")}
USER_OUT = {"user": (403, "forbidden"), "other": (403, "forbidden")}
POLL_OUT = dict.fromkeys(("none", "user", "other", "disabled", "expired", "admin"), (401, "unauthenticated"))
NAMES = {"user": "alice", "other": "bobby", "disabled": "carol", "expired": "david", "admin": "root"}
# Whom a route refuses, and how; everybody else is let in.
REFUSED = {"public": {}, "poll token": POLL_OUT, "user": OUT, "admin": OUT | USER_OUT}
CALLER_CODES = {"unauthenticated", "token_invalid", "forbidden", "account_disabled", "account_expired"}


class Callers:
    """One of each kind, with as many logins as are wanted: some routes end the one that they are used with."""

    def __init__(self, admin, database, logins):
        self.alice, self.host = host_make(admin, database, "alice", "one")
        self.ids = {self.alice["id"], admin.get("/v1/user/me").json["id"]}
        for name in ("bobby", "carol", "david"):
            self.ids.add(admin.post("/v1/admin/users", {"username": name}).json["id"])
        self.tokens = {who: tokens_make(database, name, logins) for who, name in NAMES.items()}
        database.rows("update ccp.users set disabled_at = clock.now() where username = 'carol'")
        database.rows("update ccp.users set expires_at = clock.now() where username = 'david'")
        self.who = ["none", *NAMES]

    def token(self, who, number):
        return None if who == "none" else self.tokens[who][number % len(self.tokens[who])]


@pytest.fixture
def document(server):
    return server.client().get("/v1/openapi.json").json


def as_caller(server, token):
    client = server.client()
    client.token = token
    return client


def test_each_operation_lets_in_whom_the_table_names_and_nobody_else(server, admin, database, document):
    rows = list(operations(document))
    callers = Callers(admin, database, len(rows))
    assert len(rows) > 60
    for number, (method, path, operation) in enumerate(rows):
        refused = REFUSED[operation["x-who"]]
        answers = {}
        for who in callers.who:
            if is_endless(operation) and who not in refused:
                continue
            client = as_caller(server, callers.token(who, number))
            body = None if method == "GET" else body_of(operation)
            answer = answers[who] = client.send(method, concrete(path), body)
            about = (who, method, path, answer)
            code = answer.json["error_code"] if answer.status >= 400 else None
            if who in refused:
                assert (answer.status, code) == refused[who], about
            elif operation["x-who"] != "public":
                assert code not in CALLER_CODES, about
            assert answer.status != 500, about
        if operation["x-who"] == "public":  # who one is changes nothing
            assert len({answer.status for answer in answers.values()}) == 1, (method, path, answers)


def test_what_is_anothers_is_as_if_it_were_not_there(server, admin, database, document):
    callers = Callers(admin, database, 100)
    paths = [row for row in operations(document) if row[1].startswith("/v1/user/hosts/{id}")]
    assert len(paths) >= 8
    for number, (method, path, operation) in enumerate(paths):
        body = None if method == "GET" else body_of(operation)
        mine = path.replace("{id}", callers.host["id"])
        for who, theirs in itertools.product(("other", "admin"), (mine, concrete(path))):
            answer = as_caller(server, callers.token(who, number)).send(method, theirs, body)
            assert (answer.status, answer.json["error_code"]) == (404, "host_not_found"), (who, method, path, answer)
        owner = as_caller(server, callers.token("user", number)).send(method, mine, body)
        assert owner.status in (200, 202, 204, 409), (method, path, owner)


def test_each_post_takes_an_idempotency_key_and_each_edit_an_if_match(document):
    """But where a second answer could not be the first one's: its secrets are not kept."""
    secret = ("auth", "login", "bootstrap", "entry", "ticket", "sse")
    for method, path, operation in operations(document):
        headers = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
        where = (method, path, headers)
        if method == "POST":
            assert ("Idempotency-Key" in headers) != any(word in path for word in secret), where
        if method in ("PUT", "PATCH"):
            assert "If-Match" in headers and "412" in operation["responses"], where
            success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert "ETag" in success["headers"], where
            read = document["paths"][path].get("get")
            assert read is None or "ETag" in read["responses"]["200"]["headers"], where


def test_an_idempotency_key_is_taken_once_by_each_route(server, admin, database, document):
    callers = Callers(admin, database, 1)
    token = callers.token("user", 0)
    for number, (method, path, operation) in enumerate(operations(document)):
        if not any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"]):
            continue
        client = admin if operation["x-who"] == "admin" else as_caller(server, token)
        headers = {"Idempotency-Key": f"key-{number}"}
        target = concrete(path)
        first, second = (client.send(method, target, body_of(operation), headers=headers) for _ in range(2))
        assert first.status == second.status, (method, path, first, second)


def test_nothing_answers_500_to_requests_that_nobody_thought_of(server, admin, database, document):
    callers = Callers(admin, database, 200)
    generator = Generator(document, callers.ids)
    generator.learn(admin.get("/v1/admin/hosts").text + admin.get("/v1/admin/users").text)
    seen = {}

    def send(number):
        chance = random.Random(f"{SEED} {number}")
        who = chance.choice(callers.who)
        request = generator.request(chance)
        headers = dict(request.headers)
        token = callers.token(who, chance.randrange(200))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = server.client().send(request.method, request.path, request.body, headers=headers)
        except (AssertionError, ValidationError) as wrong:  # it is not what the document says
            raise AssertionError(SEED, number, who, request) from wrong
        about = (SEED, number, who, request, answer)
        assert answer.status in range(200, 500) or answer.status == 503, about
        assert answer.status >= 400 or who not in REFUSED[request.who], about
        if answer.status < 300:
            generator.learn(answer.text[:4000])
        return request.operation, answer.status

    with ThreadPoolExecutor(THREADS) as threads:
        for operation, status in threads.map(send, range(REQUESTS)):
            seen.setdefault(operation, set()).add(status)
    good = [operation for operation, statuses in seen.items() if any(status < 300 for status in statuses)]
    print(f"{REQUESTS} requests to {len(seen)} operations from seed {SEED}, {len(good)} of them with success")
    assert len(seen) == len(generator.rows)
    assert len(good) > len(seen) / 3
    assert admin.get("/healthz").status == 200 and server.program.process.poll() is None
    assert "level=error" not in server.program.log and "not served" not in server.program.log
