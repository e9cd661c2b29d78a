"""Who may use a route, walked over the published document: wrong tokens and other users' things get nothing."""

import json
import time
import uuid

import pytest
from support.document import body_of, concrete, fingerprint, operations
from support.orders import JSON_TYPE, SSH_KEY, host_make
from support.tokens import b64, signed, unb64

HOST_LINES = [
    'x"; touch /tmp/pwned; "',
    "$(touch${IFS}/tmp/pwned)",
    "a`id`b",
    "x';id;'",
    "evil.example",
    "evil.example:1",
]


class Forge:
    """Tokens made of a right one and, for some, of the key itself."""

    def __init__(self, token, database):
        self.token = token
        self.head, self.claims, self.signature = token.split(".")
        self.h, self.c = json.loads(unb64(self.head)), json.loads(unb64(self.claims))
        self.secret = bytes.fromhex(
            database.value("select encode(secret, 'hex') from ccp.signing_keys where kid = %s", (self.h["kid"],))
        )

    def of_key(self, digest="sha256", head=None, **claims):
        changed = {name: value for name, value in (self.c | claims).items() if value is not None}
        return signed(self.h | (head or {}), changed, self.secret, digest)

    def rows(self):
        """(what it is, token)."""
        for alg in ("none", "None", "NONE", "nOnE", "", None, 0, "HS256 ", "hs256", "HS384", "RS256", "ES256", "dir"):
            head = b64(json.dumps(self.h | {"alg": alg}).encode())
            yield f"alg {alg} without a signature", f"{head}.{self.claims}."
            yield f"alg {alg} with the old signature", f"{head}.{self.claims}.{self.signature}"
        for alg in ("HS384", "HS512"):
            yield f"{alg} by the right key", self.of_key(alg.replace("HS", "sha"), {"alg": alg})
        for kid in ("", "0" * 16, "../../dev/null", "' or true --", "x" * 4000, None, 1, [self.h["kid"]], {"a": 1}):
            yield f"kid {str(kid)[:20]}", self.of_key(head={"kid": kid})
            yield f"kid {str(kid)[:20]} by an empty key", signed(self.h | {"kid": kid}, self.c, b"")
        yield "the kid for a key", signed(self.h, self.c, self.h["kid"].encode())
        yield "the key in the head", signed(self.h | {"jwk": {"kty": "oct", "k": b64(b"x" * 32)}}, self.c, b"x" * 32)
        yield "expired", self.of_key(exp=int(time.time()) - 1)
        for exp in (None, 0, -1, "9999999999", 9.9e300, True, [], 2**63):
            yield f"exp {exp}", self.of_key(exp=exp)
        for gen in (None, 0, -1, self.c["gen"] + 1, 2**31, 2**63, "1"):
            yield f"generation {gen}", self.of_key(gen=gen)
        for name in ("sub", "lid"):
            for value in (None, "", "x", 1, [], "' or true --", self.c[name] + "\0"):
                yield f"{name} {value!r}", self.of_key(**{name: value})
        yield "a login that is not there", self.of_key(lid=str(uuid.uuid4()))
        for cut in (1, 10, len(self.signature), len(self.signature) + 1, len(self.token) - 10):
            yield f"cut by {cut}", self.token[:-cut]
        yield "changed in its signature", self.token[:-1] + ("A" if self.token[-1] != "A" else "B")
        yield "with a longer signature", self.token + "AAAA"
        yield "with a fourth part", self.token + ".x"
        yield "twice", f"{self.token},{self.token}"
        yield "huge", self.token + "A" * 9000
        yield "huge claims", self.of_key(x="x" * 7000)[:-1]
        for text in ("", ".", "..", "a.b.c", "null", "é" * 9, "[object Object]", "x" * 8000):
            yield repr(text[:20]), text


def login_claims(client):
    return json.loads(unb64(client.token.split(".")[1]))


def closed(document, *who):
    return [row for row in operations(document) if row[2]["x-who"] in who]


def ask(client, method, path, operation, **headers):
    return client.send(method, path, None if method == "GET" else body_of(operation), headers=headers)


@pytest.fixture
def document(server):
    return server.client().get("/v1/openapi.json").json


def test_tokens_of_every_wrong_form_are_refused(server, admin, database):
    forge = Forge(admin.token, database)
    assert (
        server.client().send("GET", "/v1/user/me", headers={"Authorization": f"Bearer {forge.of_key()}"}).status == 200
    )
    count = 0
    for what, token in forge.rows():
        answer = server.client().send("GET", "/v1/admin/users", headers={"Authorization": f"Bearer {token}".encode()})
        assert answer.status == 401, (what, answer)
        count += 1
    assert count > 90
    lent = forge.of_key(
        lid=login_claims(server.user("alice"))["lid"]
    )  # the login is what counts, not who it says it is
    assert server.client().send("GET", "/v1/admin/users", headers={"Authorization": f"Bearer {lent}"}).status == 403
    for line in (f"Basic {admin.token}", admin.token, f"Bearer{admin.token}", f"Token {admin.token}", "Bearer"):
        answer = server.client().send("GET", "/v1/admin/users", headers={"Authorization": line})
        assert answer.status == 401, (line, answer)
    for name in ("token", "access_token", "authorization"):
        answer = server.client().get(f"/v1/admin/users?{name}={admin.token}")
        assert answer.status in (401, 422), answer


def test_every_closed_route_wants_a_live_token_of_the_right_role(server, admin, database, document):
    forge = Forge(admin.token, database)
    user, revoked = server.user("alice"), server.user("bobby")
    assert revoked.post("/v1/auth/logout").status == 204
    unsigned = b64(b'{"alg":"none"}')
    wrong = {
        "none": None,
        "of alg none": f"{unsigned}.{forge.claims}.",
        "expired": forge.of_key(exp=1),
        "revoked": revoked.token,
        "a poll token": "x" * 43,
    }
    before = fingerprint(database)
    routes = closed(document, "user", "admin")
    assert len(routes) > 30
    for method, path, operation in routes:
        for what, token in wrong.items():
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = ask(server.client(), method, concrete(path), operation, **headers)
            assert answer.status == 401, (what, method, path, answer)
        if operation["x-who"] == "admin":
            answer = ask(user, method, concrete(path), operation)
            assert answer.status == 403, (method, path, answer)
    for method, path, operation in closed(document, "poll token"):
        for token in (None, "x" * 43, admin.token, user.token):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = ask(server.client(), method, concrete(path), operation, **headers)
            assert answer.status == 401, (method, path, answer)
    assert fingerprint(database) == before


def test_a_disabled_admin_is_out_of_every_route_at_once(server, admin, database, document):
    made = admin.post("/v1/admin/users", {"username": "second", "role": "admin"}).json
    second = server.client().login("second", made["password"])
    assert second.get("/v1/admin/users").status == 200
    assert admin.send("PATCH", f"/v1/admin/users/{made['id']}", {"status": "disabled"}).status == 200
    before = fingerprint(database)
    for method, path, operation in closed(document, "admin"):
        answer = ask(second, method, concrete(path), operation)
        assert (answer.status, answer.json["error_code"]) == (403, "account_disabled"), (method, path, answer)
    assert fingerprint(database) == before


def test_no_route_of_a_user_touches_what_is_anothers(server, admin, database, document):
    """Each with every id of another user there is, whatever the id is of."""
    alice, _ = host_make(admin, database, "alice", "one")
    bobby, host = host_make(admin, database, "bobby", "two")
    victim = server.client().login("bobby", bobby["password"])
    key = victim.post("/v1/user/ssh-keys", {"name": "laptop", "public_key": SSH_KEY}).json
    database.rows(
        "insert into ccp.sessions (user_id, host_id, process_id, method, address)"
        " select user_id, id, (select max(id) from ccp.processes), 'password', '127.0.0.1'"
        " from ccp.hosts where id = %s",
        (host["id"],),
    )
    ids = {
        "host": host["id"],
        "task": host["task_id"],
        "key": key["id"],
        "user": bobby["id"],
        "login": login_claims(victim)["lid"],
        "session": database.value("select id from ccp.sessions"),
        "exit": database.value("select id from ccp.egress_ips where label = 'two'"),
        "binding": database.value("select id from ccp.bindings where host_id = %s", (host["id"],)),
    }
    attacker = server.client().login("alice", alice["password"])
    before = fingerprint(database)
    count = 0
    for method, path, operation in closed(document, "user"):
        if "{id}" not in path:
            continue
        for what, one in ids.items():
            answer = ask(attacker, method, path.replace("{id}", str(one)), operation)
            assert answer.status == 404, (method, path, what, answer)
            assert str(one) not in answer.text.replace(answer.json["instance"], ""), answer
            count += 1
    assert count >= 6 * len(ids)
    for path in ("/v1/user/hosts", "/v1/user/ssh-keys", "/v1/user/sessions"):
        answer = attacker.get(path)
        if answer.status == 200:
            assert not any(str(one) in answer.text for one in ids.values()), answer
    assert fingerprint(database) == before
    assert victim.get(f"/v1/user/hosts/{host['id']}").status == 200


def test_nothing_of_a_request_is_in_a_script(server, database):
    database.rows("update ccp.settings set value = '\"https://ccp.example\"' where name = 'public_url'")
    plain = server.client().get("/v1/bootstrap/script").text
    assert "https://ccp.example" in plain
    for line in HOST_LINES:
        headers = {"Host": line, "X-Forwarded-Host": line, "X-Forwarded-Proto": line, "Forwarded": f"host={line}"}
        for odd in (headers, headers | {"Host": "127.0.0.1"}, headers | {"User-Agent": line, "Referer": line}):
            answer = server.client().send("GET", "/v1/bootstrap/script", headers=odd)
            assert answer.status == 400 or answer.text == plain, (odd, answer)
    for target in ("/v1/bootstrap/script?host=evil.example", "//evil.example/v1/bootstrap/script"):
        assert server.client().get(target).status in (404, 422), target
    raw = f"GET /v1/bootstrap/script HTTP/1.1\r\nHost: evil.example\r\n{JSON_TYPE}Connection: close\r\n\r\n"
    assert server.client().raw_whole(raw.encode()).endswith(plain.encode())
