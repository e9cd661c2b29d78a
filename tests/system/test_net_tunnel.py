"""The tunnel against the lab: started, found again, watched, ended."""

import os
import secrets
import signal
import socketserver
import threading
import time
from pathlib import Path

from support.net import ABSENT, FOREIGN, FROZEN, SEND_ONCE, UNANSWERED, run
from support.wait import wait_until


def test_an_engine_is_found_and_proven_by_the_next_agent(container):
    pid = container.start()["pid"]
    assert container.done("tunnel-find")["pid"] == pid
    found = container.done("engine-look")
    assert (found["owns"], found["pulse"], found["status"]) == (0, 0, 0)
    assert found["outcome"] == "passed" and 0 <= found["handshake_age_ms"] < 10000
    assert container.done("tunnel-list")["names"] == ["c" + container.arguments["id"][:12]]
    foreign = container.done("engine-look", ns=container.arguments["uplink"])
    assert foreign["owns"] == FOREIGN and foreign["code"] == "tunnel_no_handshake"
    assert container.tool("tunnel-find", ns=container.arguments["uplink"])["result"] == ABSENT
    second = container.tool("tunnel-start", id=secrets.token_hex(32))
    assert second["result"] == -1 and "still runs" in second["error"]
    assert container.done("engine-look")["status"] == 0
    container.done("tunnel-end")
    container.done("tunnel-end")
    assert container.tool("tunnel-find")["result"] == ABSENT
    assert container.done("tunnel-list")["names"] == []


def test_a_clock_that_was_set_makes_no_handshake_old(container):
    """An engine whose last handshake lies an hour back by the wall clock, and is new to us."""
    lines = [
        f"public_key={'00' * 32}",
        f"last_handshake_time_sec={int(time.time()) - 3600}",
        "last_handshake_time_nsec=0",
        "rx_bytes=1",
        "tx_bytes=1",
        "errno=0",
        "",
        "",
    ]
    path = f"/var/run/wireguard/c{container.arguments['id'][:12]}.sock"

    class Engine(socketserver.BaseRequestHandler):
        def handle(self):
            if self.request.recv(100):
                self.request.sendall("\n".join(lines).encode())

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with socketserver.UnixStreamServer(path, Engine) as server:
        threading.Thread(target=server.serve_forever).start()
        found = container.tool("engine-look")
        server.shutdown()
    assert found["status"] == 0
    assert 0 <= found["handshake_age_ms"] < 10000


def test_the_engine_is_a_daemon_with_one_capability(container):
    pid = container.start()["pid"]
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert status["CapEff"] == status["CapPrm"] == f"{1 << 12:016x}", "NET_ADMIN"
    assert status["NoNewPrivs"] == "1"
    assert os.getsid(pid) != os.getsid(0)
    uplink = os.stat(container.arguments["uplink"]).st_ino
    assert os.stat(f"/proc/{pid}/ns/net").st_ino == uplink


def test_a_killed_engine_takes_the_device_along_and_nothing_leaks(container, tmp_path):
    pid = container.start()["pid"]
    container.done("wall-open")
    capture = str(tmp_path / "uplink.pcap")
    container.lab("capture", "start", capture)
    with container.flood("198.18.0.11"):
        wait_until(lambda: int(container.lab("capture", "count", capture)) > 0, "the engine sends what it is given")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "tun0" not in run("ip", "-n", container.name, "-o", "link"), "the device is gone")
    assert container.python(SEND_ONCE, "198.18.0.11", "9") == "ENETUNREACH"
    assert container.tool("tunnel-find")["result"] == ABSENT
    evidence = container.done("link-check")
    assert (evidence["code"], evidence["sentence"]) == ("inventory", "there is no tunnel")
    container.lab("capture", "stop", capture)
    assert int(container.lab("capture", "count", capture)) > 0
    assert int(container.lab("capture", "count", capture, "--not-tunnel")) == 0


def test_a_frozen_engine_is_noticed_and_can_be_ended(container):
    pid = container.start()["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert container.done("tunnel-find")["pid"] == pid
    found = container.done("engine-look")
    assert found["owns"] == 0 and found["status"] == FROZEN and found["pulse"] == FROZEN
    assert found["outcome"] == "failed" and "is frozen" in found["sentence"]
    container.done("tunnel-end")
    assert container.tool("tunnel-find")["result"] == ABSENT


def test_an_exit_that_does_not_know_the_key_gives_no_handshake(container):
    container.key.write_text(run("wg", "genkey"))
    container.done("wall-load")
    answer = container.tool("tunnel-start", handshake_ms=300)
    assert answer["result"] == UNANSWERED
    assert "handshake" in answer["error"]


def test_a_lost_first_packet_costs_half_a_second_and_not_the_start(container):
    exit_netns = container.lab.env["LAB_EXIT1_NETNS"].rpartition("/")[2]
    rules = (
        "table inet lossy { chain input { type filter hook input priority -1;"
        " iifname uplink udp dport 51820 quota 300 bytes drop; }; }"
    )
    run("ip", "netns", "exec", exit_netns, "nft", "-f", "-", input=rules)
    try:
        container.done("wall-load")
        answer = container.done("tunnel-start")
        assert 400_000 < answer["us"] < 1_500_000
    finally:
        run("ip", "netns", "exec", exit_netns, "nft", "delete", "table", "inet", "lossy")


def test_an_unreachable_exit_is_told_from_a_silent_one(container):
    container.done("wall-load")
    answer = container.tool("tunnel-start", endpoint="203.0.113.200:51820", handshake_ms=300)
    assert answer["result"] == UNANSWERED
    assert "network is unreachable" in answer["error"]


def test_a_program_that_is_no_engine_is_an_error_that_says_so(container):
    container.done("wall-load")
    answer = container.tool("tunnel-start", program="/bin/false")
    assert answer["result"] == -1 and "did not come up" in answer["error"]
    answer = container.tool("tunnel-start", program="/nonexistent")
    assert answer["result"] == -1 and "No such file" in answer["error"]
