"""Network namespaces: make, remove, enter, and see who lives in one.

`ip netns exec` is not used: it makes a mount namespace as well, which keeps copies of everybody's
mounts, and with them other people's network namespaces, alive for as long as a daemon runs in it.
"""

import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess

from ccplab import process
from ccplab.errors import LabError

CLONE_NEWNET = 0x40000000
NETLINK_NETFILTER = 12
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command, stdin=None, timeout_s=10):
    """Runs a tool and returns what it printed; its own message is the error."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed: run tools/install-deps") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(command)}: no end after {timeout_s} s") from None
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def path(name):
    return f"/run/netns/{name}"


def exists(name):
    return os.path.exists(path(name))


def add(name):
    run("ip", "netns", "add", name)


def remove(name):
    if exists(name):
        run("ip", "netns", "delete", name)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(name):
    """The calling thread, and what it starts, works in the namespace until the block ends."""
    try:
        there = os.open(path(name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise LabError(f"namespace {name} does not exist: run `lab up` first") from None
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _setns(there)
        try:
            yield
        finally:
            _setns(here)
    finally:
        os.close(there)
        os.close(here)


def sysctl(values):
    """Sets per-namespace switches; call it inside()."""
    for key, value in values.items():
        with open("/proc/sys/net/" + key, "w", encoding="ascii") as file:
            file.write(str(value))


def conntrack_flush():
    """Forgets every flow of the namespace, so that a changed SNAT holds for old flows as well. Call it inside().

    ctnetlink (linux/netfilter/nfnetlink_conntrack.h): IPCTNL_MSG_CT_DELETE without a tuple is a flush.
    """
    nlmsg_error, request_ack, ct_delete = 2, 1 | 4, 1 << 8 | 2
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as sock:
        sock.settimeout(5)
        sock.send(struct.pack("=IHHIIBBH", 20, ct_delete, request_ack, 1, 0, socket.AF_INET, 0, 0))
        answer = sock.recv(4096)
    _, kind, _, _, _, error = struct.unpack_from("=IHHIIi", answer)
    if kind != nlmsg_error or error != 0:
        raise LabError(f"flushing the connection tracking table: {os.strerror(-error)}")


def end_inhabitants(name):
    """Ends whatever still lives in a namespace of the lab: daemons whose record was lost."""
    with open(path(name), "rb") as held:  # held: its inode number cannot be reused meanwhile
        there = os.fstat(held.fileno())
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                with process.Handle(int(entry)) as handle:
                    where = os.stat(f"/proc/{entry}/ns/net")
                    if (where.st_dev, where.st_ino) == (there.st_dev, there.st_ino):
                        handle.signal(signal.SIGKILL)
                        handle.wait(5)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # gone meanwhile, or one that even root may not look at: none of ours
