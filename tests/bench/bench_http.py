"""healthz beside a bare libmicrohttpd responder of the same bytes; a right login beside a flood of wrong ones."""

import contextlib
import os
import re
import secrets
import statistics
import subprocess
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
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
LOGIN_CLIENTS = 4
HASH_THREADS = os.cpu_count() // 2 if os.cpu_count() > 3 else 1  # as api/main.c has


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


def latency_p99_ms(url, token):
    """Of a client that asks one thing after the other on one connection, for a second: logins have a budget."""
    done = subprocess.run(
        ["wrk", "-t1", "-c1", "-d1s", "--latency", "-H", f"Authorization: Bearer {token}", url],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    if re.search(r"Non-2xx|Socket errors", done.stdout):
        raise RuntimeError(f"{url} answered with errors:\n{done.stdout}")
    number, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s)\n", done.stdout).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


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


def demo_login(stack):
    """Logs in; the API with its token."""
    password = Path(stack.env["CCP_DEMO_PASSWORD_FILE"]).read_text().strip()
    return Api(int(stack.environment["CCP_HTTP_PORT"])).login(stack.env["CCP_DEMO_USER"], password)


def logins(stack):
    """Right logins of some clients at once, beside bcrypt alone on as many threads as the API checks passwords on."""

    def count(end):
        done = 0
        while time.monotonic() < end:
            demo_login(stack)
            done += 1
        return done

    def ours():
        end = time.monotonic() + SECONDS
        with ThreadPoolExecutor(LOGIN_CLIENTS) as pool:
            return sum(pool.map(count, [end] * LOGIN_CLIENTS)) / SECONDS

    def bare():
        command = [CHECKOUT / "build" / "bench" / "bcrypt_bare", str(HASH_THREADS), str(SECONDS)]
        return float(subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 30, check=True).stdout)

    ran, baseline = in_turn(ours, bare, ROUNDS)
    return {
        "logins_per_s": statistics.median(ran),
        "logins_baseline_per_s": statistics.median(baseline),
        "login_ratio": statistics.median(ran) / statistics.median(baseline),
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
    alone = [timed(demo_login, stack) for _ in range(LOGINS)]
    with flood(port):
        flooded = [timed(demo_login, stack) for _ in range(LOGINS)]
        get = [latency_p99_ms(f"{stack.url}/v1/user/me", demo_login(stack).token) for _ in range(ROUNDS)]
    return {
        "get_flooded_ms_p99": statistics.median(get),
        "login_ms_p50": statistics.median(alone) * 1000,
        "login_flooded_ms_p50": statistics.median(flooded) * 1000,
        "login_flooded_ms_max": max(flooded) * 1000,
    }
