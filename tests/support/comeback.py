"""What shows that a killed program or server serves again. Each takes the stack and the pid that was killed."""

import socket
from contextlib import suppress

import psycopg2
from support.http import Api
from support.program import kill
from support.wait import wait_until


def api_is_ready(stack, killed):
    return Api(int(stack.environment["CCP_HTTP_PORT"])).get("/readyz").status == 200


def noop_is_done(stack, killed):
    insert = "insert into ccp.tasks (kind, idempotency_key) values ('system.noop', %s) returning id"
    task = stack.automation.value(insert, [f"after {killed}"])
    return stack.owner.value("select status from ccp.task_rows where id = %s", [task]) == "succeeded"


def agent_is_registered(stack, killed):
    sql = "select count(*) from ccp.processes where program = 'ccp-agent' and pid = %s and ended_at is null"
    pid = stack.pid("ccp-agent")
    return pid != killed and stack.owner.value(sql, [pid]) == 1


def ssh_says_hello(stack, killed=None):
    if stack.pid("ccp-sshproxy") in (None, killed):
        return False
    with socket.create_connection(("127.0.0.1", int(stack.env["CCP_SSH_PORT"])), 1) as connection:
        return connection.recv(64).startswith(b"SSH-2.0-")


def database_answers(stack, killed):
    return stack.pid("postgres") != killed and stack.postgres_answers()


def docker_answers(stack, killed):
    return stack.pid("dockerd") != killed and stack.docker_answers()


PROGRAMS = {
    "ccp-api": api_is_ready,
    "ccp-worker": noop_is_done,
    "ccp-agent": agent_is_registered,
    "ccp-sshproxy": ssh_says_hello,
}
SERVERS = {"postgres": database_answers, "dockerd": docker_answers}


def kill_until_served(stack, pid, serves):
    """Kills a process and waits until what did not work without it works again."""

    def served():
        with suppress(OSError, psycopg2.OperationalError):
            return serves(stack, pid)

    kill(pid)
    wait_until(served, serves.__name__)
