"""The bootstrap script against a server that is broken or means harm: what it answers is checked before it is used.

Such a server can hand out another script, so this does not protect a user who runs what it serves. It protects one who
has read the script, has a copy of it, or speaks with a server that has been taken over since.
"""

import http.server
import socket
import subprocess
import threading
import time

import pexpect
import pytest
from support.paths import CHECKOUT
from support.stack import free_port
from support.wait import WAIT_S, wait_until

TASK = "/v1/bootstrap/tasks/00000000-0000-4000-8000-000000000000"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
GOOD = {
    "sessions": {"poll_token": ["t" * 43], "status_url": [TASK]},
    "task": {"task_status": ["succeeded"], "stage_code": ["ssh_ready"], "version": ["0123456789abcdef"]},
    "handoff": {
        "ready": ["true"],
        "host": ["127.0.0.1"],
        "port": ["1"],
        "user": ["abcdefgh"],
        "host_keys": [KEY],
        "ssh_options": ["ServerAliveInterval=30"],
        "exit_address": ["203.0.113.7"],
    },
}


class Server(http.server.ThreadingHTTPServer):
    """Answers like ours, with these values in the others' places or beside them."""

    def __init__(self, **instead):
        super().__init__(("127.0.0.1", 0), Handler)
        self.instead = instead
        self.asked = []  # (time, path)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def lines(self, which):
        values = GOOD[which] | self.instead
        return "".join(f"{name}={value}\n" for name, several in values.items() for value in several).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, which):
        self.server.asked.append((time.monotonic(), self.path))
        body = self.server.lines(which)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer("sessions")

    def do_GET(self):
        self.answer("handoff" if self.path.endswith("/handoff") else "task")

    def log_message(self, *arguments):
        pass


class Scene:
    def __init__(self, tmp_path):
        self.entry = ""  # the host whose link it is
        self.directory = tmp_path
        self.temporary = tmp_path / "tmp"
        self.temporary.mkdir()
        self.marker = tmp_path / "marker"
        (tmp_path / "password").write_text("secret secret\n")
        self.environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(self.temporary), "HOME": str(tmp_path)}

    def script(self, server):
        text = (CHECKOUT / "deploy" / "bootstrap" / "bootstrap.sh").read_text()
        path = self.directory / "script.sh"
        url = f"'http://127.0.0.1:{server.server_address[1]}'"
        path.write_text(text.replace("@PUBLIC_URL@", url).replace("@ENTRY@", f"'{self.entry}'"))
        return str(path)

    def run(self, server, *arguments, shell="dash"):
        return subprocess.run(
            [
                shell,
                self.script(server),
                "--user",
                "alice",
                "--password-file",
                str(self.directory / "password"),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environment,
            cwd=self.directory,
            start_new_session=True,
            timeout=WAIT_S,
            check=False,
        )

    def unharmed(self):
        return not self.marker.exists() and list(self.temporary.iterdir()) == []


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


@pytest.fixture
def server():
    made = []

    def make(**instead):
        made.append(Server(**instead))
        return made[-1]

    yield make
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("poll_token", ["", "short", "x" * 20 + " y", "$(touch marker)" * 2, "x" * 200]),
        (
            "status_url",
            ["", "@evil.example/", ".evil.example/", f"{TASK}/../../../other", f"{TASK}?a=b", f"{TASK} -o marker"],
        ),
        ("version", ["", "-", "&wait=0", "[1-9]", "a b", "0" * 40]),
        (
            "host",
            [
                "",
                "-oProxyCommand=touch marker",
                "a b",
                "$(touch marker)",
                "user@host",
                "ssh://x",
                "a;touch marker",
                "x" * 300,
            ],
        ),
        ("port", ["", "-1", "0", "22 -oProxyCommand=x", "123456", "2x", "$(touch marker)"]),
        ("user", ["", "-oProxyCommand=touch marker", "a b", "%h", "$(touch marker)", "root@x", "x" * 40]),
        (
            "host_keys",
            [
                "",
                "@cert-authority * ssh-ed25519 AAAA",
                "* ssh-ed25519 AAAA",
                "ssh-ed25519 AAAA comment",
                "none AAAA",
                "ssh-dss AAAA",
            ],
        ),
    ],
)
def test_a_value_of_another_form_ends_the_script(scene, server, name, values):
    for value in values:
        done = scene.run(server(**{name: [value]}), "--", "true")
        assert done.returncode == 2 and b"tell your administrator" in done.stderr, (value, done)
        assert scene.unharmed(), value


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_it_says_the_exit_address_and_the_way_back(scene, server, shell):
    one = server()
    done = scene.run(one, "--host", "abcdefgh", "--", "true", shell=shell)
    said = done.stderr.decode()
    assert done.returncode == 255 and "\n  exit_address       203.0.113.7\n" in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("  curl ")]
    asked = len(one.asked)
    # The line works as it stands: it asks this server for the script.
    subprocess.run(["sh", "-c", line], env=scene.environment, capture_output=True, timeout=WAIT_S, check=False)
    assert one.asked[asked][1] == "/v1/bootstrap/script" and "--user 'alice' --host 'abcdefgh'" in line
    assert scene.unharmed()


@pytest.mark.parametrize("said", ["", "x", "203.0.113.7; touch marker", "\x1b[2J203.0.113.7", "$(touch marker)"])
def test_an_exit_address_of_another_form_is_not_shown(scene, server, said):
    done = scene.run(server(exit_address=[said]), "--", "true")
    assert done.returncode == 255 and b"exit_address" not in done.stderr
    assert b"\x1b" not in done.stderr and scene.unharmed()


def test_the_server_does_not_choose_what_ssh_does(scene, server):
    options = [
        f"ProxyCommand=touch {scene.marker}",
        f"ServerAliveInterval=30\rProxyCommand=touch {scene.marker}",
        f"LocalCommand=touch {scene.marker}",
        "PermitLocalCommand=yes",
        "StrictHostKeyChecking=no",
        "ServerAliveInterval=30 -o ProxyCommand=x",
        "serveralivecountmax=*",
    ]
    done = scene.run(server(ssh_options=options), "--", "true")
    assert done.returncode == 255 and b"onnection refused" in done.stderr, done
    assert scene.unharmed()


def test_nothing_that_a_server_says_steers_the_terminal(scene, server):
    said = "it broke\x1b[2J\x1b]52;c;x\x07\x08"
    done = scene.run(
        server(task_status=["failed"], stage_code=["\x1b]0;title\x07"], error_message=[said]), "--", "true"
    )
    assert done.returncode == 14 and b"it broke" in done.stderr
    assert not set(done.stderr) & (set(range(32)) - {10} | {127})


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_odd_directories_and_names_do_no_harm(scene, server, shell):
    for directory in ("a=b", "50%d %h", 'quote"d', "it's", "$(touch marker)", "-x"):
        (scene.directory / directory).mkdir()
        relative = f"./{directory}" if directory.startswith("-") else directory
        for given in (relative, str(scene.directory / directory)):
            scene.environment["TMPDIR"] = given
            done = scene.run(server(), "--user", "$(touch marker)'\"\n@x", "--", "true", shell=shell)
            assert done.returncode == 255 and b"onnection refused" in done.stderr, (given, done)
            assert list((scene.directory / directory).iterdir()) == [] and not scene.marker.exists()


def test_a_server_that_is_not_there_or_talks_much_ends_it_or_does_no_harm(scene, server):
    absent = server()
    absent.server_address = ("127.0.0.1", free_port())
    assert scene.run(absent, "--", "true").returncode == 2
    assert scene.run(server(filler=["x" * 2_000_000]), "--", "true").returncode == 255
    assert scene.unharmed()


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_server_that_holds_no_request_is_asked_once_a_second(scene, server, shell):
    busy = server(task_status=["running"])
    who = ["--user", "alice", "--password-file", scene.directory / "password"]
    with subprocess.Popen(
        [shell, scene.script(busy), *who, "--", "true"], env=scene.environment, stderr=subprocess.DEVNULL
    ) as child:
        wait_until(lambda: len(busy.asked) >= 5, "the server is asked")
        child.terminate()
        assert child.wait(WAIT_S) == 143
    times = [at for at, path in busy.asked if path.startswith(TASK)]
    assert times[3] - times[1] > 1.5
    assert scene.unharmed()


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_second_ctrl_c_does_not_end_the_cleaning_up(scene, server, shell):
    tools = scene.directory / "tools"
    tools.mkdir()
    (tools / "rm").write_text(
        '#!/bin/sh\ncase $1 in -rf) echo cleaning >/dev/tty; sleep 1 ;; esac\nexec /bin/rm "$@"\n'
    )
    (tools / "rm").chmod(0o755)
    child = pexpect.spawn(
        shell,
        [
            scene.script(server(task_status=["running"])),
            "--user",
            "alice",
            "--password-file",
            str(scene.directory / "password"),
        ],
        env=scene.environment | {"PATH": f"{tools}:/usr/bin:/bin"},
        timeout=WAIT_S,
        encoding="utf-8",
    )
    child.expect("ssh_ready")
    child.sendintr()
    child.expect("cleaning")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert scene.unharmed()


def test_ctrl_c_while_ssh_connects_leaves_nothing_behind(scene, server):
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(1)
    to = server(port=[str(silent.getsockname()[1])])
    child = pexpect.spawn(
        "dash",
        [scene.script(to), "--user", "alice", "--password-file", str(scene.directory / "password"), "--", "true"],
        env=scene.environment,
        timeout=WAIT_S,
        encoding="utf-8",
    )
    connection, _ = silent.accept()
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus in (130, 255)
    assert scene.unharmed()
    connection.settimeout(5)
    while connection.recv(4096):  # ssh's greeting, then its end
        pass
    connection.close()
    silent.close()
