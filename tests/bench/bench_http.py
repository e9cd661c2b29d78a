"""healthz beside a bare libmicrohttpd responder that answers the same bytes."""

import re
import statistics
import subprocess
import urllib.request

from support.paths import CHECKOUT
from support.stack import free_port
from support.wait import WAIT_S, wait_until

from bench.stats import in_turn

SECONDS = 4
ROUNDS = 3
CONNECTIONS = 64


def requests_per_s(url):
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url],
        capture_output=True,
        text=True,
        timeout=SECONDS + 30,
        check=True,
    )
    if re.search(r"Non-2xx|Socket errors", done.stdout):
        raise RuntimeError(f"{url} answered with errors:\n{done.stdout}")
    return float(re.search(r"Requests/sec: *([0-9.]+)", done.stdout)[1])


def healthz(stack):
    url = f"{stack.url}/healthz"
    with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
        body = answer.read().decode()
    port = free_port()
    bare = subprocess.Popen([CHECKOUT / "build" / "bench" / "mhd_bare", str(port), body])
    try:
        bare_url = f"http://127.0.0.1:{port}/"

        def answers():
            try:
                with urllib.request.urlopen(bare_url, timeout=WAIT_S) as answer:
                    return answer.status == 200
            except OSError:
                return False

        wait_until(answers, "the bare responder answers")
        ours, baseline = in_turn(lambda: requests_per_s(url), lambda: requests_per_s(bare_url), ROUNDS)
    finally:
        bare.terminate()
        bare.wait(WAIT_S)
    return {
        "healthz_per_s": statistics.median(ours),
        "healthz_baseline_per_s": statistics.median(baseline),
        "healthz_ratio": statistics.median(ours) / statistics.median(baseline),
    }
