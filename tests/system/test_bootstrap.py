"""The bootstrap script: its exit codes, its stages, its prompts, and that it leaves nothing behind.

The start that it waits for is moved here by the functions that an agent calls; test_main_job.py has the agent itself.
"""

import contextlib
import subprocess
import termios
from pathlib import Path

import pexpect
import pytest
from support.bootstrap import Scene, in_background
from support.orders import EXIT
from support.wait import WAIT_S, wait_until

WAKE_S = 20  # before a poll of 25 s ends by itself
STAGES = [
    "auth_passed",
    "host_starting",
    "image_ready",
    "container_created",
    "firewall_ready",
    "tunnel_ready",
    "verifying",
    "ssh_ready",
]
SHELLS = pytest.mark.parametrize("shell", ["bash", "dash"])


@pytest.fixture
def scene(database, program, tmp_path):
    return Scene(database, program, tmp_path)


@SHELLS
def test_without_a_terminal_it_says_what_to_give(scene, shell):
    for arguments, hint in (((), "--user"), (("--user", "alice"), "--password-file")):
        done = scene.run(shell, *arguments)
        assert done.returncode == 2 and f"give {hint}" in done.stderr, done
    done = scene.run(shell, "--user", "alice", "--password-file", str(scene.password_file))
    assert done.returncode == 2 and "give a command after --" in done.stderr, done
    assert scene.database.value("select count(*) from ccp.task_rows where kind = 'host.start'") == 0
    assert scene.run(shell, "--nonsense").returncode == 2
    assert scene.run(shell, "--user").returncode == 2
    assert scene.run(shell, "--help").returncode == 0
    assert scene.left_behind() == []


@SHELLS
def test_refusals_have_their_exit_codes(scene, shell):
    database = scene.database
    wrong = scene.temporary.parent / "wrong"
    wrong.write_text("wrong wrong\n")
    (scene.temporary.parent / ".curlrc").write_text("fail\n")

    def code(*arguments):
        return scene.run_as_alice(shell, *arguments).returncode

    assert scene.run_as_alice(shell, password_file=wrong).returncode == 10
    assert scene.run_as_alice(shell, "--user", "nobody").returncode == 10
    assert scene.run_as_alice(shell, password_file="/nowhere").returncode == 2
    assert code("--host", "zzzzzzzz") == 13
    database.rows("update ccp.bindings set ended_at = clock.now()")
    assert code() == 16
    database.rows("update ccp.users set disabled_at = clock.now() where username = 'alice'")
    assert code() == 11
    database.rows("update ccp.users set disabled_at = null, expires_at = '2020-01-01' where username = 'alice'")
    assert code() == 12
    database.rows("update ccp.settings set value = '[]' where name = 'penalty_exempt'")
    codes = [scene.run_as_alice(shell, password_file=wrong).returncode for _ in range(6)]
    assert codes[0] == 10 and codes[-1] == 17, codes
    scene.server.program.stop()
    assert code() == 2
    assert scene.left_behind() == []


def test_a_host_that_could_not_be_made_is_a_start_that_failed_and_says_why(scene):
    admin = scene.server.admin()
    bob = admin.post("/v1/admin/users", {"username": "bob"}).json
    exit_id = admin.post("/v1/admin/egress-ips", EXIT | {"label": "second"}).json["id"]
    assert admin.post("/v1/admin/hosts", {"user_id": bob["id"], "egress_ip_id": exit_id}).status == 202
    scene.claim()
    scene.fail("image_missing")
    scene.password_file.write_text(bob["password"] + "\n")
    done = scene.run_as_alice("dash", "--user", "bob")
    assert done.returncode == 14 and "it broke" in done.stderr, done
    assert scene.left_behind() == []


@pytest.mark.parametrize(
    ("error_code", "exit_code"),
    [("image_missing", 14), ("tunnel_no_handshake", 14), ("exit_mismatch", 18), ("leak", 18), ("sshd_silent", 15)],
)
def test_a_start_that_fails_has_its_exit_code(scene, error_code, exit_code):
    def agent():
        scene.claim()
        scene.progress("host_starting")
        scene.fail(error_code)

    thread = in_background(agent)
    done = scene.run_as_alice("dash")
    thread.join()
    assert done.returncode == exit_code and "it broke" in done.stderr, done
    assert scene.left_behind() == []


@SHELLS
def test_stages_are_shown_as_they_go_by_and_each_once(scene, shell):
    child = pexpect.spawn(
        shell,
        [str(scene.script), "--user", "alice", "--password-file", str(scene.password_file)],
        env=scene.environment(),
        timeout=WAIT_S,
        encoding="utf-8",
    )
    child.expect("auth_passed")
    scene.claim()
    for stage in ("host_starting", "image_ready"):
        scene.progress(stage)
        child.expect(f"{stage} +[a-z]", timeout=WAKE_S)
    scene.progress("tunnel_ready")
    for stage in ("container_created", "firewall_ready", "tunnel_ready"):  # two were too quick for a poll
        child.expect(f"{stage} +[a-z]", timeout=WAKE_S)
    scene.fail("exit_mismatch")
    child.expect("could not be started: it broke", timeout=WAKE_S)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 18
    assert scene.left_behind() == []


@SHELLS
def test_it_asks_on_the_terminal_and_does_not_show_the_password(scene, shell):
    child = scene.terminal(shell)
    child.expect("Username: ")
    child.sendline("alice")
    child.expect("Password: ")
    child.sendline(scene.user["password"])
    child.expect("auth_passed")
    assert scene.user["password"] not in child.before
    scene.claim()
    scene.fail("docker_failed")
    child.expect("code=14")
    assert scene.left_behind() == []


@SHELLS
def test_a_password_that_was_mistyped_may_be_typed_three_times(scene, shell):
    child = scene.terminal(shell)
    child.expect("Username: ")
    child.sendline("alice")
    for wrong, said in (("wrong wrong", "User name or password is wrong."), ("", "The password is empty.")):
        child.expect("Password: ")
        child.sendline(wrong)
        child.expect_exact(said)
    child.expect("Password: ")
    child.sendline(scene.user["password"])
    child.expect("auth_passed")
    scene.claim()
    scene.fail("docker_failed")
    child.expect("code=14")
    assert scene.left_behind() == []


@SHELLS
def test_after_the_third_wrong_password_it_ends(scene, shell):
    child = scene.terminal(shell)
    child.expect("Username: ")
    child.sendline("alice")
    for _ in range(3):
        child.expect("Password: ")
        child.sendline("wrong wrong")
    child.expect("error: User name or password is wrong.")
    child.expect("code=10")
    assert scene.left_behind() == []


@SHELLS
def test_of_a_host_that_runs_no_stage_of_its_start_is_shown(scene, shell):
    scene.database.value("select (task.enqueue('host.start', %s, '{}', null)).id", [scene.host["id"]])
    scene.claim()
    scene.succeed()
    child = scene.terminal(f"{shell} -s -- --user alice --password-file {scene.password_file} -- true")
    child.expect("ssh_ready")
    stages = [line.split()[0] for line in child.before.splitlines() if line.strip()]
    assert stages == ["auth_passed"]
    child.close(force=True)


@SHELLS
def test_the_carriage_return_at_the_end_of_a_password_file_is_not_the_passwords(scene, shell):
    scene.password_file.write_bytes(scene.user["password"].encode() + b"\r\n")
    thread = in_background(lambda: (scene.claim(), scene.fail("docker_failed")))
    done = scene.run_as_alice(shell)
    thread.join()
    assert done.returncode == 14, done


def test_a_password_with_a_control_character_cannot_be_set(scene):
    admin = scene.server.admin()
    for control in ("\n", "\r", "\t", "\x7f", "\x85", "\u2028"):
        refused = admin.post("/v1/admin/users", {"username": "carol", "password": f"good enough{control}"})
        assert refused.status == 422 and refused.json["errors"][0]["field"] == "password", refused
    assert admin.post("/v1/admin/users", {"username": "carol", "password": "gut genug: ß 好"}).status == 201


def echoes(terminal):
    return bool(termios.tcgetattr(terminal.fileno())[3] & termios.ECHO)


def polls(terminal):
    """The script's curl waits for an answer that the server holds back."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, fields = status.read_text().rpartition(")")
            state, _, _, session = fields.split()[:4]
            if name.endswith("(curl") and state == "S" and int(session) == terminal.pid:
                return b"wait=25" in (status.parent / "cmdline").read_bytes()
    return False


@SHELLS
@pytest.mark.parametrize("stage", ["username", "password", *STAGES[:-1]])
def test_ctrl_c_at_any_stage_leaves_nothing_behind(scene, shell, stage):
    child = pexpect.spawn(shell, [str(scene.script)], env=scene.environment(), timeout=WAIT_S, encoding="utf-8")
    child.expect("Username: ")
    assert echoes(child)
    if stage != "username":
        child.sendline("alice")
        child.expect("Password: ")
        assert not echoes(child)
    if stage in STAGES:
        child.sendline(scene.user["password"])
        child.expect("auth_passed")
    if stage in STAGES[1:]:
        scene.claim()
        scene.progress(stage)
        child.expect(f"{stage} ")
    if stage in STAGES:
        # Between two polls bash drops an interrupt when the command it waits for has just ended by itself.
        wait_until(lambda: polls(child), "the script polls")
    child.sendintr()
    child.expect(pexpect.EOF)
    assert echoes(child)
    child.close()
    assert (child.exitstatus, child.signalstatus) == (130, None)
    assert scene.left_behind() == []


@SHELLS
@pytest.mark.parametrize("stage", ["password", "auth_passed"])
def test_ctrl_backslash_leaves_nothing_behind(scene, shell, stage):
    child = pexpect.spawn(shell, [str(scene.script)], env=scene.environment(), timeout=WAIT_S, encoding="utf-8")
    child.expect("Username: ")
    child.sendline("alice")
    child.expect("Password: ")
    if stage == "auth_passed":
        child.sendline(scene.user["password"])
        child.expect("auth_passed")
    child.sendcontrol("\\")
    if (stage, shell) == ("password", "bash"):
        child.sendline("")  # bash finishes reading the line first
    child.expect(pexpect.EOF)
    assert echoes(child)
    child.close()
    assert (child.exitstatus, child.signalstatus) == (131, None)
    assert scene.left_behind() == []


@SHELLS
def test_a_reader_that_goes_away_leaves_nothing_behind(scene, shell):
    who = ["--user", "alice", "--password-file", scene.password_file]
    with subprocess.Popen(
        [shell, scene.script, *who, "--", "true"], env=scene.environment(), stderr=subprocess.PIPE, text=True
    ) as child:
        assert "auth_passed" in child.stderr.readline()
        assert scene.left_behind() != []
        child.stderr.close()
        scene.claim()
        scene.progress("host_starting")
        assert child.wait(WAIT_S) == 141
    assert scene.left_behind() == []


def test_secrets_are_in_no_argument_list_and_only_in_a_closed_directory(scene):
    child = pexpect.spawn("dash", [str(scene.script)], env=scene.environment(), timeout=WAIT_S, encoding="utf-8")
    child.expect("Username: ")
    child.sendline("alice")
    child.expect("Password: ")
    child.sendline(scene.user["password"])
    child.expect("auth_passed")
    (directory,) = scene.left_behind()
    assert directory.stat().st_mode & 0o777 == 0o700
    assert not (directory / "password").exists()
    token = (directory / "authorization").read_text().split()[-1]
    listing = subprocess.run(["ps", "-eo", "args", "e"], capture_output=True, text=True, check=True).stdout
    assert scene.user["password"] not in listing and token not in listing
    assert token not in scene.server.program.log and scene.user["password"] not in scene.server.program.log
    assert scene.database.value("select count(*) from ccp.access_grants where poll_token_sha256 = %s", (token,)) == 0
    child.sendintr()
    child.expect(pexpect.EOF)


def test_the_script_holds_the_configured_url_and_nothing_of_the_request(scene):
    client = scene.server.client()
    script = client.get("/v1/bootstrap/script", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert script.headers["Content-Type"].startswith("text/x-shellscript")
    assert f"url='{client.url}'" in script.text and "evil" not in script.text
    for bad in ("'; rm -rf /; '", "javascript:x", "http://", "http://a b", "http://x/$(id)"):
        scene.database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'public_url'", (bad,))
        answer = client.get("/v1/bootstrap/script")
        assert (answer.status, answer.json["error_code"]) == (503, "settings_incomplete"), bad


def session_make(scene, **more):
    body = {"username": "alice", "password": scene.user["password"]} | more
    return scene.server.client().post("/v1/bootstrap/sessions", body)


def test_forms_and_lines_say_the_same_as_json(scene):
    client = scene.server.client()
    body = f"username=alice&password={scene.user['password']}".encode()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/plain"}
    lines = dict(
        line.split("=", 1) for line in client.post("/v1/bootstrap/sessions", body, headers=form).text.splitlines()
    )
    json = session_make(scene).json
    assert set(lines) == set(json) and lines["task_id"] == json["task_id"] and lines["stage_code"] == "auth_passed"
    wrong = client.post("/v1/bootstrap/sessions", b"username=alice&password=wrong", headers=form)
    assert wrong.status == 401 and "error_code=auth_invalid\n" in wrong.text
    twice = client.post("/v1/bootstrap/sessions", b"username=alice&username=bob&password=x", headers=form)
    assert twice.status == 422


def test_a_long_poll_ends_at_the_next_change_and_not_before(scene):
    session = session_make(scene).json
    client = scene.server.client()
    client.token = session["poll_token"]
    others = [scene.server.client() for _ in range(8)]
    for other in others:
        other.token = session_make(scene).json["poll_token"]
    first = client.get(session["status_url"]).json
    assert (first["task_status"], first["stage_code"]) == ("queued", "auth_passed")
    answers = []
    url = f"{session['status_url']}?wait=25&after={first['version']}"
    waiting = [in_background(lambda c=other: answers.append(c.get(url))) for other in others]
    assert client.get(f"{session['status_url']}?wait=1").json == first
    assert answers == []
    scene.claim()
    for thread in waiting:
        thread.join(WAKE_S)
    assert [a.json["task_status"] for a in answers] == ["running"] * 8
    stale = client.get(f"{session['status_url']}?wait=25&after={first['version']}", timeout_s=WAKE_S)
    assert stale.json["version"] == answers[0].json["version"]


def test_the_handoff_comes_when_the_host_runs_and_pins_the_host_key(scene):
    session = session_make(scene).json
    client = scene.server.client()
    client.token = session["poll_token"]
    early = client.get(session["status_url"] + "/handoff")
    assert (early.status, early.json["error_code"], early.headers["Retry-After"]) == (503, "ssh_not_ready", "1")
    scene.claim()
    scene.succeed()
    assert client.get(session["status_url"] + "/handoff").status == 503  # the host key has not been reported
    scene.database.rows("update ccp.settings set value = '\"ssh-ed25519 AAAA\"' where name = 'ssh_host_key'")
    scene.database.rows("update ccp.settings set value = '\"ssh.example\"' where name = 'ssh_host'")
    handoff = client.get(session["status_url"] + "/handoff").json
    assert handoff["ready"] is True and handoff["host"] == "ssh.example" and handoff["port"] == 2222
    assert handoff["user"] == scene.host["short_id"] and handoff["host_keys"] == ["ssh-ed25519 AAAA"]
    again = session_make(scene).json
    assert again["task_id"] == session["task_id"]  # it runs: the start that succeeded


def test_a_start_that_failed_has_no_handoff_and_the_server_lives(scene):
    session = session_make(scene).json
    client = scene.server.client()
    client.token = session["poll_token"]
    scene.claim()
    scene.fail("docker_failed")
    answer = client.get(session["status_url"] + "/handoff")
    assert (answer.status, answer.json["error_code"]) == (409, "start_failed"), answer
    assert client.get(session["status_url"]).json["error_code"] == "docker_failed"


def test_poll_tokens_are_worth_something_for_their_task_and_time_only(scene):
    session = session_make(scene).json
    client = scene.server.client()
    assert client.get(session["status_url"]).status == 401
    client.token = "x" * 43
    assert client.get(session["status_url"]).json["error_code"] == "auth_invalid"
    client.token = session["poll_token"]
    other = session["status_url"].replace(session["task_id"], scene.host["task_id"])
    assert client.get(other).status == 401
    scene.database.rows(
        "update ccp.access_grants set created_at = created_at - interval '1 h',"
        " expires_at = expires_at - interval '16 minutes'"
    )
    assert client.get(session["status_url"]).status == 401
