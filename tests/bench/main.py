"""Brings up a stack of its own, measures, writes .run/bench.json and ends the stack."""

import json
import os
import sys
import tempfile
from pathlib import Path

from support.http import Api
from support.paths import CHECKOUT
from support.stack import Stack

from bench import bench_bus, bench_host, bench_http, bench_ssh

# What must hold: name, whether more is better, the bound.
BOUNDS = (
    ("bus_wake_ms_p50", "<=", 1),
    ("bus_wake_ms_p99", "<=", 5),
    ("claims_ratio", ">=", 0.35),
    ("healthz_ratio", ">=", 0.6),
    ("start_ratio", "<=", 2.0),
    ("ssh_connect_ratio", "<=", 1.6),
    ("ssh_down_ratio", ">=", 0.55),
    ("ssh_up_ratio", ">=", 0.55),
    ("pss_idle_kb", "<=", 24 * 1024),
)


def add_key(stack, public_key):
    env = stack.env
    api = Api(int(stack.environment["CCP_HTTP_PORT"]))
    api.login(env["CCP_DEMO_USER"], Path(env["CCP_DEMO_PASSWORD_FILE"]).read_text().rstrip("\n"))
    answer = api.post("/v1/user/ssh-keys", {"name": "bench", "public_key": public_key})
    if answer.status != 201:
        raise RuntimeError(f"the key was refused: {answer}")


def measure(stack, directory):
    yield "bus", bench_bus.wakes(stack)
    yield "healthz", bench_http.healthz(stack)
    yield "start", bench_host.start(stack, directory)
    yield "curl to prompt", bench_host.curl_to_prompt(stack)
    ways = bench_ssh.Ways(stack, add_key, directory)
    yield "memory", bench_host.pss_idle(stack)
    yield "ssh connect", bench_ssh.connect(ways)
    yield "ssh transfer", bench_ssh.transfer(ways)
    with bench_bus.database(stack) as database:
        yield "claims", bench_bus.claims(database, directory)


def misses(figures):
    for name, sign, bound in BOUNDS:
        held = figures[name] <= bound if sign == "<=" else figures[name] >= bound
        if not held:
            yield f"{name} is {figures[name]:.3g}, should be {sign} {bound:g}"


def main():
    figures = {}
    stack = Stack(Path("/var/tmp") / f"ccp-bench-{os.getpid()}", f"b{os.getpid() % 100000}")
    with tempfile.TemporaryDirectory(prefix="ccp-bench-work-", dir="/var/tmp") as work:
        try:
            stack.up()
            for name, result in measure(stack, Path(work)):
                print(f"{name}: " + ", ".join(f"{key} {value:.4g}" for key, value in result.items()), flush=True)
                figures |= result
        finally:
            stack.end()
    path = CHECKOUT / ".run" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")
    missed = list(misses(figures))
    for sentence in missed:
        print(sentence, file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
