"""A namespace with a resolver and a receiver of webhooks in it, of which nothing leads out.

Run as a program inside the namespace it is the resolver and the receiver: what comes is a line of JSON in the file
`received` of its directory. How it answers is said by the path; what names resolve to by the file `names`, one address
for each time that a name is asked for, the last for all others.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8080
PUBLIC = "203.0.113.10"


lock = threading.Lock()
seen = Counter()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        path, _, query = self.path.partition("?")
        with lock:
            seen[self.path] += 1
            number = seen[self.path]
            with Path(sys.argv[1], "received").open("a") as log:
                line = {
                    "path": self.path,
                    "headers": dict(self.headers),
                    "body": body,
                    "at": self.request.getsockname()[0],
                    "time": time.time(),
                }
                log.write(json.dumps(line) + "\n")
        getattr(self, "answer_" + path.split("/")[1])(number, query)

    def say(self, status, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer_ok(self, _number, _query):
        self.say(204)

    def answer_fails(self, number, query):
        self.say(200 if number > int(query) else 500)

    def answer_status(self, _number, query):
        self.say(int(query))

    def answer_later(self, number, query):
        """Asks once to be left alone: the status, then the seconds, or a date so many seconds from now."""
        status, how, seconds = query.split(",")
        value = formatdate(time.time() + int(seconds), usegmt=True) if how == "date" else seconds
        if number == 1:
            self.say(int(status), {"Retry-After": value})
        else:
            self.say(204)

    def answer_hangs(self, _number, _query):
        self.connection.recv(1)  # until the other end has had enough
        self.close_connection = True

    def answer_hangs_once(self, number, query):
        (self.answer_hangs if number == 1 else self.answer_ok)(number, query)

    def answer_drips(self, _number, _query):
        self.close_connection = True
        try:
            for letter in "HTTP/1.1 200 OK\r\nX: " + 1000 * "y":
                self.wfile.write(letter.encode())
                time.sleep(0.2)
        except OSError:
            pass

    def answer_moved(self, _number, _query):
        self.say(302, {"Location": f"http://{PUBLIC}:{PORT}/ok"})

    def answer_garbage(self, _number, _query):
        self.wfile.write(os.urandom(4096))
        self.close_connection = True

    def answer_endless(self, _number, _query):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self.close_connection = True
        sent = 0
        try:
            while sent < 1 << 30:
                sent += self.connection.send(b"x" * 65536)
        except OSError:
            pass
        Path(sys.argv[1], "sent").write_text(str(sent))


def address_for(directory, asked, name):
    addresses = json.loads(Path(directory, "names").read_text()).get(name, [])
    asked[name] += 1
    return addresses[min(asked[name], len(addresses)) - 1] if addresses else None


def resolve(directory):
    """A resolver: questions for A get one address that lives for no time, all others an answer without any."""
    asked = Counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        while True:
            packet, client = server.recvfrom(512)
            labels, at = [], 12
            while packet[at]:
                labels.append(packet[at + 1 : at + 1 + packet[at]].decode().lower())
                at += 1 + packet[at]
            is_a = packet[at + 1 : at + 3] == b"\0\1"
            address = address_for(directory, asked, ".".join(labels)) if is_a else None
            record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) if address else b""
            count = b"\0\1" if address else b"\0\0"
            question = packet[12 : at + 5]
            server.sendto(packet[:2] + b"\x81\x80\0\1" + count + b"\0\0\0\0" + question + record, client)


class Receiver:
    """The namespace and what runs in it."""

    def __init__(self, directory):
        self.directory = directory
        self.directory.chmod(0o755)
        self.name = f"ccp-hooks-{os.getpid()}"
        self.etc = Path("/etc/netns") / self.name
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        self.resolves({"hooks.example": [PUBLIC], "inside.example": ["127.0.0.1"]})
        for words in (
            f"netns add {self.name}",
            f"-n {self.name} link set lo up",
            f"-n {self.name} addr add {PUBLIC}/32 dev lo",
        ):
            subprocess.run(["ip", *words.split()], check=True)
        self.process = subprocess.Popen(
            self.inside(sys.executable, "-P", __file__, self.directory), stdout=subprocess.PIPE
        )
        assert self.process.stdout.readline() == b"ready\n"

    def inside(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def resolves(self, names):
        (self.directory / "names").write_text(json.dumps(names))

    def url(self, path, host="hooks.example"):
        return f"http://{host}:{PORT}/{path}"

    def received(self, path=None):
        log = self.directory / "received"
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [line for line in lines if path in (None, line["path"].lstrip("/"))]

    def end(self):
        self.process.kill()
        self.process.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=True)
        shutil.rmtree(self.etc)


if __name__ == "__main__":
    resolver = threading.Thread(target=resolve, args=sys.argv[1:2], daemon=True)
    resolver.start()
    receiver = ThreadingHTTPServer(("", PORT), Handler)
    print("ready", flush=True)
    receiver.serve_forever()
