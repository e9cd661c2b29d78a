"""WireGuard in the kernel against the lab. Not among the tests that run everywhere: tests/kernel/run runs it where the
kernel has WireGuard.
"""

import pytest
from support.net import ABSENT, UNANSWERED, run


@pytest.fixture
def container(container):
    container.arguments |= {"wireguard_engine": "kernel"}
    return container


def test_a_device_of_the_kernel_carries_all_that_a_process_does(container):
    container.start()
    kind = container.inside("ip", "-d", "link", "show", "tun0")
    assert "wireguard" in kind, kind
    evidence = container.done("link-check")
    assert evidence["outcome"] == "passed", evidence
    evidence = container.done("verify-run")
    assert evidence["outcome"] == "passed", evidence
    assert evidence["observed_ip"] == container.arguments["expected"]
    assert container.done("probe")["outcome"] == "passed"


def test_a_restarted_agent_finds_the_device_and_proves_it(container):
    container.start()
    assert container.done("tunnel-find")["pid"] == 0
    assert container.tool("tunnel-find", id="f" * 64)["result"] == ABSENT
    name = "c" + container.arguments["id"][:12]
    assert container.done("tunnel-list")["names"] == [name]


def test_auto_takes_the_kernel(container):
    container.arguments["wireguard_engine"] = "auto"
    assert container.start()["pid"] == 0


def test_the_end_removes_the_device_and_its_record(container):
    container.start()
    container.done("tunnel-end")
    assert "tun0" not in container.inside("ip", "link")
    assert container.done("tunnel-list")["names"] == []
    assert container.tool("tunnel-find")["result"] == ABSENT
    container.done("tunnel-end")
    container.done("tunnel-start")


def test_a_device_that_was_removed_by_hand_is_absent(container):
    container.start()
    container.inside("ip", "link", "delete", "tun0")
    assert container.tool("tunnel-find")["result"] == ABSENT
    container.done("tunnel-end")


def test_an_exit_that_does_not_answer_is_said(container):
    container.done("wall-load")
    nothing = container.arguments["endpoint"].rsplit(":", 1)[0] + ":9"
    answer = container.tool("tunnel-start", endpoint=nothing, handshake_ms=1500)
    assert answer["result"] == UNANSWERED, answer
    assert answer["error"] == "the exit has not answered the tunnel's handshake"
    container.done("tunnel-end")


def test_the_encrypted_packets_leave_from_the_uplink(container):
    container.start()
    shown = run("ip", "netns", "exec", container.arguments["uplink"].rsplit("/", 1)[-1], "ss", "-Hlnu")
    assert shown.strip(), "the device's socket stayed where it was born"
