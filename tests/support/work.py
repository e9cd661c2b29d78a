"""What users, admins and programs do all the time, and whether it goes on when something under it was away."""

import secrets
import select
from concurrent.futures import ThreadPoolExecutor

from support.http import Api
from support.wait import WAIT_S, wait_until


class Talk:
    """An ssh session whose other end says everything again."""

    def __init__(self, client):
        self.client = client
        self.process = client.hold("echo begun; exec cat")

    def echoes(self):
        word = secrets.token_hex(8) + "\n"
        self.process.stdin.write(word)
        self.process.stdin.flush()
        assert select.select([self.process.stdout], [], [], WAIT_S)[0], "the session is silent"
        assert self.process.stdout.readline() == word

    def is_recorded(self):
        return self.client.sessions() > 0

    def end(self):
        self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0


class Requests:
    """One of each sort: what needs no login, what reads, what writes, what answers from memory."""

    def __init__(self, client):
        guest = client.guest
        port = int(guest.stack.environment["CCP_HTTP_PORT"])
        anonymous, user = Api(port), Api(port).login(guest.name, guest.password)
        who = {"username": guest.name, "password": guest.password}
        self.me = lambda: user.get("/v1/user/me")
        self.harmless = [
            self.me,
            lambda: anonymous.post("/v1/auth/login", who),
            lambda: anonymous.post("/v1/bootstrap/sessions", who),
            lambda: guest.admin.get("/v1/admin/tasks"),
            lambda: anonymous.get("/healthz"),
            lambda: anonymous.get("/readyz"),
        ]
        self.stop = lambda: guest.admin.post(f"/v1/admin/hosts/{guest.host_id}/stop")

    def statuses(self, asks):
        """Of these, asked at the same time. A program that waits for the server would not answer before it is back."""

        with ThreadPoolExecutor(len(asks)) as pool:
            return [answer.status for answer in pool.map(lambda ask: ask(), asks)]


class Work:
    """What each program does when asked, and what was under way before."""

    def __init__(self, client):
        self.host = client.host
        self.requests = Requests(client)
        self.container = self.container_of_host()
        self.under_way = self.noop(700)

    def container_of_host(self):
        return self.host.stack.docker(
            "ps", "--no-trunc", "--quiet", "--filter", f"label=cloud-cli-proxy.host={self.host.id}"
        )

    def noop(self, hold_ms=0):
        return self.host.owner.rows(
            "insert into ccp.tasks (kind, params)"
            " values ('system.noop', jsonb_build_object('hold_ms', %s, 'label', %s)) returning id",
            [hold_ms, secrets.token_hex(8)],
        )[0][0]

    def goes_on(self):
        """API, worker and agent do something new, and what was under way has ended well, at its first try."""
        asked = [self.noop(), self.host.insert("host.verify")]

        def done():
            rows = self.host.owner.rows(
                "select id::text, status, attempt, error_message from ccp.task_rows where id::text = any (%s)",
                [[self.under_way, *asked]],
            )
            assert all(status not in ("failed", "canceled") for _, status, _, _ in rows), rows
            return len(rows) == 3 and all(row[1] == "succeeded" for row in rows) and self.requests.me().status == 200

        wait_until(done, "all of it goes on")
        assert self.host.owner.value("select attempt from ccp.task_rows where id = %s", [self.under_way]) == 1
        assert self.host.owner.rows("select * from ccp.stuck") == []
        assert self.host.live_tasks() == []
        assert (self.host.status, self.container_of_host()) == ("running", self.container)


def comes_back(client, talk, work):
    wait_until(client.guest.stack.postgres_answers, "PostgreSQL answers")
    work.goes_on()
    talk.echoes()
    assert talk.is_recorded()
    env = client.guest.stack.env
    seen = client.run("curl", "-sS", env["CCP_ECHO_URL"])
    assert seen.stdout.strip() == client.host.owner.value(
        "select host(ip_address) from ccp.egress_ips where id = %s", [client.guest.exit_id]
    ), (seen.stdout, seen.stderr)
