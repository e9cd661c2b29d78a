"""The product's main job on the whole product: the bootstrap line to a shell whose traffic leaves through the exit."""

import io
import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from urllib.request import urlopen

import pexpect
import pytest
from support.host import Host
from support.wait import WAIT_S, wait_until

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
ODD_ARGUMENTS = [
    "plain",
    "",
    " two  spaces ",
    "it's",
    '"double"',
    "back\\slash\\n",
    "$HOME `id` $(id)",
    "*",
    "?[a-z]",
    "~",
    "a;b|c&d>e<f",
    "two\nlines\n",
    "\n",
    "-n",
    "--",
    "!history",
    "tab\there",
    "caf\u00e9 \u6f22\u5b57",
    "#comment",
    "{a,b}",
]


class Line:
    """`curl -sSf URL/v1/bootstrap/script | SHELL` for the demo user, with a TMPDIR in which nothing may stay."""

    def __init__(self, stack, tmp_path):
        self.env = stack.env
        self.host = Host(stack, self.env["CCP_DEMO_HOST_ID"])
        self.link = "/v1/bootstrap/script"
        self.who = ["--user", self.env["CCP_DEMO_USER"], "--password-file", self.env["CCP_DEMO_PASSWORD_FILE"]]
        self.temporary = tmp_path / 'it\'s 50% ="odd" $HOME'
        self.temporary.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "TMPDIR": str(self.temporary),
            "TERM": "dumb",
        }

    def text(self, shell, *command):
        script = f"curl -sSf {shlex.quote(self.env['CCP_URL'])}{self.link}"
        return f"{script} | {shell} -s -- {shlex.join(self.who)}{' -- ' + shlex.join(command) if command else ''}"

    def run(self, shell, *command, **options):
        return subprocess.run(
            ["bash", "-c", self.text(shell, *command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environment,
            start_new_session=True,
            timeout=WAIT_S,
            check=False,
            **options,
        )

    def terminal(self, shell, *command):
        return pexpect.spawn(
            "bash",
            ["-c", f"{self.text(shell, *command)}; echo code=$?; stty -a"],
            env=self.environment,
            timeout=WAIT_S,
            encoding="utf-8",
        )

    def nothing_stays(self):
        return list(self.temporary.iterdir()) == [] and not self.processes()

    def processes(self):
        """Processes of this line: they have its TMPDIR in their environment."""
        mark = f"TMPDIR={self.temporary}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes().split(b"\0"):
                    found.append((path.parent / "cmdline").read_bytes())
            except OSError:
                continue
        return found


@pytest.fixture
def line(stack, tmp_path):
    return Line(stack, tmp_path)


@SHELLS
def test_the_line_shows_the_exit_address_from_inside(line, shell):
    done = line.run(shell, "curl", "-s", line.env["CCP_ECHO_URL"])
    assert done.returncode == 0, done
    assert done.stdout.decode().strip() == line.env["CCP_EXIT_IP"]
    assert b"auth_passed" in done.stderr and b"ssh_ready" in done.stderr
    assert line.nothing_stays()


@SHELLS
def test_a_stopped_host_is_started_and_the_stages_are_seen(line, shell):
    line.host.task("host.stop")
    done = line.run(shell, "true")
    stages = [words.split()[0] for words in done.stderr.decode().splitlines() if words.startswith("  ")]
    assert done.returncode == 0 and stages == [*STAGES, "exit_address"], done
    assert re.search(rf"^  exit_address +{re.escape(line.env['CCP_EXIT_IP'])}$", done.stderr.decode(), re.MULTILINE)


@SHELLS
def test_the_hosts_own_link_starts_it_and_gets_in_behind_the_exit(line, shell):
    line.link = f"/entry/{line.env['CCP_DEMO_HOST']}"
    line.who = ["--password-file", line.env["CCP_DEMO_PASSWORD_FILE"]]
    line.host.task("host.stop")
    for seen in (STAGES, ["auth_passed", "ssh_ready"]):  # the second time it runs
        done = line.run(shell, "curl", "-s", line.env["CCP_ECHO_URL"])
        stages = [words.split()[0] for words in done.stderr.decode().splitlines() if words.startswith("  ")]
        assert done.returncode == 0 and stages == [*seen, "exit_address"], done
        assert done.stdout.decode().strip() == line.env["CCP_EXIT_IP"]
    assert line.nothing_stays()


@SHELLS
def test_the_command_has_its_arguments_as_they_were_and_its_exit_status(line, shell):
    python = "import json, sys; print(json.dumps(sys.argv[1:]))"
    done = line.run(shell, "sh", "-c", f'exec python3 -c {shlex.quote(python)} "$@"', "sh", *ODD_ARGUMENTS)
    assert done.returncode == 0, done
    assert json.loads(done.stdout) == ODD_ARGUMENTS
    assert line.run(shell, "sh", "-c", "exit 7").returncode == 7
    assert line.run(shell, "sh", "-c", "kill -9 $$").returncode == 255


def test_bytes_go_in_and_out_of_a_command_as_they_were(line):
    data = os.urandom(300_000)
    (line.temporary.parent / "data").write_bytes(data)
    script = line.temporary.parent / "script.sh"
    script.write_bytes(
        subprocess.run(
            ["curl", "-sSf", f"{line.env['CCP_URL']}/v1/bootstrap/script"], capture_output=True, check=True
        ).stdout
    )
    done = subprocess.run(
        [
            "dash",
            script,
            "--user",
            line.env["CCP_DEMO_USER"],
            "--password-file",
            line.env["CCP_DEMO_PASSWORD_FILE"],
            "--",
            "cat",
        ],
        input=data,
        capture_output=True,
        env=line.environment,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0 and done.stdout == data, done.stderr


@SHELLS
def test_a_terminal_gets_a_shell_that_knows_its_size(line, shell):
    child = line.terminal(shell)
    child.setwinsize(31, 97)
    child.expect(r"ssh_ready[^\n]*\n")
    child.sendline("stty size; tty; exit 9")
    child.expect("31 97")
    child.expect("/dev/pts/")
    child.expect("code=9")
    child.expect(" echo ")
    child.expect(pexpect.EOF)
    wait_until(line.nothing_stays, "nothing stays")


@SHELLS
def test_the_line_asks_shows_real_stages_and_ends_in_a_shell_behind_the_exit(line, shell):
    """What a person does, in a terminal, with nothing given."""
    password = Path(line.env["CCP_DEMO_PASSWORD_FILE"]).read_text().strip()
    line.host.task("host.stop")
    text = f"set -o pipefail; curl -sSf {line.env['CCP_URL']}/v1/bootstrap/script | {shell}; echo code=$?"
    child = pexpect.spawn("bash", ["-c", text], env=line.environment, timeout=WAIT_S, encoding="utf-8")
    child.logfile_read = seen = io.StringIO()
    child.expect("Username: ")
    child.sendline(line.env["CCP_DEMO_USER"])
    child.expect("Password: ")
    child.sendline(password)
    for stage in STAGES:
        child.expect(f"  {stage} +[a-z]")
    child.expect(rf"  exit_address +{re.escape(line.env['CCP_EXIT_IP'])}\s")
    child.expect(r"dev@\S+\$ ")
    child.sendline(f"curl -s {line.env['CCP_ECHO_URL']}")
    child.expect(rf"\n{re.escape(line.env['CCP_EXIT_IP'])}\s")
    child.expect(r"dev@\S+\$ ")
    child.sendline("exit 7")
    child.expect("code=7")
    child.expect(pexpect.EOF)
    assert password not in seen.getvalue()
    wait_until(line.nothing_stays, "nothing stays")


@SHELLS
def test_ctrl_c_ends_a_command_and_leaves_nothing_behind(line, shell):
    child = line.terminal(shell, "sh", "-c", "echo begun; exec sleep 300")
    child.expect("begun")
    child.sendintr()
    child.expect(r"code=(\d+)")
    assert int(child.match[1]) in (130, 255)
    child.expect(r"[ ;]echo[ ;]")
    child.expect(pexpect.EOF)
    wait_until(line.nothing_stays, "nothing stays")


def test_a_terminal_that_is_closed_ends_the_session_and_leaves_nothing_behind(line):
    child = line.terminal("dash")
    child.expect(r"ssh_ready[^\n]*\n")
    child.sendline("echo in''side")
    child.expect("inside")
    child.close()
    wait_until(line.nothing_stays, "nothing stays")


def test_healthz_says_that_every_part_is_well(stack):
    """pg_cron comes each minute, so the first time it may take one."""

    def health():
        with urlopen(f"{stack.env['CCP_URL']}/healthz", timeout=WAIT_S) as answer:
            return json.load(answer)

    parts = ("database", "agent", "worker", "cron", "locks", "disk")
    well = {"status": "ok", "checks": dict.fromkeys(parts, "ok")}
    wait_until(lambda: health() == well, "all is well")
