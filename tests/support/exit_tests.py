"""Tests of exits by an agent of a test's own, asked for by SQL, and what may be left of them."""

import json
import os
import secrets
import subprocess
from pathlib import Path

from support.proxied import doors
from support.seal import seal
from support.wait import wait_until

UIDS = range(2147475452, 2147475460)  # of tests' engines (agent/net/cage.h)


def own_key(agent, number=1):
    """A row of a WireGuard exit with a key of its own, which the lab's exit knows."""
    row = agent.wireguard_exit(number)
    private = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout.strip()
    public = subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()
    agent.lab.run("peer", "add", str(number), public, row["wg_peer_address"])
    key = wait_until(
        lambda: agent.owner.value("select value #>> '{}' from ccp.settings where name = 'sealing_key'"),
        "the agent tells its sealing key",
    )
    sealed = seal(key, json.dumps({"private_key": private}).encode("ascii"))
    return row | {"wg_own_public_key": public, "secret_sealed": sealed}


def register(agent, row):
    """An exit that no host is bound to; its id."""
    return agent.insert("egress_ips", {"label": f"tested {secrets.token_hex(4)}"} | row)


def ask(agent, exit_id):
    """The whole interface of automation; the task's id."""
    return agent.stack.automation.value(
        "insert into ccp.tasks (kind, params) values ('egress.test', %s) returning id",
        [json.dumps({"egress_ip_id": exit_id})],
    )


def ended(agent, task):
    """The test's row as a mapping, once it has ended."""
    return wait_until(
        lambda: agent.owner.value(
            "select (select to_jsonb(t) from ccp.exit_tests as t where t.id = %s and t.ended_at is not null)", [task]
        ),
        f"test {task} ends",
    )


def tested(agent, exit_id):
    return ended(agent, ask(agent, exit_id))


def engine_pids(agent):
    """The processes that are engines of the agent's tests, whatever it believes."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            program = (path / "exe").readlink()
            words = (path / "cmdline").read_bytes().split(b"\0")
            is_proxy = program == agent.proxy_engine and path.stat().st_uid in UIDS
        except OSError:
            continue
        if is_proxy or (b"wireguard-go" in words[0] and words[2:3] and words[2][:1] == b"t"):
            found.append(int(path.name))
    return found


def devices(agent):
    """Those that tests have left where they were born."""
    words = ["nsenter", f"--net={agent.lab.env['LAB_UPLINK_NETNS']}", "ip", "-json", "link"]
    links = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return [link["ifname"] for link in links if link["ifname"].startswith("t")]


def namespaces(agent):
    """The network namespaces that the agent holds a descriptor of."""
    held = set()
    for path in Path(f"/proc/{agent.process.pid}/fd").iterdir():
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if target.startswith("net:["):
            held.add(target)
    return held


def groups(agent):
    """Control groups of tests' engines."""
    return [path.name for path in Path("/sys/fs/cgroup").glob("**/cloud-cli-proxy/t*") if path.is_dir()]


def left(agent):
    """What is left of tests: records, engines, devices, groups, doors."""
    records = [name for name in agent.engines() if name.startswith("t")]
    caged = [door for door in doors(agent) if int(door.split()[0]) in UIDS]
    return records + engine_pids(agent) + devices(agent) + groups(agent) + caged
