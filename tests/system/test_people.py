"""What automation may do, and what a DBA sees: one INSERT, the people's views, and nothing else."""

import re

import psycopg2
import pytest
from support.host import Host
from support.paths import CHECKOUT
from support.postgres import Connection

README = (CHECKOUT / "README.md").read_text()
VIEWS = re.findall(r"`ccp\.(\w+)`", README.partition("**Everything is visible.**")[2].partition("\n- ")[0])


@pytest.fixture(scope="module")
def host(stack):
    one = Host(stack).running()
    yield one
    one.running()


# In this order: each finds the host as the one before left it.
@pytest.mark.parametrize(
    ("kind", "status"),
    [("host.stop", "stopped"), ("host.start", "running"), ("host.rebuild", "running"), ("host.verify", "running")],
)
def test_each_kind_succeeds_by_one_insert_and_the_same_twice_is_one_task(host, kind, status):
    line = "insert into ccp.tasks (kind, host_id) values (%s, %s) returning id, status"
    first, second = (host.stack.automation.rows(line, [kind, host.id])[0] for _ in range(2))
    assert second[0] == first[0]
    assert first[1] == "queued" and second[1] in ("queued", "running")
    assert host.wait_task(first[0])[:3] == ("succeeded", None, None)
    assert host.owner.rows("select status, desired from ccp.hosts where id = %s", [host.id]) == [
        (status, "stopped" if status == "stopped" else "running")
    ]
    why = host.stack.automation.value("select why from ccp.task_status where id = %s", [first[0]])
    assert re.fullmatch(rf"{re.escape(kind)} was done in [0-9.]+ s, asked for by ccp_automation", why), why


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("user", ["ccp_automation", "ccp_dba"])
def test_every_view_answers_with_a_sentence(stack, view, user):
    for (why,) in Connection(stack.conninfo(user)).rows(f"select why from ccp.{view}"):
        assert why and " " in why


@pytest.mark.parametrize(
    "sql",
    [
        "update ccp.tasks set status = 'succeeded'",
        "delete from ccp.tasks",
        "insert into ccp.task_rows (kind, queue, created_by) values ('system.noop', 'ccp_worker', 'me')",
        "select password_hash from ccp.users",
        "select secret from ccp.signing_keys",
        "select ssh_password_hash from ccp.hosts",
        "update ccp.hosts set status = 'running'",
        "update ccp.settings set value = '0'",
        "select task.claim(1, 1)",
        "select clock.tick('worker')",
        "create table public.mine (id int)",
        "create temporary table mine (id int)",
        "set role ccp_owner",
        "copy (select 1) to program 'true'",
    ],
)
def test_automation_can_do_nothing_else(host, sql):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        host.stack.automation.rows(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "update ccp.hosts set status = 'pending' where status = 'running'",
        "update ccp.task_rows set status = 'running' where status = 'succeeded'",
        "delete from ccp.hosts",
    ],
)
def test_a_step_that_no_edge_allows_is_refused_even_to_the_owner(host, sql):
    with pytest.raises(psycopg2.Error) as refusal:
        host.owner.rows(sql)
    assert refusal.value.pgcode.startswith("CP"), refusal.value


@pytest.mark.parametrize(
    "sql", ["update ccp.events set message = 'x'", "delete from ccp.events", "truncate ccp.events"]
)
def test_events_are_never_changed_not_even_by_the_owner(host, sql):
    before = host.owner.value("select count(*) from ccp.events")
    with pytest.raises(psycopg2.Error) as refusal:
        host.owner.rows(sql)
    assert refusal.value.pgcode.startswith("CP"), refusal.value
    assert host.owner.value("select count(*) from ccp.events") >= before > 0
