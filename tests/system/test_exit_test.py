"""An exit is proven without a host, or through the tunnel of the host that has its key in use, and nothing is left."""

import json
import os
import statistics

import pytest
from ccplab import proxies
from support import exit_tests
from support.agent import can_send
from support.proxied import Proxied, doors
from support.wait import wait_until

PROVEN = ["tunnel", "inventory", "rules", "leak_closed", "connectivity", "full_size", "exit_ip", "dns"]


@pytest.fixture(autouse=True, scope="module")
def alone(agent):
    """Tests of exits without a host are this agent's, whatever other node the database knows."""
    others = agent.owner.rows(
        "update ccp.nodes set cordoned_at = now() where name <> %s and cordoned_at is null returning id", [agent.node]
    )
    yield
    agent.owner.rows("update ccp.nodes set cordoned_at = null where id = any (%s)", [[row[0] for row in others]])


@pytest.fixture(autouse=True)
def nothing_left(agent, alone):
    agent.revive()
    before = exit_tests.namespaces(agent)
    yield
    assert exit_tests.left(agent) == []
    assert exit_tests.namespaces(agent) <= before


@pytest.fixture
def frozen(agent):
    """The lab's first exit does not answer, until the test or its end thaws it."""
    agent.lab.run("freeze", "1")
    yield
    agent.lab.run("thaw", "1")


def checks_of(test):
    return {check["name"]: check["outcome"] for check in test["checks"]}


def state_of(agent, exit_id):
    return agent.owner.value("select (select state from ccp.exit_states where egress_ip_id = %s)", [exit_id])


def test_an_exit_of_each_kind_is_proven_without_a_host(agent):
    rows = {kind: agent.proxy_exit(kind) for kind in proxies.KINDS} | {"wireguard": exit_tests.own_key(agent)}
    took = []
    for kind, row in rows.items():
        exit_id = exit_tests.register(agent, row)
        test = exit_tests.tested(agent, exit_id)
        assert (test["outcome"], test["exit_ip"]) == ("passed", agent.lab.env["LAB_EXIT1_IP"]), (kind, test)
        assert (test["error_code"], test["message"], test["host_id"]) == (None, None, None)
        seen = checks_of(test)
        assert set(PROVEN) <= set(seen) and set(seen.values()) == {"passed"}, (kind, seen)
        assert ("handshake" if kind == "wireguard" else "reach") in seen
        assert ("cage" in seen) == (kind != "wireguard")
        assert (exit_tests.left(agent), state_of(agent, exit_id)) == ([], "available"), kind
        took.append(test["duration_ms"])
    print(f"test of an exit: p50 {statistics.median(took):.0f} ms, max {max(took)} of {len(took)}")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("socks5-auth", "incorrect user name or password"),
        ("hysteria2", "authentication failed"),
        ("trojan-tls", "does not answer or does not accept the credentials"),
    ],
)
def test_wrong_credentials_are_a_verdict_in_the_proxys_words(agent, kind, said):
    exit_id = exit_tests.register(agent, agent.proxy_exit(kind, {"password": "wrong-one"}))
    test = exit_tests.tested(agent, exit_id)
    assert (test["outcome"], test["error_code"]) == ("failed", "proxy_unreachable"), test
    assert said in test["message"]
    assert checks_of(test) == {"reach": "failed"}
    assert (test["exit_ip"], state_of(agent, exit_id)) == (None, "down")
    assert "wrong-one" not in json.dumps(test) + agent.log()
    status = agent.owner.value("select status from ccp.task_rows where id = %s", [test["id"]])
    assert status == "succeeded", "the task has done its work"


def test_an_exit_that_does_not_answer_is_failed_and_passes_when_it_is_back(agent):
    rows = {"proxy_unreachable": agent.proxy_exit("vless-tls"), "tunnel_no_handshake": exit_tests.own_key(agent)}
    exits = {code: exit_tests.register(agent, row) for code, row in rows.items()}
    agent.lab.run("freeze", "1")
    try:
        tasks = {code: exit_tests.ask(agent, exit_id) for code, exit_id in exits.items()}
        for code, task in tasks.items():
            test = exit_tests.ended(agent, task)
            assert (test["outcome"], test["error_code"]) == ("failed", code), test
            assert state_of(agent, exits[code]) == "down"
            if code == "tunnel_no_handshake":
                assert f"register the key {rows[code]['wg_own_public_key']} with it" in test["message"]
    finally:
        agent.lab.run("thaw", "1")
    for exit_id in exits.values():
        test = exit_tests.tested(agent, exit_id)
        assert (test["outcome"], state_of(agent, exit_id)) == ("passed", "degraded"), test


def test_a_server_that_refuses_is_said(agent):
    exit_id = exit_tests.register(agent, agent.proxy_exit("http"))
    agent.lab.run("proxies", "stop", "1")
    try:
        test = exit_tests.tested(agent, exit_id)
    finally:
        agent.lab.run("proxies", "start", "1")
    assert (test["outcome"], test["error_code"]) == ("failed", "proxy_unreachable")
    assert "connection refused" in test["message"]


def test_another_address_than_the_exits_is_a_mismatch(agent):
    row = agent.proxy_exit("socks5") | {"ip_address": agent.lab.env["LAB_EXIT2_IP"]}
    exit_id = exit_tests.register(agent, row)
    test = exit_tests.tested(agent, exit_id)
    assert (test["outcome"], test["error_code"]) == ("failed", "exit_mismatch")
    assert (test["exit_ip"], test["expected_ip"]) == (agent.lab.env["LAB_EXIT1_IP"], agent.lab.env["LAB_EXIT2_IP"])


def test_a_secret_that_does_not_fit_is_no_verdict(agent):
    exit_id = exit_tests.register(agent, agent.proxy_exit("ss2022-128", {"password": "short"}))
    test = exit_tests.tested(agent, exit_id)
    assert (test["outcome"], test["error_code"]) == (None, "settings_incomplete"), test
    assert state_of(agent, exit_id) is None, "it says nothing of the exit"


def test_two_tests_of_one_exit_at_once_are_one_and_of_many_run_beside_each_other(agent, frozen):
    exit_id = exit_tests.register(agent, agent.proxy_exit("socks5"))
    task = exit_tests.ask(agent, exit_id)
    wait_until(lambda: exit_tests.engine_pids(agent), "its engine is there")
    assert exit_tests.ask(agent, exit_id) == task
    others = [exit_tests.ask(agent, exit_tests.register(agent, agent.proxy_exit(kind))) for kind in proxies.KINDS]
    uids = wait_until(
        lambda: (seen := [os.stat(f"/proc/{pid}").st_uid for pid in exit_tests.engine_pids(agent)])[3:] and seen,
        "several run",
    )
    assert len(set(uids)) == len(uids), "each as a user of its own"
    agent.lab.run("thaw", "1")
    assert {exit_tests.ended(agent, one)["error_code"] for one in [task, *others]} <= {None, "proxy_unreachable"}


def test_a_test_can_be_canceled(agent, frozen):
    exit_id = exit_tests.register(agent, agent.proxy_exit("socks5"))
    task = exit_tests.ask(agent, exit_id)
    wait_until(lambda: exit_tests.engine_pids(agent), "its engine is there")
    agent.owner.rows("select task.cancel(%s, 'not wanted')", [task])
    test = exit_tests.ended(agent, task)
    assert (test["outcome"], test["error_code"]) == (None, "canceled")


def exit_of(host):
    return host.owner.value("select egress_ip_id from ccp.bindings where host_id = %s and ended_at is null", [host.id])


def test_a_running_host_lends_its_tunnel_and_stays_open(agent, host):
    before = agent.engines()
    test = exit_tests.tested(agent, exit_of(host))
    assert (test["outcome"], test["exit_ip"]) == ("passed", agent.lab.env["LAB_EXIT1_IP"]), test
    assert test["host_id"] == str(host.id)
    assert (host.status, agent.engines(), can_send(host.pid)) == ("running", before, True)


def test_what_a_test_finds_through_a_host_does_not_close_it(agent, host):
    agent.lab.run("freeze", "1")
    try:
        test = exit_tests.tested(agent, exit_of(host))
        assert test["outcome"] != "passed" and test["host_id"] == str(host.id), test
        assert (host.status, can_send(host.pid)) == ("running", True)
    finally:
        agent.lab.run("thaw", "1")
    host.running()


def test_a_stopped_host_lends_its_key(agent, stopped_host):
    test = exit_tests.tested(agent, exit_of(stopped_host))
    assert (test["outcome"], test["host_id"]) == ("passed", None), test
    assert (stopped_host.status, stopped_host.container is None or stopped_host.pid is None) == ("stopped", True)
    stopped_host.running()


def test_a_key_of_the_exits_own_serves_although_its_host_was_never_created(agent):
    host = agent.host(exit_tests.own_key(agent))
    test = exit_tests.tested(agent, exit_of(host))
    assert (test["outcome"], test["host_id"]) == ("passed", None), test


def test_a_host_that_is_wanted_does_not_wait_for_a_test(agent, stopped_host):
    """The test gives way, and is made again through the tunnel that the host has then."""
    agent.lab.run("freeze", "1")
    try:
        task = exit_tests.ask(agent, exit_of(stopped_host))
        wait_until(lambda: exit_tests.engine_pids(agent), "it has begun")
        start = stopped_host.insert("host.start")
        wait_until(lambda: not exit_tests.engine_pids(agent), "it has given way")
    finally:
        agent.lab.run("thaw", "1")
    stopped_host.wait_task(start)
    test = exit_tests.ended(agent, task)
    assert test["outcome"] == "passed" or test["error_code"] == "host_busy", test
    stopped_host.running()


def test_a_proxy_is_tested_beside_the_host_that_runs_through_it(agent):
    one = Proxied(agent, "socks5-auth")
    try:
        one.host.task("host.start")
        engine = one.engine()
        test = exit_tests.tested(agent, exit_of(one.host))
        assert (test["outcome"], test["host_id"]) == ("passed", None), test
        assert (one.host.status, one.engine(), len(doors(agent))) == ("running", engine, 2)
    finally:
        one.delete()


def test_an_agent_that_is_killed_leaves_what_the_next_one_ends(agent, request):
    exits = [exit_tests.register(agent, row) for row in (agent.proxy_exit("socks5"), exit_tests.own_key(agent))]
    request.getfixturevalue("frozen")
    tasks = [exit_tests.ask(agent, exit_id) for exit_id in exits]
    wait_until(lambda: len(exit_tests.engine_pids(agent)) == len(exits), "their engines are there")
    agent.kill()
    assert exit_tests.left(agent) != []
    agent.lab.run("thaw", "1")
    agent.start()
    for task in tasks:
        test = exit_tests.ended(agent, task)
        assert test["outcome"] == "passed", test
    assert exit_tests.left(agent) == []
