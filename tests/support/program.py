"""One of our programs run by a test, as its own system user and without a stack around it."""

import os
import pwd
import select
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until


class Program:
    """A running program: `pid`, what it logs, and how it ends.

    It runs from a copy in `directory`, since the checkout may be closed to other users. Its state is there too, so
    starting the same program again with the same directory is a restart of it.
    """

    def __init__(self, name, database, directory, *arguments, flavour="release", environment=None):
        self.directory = Path(directory)
        self.user = "root" if name == "ccp-agent" else name
        owner = pwd.getpwnam(self.user)
        for path in (self.directory, self.directory / "run", self.directory / "run" / "dial"):
            path.mkdir(mode=0o755, exist_ok=True)
            path.chmod(0o755)
        state = self.directory / name.removeprefix("ccp-")
        state.mkdir(mode=0o700, exist_ok=True)
        os.chown(state, owner.pw_uid, owner.pw_gid)
        binary = self.directory / f"{name}.{flavour}"
        if not binary.exists():
            shutil.copy(CHECKOUT / "build" / flavour / name, binary)
        self.log_path = self.directory / f"{name}.log"
        self.conninfo = database and database.conninfo(f"ccp_{name.removeprefix('ccp-')}")
        rights = ["setpriv", "--reuid", self.user, "--regid", self.user, "--groups", "ccp-db,ccp-dial"]
        as_user = [] if self.user == "root" else rights
        self.words = [*as_user, binary, "--state-dir", self.directory]
        self.environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(environment or {})}
        with self.log_path.open("ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(
                self.command(self.conninfo, *arguments),
                cwd="/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.pid = self.process.pid

    def command(self, conninfo, *arguments):
        return [*self.words, *arguments, *(["--database", conninfo] if conninfo else [])]

    def once(self, *arguments, conninfo=None):
        """Runs the same program beside it, with other arguments, to its end."""
        return subprocess.run(
            self.command(conninfo or self.conninfo, *arguments),
            cwd="/",
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    @property
    def log(self):
        """What this run has logged so far."""
        with self.log_path.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def wait_log(self, text):
        def seen():
            if self.process.poll() is not None and text not in self.log:
                raise RuntimeError(f"ended with {self.process.returncode} before it logged {text!r}:\n{self.log}")
            return text in self.log

        wait_until(seen, f"the log says {text!r}")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)

    def wait(self):
        """Waits for its end; the exit status."""
        return self.process.wait(WAIT_S)

    def stop(self):
        """Asks it to end, and sees that it does; the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                return self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return self.process.returncode


def kill(pid):
    """Kills a process, and waits until all its threads are gone and its sockets with them."""
    with suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], WAIT_S)
        os.close(process)
