"""PostgreSQL goes away under the whole product: each request has an answer all the same, each session stays, and work
goes on when it is back."""

import os
import signal
import time

import psycopg2
import pytest
from support.work import comes_back

LONG_S = 20  # longer than the 15 s after which a silent process counts as dead
LOOK_S = 1


def test_a_server_that_is_away_for_long_is_answered_for_and_work_goes_on_after(client, talk, work):
    stack = client.guest.stack
    stack.sv("down", "postgres")
    everything = [*work.requests.harmless, work.requests.stop]  # refused is never done: the session is in this host
    until = time.monotonic() + LONG_S
    try:
        while time.monotonic() < until:
            assert work.requests.statuses(everything) == [503] * len(everything)
            talk.echoes()
            time.sleep(LOOK_S)
    finally:
        stack.sv("up", "postgres")
    comes_back(client, talk, work)


def test_a_restarted_server_is_worked_with_again(client, talk, work):
    client.guest.stack.sv("restart", "postgres")
    comes_back(client, talk, work)


def test_a_killed_server_is_worked_with_again(client, talk, work):
    stack, old = client.guest.stack, client.guest.stack.pid("postgres")
    stack.kill("postgres", signal.SIGKILL)
    stack.wait_restarted("postgres", old)
    comes_back(client, talk, work)


def backend(stack, role, listens):
    """The server's process of a program's listening connection, or of the other one that was last used."""
    connection = psycopg2.connect(stack.conninfo())
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select pid from pg_stat_activity where usename = %s and query like '%%process.beat(%%' = %s"
            " order by state_change desc limit 1",
            [role, listens],
        )
        ((pid,),) = cursor.fetchall()
    connection.close()
    return pid


@pytest.mark.parametrize("listens", [True, False], ids=["listens", "works"])
@pytest.mark.parametrize("role", ["ccp_api", "ccp_worker", "ccp_agent", "ccp_sshproxy"])
def test_one_frozen_backend_keeps_no_request_waiting(client, talk, work, role, listens):
    frozen = backend(client.guest.stack, role, listens)
    os.kill(frozen, signal.SIGSTOP)
    try:
        assert set(work.requests.statuses(work.requests.harmless)) <= {200, 503}
        talk.echoes()
        work.goes_on()
    finally:
        os.kill(frozen, signal.SIGCONT)
    work.goes_on()
    assert talk.is_recorded()
