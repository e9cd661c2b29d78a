"""No secret shows where it does not belong: the real values are looked for everywhere, also in short-lived processes.

A user is made, comes in by the bootstrap line, by key and by password, and everything the API can be asked is asked.
All the while the arguments and environments of every process are read; then the values are known, and looked for.
"""

import base64
import ipaddress
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from support.guest import Guest
from support.http import Answer, Api
from support.ssh import Client
from support.stack import Lab
from support.wait import WAIT_S

SAMPLE_PAUSE_S = 0.005
# Who hands out which secret, and in which field. It is shown there once and nowhere else.
ISSUED = {
    ("POST", "/v1/auth/login"): "token",
    ("POST", "/v1/auth/refresh"): "token",
    ("POST", "/v1/admin/users"): "password",
    ("POST", "/v1/admin/hosts"): "ssh_password",
    ("POST", "/v1/bootstrap/sessions"): "poll_token",
}
# Where a secret is at home: columns that no view and no function shows.
AT_HOME = {"ccp.signing_keys": ["secret"]}


class Sampler(threading.Thread):
    """What the arguments and environments of all processes were, and the one-time files of a bootstrap line."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.directory = directory
        self.over = threading.Event()
        self.seen = set()  # (file, its bytes)
        self.files = set()  # bytes

    def run(self):
        while not self.over.wait(SAMPLE_PAUSE_S):
            for process in os.listdir("/proc"):
                if process.isdigit():
                    for file in ("cmdline", "environ"):
                        self.read(f"/proc/{process}/{file}", lambda data, file=file: self.seen.add((file, data)))
            for path in self.directory.glob("ccp.*/*"):
                self.read(path, self.files.add)

    @staticmethod
    def read(path, keep):
        try:
            with open(path, "rb") as file:
                keep(file.read())
        except OSError:
            pass  # it has ended meanwhile

    def end(self):
        self.over.set()
        self.join()

    def arguments(self):
        """Names of all programs that were seen."""
        return {
            Path(data.split(b"\0")[0].decode(errors="replace")).name
            for file, data in self.seen
            if file == "cmdline" and data
        }


class Recorder:
    """Every answer of the API while it is there: what was asked, and what was said, headers included."""

    def __init__(self, patch):
        self.answers = []
        self.issued = {}
        send = Api.send

        def recorded(api, method, path, *arguments, **options):
            answer = send(api, method, path, *arguments, **options)
            self.keep(method, path, answer)
            return answer

        patch.setattr(Api, "send", recorded)

    def keep(self, method, path, answer: Answer):
        text = answer.text
        field = ISSUED.get((method, path))
        if field and answer.status < 300:
            said = answer.json
            self.issued[f"{field} {len(self.issued)} of {method} {path}"] = said.pop(field)
            text = json.dumps(said)
        self.answers.append((f"{method} {path}", f"{answer.headers}\n{text}"))


def comes_and_goes(guest, directory):
    """Bootstrap of a stopped host, of a running one, ssh by key and by password."""
    for _ in range(2):
        line = guest.bootstrap("sh", "-c", "sleep 0.3", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, said = line.communicate(timeout=WAIT_S)
        assert line.returncode == 0, said
    client = Client(guest, directory)
    client.register()
    assert client.run("true").returncode == 0
    (directory / "ssh.password").write_text(guest.ssh_password + "\n")
    (directory / "askpass").write_text(f"#!/bin/sh\ncat {directory}/ssh.password\n")
    (directory / "askpass").chmod(0o700)
    done = subprocess.run(
        client.ssh_by_password("true"),
        env=dict(os.environ, SSH_ASKPASS=str(directory / "askpass"), SSH_ASKPASS_REQUIRE="force"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def walks(guest):
    """Every route that can be read, as an admin, as the user, with a poll token and without; and what ends a login."""
    port = int(guest.stack.environment["CCP_HTTP_PORT"])
    user = Api(port).login(guest.name, guest.password)
    user.token = user.post("/v1/auth/refresh").json["token"]
    begun = Api(port).post("/v1/bootstrap/sessions", {"username": guest.name, "password": guest.password}).json
    poller = Api(port)
    poller.token = begun["poll_token"]
    known = {"users": guest.user_id, "egress-ips": guest.exit_id, "hosts": guest.host_id, "tasks": begun["task_id"]}
    asked = 0
    for path, methods in guest.admin.get("/v1/openapi.json").json["paths"].items():
        if "get" in methods:
            noun = path.partition("/{")[0].rpartition("/")[2]
            for api in (guest.admin, user, poller, Api(port)):
                asked += api.get(path.replace("{id}", known.get(noun, ""))).status == 200
    user.post("/v1/auth/logout")
    return asked


def hex_of(key):
    return base64.b64decode(key).hex()


def key_values(name, data):
    """A private key by name: the lines of a PEM after the first, or its latter half if it is one line, for it begins
    with the public key; a WireGuard key also as its engine gets it."""
    if b"PRIVATE KEY" in data:
        first, *lines = [line for line in data.decode().split("\n") if line and "-----" not in line]
        lines = lines or [first[len(first) // 2 :]]
        return {f"{name} line {number}": line for number, line in enumerate(lines)}
    text = data.decode(errors="replace").strip()
    return {name: text, f"{name} in hex": hex_of(text)} if len(text) == 44 and text.endswith("=") else {name: text}


def keys_of(directory):
    found = {}
    for path in directory.rglob("*"):
        # homes are the user's own, logs are searched
        if path.is_file() and not path.is_symlink() and "homes" not in path.parts and path.stat().st_size < 4096:
            data = path.read_bytes()
            if b"PRIVATE KEY" in data or path.suffix == ".key":
                found |= key_values(str(path), data)
    return found


class Scene:
    """What was done, what was seen of it, and the values to look for."""

    def __init__(self, stack, directory, patch):
        self.stack = stack
        self.recorder = Recorder(patch)
        self.sampler = Sampler(directory)
        self.sampler.start()
        self.psk = subprocess.run(["wg", "genpsk"], capture_output=True, text=True, check=True).stdout.strip()
        address = f"{ipaddress.ip_network(stack.env['CCP_EXIT_PEER_NET'])[80]}/32"
        (directory / "psk").write_text(self.psk + "\n")
        Lab(stack.environment["CCP_LAB_PREFIX"]).run("psk", address, str(directory / "psk"))
        self.guest = Guest(stack, "secretive", directory, address, wg_preshared_key=self.psk)
        comes_and_goes(self.guest, directory)
        self.routes = walks(self.guest)
        self.sampler.end()
        patch.undo()
        self.known = {name: value for name, value in self.values().items() if len(value) >= 16}

    def values(self):
        env = self.stack.env
        found = {name: Path(env[name]).read_text().strip() for name in env if name.endswith("PASSWORD_FILE")}
        found |= {"preshared key": self.psk, "preshared key in hex": hex_of(self.psk)} | self.recorder.issued
        found |= keys_of(Path(env["CCP_DATA_DIR"])) | keys_of(self.stack.directory / "sshproxy")
        found |= keys_of(self.stack.directory / "worker")
        for number, data in enumerate(self.sampler.files):
            if b"PRIVATE KEY" in data:
                found |= key_values(f"one-time key {number}", data)
            elif data.startswith(b"Authorization: Bearer "):
                found[f"poll token of the line {number}"] = data.decode().split()[2]
        for number, (secret,) in enumerate(self.guest.host.owner.rows("select secret from ccp.signing_keys")):
            key = bytes(secret)
            found[f"signing key {number}"] = key.hex()
            found[f"signing key {number} in base64"] = base64.b64encode(key).decode().rstrip("=")
            found[f"signing key {number} in base64url"] = base64.urlsafe_b64encode(key).decode().rstrip("=")
        return found

    def shown(self, text):
        return [name for name, value in self.known.items() if value in text]


@pytest.fixture(scope="module")
def scene(stack, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        one = Scene(stack, tmp_path_factory.mktemp("scene"), patch)
    yield one
    one.guest.end()


def test_the_values_to_look_for_are_all_there(scene):
    text = "\n".join(sorted(scene.known))
    for name in (
        "CCP_ADMIN_PASSWORD_FILE",
        "CCP_DEMO_SSH_PASSWORD_FILE",
        "POST /v1/admin/users",
        "POST /v1/admin/hosts",
        "POST /v1/auth/refresh",
        "POST /v1/bootstrap/sessions",
        "poll token of the line",
        "one-time key",
        "preshared key in hex",
        "client.key line",
        f"{scene.guest.host_id}/wireguard.key in hex",
        "agent/sealing.key",
        "worker/sealing.key",
        f"{scene.stack.directory}/sshproxy/",
        "signing key 0 in base64",
    ):
        assert name in text, text


def test_nothing_is_in_arguments_or_environments_at_any_moment(scene):
    programs = scene.sampler.arguments()
    assert programs >= {"ccp-api", "ccp-worker", "ccp-agent", "ccp-sshproxy", "ssh", "sh", "curl"}, programs
    assert any(scene.guest.name.encode() in data for _, data in scene.sampler.seen)
    for file, data in scene.sampler.seen:
        assert not scene.shown(data.decode(errors="replace")), f"{file} of {data[:60]!r}"


def test_nothing_is_in_the_logs(scene):
    files = [path for path in Path(scene.stack.env["CCP_LOG_DIR"]).rglob("*") if path.is_file()]
    files += Path(scene.stack.env["CCP_DATA_DIR"]).rglob("*.log")
    assert {"ccp-api", "ccp-agent", "ccp-sshproxy", "ccp-worker", "postgres"} <= {path.parent.name for path in files}
    for path in files:
        assert not scene.shown(path.read_text(errors="replace")), path


def test_nothing_is_in_the_tables(scene):
    tables = scene.guest.host.owner.rows(
        "select oid::regclass::text from pg_class"
        " where relnamespace = 'ccp'::regnamespace and relkind in ('r', 'p') and not relispartition"
    )
    assert len(tables) > 20
    for (table,) in tables:
        at_home = AT_HOME.get(table, [])
        rows = scene.guest.host.owner.rows(
            f"select to_jsonb(t)::text, (to_jsonb(t) - %s::text[])::text from {table} as t", [at_home]
        )
        assert not scene.shown("\n".join(row[1] for row in rows)), table
        assert not at_home or scene.shown("\n".join(row[0] for row in rows)), (
            f"{table}: where it is at home it is found"
        )


def test_nothing_is_in_the_answers_that_did_not_make_it(scene):
    assert scene.routes > 20
    for asked, said in scene.recorder.answers:
        assert not scene.shown(said), asked


def test_the_container_holds_no_key_of_the_tunnel_and_none_that_logs_in(scene):
    docker = scene.stack.docker
    containers = docker("ps", "--all", "--no-trunc", "--quiet").split()
    assert containers
    for container in containers:
        assert not scene.shown(docker("inspect", container))
    container = docker(
        "ps", "--no-trunc", "--quiet", "--filter", f"label=cloud-cli-proxy.host={scene.guest.host_id}"
    ).strip()
    pid = docker("inspect", "-f", "{{.State.Pid}}", container).strip()
    for path in (f"/proc/{pid}/root/.ccp", f"/proc/{pid}/root/etc", f"/proc/{pid}/root/run"):
        text = subprocess.run(
            ["grep", "-rhaI", ".", path],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        ).stdout
        assert not [name for name in scene.shown(text) if "host_key" not in name and "ssh_host" not in name], path
