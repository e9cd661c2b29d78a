"""Engines are killed at random times, many times over, with a flood through each: nothing leaves beside the tunnel."""

import os
import random
import signal
import statistics

import pytest
from support.kill import (
    KINDS,
    RATE_MIN,
    Flood,
    all_running,
    arrived,
    flooded_hosts,
    ms_since,
    now,
    oracle_of,
    until_random_time,
)
from support.oracle import FULL

pytestmark = pytest.mark.timeout(3600)  # in full
HOSTS, ROUNDS = (3, 67) if FULL else (1, 7)  # of each kind; each is killed once a round
RATE = 1200  # of each flood, probes a second
PAUSE_MAX_S = 0.15  # between two kills


@pytest.fixture(scope="module")
def hosts(agent):
    with flooded_hosts(agent, HOSTS) as made:
        yield made


@pytest.fixture
def oracle(agent, tmp_path):
    with oracle_of(agent, tmp_path, exits=()) as one:
        yield one


def kill_all(hosts):
    """One after the other at random times; when, by host."""
    killed_at = {}
    for one in random.sample(hosts, len(hosts)):
        until_random_time(PAUSE_MAX_S)
        engine = one.engine
        killed_at[one] = now()
        os.kill(engine, signal.SIGKILL)
    return killed_at


def test_engines_that_are_killed_at_random_times_let_nothing_out(agent, hosts, oracle, figures):
    gone_ms, tried, sent = ({kind: [] for kind in KINDS} for _ in range(3))
    came, outside = arrived(agent.lab), 0
    for _ in range(ROUNDS):
        all_running(hosts)
        for one in hosts:
            one.flood = Flood(one.pid, RATE)
        events = hosts[0].host.last_event()
        for one, at in kill_all(hosts).items():
            one.host.wait_event("host.unavailable", events)
            assert one.flood.more() == 0, "it is closed"
            told = one.flood.tell("stop")
            assert told.tried >= RATE_MIN * told.took_s, "the flood was too thin"
            assert told.sent > 0, "there was a way before"
            assert one.flood.counted() == told.at_the_wall, (one.kind, told.outcomes)
            one.flood.end()
            gone_ms[one.kind].append(ms_since(at, told))
            tried[one.kind].append(told.tried)
            sent[one.kind].append(told.sent)
        sight = oracle.look()
        outside += len(sight.outside)
        assert sight.outside == []
    figures("K01", "all", "SIGKILL to the engine at random times", exit=arrived(agent.lab) - came)
    for kind in KINDS:
        figures(
            "K01", kind, "SIGKILL to the engine at random times",
            kills=len(gone_ms[kind]), tried=sum(tried[kind]), sent=sum(sent[kind]), outside=outside,
            last_sent_ms_p50=statistics.median(gone_ms[kind]), last_sent_ms_max=max(gone_ms[kind]),
        )  # fmt: skip
