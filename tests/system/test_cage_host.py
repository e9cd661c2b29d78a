"""The cage under hosts that run: what another program does to it, and an engine whose configuration leads elsewhere."""

import json
import re
import subprocess
import sys

import pytest
from support.proxied import Proxied, cage, doors
from support.wait import wait_until

# An engine that was told to send everything directly, and asks names directly, too.
DIRECT = f"""#!{sys.executable}
import json, os, sys
config = json.load(sys.stdin)
config["outbounds"].append({{"type": "direct", "tag": "around"}})
config["route"] = {{"final": "around"}}
config["dns"]["servers"][0].pop("detour")
fd = os.memfd_create("around")
os.write(fd, json.dumps(config).encode())
os.lseek(fd, 0, os.SEEK_SET)
os.dup2(fd, 0)
os.execve("PROGRAM", ["PROGRAM", *sys.argv[1:]], dict(os.environ))
"""


@pytest.fixture
def one(agent):
    made = Proxied(agent, "socks5")
    yield made
    made.delete()


def uplink(agent, *words, **options):
    command = ["nsenter", f"--net={agent.lab.env['LAB_UPLINK_NETNS']}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def table_of(agent):
    (name,) = re.findall(rf"table inet (ccp_cage_\d+) {{[^}}]*{agent.node}", cage(agent))
    return name


def denied(agent):
    """Packets of engines that the cage has denied."""
    listed = json.loads(uplink(agent, "nft", "-j", "list", "counters", "table", "inet", table_of(agent)))["nftables"]
    counts = {entry["counter"]["name"]: entry["counter"]["packets"] for entry in listed if "counter" in entry}
    return counts["denied"] + counts["denied_loopback"]


def strays(agent, file):
    return int(agent.lab.run("capture", "count", str(file), "--not-tunnel", "--proxy", "socks5"))


def full_checks(host):
    return host.owner.value(
        "select count(*) from ccp.verifications where host_id = %s and kind = 'full' and outcome = 'passed'", [host.id]
    )


@pytest.mark.parametrize(
    "change",
    [
        "delete table inet TABLE",
        "flush chain inet TABLE caged",
        "add element inet TABLE doors4 { 2147446999 . 198.51.100.2 . tcp . 22 }",
        "insert rule inet TABLE caged accept",
    ],
)
def test_what_another_program_does_to_the_cage_is_undone_and_the_host_is_checked(agent, one, change):
    host = one.host
    host.task("host.start")
    before, checks, pid = cage(agent), full_checks(host), one.engine()
    uplink(agent, "nft", change.replace("TABLE", table_of(agent)))
    without_counts = re.compile(r"packets \d+ bytes \d+")
    wait_until(
        lambda: without_counts.sub("", cage(agent)) == without_counts.sub("", before), "the cage is as it was before"
    )
    wait_until(lambda: full_checks(host) > checks, "the host is checked")
    assert (host.status, one.engine()) == ("running", pid)
    assert "put back" in agent.log()


def test_a_cage_that_cannot_be_put_back_closes_its_hosts(agent, one):
    host = one.host
    host.task("host.start")
    after, table = host.last_event(), table_of(agent)
    foreign = f'delete table inet {table}; add table inet {table} {{ comment "of another installation" ; }}'
    uplink(agent, "nft", "-f", "-", input=foreign.replace("; add", "\nadd"))
    try:
        host.wait_event("host.unavailable", after)
        assert one.engine() is None
        code = host.owner.value("select error_code from ccp.hosts where id = %s", [host.id])
        assert code == "inventory"
        assert "cannot be put back" in agent.log()
    finally:
        uplink(agent, "nft", "delete", "table", "inet", table)
    host.running()
    assert len(doors(agent)) == 2


@pytest.fixture
def routed(agent):
    """The uplink knows a way to the lab's internet besides the tunnels."""
    route = ("198.18.0.0/24", "via", agent.lab.env["LAB_EXIT1_ENDPOINT"].split(":")[0])
    uplink(agent, "ip", "route", "add", *route)
    yield
    uplink(agent, "ip", "route", "del", *route)


@pytest.mark.usefixtures("routed")
def test_an_engine_that_would_leave_directly_gets_nothing_out(agent, one, tmp_path):
    program = agent.directory / "libexec" / "around"
    program.write_text(DIRECT.replace("PROGRAM", str(agent.proxy_engine)))
    program.chmod(0o755)
    right, agent.proxy_engine = agent.proxy_engine, program
    file = tmp_path / "uplink.pcap"
    agent.stop()
    agent.start()
    try:
        before = denied(agent)
        agent.lab.run("capture", "start", str(file))
        status, code, message, _ = one.host.wait_task(one.host.insert("host.start"))
        assert (status, code) == ("failed", "proxy_unreachable"), message
        assert denied(agent) > before, message
        agent.lab.run("capture", "stop", str(file))
        assert strays(agent, file) == 0
        agent.lab.run("capture", "start", str(file))
        uplink(agent, "bash", "-c", "echo >/dev/udp/198.18.0.11/9")
        agent.lab.run("capture", "stop", str(file))
        assert strays(agent, file) > 0, "of root, who may: that way is open"
    finally:
        agent.proxy_engine = right
        agent.stop()
        agent.start()
    one.host.task("host.start")
