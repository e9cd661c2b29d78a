"""Many clients of the live streams, in one process of tests/system/sse_clients.c, and who they are."""

import json
import signal
import subprocess

from support.http import Api, hash_password
from support.paths import CHECKOUT
from support.wait import WAIT_S

BINARY = CHECKOUT / "build" / "release" / "driver" / "sse_clients"
PASSWORD = "correct horse battery"
USERS = 30  # with a host each
ADMINS = 4
GROUPS_OF_ADDRESS = 4  # which is half of what an address may have, with 30 clients each

MADE = """
    insert into ccp.users (username, short_id, role, password_hash)
    select 'listener' || n, 'listen' || to_char(n, 'FM000'), 'admin', %s from generate_series(1, %s) as n
"""
GIVEN = "update ccp.users set password_hash = %s where username like 'racer%%' returning id"


def build():
    subprocess.run(["make", "-s", "FLAVOUR=release", str(BINARY.relative_to(CHECKOUT))], cwd=CHECKOUT, check=True)


class Group:
    """Clients of one account, from one address."""

    def __init__(self, port, number, name, role, count):
        self.role, self.count = role, count
        self.source = f"127.0.61.{1 + number // GROUPS_OF_ADDRESS}"
        self.api = Api(port, self.source).login(name, PASSWORD)
        self.user_id = self.api.get("/v1/user/me").json["id"]

    def line(self, topics):
        return f"{self.count} {self.source} {self.role} {topics} {self.api.token}\n"


def audience(port, database, clients):
    """One client in ten is an administrator's, who hears all; the others, users of HOSTS_MAKE, hear of a host."""
    database.rows(MADE, (hash_password(PASSWORD), ADMINS))
    database.rows(GIVEN, (hash_password(PASSWORD),))
    people = [(f"listener{n}", "admin", clients // 10 // ADMINS) for n in range(1, ADMINS + 1)]
    people += [(f"racer{n}", "user", clients * 9 // 10 // USERS) for n in range(1, USERS + 1)]
    return [Group(port, number, *person) for number, person in enumerate(people)]


class Clients:
    """All clients of some groups. They have the lists, and listen."""

    def __init__(self, port, groups, topics, receive_buffer=None):
        self.groups = [group for group in groups for _ in range(group.count)]  # of each client
        words = [BINARY, str(port)] + ([str(receive_buffer)] if receive_buffer else [])
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say("".join(group.line(topics) for group in groups))
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("not every stream began; stderr says why")

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def figures(self):
        """What has happened since that was asked last."""
        self.say("figures")
        return json.loads(self.process.stdout.readline())

    def copies(self):
        """What each client has: {(topic, id): payload}."""
        found = [{} for _ in self.groups]
        self.say("rows")
        while (line := self.process.stdout.readline()) != "end\n":
            client, topic, row, payload = line.split(" ", 3)
            found[int(client)][topic, row] = json.loads(payload)
        return found

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        self.go_on()
        self.process.stdin.close()
        self.process.wait(WAIT_S)
        self.process.stdout.close()
