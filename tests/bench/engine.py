"""The Docker engine and network namespaces, spoken to directly: what the baselines are made of."""

import ctypes
import http.client
import json
import os
import socket
import time

from support.wait import WAIT_S

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Engine(http.client.HTTPConnection):
    """The Docker API over its Unix socket, on one kept connection."""

    def __init__(self, path):
        super().__init__("localhost", timeout=WAIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        self.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        answer = self.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"docker {method} {path}: {answer.status} {text!r}")
        return json.loads(text) if text else None


def setns(descriptor):
    if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def socket_inside(path):
    """A TCP socket made inside a namespace, used from here."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    inside = os.open(path, os.O_RDONLY)
    try:
        setns(inside)
        try:
            return socket.socket()
        finally:
            setns(own)
    finally:
        os.close(inside)
        os.close(own)


def wait_banner(path, timeout_s=20):
    """Connects to port 22 inside until sshd says who it is."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        with socket_inside(path) as connection:
            connection.settimeout(5)
            try:
                connection.connect(("127.0.0.1", 22))
                if connection.recv(64).startswith(b"SSH-2.0-"):
                    return
            except ConnectionRefusedError:
                time.sleep(0.002)  # nothing announces a listener in a foreign namespace
    raise RuntimeError("sshd did not answer")
