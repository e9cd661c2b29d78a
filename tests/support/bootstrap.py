"""A user before the bootstrap script: a server, a stopped host, and the start's other end, which an agent would be."""

import subprocess
import threading

import pexpect
from support.http import ApiServer
from support.orders import EXIT
from support.wait import WAIT_S, wait_until


def in_background(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


class Scene:
    """A server, a user `alice` with a stopped host, and the start's other end."""

    def __init__(self, database, program, tmp_path):
        self.database = database
        self.server = ApiServer(database, program)
        database.rows(
            "update ccp.settings set value = to_jsonb(%s::text) where name = 'public_url'", (self.server.client().url,)
        )
        self.process = database.value("select process_id from process.register('ccp-agent', 'node1', 1, 'test')")
        admin = self.server.admin()
        self.user = admin.post("/v1/admin/users", {"username": "alice"}).json
        exit_id = admin.post("/v1/admin/egress-ips", EXIT).json["id"]
        self.host = admin.post("/v1/admin/hosts", {"user_id": self.user["id"], "egress_ip_id": exit_id}).json
        self.claim()
        self.succeed()
        self.temporary = tmp_path / "temporary directory"
        self.temporary.mkdir()
        self.password_file = tmp_path / "password"
        self.password_file.write_text(self.user["password"] + "\n")
        self.script = tmp_path / "script.sh"
        self.use("/v1/bootstrap/script")

    def use(self, link):
        """From now on the script is what this link serves."""
        self.link = link
        self.script.write_text(self.server.client().get(link).text)

    # --- what an agent does

    def claim(self):
        wait_until(
            lambda: self.database.value("select count(*) from ccp.task_rows where status = 'queued'"),
            "a task waits",
        )
        self.task, self.lease = self.database.rows("select task_id, lease from task.claim(%s, 1)", (self.process,))[0]

    def progress(self, stage):
        sql = "select task.progress(%s, %s, %s, 10, 'a sentence')"
        assert self.database.value(sql, (self.task, self.lease, stage)) == "ok"

    def succeed(self):
        sql = "select task.succeed(%s, %s, jsonb_build_object('wg_public_key', repeat('A', 43) || '='))"
        assert self.database.value(sql, (self.task, self.lease)) == "ok"

    def fail(self, code):
        sql = "select task.fail(%s, %s, %s, 'it broke', false)"
        assert self.database.value(sql, (self.task, self.lease, code)) == "failed"

    # --- what a user does

    def environment(self):
        return {
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self.temporary),
            "HOME": str(self.temporary.parent),
            "TERM": "dumb",
        }

    def run(self, shell, *arguments, timeout_s=60):
        """As `curl URL | SHELL -s -- ARGUMENTS`, without a terminal."""
        with self.script.open("rb") as script:
            return subprocess.run(
                [shell, "-s", "--", *arguments],
                stdin=script,
                capture_output=True,
                text=True,
                env=self.environment(),
                start_new_session=True,
                timeout=timeout_s,
                check=False,
            )

    def run_as_alice(self, shell, *arguments, password_file=None):
        who = ("--user", "alice", "--password-file", str(password_file or self.password_file))
        return self.run(shell, *who, *arguments, "--", "true")

    def terminal(self, shell):
        """As `curl URL | SHELL` in a terminal."""
        line = f"curl -sSf {self.server.client().url}{self.link} | {shell}; echo code=$?"
        return pexpect.spawn("bash", ["-c", line], env=self.environment(), timeout=WAIT_S, encoding="utf-8")

    def left_behind(self):
        return list(self.temporary.iterdir())
