"""A host's start beside a plain container's, from curl to prompt, and the memory of the idle product."""

import json
import re
import shlex
import statistics
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pexpect
from support import exits
from support.host import Host
from support.stack import Lab
from support.wait import WAIT_S

from bench.engine import Engine, wait_banner
from bench.stats import in_turn

ROUNDS = 7
KEY = "/host_key"  # of the plain container's sshd: made beforehand, mounted
BEGUN_SSHD = ["/bin/sh", "-c", f"mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -h {KEY}"]


def start(stack, directory):
    host = Host(stack)
    engine = Engine(stack.docker_socket)
    key = directory / "plain_host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    plain_container = {
        "Image": stack.env.get("CCP_IMAGE", "cloud-cli-proxy/managed-user:latest"),
        "Entrypoint": BEGUN_SSHD,
        "HostConfig": {"NetworkMode": "none", "Binds": [f"{key}:{KEY}:ro"]},
    }

    steps = []

    def ours():
        host.task("host.stop")
        host.task("host.rebuild")  # of a stopped host: there is no container afterwards
        task_id = host.insert("host.start")
        steps.append(host.wait_succeeded(task_id)["timings"])
        return float(
            host.owner.value(
                "select extract(epoch from finished_at - created_at) from ccp.task_rows where id = %s", [task_id]
            )
        )

    def baseline():
        begin = time.perf_counter()
        made = engine.ask("POST", "/v1.41/containers/create", plain_container)
        engine.ask("POST", f"/v1.41/containers/{made['Id']}/start")
        state = engine.ask("GET", f"/v1.41/containers/{made['Id']}/json")
        wait_banner(state["NetworkSettings"]["SandboxKey"])
        took = time.perf_counter() - begin
        engine.ask("DELETE", f"/v1.41/containers/{made['Id']}?force=1")
        return took

    product, plain = in_turn(ours, baseline, ROUNDS)
    return {
        "start_ms": statistics.median(product) * 1000,
        "start_baseline_ms": statistics.median(plain) * 1000,
        "start_ratio": statistics.median(product) / statistics.median(plain),
    } | {f"start_{name}_ms": statistics.median(step[name] for step in steps) for name in steps[0]}


def curl_to_prompt(stack):
    """Milliseconds from the bootstrap line to the shell's prompt in a terminal, the host being stopped."""
    host = Host(stack)
    took = []
    for _ in range(3):
        host.task("host.stop")
        line = (
            f"curl -sSf {shlex.quote(stack.url)}/v1/bootstrap/script"
            f" | sh -s -- --user {shlex.quote(stack.env['CCP_DEMO_USER'])}"
            f" --password-file {shlex.quote(stack.env['CCP_DEMO_PASSWORD_FILE'])}"
        )
        begin = time.perf_counter()
        terminal = pexpect.spawn("/bin/sh", ["-c", line], timeout=WAIT_S, encoding="utf-8")
        terminal.expect(r"dev@\S+:\S*\$ ")
        took.append(time.perf_counter() - begin)
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
        terminal.close()
    return {"curl_to_prompt_ms": statistics.median(took) * 1000}


def exit_test(stack):
    """Milliseconds that a test of an exit takes, each kind of proxy once: as it says, and from request to end."""
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    figures = []
    for kind in filter(None, (re.fullmatch(r"LAB_EXIT1_PROXY_(\w+)_CONFIG", name) for name in lab.env)):
        columns = {"label": f"bench {kind[1]}"} | exits.proxy(lab, stack.owner, kind[1])
        names, values = ", ".join(columns), ", ".join(["%s"] * len(columns))
        sql = f"insert into ccp.egress_ips ({names}) values ({values}) returning id::text"
        params = json.dumps({"egress_ip_id": stack.owner.value(sql, list(columns.values()))})
        task = stack.automation.value(
            "insert into ccp.tasks (kind, params) values ('egress.test', %s) returning id", [params]
        )
        Host(stack).wait_succeeded(task)
        ((outcome, *took),) = stack.owner.rows(
            "select outcome, duration_ms, extract(epoch from ended_at - created_at) * 1000"
            " from ccp.exit_tests where id = %s",
            [task],
        )
        if outcome != "passed":
            raise RuntimeError(f"the test of an exit by {kind[1]} {outcome}")
        figures.append([float(one) for one in took])
    own, whole = zip(*figures, strict=True)
    return {
        "exit_test_ms_p50": statistics.median(own),
        "exit_test_ms_max": max(own),
        "exit_test_asked_ms_p50": statistics.median(whole),
        "exit_test_asked_ms_max": max(whole),
    }


def descendants(pid):
    found = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += descendants(int(child))
    return found


def pss_idle(stack):
    """Proportional set size of all our programs with one running host, in kB: the sum, and each process."""
    parts = {}
    for name in ("ccp-api", "ccp-worker", "ccp-agent", "ccp-sshproxy"):
        for number, pid in enumerate(descendants(stack.pid(name))):
            command = Path(f"/proc/{pid}/exe").resolve().name
            if not command.startswith("ccp-"):
                continue
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            parts[f"pss_{name.removeprefix('ccp-')}{number or ''}_kb"] = int(
                re.search(r"^Pss: +(\d+) kB", rollup, re.M)[1]
            )
    return {"pss_idle_kb": sum(parts.values())} | parts
