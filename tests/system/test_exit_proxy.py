"""Hosts whose exit is a proxy, over the real programs: they start, are verified, found again, closed and deleted."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ccplab import plan, proxies
from support import net
from support.agent import can_send
from support.leak import WITHOUT_UDP
from support.proxied import Proxied, cage, doors
from support.wait import WAIT_S, wait_until

ECHO = ("curl", "-s", "-m", "5", "http://echo1.lab.example/")
CLOSED = "198.18.0.11:9"  # nobody listens there
# A datagram to where nobody listens: who refuses it, if anybody does.
DATAGRAM = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect(("198.18.0.11", 9))
try:
    s.send(b"x")
    s.recv(1)
except OSError as e:
    print(type(e).__name__)
"""
AWAY_S = 2
REFUSED = ("10.0.0.1", 9)  # the lab's proxies refuse what is not the fake internet's
ASKED = (plan.STUN[1], plan.STUN_PORTS[1])
PORT = 40000
# Prints how many of the COUNT ports from PORT on, one after the other, get an answer of ASKED.
ASK = """
import os, socket, struct
answered = 0
for port in range({port}, {port} + {count}):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout({limit_s})
        one.bind(("0.0.0.0", port))
        request = struct.pack(">HHI", 1, 0, 0x2112a442) + os.urandom(12)
        one.sendto(request, {asked})
        try:
            answer, sender = one.recvfrom(1500)
            answered += (answer[8:20], sender) == (request[8:], {asked})
        except TimeoutError:
            pass
print(answered)
"""
FLOWS = 2048  # PROXY_UDP_FLOWS (agent/tunnel/proxy_config.h)


@pytest.fixture
def proxied(agent):
    """A host that has been created, with the exit that the test names."""
    made = []

    def make(kind, secret=None, **config):
        made.append(Proxied(agent, kind, secret, **config))
        return made[-1]

    yield make
    for one in made:
        one.delete()


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def failed_checks(host):
    """The checks that failed in the last verification that did not pass, with its code."""
    (row,) = host.owner.rows(
        "select error_code, checks from ccp.verifications where host_id = %s and outcome <> 'passed'"
        " order by id desc limit 1",
        [host.id],
    )
    return row[0], {check["name"]: check["detail"] for check in row[1] if check["outcome"] != "passed"}


def inside(host, code):
    """Runs Python in the namespace of the host, as a user's program; its output."""
    return net.inside(host.pid, sys.executable, "-c", code).strip()


def failure(host):
    """(code, sentence) of a start that must fail; nothing of it is left."""
    status, code, message, _ = host.wait_task(host.insert("host.start"))
    assert status == "failed", message
    assert host.agent.engines() == []
    assert doors(host.agent) == []
    return code, message


def test_a_host_behind_a_socks5_proxy_lives_from_its_start_to_its_deletion(agent, proxied):
    one = proxied("socks5-auth")
    host = one.host
    result = host.task("host.start")
    assert result["exit_ip"] == agent.lab.env["LAB_EXIT1_IP"]
    names = [check["name"] for check in result["checks"]]
    assert names[:4] == ["reach", "tunnel", "cage", "inventory"], names
    assert host.run(*ECHO)[1].strip() == agent.lab.env["LAB_EXIT1_IP"]
    assert can_send(host.pid)

    # its engine
    pid = one.engine()
    status = status_of(pid)
    assert status["CapEff"] == status["CapAmb"] == f"{1 << 12:016x}", "NET_ADMIN and nothing else"
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert os.readlink(f"/proc/{pid}/fd/0") == "/memfd:proxy (deleted)"
    assert Path(f"/proc/{pid}/fd/0").stat().st_size == 0, "its configuration was emptied"
    assert len(doors(agent)) == 2, "its server's TCP port, and every UDP port of the server"
    kept = [Path(f"/proc/{pid}/{name}") for name in ("cmdline", "environ", "fd/0")]
    kept += [path for path in (agent.directory / "agent" / "engines").rglob("*") if path.is_file()]
    assert not [path for path in kept if proxies.HARD_PASSWORD.encode() in path.read_bytes()]

    # the agent's restart
    agent.kill()
    agent.start()
    wait_until(lambda: "host adopted" in agent.log(), "the host is found again")
    host.task("host.verify")
    assert (host.status, one.engine()) == ("running", pid)
    assert len(doors(agent)) == 2

    # its engine's end
    after = host.last_event()
    os.kill(pid, signal.SIGKILL)
    host.wait_event("tunnel.lost", after)
    host.wait_event("host.unavailable", after)
    code, checks = failed_checks(host)
    assert (code, "tunnel" in checks) == ("proxy_unreachable", True), checks
    host.running()

    one.delete()
    assert one.engine() is None
    assert doors(agent) == []
    assert agent.engines() == []


@pytest.mark.parametrize("kind", proxies.KINDS)
def test_a_host_starts_behind_a_proxy_of_each_kind_and_leaves_as_its_exit(agent, proxied, kind):
    host = proxied(kind).host
    assert host.task("host.start")["exit_ip"] == agent.lab.env["LAB_EXIT1_IP"]
    assert host.run(*ECHO)[1].strip() == agent.lab.env["LAB_EXIT1_IP"]
    why = host.owner.value("select why from ccp.host_status where id = %s", [host.id])
    if kind in WITHOUT_UDP:
        assert inside(host, DATAGRAM) == "ConnectionRefusedError", "at once"
        assert "carries no UDP" in why
    else:
        assert "UDP" not in (why or "")
    assert host.task("host.verify") is not None


def test_a_socks5_proxy_without_udp_answers_names_and_has_one_door(agent, proxied):
    host = proxied("socks5", udp=False).host
    host.task("host.start")
    assert host.run(*ECHO)[1].strip() == agent.lab.env["LAB_EXIT1_IP"]
    assert inside(host, DATAGRAM) == "ConnectionRefusedError"
    assert len(doors(agent)) == 1


@pytest.mark.parametrize(
    ("kind", "secret", "said"),
    [
        ("socks5-auth", {"password": "wrong-one"}, "incorrect user name or password"),
        ("http-auth", {"password": "wrong-one"}, "authentication required"),
        ("hysteria2", {"password": "wrong-one"}, "authentication failed"),
        ("trojan-tls", {"password": "wrong-one"}, "does not answer or does not accept the credentials"),
        ("ss-aes-256-gcm", {"password": "wrong-one"}, "does not answer or does not accept the credentials"),
    ],
)
def test_wrong_credentials_are_said_in_the_proxys_words(agent, proxied, kind, secret, said):
    code, message = failure(proxied(kind, secret).host)
    assert code == "proxy_unreachable", message
    assert said in message
    assert "198.18." not in message, "where it wanted to go"
    assert "wrong-one" not in message + agent.log()


def test_a_proxy_that_is_away_is_said(agent, proxied):
    one = proxied("socks5")
    agent.lab.run("proxies", "stop", "1")
    try:
        code, message = failure(one.host)
    finally:
        agent.lab.run("proxies", "start", "1")
    assert (code, "connection refused" in message) == ("proxy_unreachable", True), message
    one.host.task("host.start")


def test_proxies_that_are_away_for_a_moment_cost_no_host_and_for_good_they_close_theirs(agent, proxied):
    """Hosts of each type beside one another, all checked while their proxies are away."""
    one_of_each = {kind.type: name for name, kind in proxies.KINDS.items()}
    hosts = {kind: proxied(kind).host for kind in one_of_each.values()}
    for host in hosts.values():
        host.task("host.start")
    after = {kind: host.last_event() for kind, host in hosts.items()}
    agent.lab.run("proxies", "stop", "1")
    checks = {kind: host.insert("host.verify") for kind, host in hosts.items()}
    queued = "select 1 from ccp.task_rows where id = any (%s::uuid[]) and status = 'queued'"
    wait_until(lambda: not agent.owner.rows(queued, [list(checks.values())]), "all checks have begun")
    time.sleep(AWAY_S)
    agent.lab.run("proxies", "start", "1")
    for kind, host in hosts.items():
        status, code, message, _ = host.wait_task(checks[kind])
        assert (status, code) in {("succeeded", None), ("failed", "inconclusive")}, f"{kind}: {message}"
        wait_until(lambda host=host: host.wait_task(host.insert("host.verify"))[0] == "succeeded", f"{kind} is back")
    closed = "select 1 from ccp.events where type = 'host.unavailable' and host_id = %s and id > %s"
    assert not [kind for kind, host in hosts.items() if agent.owner.rows(closed, [host.id, after[kind]])]

    with agent.stack.settings(verify_light_s=5):
        for host in hosts.values():
            host.task("host.verify")  # which has told the agent of that
        agent.lab.run("proxies", "stop", "1")
        try:
            for kind, host in hosts.items():
                host.wait_event("host.unavailable", after[kind])
                code, failed = failed_checks(host)
                assert (code, "exit_ip" in failed) == ("inconclusive", True), f"{kind}: {code} {failed}"
        finally:
            agent.lab.run("proxies", "start", "1")


def test_a_secret_that_does_not_fit_is_refused_by_its_name(proxied):
    one = proxied("ss2022-128", {"password": "short"})
    code, message = failure(one.host)
    assert (code, "short" in message) == ("settings_incomplete", False), message
    one.host.owner.rows(
        "update ccp.egress_ips set secret_sealed = repeat('A', 80) where label = ("
        " select exit_label from ccp.bindings where host_id = %s and ended_at is null)",
        [one.host.id],
    )
    code, message = failure(one.host)
    assert code == "settings_incomplete"
    assert "open the exit's secret" in message


def test_where_a_user_could_not_get_to_is_kept_until_the_next_check_and_in_no_evidence(agent, proxied):
    one = proxied("socks5")
    host = one.host
    host.task("host.start")
    (log,) = (agent.directory / "agent" / "engines" / "sing-box").glob("*.log")
    assert log.stat().st_mode & 0o777 == 0o600
    host.run("curl", "-s", "-m", "5", f"http://{CLOSED}/")
    wait_until(lambda: CLOSED in log.read_text(errors="replace"), "the engine writes down what was refused")
    host.task("host.verify")
    assert CLOSED not in log.read_text(errors="replace")
    seen = host.owner.value("select string_agg(checks::text, '') from ccp.verifications where host_id = %s", [host.id])
    assert CLOSED not in seen + agent.log()


def answered(host, count=1, asked=ASKED):
    return int(inside(host, ASK.format(port=PORT, count=count, limit_s=WAIT_S, asked=asked)))


@pytest.mark.parametrize("kind", ["socks5", "vmess-tcp", "vless-tcp", "trojan-tls"])
def test_a_port_reaches_each_destination_that_it_sends_to(proxied, kind):
    host = proxied(kind).host
    host.task("host.start")
    assert [answered(host, asked=(plan.STUN[1], port)) for port in plan.STUN_PORTS] == [1] * len(plan.STUN_PORTS)


def test_a_destination_that_a_socks5_server_refuses_costs_the_port_that_sent_there_no_other(agent, proxied):
    host = proxied("socks5").host
    host.task("host.start")
    assert answered(host) == 1
    ended = ["nsenter", f"--net={agent.lab.env['LAB_UPLINK_NETNS']}", "ss", "-Htn", "state", "close-wait"]
    inside(
        host,
        f"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', {PORT}));"
        f" s.sendto(b'x', {REFUSED})",
    )
    wait_until(lambda: subprocess.run(ended, check=True, capture_output=True).stdout, "the server ends the association")
    assert answered(host) == 1


def test_a_udp_flow_that_is_one_too_many_takes_the_place_of_the_oldest_and_nothing_is_refused(agent, proxied):
    one = proxied("socks5")
    host = one.host
    host.task("host.start")
    pid = one.engine()
    before = len(os.listdir(f"/proc/{pid}/fd"))
    assert answered(host, FLOWS + 500) == FLOWS + 500
    kept = len(os.listdir(f"/proc/{pid}/fd")) - before
    assert FLOWS < kept < 2 * (FLOWS + 100), "an association and a socket each"
    assert answered(host) == 1, "the oldest begins another"
    assert host.run(*ECHO)[1].strip() == agent.lab.env["LAB_EXIT1_IP"]
    host.task("host.verify")


def test_a_running_host_is_moved_between_proxies_and_wireguard_and_takes_its_doors_along(agent, proxied):
    host = proxied("socks5").host
    host.task("host.start")
    first = host.owner.value("select egress_ip_id from ccp.bindings where host_id = %s and ended_at is null", [host.id])
    rows = {"datagrams": agent.proxy_exit("hysteria2"), "wireguard": agent.wireguard_exit()}
    exits = {name: agent.insert("egress_ips", {"label": f"{name} of {host.id}"} | row) for name, row in rows.items()}
    for exit_id, count in ((exits["datagrams"], 1), (exits["wireguard"], 0), (first, 2)):
        host.task("host.switch", json.dumps({"egress_ip_id": exit_id}))
        assert (host.status, len(doors(agent)), len(agent.engines())) == ("running", count, 1)
        assert host.run(*ECHO)[1].strip() == agent.lab.env["LAB_EXIT1_IP"]


def test_a_stopped_engine_closes_its_host(agent, proxied):
    one = proxied("socks5")
    one.host.task("host.start")
    after = one.host.last_event()
    os.kill(one.engine(), signal.SIGSTOP)
    status, code, message, _ = one.host.wait_task(one.host.insert("host.verify"))
    assert (status, code, "is frozen" in message) == ("failed", "proxy_unreachable", True), message
    one.host.wait_event("host.unavailable", after)
    assert (one.engine(), doors(agent)) == (None, [])


def test_a_release_leaves_no_cage(agent, proxied):
    one = proxied("socks5")
    one.host.task("host.start")
    agent.stop()
    agent.release_all()
    assert one.engine() is None
    assert agent.node not in cage(agent)
    agent.start()
    wait_until(lambda: agent.node in cage(agent), "the cage is back")
