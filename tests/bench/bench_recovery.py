"""How soon the product is itself again, and how soon it says no while PostgreSQL is away."""

import subprocess
import time

from support.comeback import PROGRAMS, kill_until_served
from support.host import Host
from support.http import demo_api
from support.wait import wait_until

from bench.stats import timed


def up_again(stack):
    """Seconds of `up` where all is as it should be."""
    return {"up_again_s": timed(stack.script, "up")}


def killed(stack):
    """Milliseconds from the blow until each program does again what it is for."""
    return {
        f"{name.removeprefix('ccp-')}_back_ms": timed(kill_until_served, stack, stack.pid(name), serves) * 1000
        for name, serves in PROGRAMS.items()
    }


def refused(attempt):
    if not attempt():
        raise RuntimeError("it was not refused")


def database_away(stack, ways):
    """Seconds to each refusal while PostgreSQL is stopped, milliseconds from its return until work is done again."""
    api = demo_api(stack)
    host = Host(stack).running()
    stack.sv("down", "postgres")
    try:
        figures = {
            "api_refusal_s": timed(refused, lambda: api.get("/v1/user/me").status == 503),
            "ssh_refusal_s": timed(
                refused, lambda: subprocess.run([*ways.ours, "true"], stderr=subprocess.DEVNULL).returncode == 255
            ),
        }
    finally:
        stack.sv("up", "postgres")
    wait_until(stack.postgres_answers, "PostgreSQL answers")
    begin = time.perf_counter()
    host.task("host.verify")
    return figures | {"work_again_ms": (time.perf_counter() - begin) * 1000}
