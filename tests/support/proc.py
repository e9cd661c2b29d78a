"""What /proc says of processes, for tests that measure what a user costs the machine."""

import os
import socket
import struct
from contextlib import suppress
from pathlib import Path


def fields(pid):
    """Those of /proc/PID/stat after the name: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_s(pid):
    """Seconds of processor time that a process has had, with those of its children that it has waited for."""
    return sum(map(int, fields(pid)[11:15])) / os.sysconf("SC_CLK_TCK")


def pss_kb(pid):
    """Its memory, what it shares with others divided among them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def parent(pid):
    return int(fields(pid)[1])


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def words(pid):
    """Its command line; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return [""]


def listener(path):
    """The process that listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def docker_pids(stack, pid):
    """What works for one container outside it: dockerd, containerd and the shim, its parent."""
    directory = str(stack.directory)
    everything = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    containerd = [
        one for one in everything if words(one)[0].endswith("containerd") and directory in " ".join(words(one))
    ]
    return [listener(stack.docker_socket), parent(pid), *containerd]


def pipes(pid):
    """The pipes that a process has open, and keeps open while it is looked at."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return {link for link in found if link.startswith("pipe:")}
