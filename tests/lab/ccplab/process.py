"""Daemons of the lab: daemonised, written down, found again, ended.

A record (state directory, processes/NAME.json) names a process by pid, start time and boot, so a pid
that was used again is never taken for ours; signals go through a pidfd, so it cannot change hands
between the look and the blow.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
from pathlib import Path

from ccplab.errors import LabError

READY = b"ready"
MESSAGE_MAX = 4096
END_S = 20


class Handle:
    """A process by pidfd. Raises ProcessLookupError when there is none."""

    def __init__(self, pid):
        self.pid = pid
        self.fd = os.pidfd_open(pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def signal(self, number):
        signal.pidfd_send_signal(self.fd, number)

    def wait(self, timeout_s):
        """True when it has ended within that time."""
        return bool(select.select([self.fd], [], [], timeout_s)[0])


def _birth(pid):
    """What tells this process from a later one with the same pid (proc(5): stat, field 22)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{stat.rpartition(')')[2].split()[19]}"


class Records:
    """The processes of one lab."""

    def __init__(self, directory):
        self.directory = Path(directory) / "processes"
        self.logs = Path(directory) / "log"

    def _path(self, name):
        return self.directory / f"{name}.json"

    def names(self):
        return sorted(path.stem for path in self.directory.glob("*.json"))

    def read(self, name):
        """What was written down about it, or None."""
        try:
            return json.loads(self._path(name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    def find(self, name):
        """A Handle of the live process, or None."""
        record = self.read(name)
        if record is None:
            return None
        try:
            handle = Handle(record["pid"])
        except ProcessLookupError:
            return None
        try:
            if _birth(record["pid"]) == record["birth"] and not handle.wait(0):
                return handle
        except FileNotFoundError:
            pass
        os.close(handle.fd)
        return None

    def alive(self, name):
        handle = self.find(name)
        if handle is None:
            return False
        os.close(handle.fd)
        return True

    def ends(self, name, timeout_s):
        """True when it does not live, or ends within that time."""
        handle = self.find(name)
        if handle is None:
            return True
        with handle:
            return handle.wait(timeout_s)

    def log(self, name):
        return self.logs / f"{name}.log"

    def _write(self, name, details):
        """In the child, before it becomes the daemon: the record is there even if the starter is killed."""
        pid = os.getpid()
        text = json.dumps({"pid": pid, "birth": _birth(pid), **details})
        draft = self._path(name).with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._path(name))

    def spawn(self, name, command, pass_fds=(), env=None, **details):
        """Starts a daemon in the calling thread's namespace, its output in its own log file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with open(self.log(name), "wb") as log:
            try:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=pass_fds,
                    env={**os.environ, **(env or {})},
                    cwd="/",
                    preexec_fn=lambda: self._write(name, details),
                )
            except FileNotFoundError:
                raise LabError(f"{command[0]} is not installed: run tools/install-deps") from None
        child.returncode = 0  # a daemon: not to be waited for
        return child.pid

    def spawn_and_hear(self, name, command, timeout_s, **details):
        """The same, until the daemon writes `ready` to descriptor READY_FD. Anything else it says is returned."""
        reader, writer = os.pipe()
        try:
            self.spawn(name, command, pass_fds=[writer], env={"READY_FD": str(writer)}, **details)
            os.close(writer)
            writer = -1
            if not select.select([reader], [], [], timeout_s)[0]:
                raise LabError(f"{name} is not ready after {timeout_s} s: see {self.log(name)}")
            said = os.read(reader, MESSAGE_MAX)
            if not said:
                raise LabError(f"{name} died at its start: {self.last_lines(name)}")
            return "" if said == READY else said.decode()
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)

    def last_lines(self, name):
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return " / ".join(lines[-3:]) or f"{self.log(name)} is empty"

    def signal(self, name, number):
        handle = self.find(name)
        if handle is None:
            raise LabError(f"{name} does not run: `lab up` brings it back")
        with handle:
            handle.signal(number)

    def stop(self, name):
        """Ends it: SIGTERM (also to a frozen one), after END_S SIGKILL. Nothing to do when it is gone."""
        handle = self.find(name)
        if handle is not None:
            with handle, contextlib.suppress(ProcessLookupError):
                handle.signal(signal.SIGTERM)
                handle.signal(signal.SIGCONT)
                if not handle.wait(END_S):
                    handle.signal(signal.SIGKILL)
                    if not handle.wait(END_S):
                        raise LabError(f"{name} (pid {handle.pid}) does not end: is it stuck in the kernel?")
        self._path(name).unlink(missing_ok=True)


def tell_ready(text=READY):
    """In a daemon: says that it serves, or why not yet, to the command that started it."""
    fd = os.environ.pop("READY_FD", None)
    if fd is not None:
        os.write(int(fd), text[:MESSAGE_MAX])
        os.close(int(fd))
