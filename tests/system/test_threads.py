"""The programs and unit tests that have threads, built with the thread sanitizer: it sees no data race."""

import ipaddress
import re
import subprocess
from pathlib import Path

import pytest
from support.guest import Guest
from support.paths import CHECKOUT
from support.ssh import Client
from support.wait import wait_until

HAS_THREADS = re.compile(r'pthread|#include "(lib/(pool|loop|bus|db|task)\.h|tests/unit/postgres\.h)"')
UNITS = sorted(
    path.stem for path in (CHECKOUT / "tests" / "unit").glob("test_*.c") if HAS_THREADS.search(path.read_text())
)
SERVICES = ["ccp-worker", "ccp-agent", "ccp-api", "ccp-sshproxy"]
REPORT = "WARNING: ThreadSanitizer"


@pytest.fixture(scope="module", autouse=True)
def built():
    make = ["make", "-s", "-j2", "FLAVOUR=tsan", "build", *(f"build/tsan/unit/{name}" for name in UNITS)]
    subprocess.run(make, cwd=CHECKOUT, check=True, capture_output=True)


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_tests_with_threads_have_no_data_race(name):
    done = subprocess.run(
        [f"build/tsan/unit/{name}"], cwd=CHECKOUT, capture_output=True, text=True, errors="replace", check=False
    )
    assert REPORT not in done.stderr, done.stderr[-8000:]
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]


def test_the_programs_have_no_data_race_in_the_life_of_a_host(tsan_stack, tmp_path):
    stack = tsan_stack
    assert all(b"__tsan_init" in Path(f"/proc/{stack.pid(name)}/exe").read_bytes() for name in SERVICES)
    address = ipaddress.ip_network(stack.env["CCP_EXIT_PEER_NET"])[99]
    guest = Guest(stack, "threads", tmp_path, f"{address}/32")
    guest.host.running()
    client = Client(guest, tmp_path)
    client.register()
    session = client.hold()
    assert client.run("echo hello").stdout == "hello\n"
    assert client.by_password(guest.ssh_password, "echo hello").stdout == "hello\n"
    guest.host.task("host.verify")
    assert session.poll() is None
    guest.host.stopped()
    session.wait()
    guest.host.running()
    for name in SERVICES:
        old = stack.pid(name)
        stack.sv("restart", name)
        wait_until(lambda name=name, old=old: stack.pid(name) not in (None, old), f"{name} is there again")
    wait_until(lambda: client.run("echo again").stdout == "again\n", "ssh works again")
    guest.end()
    for name in SERVICES:
        stack.sv("down", name)
    found = {name: stack.log(name) for name in SERVICES}
    assert all(text for text in found.values())
    assert not {name: text for name, text in found.items() if REPORT in text}
