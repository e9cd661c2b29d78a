"""What the agent watches over: containers that die, settings that cannot be read, what belongs to no host."""

import json
import os
import resource
import signal
import socket
import struct
import subprocess
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from support.net import is_wall_open, namespace_of
from support.wait import WAIT_S, wait_until

DEAD = [f"http://198.18.0.11:{port}/" for port in range(1, 14)]  # echo sources that do not answer


@contextmanager
def settings(host, **values):
    """Other settings that the agent knows of."""
    with host.stack.settings(**values):
        host.task("host.verify")
        yield


def last_verification(agent):
    return agent.owner.value("select coalesce(max(id), 0) from ccp.verifications")


def verifications(host, after):
    """Kind, outcome and the names of the checks, in the order of their coming."""
    rows = host.owner.rows(
        "select kind, outcome, checks from ccp.verifications where host_id = %s and id > %s order by id",
        [host.id, after],
    )
    return [(kind, outcome, {check["name"] for check in checks}) for kind, outcome, checks in rows]


def wait_verifications(host, after, count):
    return wait_until(
        lambda: rows if len(rows := verifications(host, after)) >= count else None, f"{count} verifications"
    )


def verification_stopped(agent):
    """Stops the next child that verifies, so that its check keeps the host; the child's pid."""

    def stopped():
        for path in Path(f"/proc/{agent.process.pid}/task").glob("*/children"):
            with suppress(OSError):
                for pid in path.read_text().split():
                    if b"verify" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        os.kill(int(pid), signal.SIGSTOP)
                        return int(pid)
        return None

    return wait_until(stopped, "something is verified")


def test_a_container_that_dies_while_a_check_has_its_host_is_not_proven_again(agent, host):
    with settings(host, verify_light_s=1):
        child = verification_stopped(agent)
        agent.stack.docker("kill", host.container)
        wait_until(lambda: agent.containers() == [], "Docker knows of the death")
        os.kill(child, signal.SIGCONT)
        host.wait_status("unavailable")
        assert agent.engines() == []


def test_a_dead_container_has_no_proof_also_when_docker_tells_nothing(agent, host):
    pid = host.pid
    with settings(host, verify_light_s=1), namespace_of(pid) as namespace:
        assert is_wall_open(namespace)
        agent.stack.kill("dockerd", signal.SIGSTOP)
        try:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_wall_open(namespace), "the host is closed")
        finally:
            agent.stack.kill("dockerd", signal.SIGCONT)
    host.wait_status("unavailable")


def test_a_light_check_that_asked_a_dead_source_is_followed_by_a_full_one(agent, host):
    alive = agent.lab.env["LAB_ECHO_URLS"].split()[:3]

    def answered():
        """The kind and outcome of what followed the first light check that learnt nothing."""
        rows = [row[:2] for row in verifications(host, after)]
        return rows[rows.index(("light", "inconclusive")) + 1 :] if ("light", "inconclusive") in rows else None

    with settings(host, echo_urls=alive + DEAD, verify_light_s=1):
        after = last_verification(agent)
        assert wait_until(answered, "a light check asks a dead source")[0] == ("full", "passed")
    assert host.status == "running"


def test_a_proof_that_runs_out_during_its_check_is_no_leak(agent, host):
    with settings(host, proof_life_s=3, verify_full_s=1), namespace_of(host.pid) as namespace:
        after = last_verification(agent)
        child = verification_stopped(agent)
        wait_until(lambda: not is_wall_open(namespace), "the proof runs out")
        os.kill(child, signal.SIGCONT)
        wait_until(
            lambda: any({"leak_closed", "leak_open"} <= names for _, _, names in verifications(host, after)),
            "the wall is probed closed and, opened again, once more",
        )
        assert {outcome for _, outcome, _ in verifications(host, after)} == {"passed"}
    assert host.status == "running"


def test_a_verification_that_cannot_run_stops_no_host(agent, host):
    def open_files(most):
        resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE, most)

    before = resource.prlimit(agent.process.pid, resource.RLIMIT_NOFILE)
    with settings(host, verify_light_s=1):
        after = last_verification(agent)
        open_files((10, before[1]))  # all of them are taken
        try:
            rows = wait_verifications(host, after, 4)
        finally:
            open_files(before)
        assert {outcome for _, outcome, _ in rows} == {"inconclusive"}
        assert host.status == "running"
        host.task("host.verify")


def test_an_adoption_that_proves_nothing_yet_is_checked_again_soon(agent, host):
    agent.kill()
    after = last_verification(agent)
    with host.stack.settings(echo_urls=DEAD):
        agent.start()
        rows = wait_verifications(host, after, 2)
    assert [row[:2] for row in rows[:2]] == [("full", "inconclusive")] * 2
    host.task("host.verify")
    assert host.status == "running"


def test_a_task_that_was_canceled_before_it_looked_does_not_cost_a_host(agent, host):
    """Its agent has just started, and has not looked either."""
    container, adopted = host.container, f'event="host adopted" host={host.id}'
    before = agent.log().count(adopted)
    agent.kill()
    agent.stack.kill("dockerd", signal.SIGSTOP)
    try:
        agent.start()
        task = host.insert("host.verify")
        wait_until(lambda: f'"task claimed" task={task}' in agent.log(), "the task is claimed")
        agent.owner.rows("select task.cancel(%s, null)", [task])
        ended = host.wait_task(task)
        assert ended[0] == "canceled", ended
    finally:
        agent.stack.kill("dockerd", signal.SIGCONT)
    wait_until(lambda: agent.log().count(adopted) > before, "the host is adopted")
    assert (host.container, host.status) == (container, "running")


@contextmanager
def unreadable(host):
    """SQL tells settings of the host that the agent cannot use."""
    definition = host.owner.value("select pg_get_functiondef('host.spec(uuid)'::regprocedure)")
    wrong = f"'timezone', case when h.id <> '{host.id}' then h.timezone end"
    assert "'timezone', h.timezone" in definition
    host.owner.rows(definition.replace("'timezone', h.timezone", wrong))
    try:
        yield
    finally:
        host.owner.rows(definition)


def test_a_host_whose_settings_cannot_be_used_after_a_restart_is_ended_and_sql_knows(agent, host):
    agent.kill()
    with unreadable(host):
        agent.start()
        host.wait_status("unavailable")
        code, message = agent.owner.rows("select code, message from ccp.observations where host_id = %s", [host.id])[0]
        assert code == "settings_incomplete" and "timezone" in message
        assert agent.containers() == agent.engines() == []
        assert host.wait_task(host.insert("host.start"))[:2] == ("failed", "settings_incomplete")
        new = agent.host()
        seen = "select state from ccp.observations where host_id = %s"
        wait_until(
            lambda: agent.owner.rows(seen, [new.id]) == [("absent",)], "a new host is looked at, all are asked for"
        )
        assert agent.log().count("settings cannot be used") == 1
    host.task("host.start")


def test_what_belongs_to_no_host_is_ended_when_the_agent_starts(agent, host):
    labels = json.loads(agent.stack.docker("inspect", "--format", "{{json .Config.Labels}}", host.container))
    labels["cloud-cli-proxy.host"] = str(uuid.uuid4())
    options = [f"--label={name}={value}" for name, value in labels.items()]
    agent.kill()
    agent.stack.docker("kill", host.container)
    image = "cloud-cli-proxy/managed-user:latest"
    stray = agent.stack.docker("run", "-d", "--network=none", *options, "--entrypoint=sleep", image, "600").strip()
    assert agent.containers() == [stray] and agent.engines() != []
    agent.start()
    wait_until(lambda: agent.containers() == [], "the container is stopped")
    wait_until(lambda: agent.engines() == [], "the engine is ended")
    host.wait_status("unavailable")


MAGIC, OK, UNREACHABLE, BUSY = 0x43435001, 0, 2, 3  # lib/dial.h

# Root in a container: sshd accepts no more, and all that it could have accepted waits.
FILL = """
import os, signal, socket, time
pid = int(open("/run/ccp-sshd.pid").read())
os.kill(pid, signal.SIGSTOP)
kept = []
for _ in range(600):
    one = socket.socket()
    one.settimeout(0.2)
    kept.append(one)
    try:
        one.connect(("127.0.0.1", 22))
    except TimeoutError:
        print("full", flush=True)
        time.sleep(60)
"""


def session_of(host):
    """A session that the agent may be asked to connect into the host for."""
    return host.owner.value(
        "insert into ccp.sessions (user_id, host_id, process_id, method, address)"
        " select h.user_id, h.id, p.id, 'key', '127.0.0.1' from ccp.hosts as h, ccp.processes as p"
        " where h.id = %s and p.ended_at is null limit 1 returning id",
        [host.id],
    )


def dial(agent, session):
    """The outcome."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(WAIT_S)
        connection.connect(str(agent.directory / "run" / "dial" / "dial.sock"))
        connection.send(struct.pack("II40s", MAGIC, 22, session.encode()))
        answer, descriptors, _, _ = socket.recv_fds(connection, 1024, 2)
    for fd in descriptors:
        os.close(fd)
    return struct.unpack_from("II", answer)[1]


def test_a_host_that_lets_dials_hang_costs_the_others_nothing(agent, host):
    session = session_of(host)
    assert dial(agent, session) == OK
    words = ["docker", "exec", "-i", host.container, "python3", "-c", FILL]
    environment = dict(os.environ, DOCKER_HOST=f"unix://{agent.stack.docker_socket}")
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as fill:
        assert fill.stdout.readline() == "full\n"
        assert dial(agent, session) == UNREACHABLE
        assert dial(agent, session) == BUSY
        host.run("sh", "-c", "kill -CONT $(cat /run/ccp-sshd.pid); pkill -f 'kept.append'")
    wait_until(lambda: dial(agent, session) == OK, "the host is dialled again")


def test_release_all_ends_many_containers_that_do_not_want_to(agent, host):
    """Within a minute, and what is held up by one of them is none of the others."""
    labels = json.loads(agent.stack.docker("inspect", "--format", "{{json .Config.Labels}}", host.container))
    labels["cloud-cli-proxy.host"] = str(uuid.uuid4())
    options = [f"--label={name}={value}" for name, value in labels.items()]
    image = "cloud-cli-proxy/managed-user:latest"
    for _ in range(25):  # a PID 1 that has no handler for it never hears SIGTERM
        agent.stack.docker("run", "-d", "--network=none", *options, "--entrypoint=sleep", image, "600")
    agent.stop()
    agent.release_all()
    assert agent.containers() == []
    agent.start()
    host.wait_status("unavailable")
