"""A complete product of a worker's own, made and ended by the scripts that `make up` and `make down` call."""

import os
import random
import re
import shlex
import socket
import subprocess
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import psycopg2
from psycopg2.extras import Json
from support import volume
from support.paths import CHECKOUT, SCRIPTS
from support.postgres import Connection
from support.wait import WAIT_S, wait_until

UP_TIMEOUT_S = 900  # builds an image on a slow and busy machine; pytest.ini allows a test more


given_ports = set()


def free_port():
    """A port below those that the kernel gives to outgoing connections: it is still free when a server asks for it."""
    while True:
        with socket.socket() as listener, suppress(OSError):
            port = random.choice([port for port in range(20000, 32768) if port not in given_ports])
            listener.bind(("127.0.0.1", port))
            given_ports.add(port)
            return port


class Stack:
    """Stages of deploy/scripts/up, run at first need. `directory` is its STATE_DIR."""

    def __init__(self, directory, prefix):
        self.directory = Path(directory)
        self.run_dir = self.directory / "run" / "people"
        self.done = set()
        self.environment = dict(
            os.environ,
            STATE_DIR=str(self.directory),
            CCP_RUN_DIR=str(self.run_dir),
            CCP_HTTP_PORT=str(free_port()),
            CCP_SSHPROXY_PORT=str(free_port()),
            CCP_METRICS_PORT=str(free_port()),
            CCP_LAB_PREFIX=prefix,
            CCP_OWN_DOCKER="1",
            CCP_IMAGE_TARGET="slim",
        )

    def script(self, *arguments, timeout_s=UP_TIMEOUT_S, **environment):
        """Runs one of deploy/scripts for this stack; its output, or an exception that shows it."""
        done = subprocess.run(
            [SCRIPTS / arguments[0], *arguments[1:]],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{shlex.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def up(self, *stages):
        """Brings up these stages, once each; none: all of them, whatever was done before."""
        missing = [stage for stage in stages if stage not in self.done]
        if missing or not stages:
            self.script("up", *missing)
            self.done.update(missing)
        return self

    def end(self):
        if (self.directory / "stack").exists():
            self.script("down", PURGE="1")
        if self.directory.is_mount():
            volume.end(self.directory)

    # --- a stack that is wholly up

    @property
    def env(self):
        """What `.run/env` says now."""
        lines = (self.run_dir / "env").read_text().splitlines()
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return {name.removeprefix("export "): shlex.split(value)[0] if value else "" for name, value in pairs}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.environment['CCP_HTTP_PORT']}"

    @property
    def docker_socket(self):
        return str(self.directory / "run" / "docker.sock")

    def conninfo(self, user="postgres", dbname="ccp"):
        return f"host={self.directory}/run/pg user={user} dbname={dbname}"

    @cached_property
    def owner(self):
        """A connection that may do everything in the product's database."""
        return Connection(self.conninfo("ccp_admin") + " options='-c role=ccp_owner'")

    @cached_property
    def automation(self):
        """A connection that may do what automation may."""
        return Connection(self.conninfo("ccp_automation"))

    @contextmanager
    def settings(self, **values):
        """Other settings for a while; the programs read them live."""
        change = "update ccp.settings set value = %s where name = %s"
        before = dict(self.owner.rows("select name, value from ccp.settings where name = any (%s)", [list(values)]))
        try:
            for name, value in values.items():
                self.owner.rows(change, [Json(value), name])
            yield
        finally:
            for name, value in before.items():
                self.owner.rows(change, [Json(value), name])

    # --- its services

    def service(self, name):
        return self.directory / "service" / name

    def sv(self, command, name):
        """`sv up|down|restart NAME`, waiting until it is so."""
        subprocess.run(["sv", "-w", str(WAIT_S), command, self.service(name)], check=True, capture_output=True)

    def pid(self, name):
        """The service's process, or None while it does not run."""
        text = (self.service(name) / "supervise" / "pid").read_text().strip()
        return int(text) if text else None

    def kill(self, name, signal):
        os.kill(self.pid(name), signal)

    def wait_restarted(self, name, old_pid):
        wait_until(lambda: self.pid(name) not in (None, old_pid), f"{name} comes back")

    def log(self, name):
        return (self.directory / "log" / name / "current").read_text(errors="replace")

    def docker(self, *arguments):
        done = subprocess.run(
            ["docker", *arguments],
            env=dict(os.environ, DOCKER_HOST=f"unix://{self.docker_socket}"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"docker {shlex.join(arguments)}: {done.stderr}")
        return done.stdout

    def containers(self):
        """Pids of the first processes of the running containers."""
        names = self.docker("ps", "-q").split()
        return [int(pid) for pid in self.docker("inspect", "-f", "{{.State.Pid}}", *names).split()] if names else []

    def postgres_answers(self):
        """Asks on a new connection: after a kill the sessions of before answer for a while."""
        try:
            return Connection(self.owner.conninfo).value("select true")
        except psycopg2.OperationalError:
            return False

    def docker_answers(self):
        try:
            self.docker("version")
        except RuntimeError:
            return False
        return True


class Lab:
    """The fake internet of a stack: what `tests/lab/lab env` prints, and its commands."""

    def __init__(self, prefix):
        self.prefix = prefix
        text = self.run("env")
        self.env = {
            name.removeprefix("export "): " ".join(shlex.split(value))
            for name, value in re.findall(r"^(?:export )?(\w+)=(.*)$", text, re.M)
        }

    def run(self, *arguments):
        done = subprocess.run(
            [CHECKOUT / "tests" / "lab" / "lab", "--prefix", self.prefix, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"lab {shlex.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


def sweep(directory):
    """Ends the stacks of test runs that died before they could: their directory's name holds the run's pid."""
    for path in Path(directory).glob("ccp-test-*"):
        match = re.fullmatch(r"ccp-test-(\d+)-\w+", path.name)
        try:
            ours = path.lstat().st_uid == os.geteuid() and not path.is_symlink()
        except FileNotFoundError:
            continue  # of another test run, which has just ended it
        if match and ours and not Path(f"/proc/{match[1]}").exists() and (path / "stack").exists():
            stack = Stack(path, "")
            del stack.environment["CCP_LAB_PREFIX"]  # the stack knows its lab's
            stack.end()
