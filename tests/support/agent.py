"""An agent of a test's own on a stack's PostgreSQL, Docker and lab, and hosts made by SQL: no API is needed."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import psycopg2.extras
from support.paths import CHECKOUT
from support.stack import Lab
from support.wait import wait_until

RIGHTS = ["net_admin", "net_raw", "sys_admin", "setuid", "setgid", "kill", "chown", "fowner"]
FLAVOUR = os.environ.get("FLAVOUR", "release")  # asan and tsan tell in the agent's log what they find
ENDED = ("succeeded", "failed", "canceled")


def engines():
    """Every WireGuard engine that a machine may have: the pinned one first, then the distribution's, which is all that
    a machine without Go gets."""
    cached = sorted(Path("/var/cache/cloud-cli-proxy").glob("wireguard-go-v*"))
    return [str(path) for path in cached[-1:]] + [shutil.which("wireguard-go")]


# A user's packet: without a mark, towards an address behind the exit.
SEND = """
import socket
try:
    print(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.18.0.11", 9)))
except OSError as error:
    print(error)
"""


def can_send(pid):
    """Whether a user's packet leaves the network namespace of that process. No process, no packet."""
    if pid is None:
        return False
    words = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", SEND]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip() == "1"


class Agent:
    """Starts, kills and starts again ccp-agent with the rights it has in production."""

    def __init__(self, stack, flavour=FLAVOUR, engine=None):
        self.stack = stack
        self.engine = engine or engines()[0]
        self.directory = stack.directory
        self.lab = Lab(stack.environment["CCP_LAB_PREFIX"])
        self.node = f"test-{secrets.token_hex(3)}"
        self.log_path = self.directory / f"{self.node}.log"
        self.process = None
        self.connect()
        self.install(flavour)
        self.settings()
        self.provider = self.lab.run("provider", "start", "--database", stack.conninfo("ccp_dba"))

    def install(self, flavour):
        libexec = self.directory / "libexec"
        self.program = libexec / f"ccp-agent.{self.node}"
        shutil.copy(CHECKOUT / "build" / flavour / "ccp-agent", self.program)
        init = libexec / "ccp-init"
        if not init.exists():
            shutil.copy(CHECKOUT / "build" / "ccp-init", init)

    def settings(self):
        env = self.lab.env
        for name, value in {
            "echo_urls": env["LAB_ECHO_URLS"].split(),
            "connect_targets": env["LAB_CONNECT_TARGETS"].split(),
            "dns_check_zone": env["LAB_DNS_CHECK_ZONE"],
        }.items():
            self.rows("update ccp.settings set value = %s where name = %s", [psycopg2.extras.Json(value), name])

    def connect(self):
        self.connection = psycopg2.connect(self.stack.conninfo("ccp_admin"), options="-c role=ccp_owner")
        self.connection.autocommit = True

    def rows(self, sql, parameters=None):
        """Across a restart of the server as well: what it is given may be run twice then."""
        try:
            return self.rows_once(sql, parameters)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.connect()
            return self.rows_once(sql, parameters)

    def rows_once(self, sql, parameters):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, parameters=None):
        return self.rows(sql, parameters)[0][0]

    def command(self, *arguments):
        return [
            "setpriv",
            "--inh-caps=-all",
            "--bounding-set=-all," + ",".join(f"+{right}" for right in RIGHTS),
            self.program,
            "--state-dir",
            self.directory,
            "--node",
            self.node,
            "--docker-socket",
            self.stack.docker_socket,
            "--uplink-netns",
            self.lab.env["LAB_UPLINK_NETNS"],
            "--engine",
            self.engine,
            *arguments,
        ]

    def launch(self, environment=None):
        """As a supervisor does: returns when the process is there."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd="/",
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def start(self, environment=None):
        """Returns when PostgreSQL knows it."""
        self.launch(environment)

        def registered():
            if not self.alive:
                raise RuntimeError(f"the agent ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            return self.rows(
                "select 1 from ccp.processes as p join ccp.nodes as n on n.id = p.node_id"
                " where n.name = %s and p.pid = %s and p.ended_at is null",
                [self.node, self.process.pid],
            )

        wait_until(registered, 15, "the agent registers")
        return self

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def release_all(self):
        subprocess.run(self.command("--release-all"), check=True, cwd="/", capture_output=True, timeout=60)

    def stuck(self):
        """What should have moved on and has not, of this agent's hosts and their tasks."""
        return self.rows(
            "select s.* from ccp.stuck as s"
            " left join ccp.task_rows as t on t.id::text = s.id and s.what = 'task'"
            " join ccp.hosts as h on h.id::text = s.id or h.id = t.host_id"
            " join ccp.nodes as n on n.id = h.node_id"
            " where n.name = %s",
            [self.node],
        )

    def log(self):
        return self.log_path.read_text(errors="replace")

    def end(self):
        self.stop()
        self.release_all()
        for (container,) in ((line,) for line in self.containers("--all")):
            self.stack.docker("rm", "-f", container)
        self.connection.close()
        assert "Sanitizer" not in self.log(), self.log()[-8000:]

    def containers(self, *arguments):
        label = f"label=cloud-cli-proxy.node={self.node}"
        return self.stack.docker("ps", "--no-trunc", "--quiet", "--filter", label, *arguments).split()

    def engine_pids(self):
        """The processes that are engines of this agent's hosts, whatever the agent believes."""
        names = {f"c{container[:12]}" for container in self.containers("--all")} | set(self.engines())
        listed = subprocess.run(
            ["pgrep", "-f", "-a", "wireguard-go"], check=False, capture_output=True, text=True
        ).stdout
        return [int(line.split()[0]) for line in listed.splitlines() if line.split()[-1] in names]

    def engines(self):
        """The engines that the agent has on record."""
        return sorted(path.stem for path in (self.directory / "agent" / "engines").glob("*.log"))


class Host:
    """A host with a user and an exit of its own."""

    number = 0

    def __init__(self, agent, **columns):
        Host.number += 1
        self.agent = agent
        name = f"t{secrets.token_hex(4)}"
        env = agent.lab.env
        user = agent.value("insert into ccp.users (username, short_id) values (%s, %s) returning id", [name, name])
        self.exit_id = agent.value(
            "insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)"
            " values (%s, %s, %s, %s, %s, %s) returning id",
            [
                name,
                env["LAB_EXIT1_IP"],
                env["LAB_EXIT1_ENDPOINT"],
                env["LAB_EXIT1_PUBLIC_KEY"],
                env["LAB_DNS_SERVER"],
                f"198.18.{131 + os.getpid() % 100}.{Host.number}/32",
            ],
        )
        node = agent.value("select id from ccp.nodes where name = %s", [agent.node])
        columns = {
            "short_id": name,
            "user_id": user,
            "node_id": node,
            "image": "cloud-cli-proxy/managed-user:latest",
        } | columns
        self.id = agent.value(
            f"insert into ccp.hosts ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))}) returning id",
            list(columns.values()),
        )
        agent.rows(
            "insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)"
            " select %s, id, %s, label, ip_address from ccp.egress_ips where id = %s",
            [self.id, user, self.exit_id],
        )

    def insert(self, kind, params="{}"):
        return self.agent.value(
            "insert into ccp.tasks (kind, host_id, params) values (%s, %s, %s) returning id", [kind, self.id, params]
        )

    def wait(self, task_id, timeout_s=60):
        """(status, error_code, error_message, result) of a task that has ended."""

        def ended():
            row = self.agent.rows(
                "select status, error_code, error_message, result from ccp.task_rows where id = %s", [task_id]
            )[0]
            return row if row[0] in ENDED else None

        return wait_until(ended, timeout_s, f"task {task_id} ends")

    def task(self, kind, params="{}"):
        """Runs a task that must succeed; its result."""
        status, code, message, result = self.wait(self.insert(kind, params))
        assert status == "succeeded", f"{kind}: {code}: {message}\n{self.agent.log()[-4000:]}"
        return result

    @property
    def status(self):
        return self.agent.value("select status from ccp.hosts where id = %s", [self.id])

    def wait_status(self, wanted, timeout_s=20):
        wait_until(lambda: self.status == wanted, timeout_s, f"the host is {wanted}")

    @property
    def container(self):
        label = f"label=cloud-cli-proxy.host={self.id}"
        found = self.agent.stack.docker("ps", "--all", "--no-trunc", "--quiet", "--filter", label).split()
        return found[0] if found else None

    @property
    def pid(self):
        """The container's PID 1 as the machine sees it, None while it does not run."""
        pid = (
            int(self.agent.stack.docker("inspect", "--format", "{{.State.Pid}}", self.container))
            if self.container
            else 0
        )
        return pid or None

    def run(self, *command, user="root"):
        """Runs a command in the container and returns (status, output)."""
        done = subprocess.run(
            ["docker", "exec", "--user", user, self.container, *command],
            env=dict(os.environ, DOCKER_HOST=f"unix://{self.agent.stack.docker_socket}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout
