"""Requests to the API under test, and the API of a test's own."""

import http.client
import json
import socket
import subprocess
from pathlib import Path

from support.document import Contract
from support.paths import CHECKOUT
from support.stack import free_port
from support.wait import WAIT_S


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        # A live stream has no end.
        endless = (response.headers["Content-Type"] or "").startswith("text/event-stream")
        self.text = "" if endless else response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text}"


class Api:
    """One server and, after login(), one login. `source` is the address requests come from."""

    def __init__(self, port, source="127.0.0.1", contract=None):
        self.port = port
        self.source = source
        self.contract = contract
        self.token = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def send(self, method, path, body=None, headers=None, timeout_s=WAIT_S):
        """`body`: a JSON value, or bytes as they are."""
        headers = dict(headers or {})
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=timeout_s, source_address=(self.source, 0)
        )
        try:
            connection.request(method, path, body, headers)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        if self.contract is not None:
            self.contract.check(method, path, answer)
        return answer

    def get(self, path, **options):
        return self.send("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.send("POST", path, body, **options)

    def login(self, username, password):
        answer = self.post("/v1/auth/login", {"username": username, "password": password})
        assert answer.status == 200, answer
        self.token = answer.json["token"]
        return self

    def another(self, source="127.0.0.1"):
        """The same server, not logged in."""
        return Api(self.port, source, self.contract)

    def raw(self, request, timeout_s=WAIT_S):
        """Sends bytes as they are; the answer until the server closes or goes quiet. b"": closed without a word."""
        with socket.create_connection(("127.0.0.1", self.port), timeout_s) as connection:
            connection.sendall(request)
            try:
                return connection.recv(65536)
            except ConnectionResetError:
                return b""

    def raw_whole(self, *pieces):
        """Sends bytes as they are, a piece at a time; all that comes back until the server closes."""
        answers = b""
        with socket.create_connection(("127.0.0.1", self.port), WAIT_S) as connection:
            for piece in pieces:
                connection.sendall(piece)
            while more := connection.recv(65536):
                answers += more
        return answers


def demo_api(stack):
    """A whole stack's API, for its user demo."""
    password = Path(stack.env["CCP_DEMO_PASSWORD_FILE"]).read_text().strip()
    return Api(int(stack.environment["CCP_HTTP_PORT"])).login(stack.env["CCP_DEMO_USER"], password)


def hash_password(password):
    return (
        subprocess.run(
            [CHECKOUT / "build" / "release" / "ccp-api", "hash"],
            input=password.encode(),
            capture_output=True,
            timeout=WAIT_S,
            check=True,
        )
        .stdout.decode()
        .strip()
    )


class ApiServer:
    """ccp-api on a database of the test's own, with an administrator `root`."""

    PASSWORD = "correct horse battery"

    def __init__(self, database, program, flavour="release"):
        self.database = database
        self.start_program = program
        self.flavour = flavour
        self.port = free_port()
        self.metrics_port = free_port()
        database.rows("update ccp.settings set value = '[\"127.0.0.1\"]' where name = 'penalty_exempt'")
        database.rows("update ccp.settings set value = '1000000' where name = 'requests_per_minute'")
        database.rows("select account.create_admin('root', %s)", (hash_password(self.PASSWORD),))
        self.start()

    def start(self):
        self.program = self.start_program(
            "ccp-api",
            self.database,
            "--listen",
            f"127.0.0.1:{self.port}",
            "--listen-metrics",
            f"127.0.0.1:{self.metrics_port}",
            flavour=self.flavour,
        )
        self.program.wait_log("event=serving")
        self.contract = Contract(Api(self.port).get("/v1/openapi.json").json)

    def client(self, source="127.0.0.1"):
        """Every answer that it gets is compared with the document."""
        return Api(self.port, source, self.contract)

    def admin(self):
        return self.client().login("root", self.PASSWORD)

    def user(self, username):
        """A user just made, logged in."""
        answer = self.admin().post("/v1/admin/users", {"username": username})
        assert answer.status == 201, answer
        return self.client().login(username, answer.json["password"])
