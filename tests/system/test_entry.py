"""The link of one host: its script, its password, and that who has no right there does not learn what is behind it."""

import time

import pexpect
import pytest
from support.bootstrap import Scene, in_background
from support.orders import SSH_KEY
from support.timing import assert_fastest_agree
from support.wait import WAIT_S

SHELLS = pytest.mark.parametrize("shell", ["bash", "dash"])
SSH_HOST_KEY = "ssh-ed25519 AAAA"


@pytest.fixture
def scene(database, program, tmp_path):
    made = Scene(database, program, tmp_path)
    made.use(f"/entry/{made.host['short_id']}")
    return made


def auth(scene, short_id=None, source="127.0.0.1", **body):
    body = {"password": scene.user["password"]} | body
    return scene.server.client(source).post(f"/v1/entry/{short_id or scene.host['short_id']}/auth", body)


def open_ssh(scene):
    for name, value in (("ssh_host", "127.0.0.1"), ("ssh_host_key", SSH_HOST_KEY)):
        scene.database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = %s", (value, name))


def told(answer):
    """What a client learns from a refusal, but for what it said itself and the request's own number."""
    return answer.status, {name: value for name, value in answer.json.items() if name not in ("instance", "request_id")}


def test_the_script_holds_the_id_in_small_letters_and_nothing_else_of_the_request(scene):
    client = scene.server.client()
    odd = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    script = client.get(f"/entry/{scene.host['short_id'].upper()}", headers=odd)
    assert script.headers["Content-Type"].startswith("text/x-shellscript")
    lines = script.text.splitlines()
    assert f"url='{client.url}'" in lines and "evil" not in script.text
    assert [line.split()[0] for line in lines if line.startswith("entry=")] == [f"entry='{scene.host['short_id']}'"]
    for bad in ("a'b", "a;id", "%27;id;%27", "$(id)", "a%20b", "a.b", "a" * 65, "%0aid", "..", "%c3%a9"):
        answer = client.get(f"/entry/{bad}")
        assert (answer.status, answer.json["error_code"]) == (404, "not_found"), bad
    bootstrap = client.get("/v1/bootstrap/script").text.splitlines()
    assert [two for one, two in zip(bootstrap, lines, strict=True) if one != two] == [
        line for line in lines if line.startswith("entry=")
    ]


def test_a_script_is_served_for_every_id_so_that_nobody_learns_which_there_are(scene):
    client = scene.server.client()
    known = client.get(f"/entry/{scene.host['short_id']}")
    unknown = client.get("/entry/zzzzzz")
    assert unknown.status == 200
    assert unknown.text.replace("zzzzzz", scene.host["short_id"]) == known.text


def test_ids_that_lead_nowhere_and_others_hosts_answer_like_a_wrong_password(scene):
    others = scene.server.admin().post("/v1/admin/users", {"username": "bob"}).json
    wrong = auth(scene, password="wrong wrong")
    assert wrong.status == 401 and wrong.json["error_code"] == "auth_invalid"
    refusals = [auth(scene, "zzzzzz"), auth(scene, password=others["password"]), auth(scene, "Z" * 64)]
    scene.database.rows("update ccp.hosts set desired = 'absent'")
    refusals.append(auth(scene))
    assert [told(answer) for answer in refusals] == [told(wrong)] * 4
    assert scene.database.value("select count(*) from ccp.access_grants") == 0
    assert scene.database.value("select count(*) from ccp.task_rows where kind = 'host.start'") == 0


def test_mistakes_cost_the_same_whether_or_not_the_id_leads_somewhere(scene):
    scene.database.rows("update ccp.settings set value = '[]' where name = 'penalty_exempt'")
    known, unknown = scene.host["short_id"], "zzzzzz"

    for short_id, source in ((known, "127.0.0.2"), (unknown, "127.0.0.3")):
        statuses = [auth(scene, short_id, source, password="wrong wrong").status for _ in range(6)]
        assert statuses[:3] == [401] * 3 and statuses[-1] == 429, (short_id, statuses)
    # The owner's name waits nowhere for mistakes at the link, which would tell whose it is.
    client = scene.server.client("127.0.0.2")
    assert client.login("alice", scene.user["password"]).token
    assert auth(scene, source="127.0.0.4").status == 202


def test_a_right_id_takes_no_longer_than_one_that_leads_nowhere(scene):
    def timed(short_id):
        began = time.monotonic()
        assert auth(scene, short_id, password="wrong wrong").status == 401
        return time.monotonic() - began

    assert_fastest_agree(timed, [scene.host["short_id"], "zzzzzz"], 1.15)


def test_a_stopped_host_is_started_and_a_running_one_is_ready(scene):
    starting = auth(scene, public_key=SSH_KEY)
    assert starting.status == 202 and starting.json["status"] == "starting", starting
    assert starting.json["ssh_host"] is None and starting.json["host_keys"] == []
    client = scene.server.client()
    client.token = starting.json["poll_token"]
    assert client.get(starting.json["status_url"]).json["task_status"] == "queued"
    scene.claim()
    scene.succeed()
    assert auth(scene).status == 202  # the ssh proxy has not said its key: there is no way in yet
    open_ssh(scene)
    ready = auth(scene, public_key=SSH_KEY)
    assert ready.status == 200 and ready.json == ready.json | {
        "status": "ready",
        "ssh_host": "127.0.0.1",
        "ssh_port": 2222,
        "ssh_user": scene.host["short_id"],
        "host_keys": [SSH_HOST_KEY],
        "task_id": starting.json["task_id"],
    }
    client.token = ready.json["poll_token"]
    assert client.get(ready.json["status_url"] + "/handoff").json["user"] == scene.host["short_id"]
    grants = "select purpose, count(key_sha256), count(*) from ccp.access_grants group by purpose"
    assert scene.database.rows(grants) == [("entry", 2, 3)]


def test_forms_and_lines_say_the_same_as_json(scene):
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/plain"}
    body = f"password={scene.user['password']}".encode()
    answer = scene.server.client().post(f"/v1/entry/{scene.host['short_id']}/auth", body, headers=form)
    lines = dict(line.split("=", 1) for line in answer.text.splitlines())
    json = auth(scene).json
    assert answer.status == 202 and lines["status"] == "starting" and lines["task_id"] == json["task_id"]
    assert len(lines["poll_token"]) == len(json["poll_token"]) and lines["poll_token"] != json["poll_token"]


@SHELLS
def test_refusals_have_their_exit_codes(scene, shell):
    database = scene.database
    wrong = scene.temporary.parent / "wrong"
    wrong.write_text("wrong wrong\n")

    def run(*arguments, password_file=scene.password_file):
        return scene.run(shell, "--password-file", str(password_file), *arguments, "--", "true")

    assert run(password_file=wrong).returncode == 10
    for option in ("--user", "--host"):
        done = run(option, "alice")
        assert done.returncode == 2 and f"the link of host {scene.host['short_id']}: leave out {option}" in done.stderr
    helped = scene.run(shell, "--help")
    assert helped.returncode == 0 and "--user" not in helped.stderr and "--password-file FILE" in helped.stderr
    database.rows("update ccp.bindings set ended_at = clock.now()")
    assert run().returncode == 16
    database.rows("update ccp.users set disabled_at = clock.now() where username = 'alice'")
    assert run().returncode == 11
    database.rows("update ccp.users set disabled_at = null, expires_at = '2020-01-01' where username = 'alice'")
    assert run().returncode == 12
    database.rows("update ccp.settings set value = '[]' where name = 'penalty_exempt'")
    codes = [run(password_file=wrong).returncode for _ in range(6)]
    assert codes[0] == 10 and codes[-1] == 17, codes
    scene.server.program.stop()
    assert run().returncode == 2
    assert scene.left_behind() == []


@SHELLS
def test_a_start_that_fails_has_its_exit_code(scene, shell):
    thread = in_background(lambda: (scene.claim(), scene.fail("exit_mismatch")))
    done = scene.run(shell, "--password-file", str(scene.password_file), "--", "true")
    thread.join()
    assert done.returncode == 18 and "it broke" in done.stderr, done
    assert scene.left_behind() == []


@SHELLS
def test_it_asks_for_the_password_only_and_shows_the_stages(scene, shell):
    child = scene.terminal(shell)
    child.expect(f"Host {scene.host['short_id']}. Password: ")
    assert "Username" not in child.before
    child.sendline("wrong wrong")
    child.expect_exact("The password is wrong, or the link leads to no host.")
    child.expect("Password: ")
    child.sendline(scene.user["password"])
    child.expect("auth_passed")
    assert scene.user["password"] not in child.before
    scene.claim()
    for stage in ("host_starting", "tunnel_ready"):
        scene.progress(stage)
        child.expect(f"{stage} +[a-z]")
    scene.fail("docker_failed")
    child.expect("code=14")
    assert scene.left_behind() == []


@SHELLS
def test_after_a_lost_connection_it_says_the_link_that_comes_back(scene, shell):
    thread = in_background(lambda: (scene.claim(), scene.succeed()))
    open_ssh(scene)
    scene.database.rows("update ccp.settings set value = '1' where name = 'ssh_port'")
    scene.database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'ssh_host_key'", (SSH_KEY,))
    done = scene.run(shell, "--password-file", str(scene.password_file), "--", "true", timeout_s=WAIT_S)
    thread.join()
    back = f"  curl -sSf '{scene.server.client().url}{scene.link}' | sh -s --\n"
    assert done.returncode == 255 and back in done.stderr, done
    assert scene.left_behind() == []


@SHELLS
def test_ctrl_c_leaves_nothing_behind(scene, shell):
    child = pexpect.spawn(shell, [str(scene.script)], env=scene.environment(), timeout=WAIT_S, encoding="utf-8")
    child.expect("Password: ")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, child.signalstatus) == (130, None)
    assert scene.left_behind() == []
