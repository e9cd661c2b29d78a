"""What providers give, pasted: a preview, then an exit; nothing secret comes back or is written down in the clear."""

import base64
import json
import subprocess

import pytest
from support.boxes import pair_make, public_of
from support.orders import EXIT
from support.paths import CHECKOUT
from support.wait import WAIT_S

PATH = "/v1/admin/egress-ips/import"
ASSUMED = ["ip_address_assumed", "dns_server_assumed"]
SERVER, RESOLVER = "198.51.100.77", "198.51.100.53"
LINK = "socks5://user:hunter2Zq@198.51.100.7:1080#home"


def cases():
    for path in sorted((CHECKOUT / "tests/unit/golden/import").glob("*.json")):
        found = json.loads(path.read_text())
        yield from found if isinstance(found, list) else [found]


def secret_of_case(case):
    return case["expect"].get("secret") or {}


READ = [case for case in cases() if case["expect"]["ok"]]
REFUSED = [case for case in cases() if not case["expect"]["ok"]]


@pytest.fixture
def unseal(database):
    """unseal(id, column): what the agent would read in a sealed column of an exit."""
    public, opened = pair_make()
    database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'sealing_key'", [public])

    def read(exit_id, column="secret_sealed"):
        box = database.value(f"select {column} from ccp.egress_ips where id = %s", [exit_id])
        return box and opened(box)

    read.public = public
    return read


def words(answer):
    return [warning["word"] for warning in answer.json["warnings"]]


def is_named(case):
    return "server_is_a_name" in case["expect"]["warnings"]


def telling(secret):
    """Those that a text holds by chance are none."""
    return [value for value in secret.values() if len(value) > 3]


def secret_of(unseal, exit_id):
    """All secrets of an exit as one object, as the cases have them."""
    secret = json.loads(unseal(exit_id) or "{}")
    shared = unseal(exit_id, "wg_preshared_key_sealed")
    return secret | ({"preshared_key": shared} if shared else {})


def preview_check(answer, expect):
    fields = answer.json["fields"]
    assert answer.status == 200 and answer.json["egress_ip"] is None and answer.json["refusals"] == [], answer
    assert answer.json["secrets"] == list(expect.get("secret") or {})
    assert fields["proxy_config"] == expect.get("proxy_config")
    assert fields["label"] == expect["label"]
    row = expect.get("row") or {}
    assert {name: fields[name] for name in row} == row
    assert [word for word in words(answer) if word not in ASSUMED] == expect["warnings"]


def save_check(admin, unseal, case):
    """It is saved, with an address if it has a name only."""
    body = {"text": case["input"], "save": True, "label": case["id"]}
    if is_named(case):
        refused = admin.post(PATH, body)
        assert refused.status == 422 and [e["field"] for e in refused.json["errors"]] == ["server"], refused
        body["server"] = SERVER
    saved = admin.post(PATH, body)
    assert saved.status == 201 and saved.json["refusals"] == [], (case["id"], saved)
    made = saved.json["egress_ip"]
    assert made["label"] == case["id"] and made == admin.get(f"/v1/admin/egress-ips/{made['id']}").json
    assert "server_is_a_name" not in words(saved)
    assert secret_of(unseal, made["id"]) == secret_of_case(case)
    if is_named(case):
        assert SERVER in json.dumps(made["proxy_config"] or made["wg_endpoint"])
    return saved


def test_what_can_be_read_is_previewed_and_saved(server, admin, unseal):
    assert len(READ) > 15
    for case in READ:
        secrets = telling(secret_of_case(case))
        preview = admin.post(PATH, {"text": case["input"]})
        preview_check(preview, case["expect"])
        saved = save_check(admin, unseal, case)
        said = preview.text + saved.text + server.program.log
        shown = json.dumps([case["expect"].get("proxy_config"), case["expect"].get("row")])
        assert not [s for s in secrets if s in said and s not in shown], (case["id"], preview)
        again = admin.post(PATH, {"text": case["input"], "label": case["id"], "server": SERVER})
        assert [refusal["field"] for refusal in again.json["refusals"]] == ["label"], "the label is taken now"


def test_what_cannot_is_refused_by_field_and_repeats_no_secret(server, admin, database, unseal):
    assert len(REFUSED) > 20
    for case in REFUSED:
        preview = admin.post(PATH, {"text": case["input"]})
        assert preview.status == 200 and preview.json["fields"] is None, (case["id"], preview)
        (refusal,) = preview.json["refusals"]
        assert refusal["field"] and case["expect"]["message_holds"] in refusal["message"], (case["id"], preview)
        saved = admin.post(PATH, {"text": case["input"], "save": True})
        assert saved.status == 422 and saved.json["errors"] == [refusal], (case["id"], saved)
        assert "hunter2Zq" not in preview.text + saved.text
    assert "hunter2Zq" not in server.program.log
    assert database.value("select count(*) from ccp.egress_ips") == 0


def test_a_preview_writes_nothing_and_needs_no_agent(server, admin, database):
    answer = admin.post(PATH, {"text": LINK})
    assert (answer.status, answer.json["refusals"], answer.json["secrets"]) == (200, [], ["password"])
    assert words(answer) == ASSUMED
    assert answer.json["fields"]["ip_address"] == "198.51.100.7" and answer.json["fields"]["dns_server"] == "9.9.9.9"
    assert database.value("select count(*) from ccp.egress_ips") == 0
    assert database.value("select count(*) from ccp.events where type = 'admin.egress_ip.created'") == 0
    assert admin.post(PATH, {"text": LINK, "save": True}).status == 503, "there is nobody to seal it for"
    assert server.user("alice").post(PATH, {"text": LINK}).status == 403


def test_the_request_goes_before_the_text_and_the_setting_behind(server, admin, database, unseal):
    assert admin.send("PUT", "/v1/admin/settings/import_dns_server", {"value": "198.51.100.54"}).status == 200
    assert admin.post(PATH, {"text": LINK}).json["fields"]["dns_server"] == "198.51.100.54"
    for wrong in ("9.9.9", "9.9.9.9.", "2001:db8::1", "256.1.1.1", "dns.example"):
        assert admin.send("PUT", "/v1/admin/settings/import_dns_server", {"value": wrong}).status == 422, wrong
    said = {"label": "x", "ip_address": "203.0.113.9", "dns_server": RESOLVER, "server": SERVER}
    saved = admin.post(PATH, said | {"text": LINK, "save": True})
    assert saved.status == 201 and saved.json["warnings"] == [], saved
    made = saved.json["egress_ip"]
    assert (made["label"], made["ip_address"], made["dns_server"]) == ("x", "203.0.113.9", RESOLVER)
    assert made["proxy_config"]["server"] == SERVER
    v6 = admin.post(PATH, {"text": LINK, "dns_server": "2001:db8::53"})
    assert [refusal["field"] for refusal in v6.json["refusals"]] == ["dns_server"], v6
    own = admin.post(PATH, {"text": LINK, "server": "127.0.0.1"})
    assert [refusal["field"] for refusal in own.json["refusals"]] == ["proxy_config.server"], own
    for field in ("ip_address", "server", "dns_server"):
        assert admin.post(PATH, {"text": LINK, field: "px.example"}).json["errors"][0]["field"] == field


def test_a_key_saves_once_and_no_digest_of_the_text_is_kept(server, admin, database, unseal):
    key = {"Idempotency-Key": "i"}
    first = admin.send("POST", PATH, {"text": LINK, "save": True}, headers=key)
    again = admin.send("POST", PATH, {"text": LINK.replace("hunter2Zq", "other"), "save": True}, headers=key)
    assert first.status == again.status == 201 and again.json["egress_ip"] == first.json["egress_ip"]
    assert admin.send("POST", PATH, {"text": LINK}, headers=key).status == 200, "a preview has no key"
    assert admin.send("POST", PATH, {"text": LINK, "save": True, "label": "y"}, headers=key).status == 409


def test_a_text_may_hold_anything_but_is_limited(admin):
    def fields(text):
        answer = admin.post(PATH, {"text": text})
        assert answer.status == 200, answer
        return [refusal["field"] for refusal in answer.json["refusals"]]

    assert fields("\ufeff\r\n# \x1b[2J a comment\r\n" + LINK + "\r\n\x0c\x0b") == []
    assert fields("\x01\x7f\u0085\u2028") == ["text"]
    assert fields("x" * 60000) == ["text"]
    assert fields("#" * 60000 + "\n" + LINK) == []
    assert admin.post(PATH, {"text": "x" * 66000}).status == 413
    answer = admin.post(PATH, {"text": ""})
    assert answer.status == 422 and answer.json["errors"][0]["field"] == "text"


def imported(text, *words_, key):
    return subprocess.run(
        [CHECKOUT / "build/release/ccp-api", "import", key, *words_],
        input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True,
        timeout=WAIT_S,
        check=False,
    )


def test_the_command_prints_one_statement_without_a_secret(database, unseal):
    private, shared = (base64.b64encode(bytes([n]) * 32).decode() for n in (7, 8))
    file = (
        f"[Interface]\nPrivateKey = {private}\nAddress = 10.66.0.2/32\n[Peer]\n# it's $import$; drop \\ \u00fc\n"
        f"PublicKey = {EXIT['wg_public_key']}\nPresharedKey = {shared}\nAllowedIPs = 0.0.0.0/0\n"
        "Endpoint = px.example:51820\n"
    )
    done = imported(file, f"server={SERVER}", "label=it's $import$; x \\", key=unseal.public)
    assert done.returncode == 0 and private not in done.stdout.decode() and shared not in done.stdout.decode()
    assert b"is not looked up" not in done.stderr, "what was asked for is given"
    assert b"is not looked up" in imported(file, key=unseal.public).stderr
    exit_id = database.rows(done.stdout.decode(), user="ccp_admin")[0][0]
    row = database.rows(
        "select label, wg_endpoint, host(wg_dns_server), host(ip_address), wg_own_public_key from ccp.egress_ips"
        " where id = %s",
        [exit_id],
    )
    assert row == [("it's $import$; x \\", f"{SERVER}:51820", "9.9.9.9", SERVER, public_of(private))]
    assert secret_of(unseal, exit_id) == {"private_key": private, "preshared_key": shared}


def test_the_command_refuses_with_a_sentence(unseal):
    for text, said in (
        (b"socks5://user:hunter2Zq@127.0.0.1:1080", "127.0.0.1"),
        (b"", "nothing that is known"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"x" * 70000, "longer than"),
        (b"ss://\x00", "not UTF-8"),
    ):
        done = imported(text, key=unseal.public)
        assert done.returncode == 1 and done.stdout == b"" and said in done.stderr.decode(), (text[:40], done)
        assert b"hunter2Zq" not in done.stderr
    assert imported(LINK, "wg_mtu=1", key=unseal.public).returncode == 2
    without = imported(LINK, key="nonsense").stderr
    assert b"give the value of the setting sealing_key" in without and b"not 32 bytes" in without
