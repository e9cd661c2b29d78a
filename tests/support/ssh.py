"""A stack's ssh proxy as seen from outside, and OpenSSH clients of a user who has a running host behind it."""

import base64
import contextlib
import hashlib
import os
import secrets
import subprocess
from pathlib import Path

from support.http import Api
from support.wait import WAIT_S, wait_until


class Proxy:
    """The listener that the supervisor started, the monitor and the children under it."""

    def __init__(self, stack):
        self.stack = stack
        self.port = int(stack.env["CCP_SSH_PORT"])

    @property
    def listener(self):
        return self.stack.pid("ccp-sshproxy")

    def forks(self):
        """Pids of the listener's children: the monitor first, then one per connection."""
        pid = self.listener
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    @property
    def monitor(self):
        return self.forks()[0]

    def children(self):
        return self.forks()[1:]

    def log(self):
        return self.stack.log("ccp-sshproxy")


class Client:
    """OpenSSH command lines of a guest: `client.ssh(...)` is an argument list, `client.run(...)` runs one."""

    def __init__(self, guest, directory):
        self.guest = guest
        self.host = guest.host
        self.name = guest.short_id
        self.proxy = Proxy(guest.stack)
        self.directory = Path(directory)
        self.key = key_make(self.directory / "key")
        host_key = self.host.owner.value("select value #>> '{}' from ccp.settings where name = 'ssh_host_key'")
        known = self.directory / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.proxy.port} {host_key}\n")
        self.options = [
            "-F",
            "none",
            "-o",
            f"UserKnownHostsFile={known}",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "IdentitiesOnly=yes",
        ]

    def register(self):
        """Hands in the key as a user does."""
        api = Api(int(self.guest.stack.environment["CCP_HTTP_PORT"])).login(self.guest.name, self.guest.password)
        line = " ".join(Path(f"{self.key}.pub").read_text().split()[:2])
        answer = api.post("/v1/user/ssh-keys", {"name": secrets.token_hex(4), "public_key": line})
        assert answer.status == 201, answer

    def with_key(self, key=None):
        return ["-i", str(key or self.key), "-o", "BatchMode=yes"]

    def ssh(self, *command, options=(), key=None):
        return [
            "ssh",
            *self.options,
            *self.with_key(key),
            *options,
            "-p",
            str(self.proxy.port),
            f"{self.name}@127.0.0.1",
            *command,
        ]

    def run(self, *command, options=(), key=None, timeout_s=WAIT_S, **streams):
        if "input" not in streams:
            streams.setdefault("stdin", subprocess.DEVNULL)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": "input" not in streams} | streams
        return subprocess.run(self.ssh(*command, options=options, key=key), timeout=timeout_s, check=False, **streams)

    def ssh_by_password(self, *command, name=None, options=()):
        return [
            "ssh",
            *self.options,
            "-o",
            "PubkeyAuthentication=no",
            *options,
            "-p",
            str(self.proxy.port),
            f"{name or self.name}@127.0.0.1",
            *command,
        ]

    def by_password(self, password, *command, name=None, options=(), timeout_s=WAIT_S):
        """One try, through sshpass."""
        return subprocess.run(
            [
                "sshpass",
                "-e",
                *self.ssh_by_password(*command, name=name, options=["-o", "NumberOfPasswordPrompts=1", *options]),
            ],
            env=dict(os.environ, SSHPASS=password),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def hold(self, command="echo begun; exec sleep 600"):
        """A session that stays, and has begun."""
        one = subprocess.Popen(
            self.ssh(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert one.stdout.readline() == "begun\n", one.communicate()[1]
        return one

    def sessions(self, where="ended_at is null"):
        return self.host.owner.value(
            f"select count(*) from ccp.sessions where host_id = %s and {where}", [self.host.id]
        )

    def wait_alone(self):
        """Until no session of the host is left, in the table and as a process."""
        wait_until(lambda: self.sessions() == 0 and not self.proxy.children(), "all sessions have ended")


@contextlib.contextmanager
def limited(pid, name, most):
    """A process of the proxy has less of a resource (prlimit's name) for a while."""
    command = [
        "setpriv",
        "--reuid=ccp-sshproxy",
        "--regid=ccp-sshproxy",
        "--clear-groups",
        "prlimit",
        "--raw",
        "--noheadings",
        f"--pid={pid}",
    ]
    before = subprocess.run(
        [*command, f"--{name}", "--output=SOFT"], capture_output=True, text=True, check=True
    ).stdout.strip()
    subprocess.run([*command, f"--{name}={most}:"], check=True)
    try:
        yield
    finally:
        subprocess.run([*command, f"--{name}={before}:"], check=True)


def key_make(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


def key_digest(path):
    """SHA-256 of the key's blob in lower hex, as the database has it."""
    blob = base64.b64decode(Path(f"{path}.pub").read_text().split()[1])
    return hashlib.sha256(blob).hexdigest()
