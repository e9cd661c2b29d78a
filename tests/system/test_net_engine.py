"""The launcher: a program of a user of its own gets its device and no other right, and is found again."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.net import ABSENT, FOREIGN, run
from support.paths import CHECKOUT
from support.wait import wait_until

UID = 2147475452
TUN = str(CHECKOUT / "deploy" / "scripts" / "tun")

# What a proxy's program does: reads what to do from stdin, makes the device of the name it is given. Says what it has.
ENGINE = """
import errno, fcntl, json, os, signal, struct, sys

def tried(what, *arguments):
    try:
        return what(*arguments) or "done"
    except OSError as e:
        return errno.errorcode[e.errno]

open_ones = [n for n in range(32) if tried(os.fstat, n) != "EBADF"]
kept = {n: os.readlink(f"/proc/self/fd/{n}") for n in open_ones}
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1001))
told = {"kept": kept, "uname": tried(os.uname), "root": tried(os.setuid, 0), "groups": os.getgroups(),
    "secret": tried(os.open, "/etc/shadow", os.O_RDONLY), "environment": dict(os.environ),
    "directory": os.getcwd(), "group": tried(os.setgroups, [0])}
print(json.dumps(told), flush=True)
while True:
    signal.pause()
"""


class Engine:
    def __init__(self, container, gid):
        self.container = container
        self.name = "c" + container.arguments["id"][:12]
        self.directory = container.engines / "test"
        self.words = {"program": sys.executable, "input": ENGINE, "uid": UID, "gid": gid}

    def tool(self, command, **changes):
        return self.container.tool(command, **self.words | changes)

    def launch(self):
        answer = self.tool("engine-launch")
        assert answer["result"] == 0, answer
        return answer["pid"]

    def told(self):
        log = self.directory / f"{self.name}.log"
        wait_until(lambda: log.read_text().endswith("\n"), "the program says that it is up")
        assert log.read_text().startswith("{"), log.read_text()
        return json.loads(log.read_text())

    def move(self):
        uplink = Path(self.container.arguments["uplink"]).name
        run("ip", "-n", uplink, "link", "set", self.name, "netns", self.container.name, "name", "tun0")


@pytest.fixture
def engine(container):
    run(TUN)
    gid = int(run("getent", "group", "ccp-tunnel").split(":")[2])
    one = Engine(container, gid)
    yield one
    assert one.tool("engine-end")["result"] == 0


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_a_program_of_a_user_of_its_own_has_exactly_the_rights_that_make_its_device(engine):
    pid = engine.launch()
    status, told = status_of(pid), engine.told()
    gid = str(engine.words["gid"])
    assert status["Uid"].split() == [str(UID)] * 4
    assert status["Gid"].split() == [gid] * 4
    assert status["Groups"].split() == told["groups"] == []
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert status[name] == f"{1 << 12:016x}", f"{name}: NET_ADMIN"
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert (told["root"], told["group"], told["secret"]) == ("EPERM", "EPERM", "EACCES")
    assert told["uname"] == "EPERM", "the caller's filter"
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    assert re.search(r"Max core file size +1 +1 ", limits), "its memory holds secrets"
    log = str(engine.directory / f"{engine.name}.log")
    lock = str(engine.directory / f"{engine.name}.lock")
    assert told["kept"] == {"0": "/memfd:input (deleted)", "1": log, "2": log, "5": lock}
    assert (told["environment"].get("LANG"), told["directory"]) == ("C.UTF-8", "/")
    assert os.getsid(pid) not in (pid, os.getsid(0)), "of a session that has no leader any more"
    assert f"/cloud-cli-proxy/{engine.name}" in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    assert os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(engine.container.arguments["uplink"]).st_ino


def test_it_is_found_proven_and_ended_by_the_next_agent(engine):
    pid = engine.launch()
    engine.told()
    found = engine.tool("engine-find")
    assert (found["pid"], found["owns"]) == (pid, FOREIGN), "its device has not been moved"
    engine.move()
    found = engine.tool("engine-find")
    assert (found["result"], found["pid"], found["owns"]) == (0, pid, 0)
    assert engine.tool("engine-find", ns=engine.container.arguments["uplink"])["owns"] == FOREIGN
    assert engine.tool("engine-list")["names"] == [engine.name]
    assert engine.container.done("tunnel-list")["names"] == [], "kinds list their own"
    os.kill(pid, signal.SIGSTOP)
    found = engine.tool("engine-find", count=5000)
    assert (found["result"], found["pid"], found["owns"]) == (0, pid, 0), "however often a frozen one is looked for"
    assert engine.tool("engine-end")["result"] == 0
    assert "tun0" not in run("ip", "-n", engine.container.name, "-o", "link")
    assert engine.tool("engine-find")["result"] == ABSENT
    assert engine.tool("engine-list")["names"] == []
    assert list(engine.directory.iterdir()) == []


def test_two_of_a_name_are_not_started(engine):
    pid = engine.launch()
    engine.told()
    second = engine.tool("engine-launch")
    assert second["result"] == -1 and "take its lock" in second["error"]
    assert engine.tool("engine-find")["pid"] == pid


def test_one_that_died_is_absent_and_its_record_is_not(engine):
    pid = engine.launch()
    engine.told()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: engine.tool("engine-find")["result"] == ABSENT, "it is gone")
    assert engine.tool("engine-list")["names"] == [engine.name]


def test_one_that_hides_is_ended_by_its_name_all_the_same(engine):
    engine.words["input"] = ENGINE.replace("while True:", "os.close(5)\nprint('hidden', flush=True)\nwhile True:")
    pid = engine.launch()
    log = engine.directory / f"{engine.name}.log"
    wait_until(lambda: log.read_text().endswith("hidden\n"), "it has let go of its lock")
    assert engine.tool("engine-find")["result"] == ABSENT and os.path.exists(f"/proc/{pid}")
    assert engine.tool("engine-end")["result"] == 0
    assert engine.name not in run("ip", "-n", Path(engine.container.arguments["uplink"]).name, "-o", "link")
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "its parent has heard of its end")


@pytest.mark.parametrize(
    ("mode", "gid", "after"),
    [
        (None, 0, "660 ccp-tunnel"),
        (0o600, 0, "660 ccp-tunnel"),
        (0o660, 0, "660 ccp-tunnel"),
        (0o666, 0, "666 root"),
        (0o666, 54321, "666 UNKNOWN"),
        (0o660, 54321, "660 UNKNOWN"),
    ],
)
def test_a_device_that_is_roots_alone_is_opened_to_one_group_and_no_other_is_changed(tmp_path, mode, gid, after):
    device = tmp_path / "net" / "tun"
    if mode is not None:
        device.parent.mkdir()
        os.mknod(device, stat.S_IFCHR, os.makedev(10, 200))
        device.chmod(mode)
        os.chown(device, 0, gid)
    for _ in range(2):
        done = subprocess.run([TUN, str(device)], check=True, capture_output=True, text=True)
        assert run("stat", "-c", "%a %G", str(device)).strip() == after
        assert ("is kept for the group" in done.stderr) == (after == "660 UNKNOWN")
