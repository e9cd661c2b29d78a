"""Requests as raw bytes: none is taken for part of another, and no address takes the server for itself."""

import re
import socket
import subprocess
import time

import pytest
from support.wait import WAIT_S, wait_until

DAWDLE_S = 1  # between two lines of a header
HOST = b"Host: x\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
LOGIN = b'{"username":"a","password":"b"}'
POST = b"POST /v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SECOND = b"GET /second HTTP/1.1\r\n" + HOST + b"\r\n"

# After these nobody knows where the next request begins, or two readers would not agree on it.
UNFRAMED = {
    "both length headers": POST + b"Content-Length: 31\r\nTransfer-Encoding: chunked\r\n\r\n" + LOGIN,
    "two equal lengths": POST + b"Content-Length: 31\r\nContent-Length: 31\r\n\r\n" + LOGIN,
    "two lengths": POST + b"Content-Length: 31\r\nContent-Length: 3\r\n\r\n" + LOGIN,
    "a list of lengths": POST + b"Content-Length: 31, 31\r\n\r\n" + LOGIN,
    "a signed length": POST + b"Content-Length: +31\r\n\r\n" + LOGIN,
    "a length that is not a number": POST + b"Content-Length: 31x\r\n\r\n" + LOGIN,
    "a huge length": POST + b"Content-Length: 99999999999999\r\n\r\n",
    "a length that no integer holds": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + LOGIN,
    "a length in hex": POST + b"Content-Length: 0x1f\r\n\r\n" + LOGIN,
    "a blank in a length": POST + b"Content-Length: 3 1\r\n\r\n" + LOGIN,
    "a vertical tab before a length": POST + b"Content-Length: \v31\r\n\r\n" + LOGIN,
    "a blank that is not ASCII before the length's colon": POST + b"Content-Length\xa0: 46\r\n\r\n" + SECOND,
    "a blank before the length's colon": POST + b"Content-Length : 46\r\n\r\n" + SECOND,
    "a tab before the length's colon": POST + b"Content-Length\t: 46\r\n\r\n" + SECOND,
    "a transfer encoding that only ends in chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a list of transfer encodings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two transfer encodings": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "a transfer encoding that is repeated": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a transfer encoding that says nothing": POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "another transfer encoding": POST + b"Transfer-Encoding: identity\r\nContent-Length: 31\r\n\r\n" + LOGIN,
    "a vertical tab before a transfer encoding": POST + b"Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
    "a tab before the transfer encoding's colon": POST + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "a transfer encoding of HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "two hosts": GET + HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with a user": b"GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a whole URL": b"GET http://x/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a folded line": GET + b"A: b\r\n c\r\nD: e\r\n\r\n",
    "a folded last line": GET + b"A: b\r\n c\r\n\r\n",
    "a folded first line": b"GET /healthz HTTP/1.1\r\n " + HOST + b"A: b\r\n\r\n",
    "a line without a name": GET + b": b\r\n\r\n",
    "a line that is a colon": GET + b":\r\nA: b\r\n\r\n",
    "a line that is a colon and ends in LF": GET + b":\nA: b\r\n\r\n",
    "a line without a colon": GET + b"A\r\n\r\n",
    "NUL in a header": GET + b"A: b\0c\r\n\r\n",
    "NUL for a line": GET + b"A: b\n\0\r\nC: d\r\n\r\n",
    "CR in a header": GET + b"A: b\rc\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a bare line feed at the end": GET + b"A: b\r\n\n",
    "a blank before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "two blanks": b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "tabs for blanks": b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "an unknown version": b"GET /healthz HTTP/1.7\r\n" + HOST + b"\r\n",
    "a version in small letters": b"GET /healthz http/1.1\r\n" + HOST + b"\r\n",
    "a long version": b"GET /healthz HTTP/1.10\r\n" + HOST + b"\r\n",
    "the beginning of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a tunnel": b"CONNECT x:1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "two hosts in one": b"GET /healthz HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "two authorizations": b"GET /v1/user/me HTTP/1.1\r\n" + HOST + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "a body where none belongs": GET + b"Content-Length: 3\r\n\r\nabc",
    "a head without end": GET + b"A: " + b"b" * 40000,
    "chunks that end in LF": CHUNKED + b"1f\n" + LOGIN + b"\n0\n\n",
    "a chunk's extension": CHUNKED + b"1f;a\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a trailer": CHUNKED + b"1f\r\n" + LOGIN + b"\r\n0\r\nContent-Length: 46\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"1e\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a chunk that is shorter than it says": CHUNKED + b"21\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a chunk without an end": CHUNKED + b"1f\r\n" + LOGIN + b"0\r\n\r\n",
    "a chunk's size that is not hex": CHUNKED + b"zz" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a signed chunk's size": CHUNKED + b"+1f" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a chunk's size with a prefix": CHUNKED + b"0x1f" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a blank after a chunk's size": CHUNKED + b"1f " + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a blank before a chunk's size": CHUNKED + b" 1f" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a chunk's size that no integer holds": CHUNKED + b"1000000000000001f" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
    "a CR after a chunk's size": CHUNKED + b"1f\r" + b"\r\n" + LOGIN + b"\r\n0\r\n\r\n",
}
# These are refused, and the request that follows is one of its own.
FRAMED = {
    "NUL in the path": b"GET /healthz%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the query": b"GET /healthz?a=%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a body that is read": CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    "a body of a length": POST + b"Content-Length: 2\r\n\r\n{}",
}


def status_lines(answers):
    """Of what came on one connection; our bodies hold no line that begins like one."""
    return re.findall(rb"HTTP/1\.1 (\d+) [A-Z]", answers)


def test_what_is_not_framed_is_answered_once_and_the_connection_closed(server):
    client = server.client()
    for name, request in UNFRAMED.items():
        answers = client.raw_whole(request + SECOND)
        assert len(status_lines(answers)) == 1 and answers.startswith(b"HTTP/1.1 4"), (name, answers)
        assert b"\r\nConnection: close\r\n" in answers, (name, answers)
        assert b"Content-Type: application/problem+json" in answers, (name, answers)


def test_a_second_request_on_a_connection_is_never_part_of_the_first(server):
    last = SECOND.replace(HOST, HOST + b"Connection: close\r\n")
    for name, request in FRAMED.items():
        answers = server.client().raw_whole(request + last)
        first, second = status_lines(answers)
        assert first in (b"400", b"422") and second == b"404", (name, answers)
    for length in range(1, len(LOGIN)):  # what is left of a body is not taken for a request that is answered
        head = POST + f"Content-Length: {length}\r\n\r\n".encode()
        answers = server.client().raw_whole(head + LOGIN + last)
        assert status_lines(answers) == [b"400", b"400"], (length, answers)


def test_plain_requests_are_answered_in_any_pieces(server):
    plain = GET + b"Accept:*/*\r\nX-Empty:\r\nX-Blank:   a  \r\n\r\n"
    whole = plain + b"\r\n" + POST + b"Content-Length: 31\r\nConnection: close\r\n\r\n" + LOGIN
    assert status_lines(server.client().raw_whole(whole)) == [b"200", b"401"]
    assert status_lines(server.client().raw_whole(*(whole[i : i + 1] for i in range(len(whole))))) == [b"200", b"401"]
    old = server.client().raw_whole(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert status_lines(old) == [b"200"] and b"Connection: close" in old
    head = server.client().raw_whole(plain.replace(b"GET", b"HEAD").replace(HOST, HOST + b"Connection: close\r\n"))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n") and head.endswith(b"\r\n\r\n")


def test_a_client_that_waits_to_be_told_is_told_to_send_its_body(server):
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as connection:
        connection.sendall(POST + b"Content-Length: 31\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(LOGIN)
        assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


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


MANY_ANSWERS = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 400  # 30 MB


@pytest.mark.parametrize("said", [b"G", MANY_ANSWERS], ids=["who says nothing whole", "who takes no answer"])
def test_addresses_that_take_every_place_keep_no_other_network_out(server, said):
    held = []
    try:
        for network in range(5):  # 5 x 220 connections are more than there are places
            for _ in range(220):
                one = socket.socket()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                one.bind((f"127.0.{network + 10}.1", 0))
                one.connect(("127.0.0.1", server.port))
                one.sendall(said)
                held.append(one)
        for network in range(100, 120):
            assert server.client(f"127.0.{network}.1").get("/healthz").status == 200
    finally:
        for one in held:
            one.close()


def test_what_a_client_does_not_take_is_not_kept_by_the_kernel_without_end(server):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.bind(("127.0.10.1", 0))
        one.connect(("127.0.0.1", server.port))
        one.sendall(MANY_ANSWERS)
        wait_until(lambda: unsent(one) > 0, "the kernel keeps some")
        wait_until(lambda: server.client("127.0.0.1").get("/healthz").status == 200, "the thread has done what it can")
        assert unsent(one) <= 256 * 1024


def unsent(client):
    """What the kernel keeps of the server's answers to a client, in bytes."""
    address, port = client.getsockname()
    lines = subprocess.run(
        ["ss", "-tnH", "dst", f"{address}:{port}"], check=True, capture_output=True, text=True
    ).stdout.split()
    return int(lines[2]) if lines else 0
