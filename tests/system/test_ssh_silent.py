"""A host that runs and is proven, and into which nobody gets by ssh: people read so, and its user mends it."""

import pytest
from support.http import Api
from support.wait import wait_until

SECONDS = {"verify_light_s": 1}  # between two looks


@pytest.fixture(autouse=True)
def looks(client):
    with client.host.stack.settings(**SECONDS):
        client.host.running()
        yield


@pytest.fixture
def user(client):
    """The host's user at the API."""
    return Api(int(client.host.stack.environment["CCP_HTTP_PORT"])).login(client.guest.name, client.guest.password)


def why(host):
    return host.owner.value("select why from ccp.host_status where id = %s", [host.id])


def told(user, host):
    return user.get(f"/v1/user/hosts/{host.id}").json


def test_an_sshd_that_is_gone_is_told_until_it_is_back(client, user):
    host = client.host
    after = host.last_event()
    assert client.run("true").returncode == 0
    assert told(user, host)["ssh_silent_since"] is None
    status, output = host.run("sh", "-c", "mv /usr/sbin/sshd /usr/sbin/away && pkill -x sshd")
    assert status == 0, output
    try:
        is_told_as_silent(client, user, after)
    finally:
        assert host.run("mv", "/usr/sbin/away", "/usr/sbin/sshd")[0] == 0
    host.wait_event("host.ssh.answers", after)
    assert told(user, host)["ssh_silent_since"] is None
    assert "ssh" not in why(host)
    assert client.run("true").returncode == 0


def is_told_as_silent(client, user, after):
    host = client.host
    wait_until(lambda: told(user, host)["ssh_silent_since"], "the API says that ssh does not answer")
    message, _ = host.wait_event("host.ssh.silent", after)
    assert "refused" in message
    assert told(user, host)["status"] == "running"
    assert "but nobody can come in by ssh: for" in why(host)
    wait_until(lambda: "execute /usr/sbin/sshd: No such file" in why(host), "what PID 1 heard is told")
    done = client.run("true")
    assert done.returncode == 255
    assert "The host runs, but its own sshd does not answer" in done.stderr
    assert "rebuild" in done.stderr


def test_a_container_that_refuses_dev_is_not_the_users_key_and_a_rebuild_mends_it(client, user):
    host = client.host
    assert host.run("sed", "-i", r"s|^\(dev:.*\):[^:]*$|\1:/no/such/shell|", "/etc/passwd")[0] == 0
    after = host.last_event()
    done = client.run("true")
    assert done.returncode == 255
    assert "You are let in, but the container refused the login as dev" in done.stderr
    assert "Permission denied (publickey" not in done.stderr
    message, _ = host.wait_event("host.ssh.silent", after)
    assert "refused the login as dev" in message
    assert "refused the login as dev" in told(user, host)["ssh_silent_message"]
    assert "rebuild it with mode keep" in why(host)
    answer = user.post(f"/v1/user/hosts/{host.id}/rebuild", {"mode": "keep"})
    assert answer.status == 202, answer
    host.wait_succeeded(answer.json["task_id"])
    wait_until(lambda: host.status == "running", "it runs again")
    assert told(user, host)["ssh_silent_since"] is None
    assert client.run("true").returncode == 0
