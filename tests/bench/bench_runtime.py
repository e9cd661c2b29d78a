"""What ccp-runtime adds to the start of a container."""

import statistics
import time

from bench.engine import Engine
from bench.stats import in_turn

ROUNDS = 25


def start(stack):
    engine = Engine(stack.docker_socket)

    def starter(runtime, environment):
        body = {
            "Image": stack.env.get("CCP_IMAGE", "cloud-cli-proxy/managed-user:latest"),
            "Entrypoint": ["sleep", "1000"],
            "Env": environment,
            "HostConfig": {"NetworkMode": "none", "Runtime": runtime},
        }
        made = engine.ask("POST", "/v1.41/containers/create", body)["Id"]

        def run():
            begin = time.perf_counter()
            engine.ask("POST", f"/v1.41/containers/{made}/start")
            took = time.perf_counter() - begin
            engine.ask("POST", f"/v1.41/containers/{made}/stop?t=0")
            return took

        return made, run

    ours, run_ours = starter("ccp", [f"CCP_IDS={60000 * 65536}:{4_200_000_000}"])
    plain, run_plain = starter("runc", [])
    with_it, without = in_turn(run_ours, run_plain, ROUNDS)
    for container in (ours, plain):
        engine.ask("DELETE", f"/v1.41/containers/{container}?force=1")
    return {
        "runtime_start_ms": statistics.median(with_it) * 1000,
        "runtime_baseline_ms": statistics.median(without) * 1000,
        "runtime_added_ms": (statistics.median(with_it) - statistics.median(without)) * 1000,
    }
