"""The examples of docs/proxy.md, run: what browsers and streams need passes through nginx and Caddy."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import time

import pytest
from support.paths import CHECKOUT
from support.sse import Parser
from support.stack import free_port
from support.wait import WAIT_S, wait_until

SOON_S = 5  # far below what a buffer would take to fill
COOKIE = "__Host-ccp_refresh"


def example(language):
    text = (CHECKOUT / "docs" / "proxy.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found


def replaced(text, *pairs):
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(directory, port, server_port, change):
    site = replaced(
        change(example("nginx")),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("ccp.example;", "localhost;"),
        ("/etc/ssl/certs/ccp.example.pem", f"{directory}/cert.pem"),
        ("/etc/ssl/private/ccp.example.key", f"{directory}/key.pem"),
        ("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
    )
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{name}_temp_path {directory}/{name};" for name in names)
    (directory / "conf").write_text(
        f"daemon off;\nuser root;\nworker_processes 1;\npid {directory}/pid;\nevents {{ }}\n"
        f"http {{\naccess_log off;\n{places}\n{site}}}\n"
    )
    return ["nginx", "-e", f"{directory}/log", "-c", f"{directory}/conf"]


def caddy(directory, port, server_port, change):
    site = replaced(
        change(example("caddy")),
        (
            "ccp.example {",
            f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {directory}/cert.pem {directory}/key.pem",
        ),
        ("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
    )
    (directory / "conf").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}")
    return ["caddy", "run", "--config", f"{directory}/conf", "--adapter", "caddyfile"]


class Proxy:
    """A proxy in front of a server. Requests go to it by TLS."""

    def __init__(self, kind, directory, server, change=lambda text: text):
        self.directory, self.port = directory, free_port()
        self.origin = f"https://localhost:{self.port}"
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        files = ["-keyout", directory / "key.pem", "-out", directory / "cert.pem"]
        subprocess.run(
            ["openssl", "req", "-x509", "-days", "2", *key, *subject, *files], check=True, capture_output=True
        )
        self.trust = ssl.create_default_context(cafile=directory / "cert.pem")
        words = kind(directory, self.port, server.port, change)
        with (directory / "output").open("wb") as output:
            self.process = subprocess.Popen(
                words, stdout=output, stderr=output, env={"PATH": "/usr/sbin:/usr/bin", "HOME": str(directory)}
            )
        wait_until(self.answers, "the proxy answers")

    def answers(self):
        assert self.process.poll() is None, (self.directory / "output").read_text()
        try:
            return self.send("GET", "/healthz").status == 200
        except OSError:
            return False

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.port), WAIT_S)
        return self.trust.wrap_socket(raw, server_hostname="localhost")

    def send(self, method, path, body=None, **headers):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=WAIT_S, context=self.trust)
        headers = {"Content-Type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
            return answer
        finally:
            connection.close()

    def login(self, server, **headers):
        """(token, cookie) of a browser."""
        body = {"username": "root", "password": server.PASSWORD, "cookie": True}
        answer = self.send("POST", "/v1/auth/login", body, Origin=self.origin, **headers)
        assert answer.status == 200, answer.text
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert cookie.startswith(f"{COOKIE}="), cookie
        return json.loads(answer.text)["token"], cookie

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(WAIT_S)
        finally:
            self.process.kill()


@pytest.fixture(params=[nginx, caddy], ids=lambda kind: kind.__name__)
def proxy(request, server, tmp_path):
    one = Proxy(request.param, tmp_path, server)
    yield one
    one.end()


def pieces(connection, parser):
    """What has come by now, as events."""
    data = connection.recv(65536)
    assert data, "the stream has ended"
    return parser.feed(data)


def test_a_browser_logs_in_and_its_cookie_renews_that(proxy, server):
    _, cookie = proxy.login(server)
    words = ["curl", "-sS", "--http2", "--cacert", proxy.directory / "cert.pem", "-m", str(WAIT_S), "-X", "POST"]
    words += ["-H", f"Origin: {proxy.origin}", "-H", f"Cookie: {cookie}", f"{proxy.origin}/v1/auth/refresh"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["token"], done
    document = proxy.send("GET", "/v1/openapi.json")
    assert document.text == server.client().get("/v1/openapi.json").text, "a long answer is whole"


def test_streams_come_as_they_are_written_and_stay(proxy, server, database):
    token, _ = proxy.login(server)
    with proxy.connect() as connection:
        connection.sendall(
            f"GET /v1/admin/sse?topics=events HTTP/1.1\r\nHost: localhost:{proxy.port}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        parser, seen = Parser(), []
        while not seen:
            seen += pieces(connection, parser)
        assert seen[0].name == "ready"
        began = time.monotonic()
        database.rows("select event.write('host.verified', 'something')")
        while not any(e.name == "message" and e.data["payload"]["message"] == "something" for e in seen):
            seen += pieces(connection, parser)
        assert time.monotonic() - began < SOON_S
        while not any(e.name == "heartbeat" for e in seen):
            seen += pieces(connection, parser)


def test_an_address_that_a_client_writes_is_not_believed(proxy, server, database):
    lie = {"X_Forwarded_For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X_Real_IP": "203.0.113.9"}
    proxy.login(server, **lie)
    written = database.rows("select distinct host(actor_address) from ccp.events where type = 'auth.success'")
    assert written == [("127.0.0.1",)]


def test_a_proxy_that_names_another_host_is_refused_the_cookie(server, tmp_path):
    line = "        proxy_set_header Host $http_host;\n"
    one = Proxy(nginx, tmp_path, server, change=lambda text: replaced(text, (line, "")))
    try:
        body = {"username": "root", "password": server.PASSWORD, "cookie": True}
        refused = one.send("POST", "/v1/auth/login", body, Origin=one.origin)
        assert (refused.status, json.loads(refused.text)["error_code"]) == (403, "foreign_page"), refused.text
    finally:
        one.end()
