"""healthz beside a bare libmicrohttpd responder of the same bytes; a right login beside a flood of wrong ones."""

import contextlib
import re
import secrets
import statistics
import subprocess
import threading
import urllib.request
from pathlib import Path

from support.http import Api
from support.paths import CHECKOUT
from support.stack import free_port
from support.wait import WAIT_S, wait_until

from bench.stats import in_turn, timed

SECONDS = 4
ROUNDS = 3
CONNECTIONS = 64
FLOOD = 60  # wrong logins at a time
LOGINS = 15


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


@contextlib.contextmanager
def flood(port):
    """Wrong logins of one address, each with a name of its own."""
    over = threading.Event()
    answers = threading.Semaphore(0)

    def one():
        api = Api(port, "127.0.60.1")
        while not over.is_set():
            login = {"username": secrets.token_hex(6), "password": "wrong horse"}
            if api.post("/v1/auth/login", login).status == 503:
                over.wait(0.05)
            answers.release()

    threads = [threading.Thread(target=one) for _ in range(FLOOD)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(FLOOD):  # then all of them have been in the queue
            if not answers.acquire(timeout=60):
                raise RuntimeError("the API does not answer wrong logins")
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def login_under_flood(stack):
    port = int(stack.environment["CCP_HTTP_PORT"])
    password = Path(stack.env["CCP_DEMO_PASSWORD_FILE"]).read_text().strip()

    def login():
        Api(port).login(stack.env["CCP_DEMO_USER"], password)

    alone = [timed(login) for _ in range(LOGINS)]
    with flood(port):
        flooded = [timed(login) for _ in range(LOGINS)]
    return {
        "login_ms_p50": statistics.median(alone) * 1000,
        "login_flooded_ms_p50": statistics.median(flooded) * 1000,
        "login_flooded_ms_max": max(flooded) * 1000,
    }
