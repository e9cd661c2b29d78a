"""Containers whose programs flood from their first instruction are started, many at a time: what they send before their
exit is proven is nothing, and what they send after it leaves by the tunnel."""

import subprocess

import pytest
from support.kill import KINDS, SIZE, TARGET, all_running, flooded_hosts, oracle_of, together, users_bytes
from support.oracle import FULL
from support.paths import CHECKOUT
from support.wait import wait_until

pytestmark = pytest.mark.timeout(3600)  # in full
HOSTS, ROUNDS = 4, 25 if FULL else 1  # of each kind, started at once; how often
PROBES = 3000  # that flood.c sends
IMAGE = "kill-floods:latest"
# Everything that an image may start by itself, and what is started for its user first of all.
DOCKERFILE = """
FROM cloud-cli-proxy/managed-user:latest AS base
FROM cloud-cli-proxy/managed-user:latest
COPY --from=base /usr/sbin/sshd /usr/sbin/sshd.real
COPY flood /usr/sbin/sshd
COPY flood /usr/local/bin/entrypoint
COPY flood /usr/local/bin/health
HEALTHCHECK --interval=1s CMD ["/usr/local/bin/health"]
ENTRYPOINT ["/usr/local/bin/entrypoint"]
"""


@pytest.fixture(scope="module")
def image(agent, tmp_path_factory):
    directory = tmp_path_factory.mktemp("image")
    (directory / "Dockerfile").write_text(DOCKERFILE)
    source = CHECKOUT / "tests" / "system" / "flood.c"
    subprocess.run(["cc", "-O2", "-static", "-o", directory / "flood", source], check=True)
    agent.stack.docker("build", "--quiet", "--tag", IMAGE, str(directory))


@pytest.fixture(scope="module")
def hosts(agent, image):
    with flooded_hosts(agent, HOSTS, image=IMAGE) as made:
        yield made


@pytest.fixture
def oracle(agent, tmp_path):
    with oracle_of(agent, tmp_path) as one:
        yield one


def flooded(one):
    """(when its program began, how often it sent, how often it was denied)"""
    told = wait_until(lambda: one.host.run("cat", "/tmp/flooded-sshd")[1].split(), "it has sent all that it wanted to")
    return float(told[0]), int(told[1]), int(told[2])


def proven_at(one):
    """Before this its exit was not: so long took what comes before the gate, at its last start."""
    return one.host.owner.value(
        "select (extract(epoch from t.started_at) + (select sum(s.value::numeric) / 1000"
        " from jsonb_each_text(t.result -> 'timings') as s where s.key not in ('gate', 'finish')))::float8"
        " from ccp.task_rows as t where t.host_id = %s and t.kind = 'host.start' order by t.started_at desc limit 1",
        [one.host.id],
    )


def test_containers_that_flood_from_their_first_instruction_send_nothing_before_the_proof(hosts, oracle, figures):
    starts, sent_by, outside = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), 0
    at_exit = 0
    for _ in range(ROUNDS):
        all_running(hosts)
        first_proof = min(map(proven_at, hosts))
        for one in hosts:
            began_at, sent, denied = flooded(one)
            assert began_at > proven_at(one), f"{one.kind}: no user's program runs before the proof"
            assert (sent, denied) == (PROBES, 0), f"{one.kind}: the gate opens after the wall"
            assert users_bytes(one.pid) // SIZE == sent
            ran = one.host.run("sh", "-c", "cd /tmp && ls -d flooded-*")[1].split()
            assert ran == ["flooded-sshd"], "nothing of what the image starts by itself"
            starts[one.kind] += 1
            sent_by[one.kind] += sent
        sight = oracle.look()
        outside += len(sight.outside)
        assert sight.outside == []
        arrived = [packet for packet in sight.exits[1] if packet.is_to(*TARGET)]
        assert arrived, "they leave by the exit"
        assert min(one.packet.time_s for one in arrived) > first_proof
        at_exit += sight.count_at(1, TARGET)
        together(hosts, "host.stop")
    for kind in KINDS:
        figures("K16", kind, "starts with a flood from the first instruction", starts=starts[kind], sent=sent_by[kind],
            outside=outside)  # fmt: skip
    figures("K16", "all", "starts with a flood from the first instruction", exit=at_exit)
