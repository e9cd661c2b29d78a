"""What the HTTP parser lets through is refused, and no address takes the server for itself."""

import socket
import time

import pytest
from support.wait import wait_until

DAWDLE_S = 1  # between two lines of a header
HOST = b"Host: x\r\n"
LOGIN = b'{"username":"a","password":"b"}'
POST = b"POST /v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
REFUSED = {
    "both length headers": POST + b"Content-Length: 31\r\nTransfer-Encoding: chunked\r\n\r\n" + LOGIN,
    "two equal lengths": POST + b"Content-Length: 31\r\nContent-Length: 31\r\n\r\n" + LOGIN,
    "two lengths": POST + b"Content-Length: 31\r\nContent-Length: 3\r\n\r\n" + LOGIN,
    "a signed length": POST + b"Content-Length: +31\r\n\r\n" + LOGIN,
    "a huge length": POST + b"Content-Length: 99999999999999\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a transfer encoding that only ends in chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\nD: e\r\n\r\n",
    "a folded last line": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n",
    "a folded first line": b"GET /healthz HTTP/1.1\r\n " + HOST + b"A: b\r\n\r\n",
    "NUL in the path": b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the query": b"GET /healthz?a=%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\0c\r\n\r\n",
    "CR in a header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"A: b\rc\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a blank before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "two authorizations": b"GET /v1/user/me HTTP/1.1\r\n" + HOST + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "a body where none belongs": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
}


def test_what_the_http_parser_lets_through_is_refused_and_the_server_lives(server):
    client = server.client()
    for name, request in REFUSED.items():
        answer = client.raw(request)
        assert answer.startswith(b"HTTP/1.1 4"), (name, answer)
    plain = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Accept:*/*\r\nX-Empty:\r\nX-Blank:   a  \r\n\r\n"
    assert client.raw(plain).startswith(b"HTTP/1.1 200"), client.raw(plain)
    assert client.raw(b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_connections_that_dawdle_are_closed(server):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(DAWDLE_S)
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")

        def closed():
            try:
                connection.sendall(b"A: b\r\n")
                return connection.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        wait_until(closed, "the connection is closed")
        assert time.monotonic() - began > 8


def test_one_address_has_a_limit_of_connections_and_others_are_served(server):
    def is_served():
        try:
            return server.client("127.0.0.2").get("/healthz").status == 200
        except OSError:  # refused as long as the server has not noticed that the others have left
            return False

    held = []
    try:
        for _ in range(300):
            one = socket.socket()
            one.bind(("127.0.0.2", 0))
            one.connect(("127.0.0.1", server.port))
            held.append(one)
        assert server.client("127.0.0.3").get("/healthz").status == 200
        with pytest.raises(OSError):
            server.client("127.0.0.2").get("/healthz")
    finally:
        for one in held:
            one.close()
    wait_until(is_served, "the address is served again")
