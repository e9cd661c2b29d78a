"""The agent dies at every boundary of every step.

A supervisor starts the agent again. Then work goes on, nothing is stuck or done twice, no host was open without a
proof, and nothing is left behind.
"""

import json
import signal
import subprocess

import pytest
from support import exit_tests
from support.agent import can_send
from support.paths import CHECKOUT
from support.proxied import Proxied, doors
from support.wait import WAIT_S, wait_until

PROGRAM = CHECKOUT / "build" / "debug" / "ccp-agent"


def failpoints(*kinds):
    """Every boundary of every step of these kinds, from the tables of the program itself."""
    steps = subprocess.run([PROGRAM, "steps"], check=True, capture_output=True, text=True).stdout.split()
    return [f"{step}:{when}" for step in steps if step.partition(":")[0] in kinds for when in ("before", "after")]


STARTS = failpoints("host.start")
PROVEN = STARTS.index("host.start:prove:after")  # from here on there is a proof
OPENED = STARTS.index("host.start:gate:after")  # from here on users' processes may run
# One step's end is the next one's beginning.
SWITCHES = [point for point in failpoints("host.switch") if point.endswith(":after")]
CLOSED = SWITCHES.index("host.switch:close:after")
OPEN_AGAIN = SWITCHES.index("host.switch:prove:after")


@pytest.fixture(scope="module")
def agent_options():
    return {"flavour": "debug"}


def die_at(host, failpoint, params="{}"):
    """Inserts a task whose agent dies there; the task."""
    agent = host.agent
    agent.stop()
    agent.start({"CCP_FAILPOINT": failpoint})
    task = host.insert(failpoint.partition(":")[0], params)
    assert agent.process.wait(WAIT_S) == -signal.SIGKILL
    return task


def taken_up(host, task):
    """Whether the agent that runs now works on the task, or has ended it."""
    return host.owner.value(
        "select t.finished_at is not null or t.status = 'running' and p.pid = %s and p.ended_at is null"
        " from ccp.task_rows as t left join ccp.processes as p on p.id = t.process_id where t.id = %s",
        [host.agent.process.pid, task],
    )


def goes_on(host, task):
    """The agent comes back; the task is worked on at once and ends well. Its result."""
    host.agent.launch()
    wait_until(lambda: taken_up(host, task), "the task is worked on")
    result = host.wait_succeeded(task)
    assert host.agent.stuck() == []
    return result


def processes(host):
    """How many processes the host's container has."""
    if not host.agent.containers():
        return 0
    return len(host.agent.stack.docker("top", host.container).splitlines()) - 1


def events(host, kind):
    return host.owner.value("select count(*) from ccp.events where host_id = %s and type = %s", [host.id, kind])


def left_in_uplink(agent):
    """Devices that were born and never moved."""
    name = agent.lab.env["LAB_UPLINK_NETNS"].rpartition("/")[2]
    links = json.loads(subprocess.run(["ip", "-n", name, "-json", "link"], capture_output=True, text=True).stdout)
    return [link["ifname"] for link in links if link["ifname"].startswith("c")]


def namespaces(agent):
    """Network namespaces that Docker keeps for containers: what is mounted there, not the plain files that remain."""
    directory = agent.directory / "run" / "docker" / "netns"
    return [path for path in directory.iterdir() if path.stat().st_dev != directory.stat().st_dev]


def assert_nothing_runs(host):
    agent = host.agent
    assert agent.containers() == []
    assert agent.engines() == []
    assert agent.engine_pids() == []
    assert left_in_uplink(agent) == []
    assert namespaces(agent) == []


def address_of(host):
    """Under which address the world sees it."""
    return host.run("curl", "-sS", "-m", "5", host.agent.lab.env["LAB_ECHO_URLS"].split()[0])[1].strip()


def assert_runs_once(host):
    """Open, proven, with one of everything."""
    agent = host.agent
    assert host.status == "running"
    assert len(agent.containers("--all")) == len(agent.engines()) == len(agent.engine_pids()) == 1
    assert left_in_uplink(agent) == []
    assert len(namespaces(agent)) == 1
    assert can_send(host.pid)
    exit_address = host.owner.value(
        "select host(exit_address) from ccp.bindings where host_id = %s and ended_at is null", [host.id]
    )
    assert address_of(host) == exit_address


@pytest.mark.parametrize("failpoint", STARTS)
def test_a_start_whose_agent_dies_is_begun_again_and_was_never_open_without_proof(agent, stopped_host, failpoint):
    host = stopped_host
    started = events(host, "host.started")
    task = die_at(host, failpoint)
    if STARTS.index(failpoint) < PROVEN:
        assert not can_send(host.pid)
    if STARTS.index(failpoint) < OPENED:
        assert processes(host) <= 1
    assert goes_on(host, task)["exit_ip"] == agent.lab.env["LAB_EXIT1_IP"]
    assert events(host, "host.started") == started + 1
    assert_runs_once(host)


@pytest.mark.parametrize("failpoint", ["host.start:tunnel:after", "host.start:prove:after", "host.stop:end:before"])
@pytest.mark.usefixtures("stopped_host")
def test_an_agent_that_dies_leaves_no_engine_of_a_proxy_without_its_doors_and_no_doors_without_it(agent, failpoint):
    one = Proxied(agent, "socks5-auth")
    if failpoint.startswith("host.stop"):
        one.host.running()
    goes_on(one.host, die_at(one.host, failpoint))
    runs = one.host.status == "running"
    assert (one.engine() is not None, len(doors(agent)), len(agent.engines())) == (runs, 2 * runs, runs)
    one.delete()
    assert (one.engine(), doors(agent), agent.engines()) == (None, [], [])


@pytest.mark.parametrize("kind", ["socks5-auth", "wireguard"])
@pytest.mark.parametrize("failpoint", failpoints("egress.test"))
def test_a_test_whose_agent_dies_is_made_again_and_leaves_nothing(agent, failpoint, kind):
    agent.stop()
    agent.start()  # its sealing key is known, and there is no failpoint
    exit_id = exit_tests.register(agent, exit_tests.own_key(agent) if kind == "wireguard" else agent.proxy_exit(kind))
    agent.stop()
    agent.start({"CCP_FAILPOINT": failpoint})
    task = exit_tests.ask(agent, exit_id)
    assert agent.process.wait(WAIT_S) == -signal.SIGKILL
    agent.start()
    assert exit_tests.ended(agent, task)["outcome"] == "passed"
    assert exit_tests.left(agent) == []


@pytest.mark.parametrize("failpoint", failpoints("host.stop"))
def test_a_stop_whose_agent_dies_leaves_nothing(host, failpoint):
    goes_on(host, die_at(host, failpoint))
    assert host.status == "stopped"
    assert not can_send(host.pid)
    assert_nothing_runs(host)


@pytest.mark.parametrize("failpoint", failpoints("host.create"))
@pytest.mark.usefixtures("stopped_host")
def test_a_create_whose_agent_dies_makes_one_host(agent, failpoint):
    other = agent.host()
    result = goes_on(other, die_at(other, failpoint))
    key = agent.directory / "agent" / "hosts" / other.id / "wireguard.key"
    public = subprocess.run(["wg", "pubkey"], input=key.read_text(), capture_output=True, text=True).stdout.strip()
    assert (
        result["wg_public_key"]
        == public
        == agent.owner.value("select wg_public_key from ccp.hosts where id = %s", [other.id])
    )
    other.task("host.start")
    other.task("host.delete", '{"wipe": true}')


@pytest.mark.parametrize("failpoint", failpoints("host.rebuild"))
def test_a_rebuild_whose_agent_dies_is_done_again_and_keeps_the_home(host, failpoint):
    host.run("sh", "-c", "echo mine > /home/dev/kept")
    goes_on(host, die_at(host, failpoint, '{"mode": "keep"}'))
    assert_runs_once(host)
    assert host.run("cat", "/home/dev/kept") == (0, "mine\n")


@pytest.mark.parametrize("failpoint", SWITCHES)
def test_a_switch_whose_agent_dies_leaves_one_exit_that_is_proven_and_was_never_open_without(host, failpoint):
    """It is done, or the host is ended and started again with the exit that it had."""
    agent = host.agent
    other = agent.insert("egress_ips", {"label": failpoint, **agent.wireguard_exit(2)})
    die_at(host, failpoint, json.dumps({"egress_ip_id": other}))
    if CLOSED <= SWITCHES.index(failpoint) < OPEN_AGAIN:
        assert not can_send(host.pid)
    agent.launch()
    wait_until(lambda: host.status == "running" and not host.live_tasks(), "it runs again")
    assert agent.stuck() == []
    assert_runs_once(host)


@pytest.mark.parametrize("failpoint", failpoints("host.delete"))
@pytest.mark.usefixtures("stopped_host")
def test_a_delete_whose_agent_dies_leaves_no_trace(agent, failpoint):
    other = agent.host()
    other.task("host.create")
    other.task("host.start")
    goes_on(other, die_at(other, failpoint, '{"wipe": true}'))
    assert other.status == "deleted"
    assert other.container is None
    assert_nothing_runs(other)
    data = agent.directory / "agent"
    assert not (data / "hosts" / other.id).exists()
    wait_until(lambda: not list((data / "homes").glob(".trash-*")), "the trash is emptied")
    assert not (data / "homes" / other.id).exists()
