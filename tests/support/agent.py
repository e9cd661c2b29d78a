"""An agent of a test's own on a stack's PostgreSQL, Docker and lab, and its hosts, made by SQL: no API is needed."""

import itertools
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from psycopg2.extras import Json
from support import exits
from support.host import Host
from support.net import inside
from support.paths import CHECKOUT, pin
from support.stack import Lab
from support.wait import WAIT_S, wait_until

ADDRESSES = itertools.count(1)  # of the hosts' ends of the tunnel
RIGHTS = [
    "net_admin",
    "net_raw",
    "sys_admin",
    "setuid",
    "setgid",
    "kill",
    "chown",
    "fowner",
    "sys_ptrace",
    "dac_read_search",
]
FLAVOUR = os.environ.get("FLAVOUR", "release")  # asan and tsan tell in the agent's log what they find


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
    return inside(pid, sys.executable, "-c", SEND).strip() == "1"


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
        self.owner = stack.owner
        self.install(flavour)
        self.lab_settings()
        self.provider = self.lab.run("provider", "start", "--database", stack.conninfo("ccp_dba"))

    def install(self, flavour):
        libexec = self.directory / "libexec"
        self.program = libexec / f"ccp-agent.{self.node}"
        shutil.copy(CHECKOUT / "build" / flavour / "ccp-agent", self.program)
        for path in (CHECKOUT / "build" / "ccp-init", CHECKOUT / "build" / "release" / "ccp-runtime"):
            if not (libexec / path.name).exists():
                shutil.copy(path, libexec)
        self.proxy_engine = libexec / "sing-box"  # where its users can get to
        if not self.proxy_engine.exists():
            shutil.copy(pin("sing_box"), self.proxy_engine)

    def lab_settings(self):
        """Has the lab's servers checked."""
        env = self.lab.env
        for name, value in {
            "echo_urls": env["LAB_ECHO_URLS"].split(),
            "connect_targets": env["LAB_CONNECT_TARGETS"].split(),
            "dns_check_zone": env["LAB_DNS_CHECK_ZONE"],
        }.items():
            self.owner.rows("update ccp.settings set value = %s where name = %s", [Json(value), name])

    def command(self, *arguments):
        return [
            "setpriv",
            "--groups=ccp-db",
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
            "--proxy-engine",
            self.proxy_engine,
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
            return self.owner.rows(
                "select 1 from ccp.processes as p join ccp.nodes as n on n.id = p.node_id"
                " where n.name = %s and p.pid = %s and p.ended_at is null",
                [self.node, self.process.pid],
            )

        wait_until(registered, "the agent registers")
        return self

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def revive(self):
        """Starts it if a test before has ended it."""
        if not self.alive:
            self.start()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(WAIT_S)

    def release_all(self):
        subprocess.run(self.command("--release-all"), check=True, cwd="/", capture_output=True, timeout=WAIT_S)

    def wireguard_exit(self, number=1):
        address = f"198.18.{131 + os.getpid() % 100}.{next(ADDRESSES)}/32"
        return exits.wireguard(self.lab, number, address)

    def proxy_exit(self, kind, secret=None, **config):
        return exits.proxy(self.lab, self.owner, kind, secret, **config)

    def host(self, exit_columns=None, **columns):
        """A new host with a user and an exit of its own; `columns` are more of its row."""
        name = f"t{secrets.token_hex(4)}"
        user = self.owner.value("insert into ccp.users (username, short_id) values (%s, %s) returning id", [name, name])
        exit_columns = {"label": name} | (exit_columns or self.wireguard_exit())
        exit_id = self.insert("egress_ips", exit_columns)
        node = self.owner.value("select id from ccp.nodes where name = %s", [self.node])
        own = {"short_id": name, "user_id": user, "node_id": node, "image": "cloud-cli-proxy/managed-user:latest"}
        host_id = self.insert("hosts", own | columns)
        self.owner.rows(
            "insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)"
            " select %s, id, %s, label, ip_address from ccp.egress_ips where id = %s",
            [host_id, user, exit_id],
        )
        return Host(self.stack, host_id, self)

    def insert(self, table, columns):
        """A row of the database; its id."""
        names, values = ", ".join(columns), ", ".join(["%s"] * len(columns))
        return self.owner.value(
            f"insert into ccp.{table} ({names}) values ({values}) returning id", list(columns.values())
        )

    def stuck(self):
        """What should have moved on and has not, of this agent's hosts and their tasks."""
        return self.owner.rows(
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
        return sorted(path.stem for path in (self.directory / "agent" / "engines").glob("*/*.log"))
