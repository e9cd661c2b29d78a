"""A client of the live streams (Server-Sent Events), and a copy of lists that it keeps up to date."""

import json
import socket
import threading
import time
from contextlib import suppress

from support.wait import WAIT_S

# What a list shows of each, without what only time changes.
TABLES = {
    "hosts": "select h.id, to_json(h)::jsonb - 'why' from api.host as h",
    "tasks": "select t.id, to_json(t)::jsonb from api.task as t",
    "sessions": "select s.id, to_json(s)::jsonb from api.session as s",
}


class Event:
    def __init__(self, name, data, where):
        self.name, self.where = name, where
        self.data = json.loads(data)

    def __repr__(self):
        return f"{self.name} {self.data}"


class Parser:
    """Bytes of an HTTP answer in chunks become events."""

    def __init__(self):
        self.raw, self.text = b"", b""
        self.head = None
        self.ended = False

    def feed(self, data):
        self.raw += data
        if self.head is None:
            head, found, rest = self.raw.partition(b"\r\n\r\n")
            if not found:
                return []
            self.head, self.raw = head.decode(), rest
            self.ended = not self.head.startswith("HTTP/1.1 200 ")
        while not self.ended:
            size, found, rest = self.raw.partition(b"\r\n")
            if not found or len(rest) < int(size, 16) + 2:
                break
            self.ended = int(size, 16) == 0
            self.text += rest[: int(size, 16)]
            self.raw = rest[int(size, 16) + 2 :]
        *whole, self.text = self.text.split(b"\n\n")
        return [event for event in map(self.event, whole) if event]

    def event(self, text):
        fields = dict(line.split(": ", 1) for line in text.decode().split("\n") if line)
        return Event(fields.get("event", "message"), fields["data"], fields.get("id")) if "data" in fields else None


class Stream:
    """One client. `where` is the last id that next() returned; Stream(..., last=where) goes on behind it."""

    def __init__(self, client, path, last=None, receive_buffer=None):
        self.parser = Parser()
        self.waiting = []
        self.where = last
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WAIT_S)
        self.socket.bind((client.source, 0))
        self.socket.connect(("127.0.0.1", client.port))
        resume = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n{resume}\r\n".encode()
        )

    @property
    def status(self):
        while self.parser.head is None:
            self.receive()
        return int(self.parser.head.split()[1])

    def receive(self):
        data = self.socket.recv(262144)
        if not data:
            raise EOFError
        self.waiting += self.parser.feed(data)

    def next(self):
        """The next event; EOFError when the server has ended the stream."""
        while not self.waiting:
            if self.parser.ended:
                raise EOFError
            self.receive()
        event = self.waiting.pop(0)
        self.where = event.where or self.where
        return event

    def until(self, holds, timeout_s=WAIT_S):
        """Events up to the first one for which it holds."""
        seen = []
        end = time.monotonic() + timeout_s
        while not (seen and holds(seen[-1])):
            assert time.monotonic() < end, seen
            seen.append(self.next())
        return seen

    def rest(self):
        """All up to the orderly end."""
        seen = []
        while True:
            try:
                seen.append(self.next())
            except EOFError:
                assert self.parser.ended, "it broke off"
                return seen

    def ready(self):
        event = self.next()
        assert event.name == "ready", event
        return self

    def close(self):
        self.socket.close()


def changes(events, topic=None):
    return [e.data for e in events if e.name == "message" and topic in (None, e.data["topic"])]


def tables(database):
    """Each of them, {id: payload}, at one moment."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'; set transaction isolation level repeatable read")
        found = {}
        for topic, sql in TABLES.items():
            cursor.execute(sql)
            found[topic] = dict(cursor.fetchall())
        return found


RANK = {"queued": 0, "running": 1, "succeeded": 2, "failed": 2, "canceled": 2}


class Replica(threading.Thread):
    """A copy of the lists that a stream tells of. When the stream breaks off it goes on from where it was."""

    def __init__(self, client, path):
        super().__init__(daemon=True)
        self.client, self.path = client, path
        self.topics = path.partition("topics=")[2].split(",")
        self.rows = {topic: {} for topic in self.topics}
        self.steps_back = []
        self.resyncs = 0
        self.over = threading.Event()

    def begin(self):
        """Reads the lists as soon as it hears what changes."""
        self.stream = Stream(self.client, self.path).ready()
        for topic in self.topics:
            answer = self.client.get(f"/v1/admin/{topic}?limit=200")
            assert answer.status == 200 and answer.json["next_cursor"] is None, answer
            for row in answer.json[topic]:
                self.put({"topic": topic, "action": "upsert", "id": row["id"], "payload": row})
        self.start()

    def put(self, change):
        rows = self.rows[change["topic"]]
        if change["action"] == "delete":
            rows.pop(change["id"], None)
            return
        row = {name: value for name, value in change["payload"].items() if name != "why"}
        before = rows.get(change["id"])
        rows[change["id"]] = row
        if before and change["topic"] == "tasks" and RANK[before["status"]] > RANK[row["status"]]:
            self.steps_back.append((before, row))

    def read(self):
        while not self.over.is_set():
            event = self.stream.next()
            self.resyncs += event.name == "resync"
            if event.name == "message":
                self.put(event.data)

    def run(self):
        """What came of a step that is cut off comes again."""
        while not self.over.is_set():
            with suppress(OSError, EOFError):
                self.read()
            self.stream.close()
            with suppress(OSError, EOFError):
                self.stream = Stream(self.client, self.path, last=self.stream.where)
                if self.stream.status != 200:
                    self.over.wait(0.05)

    def end(self):
        self.over.set()
        self.stream.close()
        self.join(WAIT_S)
