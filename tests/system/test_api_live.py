"""The live streams: what each client hears, from where, until when, and what becomes of those who do not read."""

import signal
import time

import pytest
from support.orders import host_make, run_tasks
from support.sse import Stream, changes

ALL = "/v1/admin/sse"
OWN = "/v1/user/sse"
SOON_S = 1


@pytest.fixture
def people(server, admin, database):
    """alice and bobby, logged in, each with a stopped host."""
    found = {}
    for name, exit_label in (("alice", "one"), ("bobby", "two")):
        user, host = host_make(admin, database, name, exit_label)
        found[name] = server.client().login(name, user["password"])
        found[name].id, found[name].host = user["id"], host["id"]
    return found


def listen(client, path, **options):
    return Stream(client, path, **options).ready()


def label(database, host, text):
    database.rows("update ccp.hosts set label = %s where id = %s", (text, host))


def labelled(text):
    return lambda e: e.name == "message" and e.data["topic"] == "hosts" and e.data["payload"]["label"] == text


def test_a_host_that_psql_changes_is_told_as_the_list_has_it(admin, people, database):
    host = people["alice"].host
    stream = listen(admin, f"{ALL}?topics=hosts")
    label(database, host, "new")
    (event,) = stream.until(labelled("new"))
    assert (event.data["action"], event.data["id"]) == ("upsert", host)
    assert event.data["payload"] == admin.get(f"/v1/admin/hosts/{host}").json
    assert event.where == stream.where


def test_a_task_is_told_from_its_request_to_its_end_and_its_host_with_it(admin, people, database):
    stream = listen(admin, f"{ALL}?topics=tasks,hosts")
    task = people["alice"].post(f"/v1/user/hosts/{people['alice'].host}/start").json["task_id"]
    lease = database.value(
        "select lease from task.claim((select max(id) from ccp.processes where program = 'ccp-agent'), 1)"
    )
    database.rows("select task.progress(%s, %s, 'verifying', 60, 'checking')", (task, lease))
    seen = stream.until(lambda e: e.data["topic"] == "tasks" and e.data["payload"]["progress"] == 60)
    database.rows("select task.succeed(%s, %s, '{}')", (task, lease))
    seen += stream.until(lambda e: e.data["topic"] == "tasks" and e.data["payload"]["status"] == "succeeded")
    assert changes(seen, "tasks")[-1]["payload"] == admin.get(f"/v1/admin/tasks/{task}").json
    stages = [c["payload"]["live_task"]["message"] for c in changes(seen, "hosts") if c["payload"]["live_task"]]
    assert "checking" in stages
    order = [c["payload"]["status"] for c in changes(seen, "tasks")]
    assert order == sorted(order, key=["queued", "running", "succeeded"].index)


def test_a_task_of_no_host_is_told_step_by_step_without_the_bell(admin, database):
    """Its claim and its progress do not ring: the reader looks in any case."""

    def told(field, value):
        return lambda e: e.name == "message" and e.data["id"] == task and e.data["payload"][field] == value

    worker = database.value("select process_id from process.register('ccp-worker', 'racer', 1, 'test')")
    stream = listen(admin, f"{ALL}?topics=tasks")
    task = database.value("select (task.enqueue('system.noop')).id")
    lease = database.value("select lease from task.claim(%s, 1)", (worker,))
    stream.until(told("status", "running"))
    database.rows("select task.progress(%s, %s, 'busy', 50, 'half')", (task, lease))
    stream.until(told("progress", 50))


def test_events_sessions_and_nodes_are_told_too(admin, people, database):
    stream = listen(admin, f"{ALL}?topics=events,sessions,nodes")
    database.rows("select event.write('host.verified', 'one')")
    event = stream.until(lambda e: e.data["topic"] == "events")[-1].data
    assert event["payload"] == admin.get("/v1/admin/events?type=host.verified").json["events"][0]
    database.rows(
        "insert into ccp.sessions (user_id, host_id, process_id, method, address)"
        " select user_id, id, (select max(id) from ccp.processes), 'key', '198.51.100.7' from ccp.hosts where id = %s",
        (people["alice"].host,),
    )
    session = stream.until(lambda e: e.data["topic"] == "sessions")[-1].data
    assert session["payload"] == admin.get("/v1/admin/sessions").json["sessions"][0]
    database.rows("delete from ccp.sessions")
    gone = stream.until(lambda e: e.data["topic"] == "sessions")[-1].data
    assert (gone["action"], gone["id"], gone["payload"]) == ("delete", session["id"], None)
    node = admin.get("/v1/admin/nodes").json["nodes"][0]["id"]
    admin.post(f"/v1/admin/nodes/{node}/cordon")
    told = stream.until(lambda e: e.data["topic"] == "nodes" and e.data["payload"]["cordoned_at"])[-1].data
    assert told["payload"] == admin.get(f"/v1/admin/nodes/{node}").json


def test_users_hear_of_what_is_theirs_and_of_nothing_else(server, admin, people, database):
    alice, bobby = people["alice"], people["bobby"]
    mine, other = listen(alice, OWN), listen(bobby, OWN)
    everything = listen(admin, ALL)
    label(database, bobby.host, "theirs")
    label(database, alice.host, "mine")
    seen = mine.until(labelled("mine"))
    assert {c["id"] for c in changes(seen, "hosts")} == {alice.host}
    assert {c["id"] for c in changes(other.until(labelled("theirs")), "hosts")} == {bobby.host}
    assert {c["id"] for c in changes(everything.until(labelled("mine")), "hosts")} == {alice.host, bobby.host}
    bobby.post(f"/v1/user/hosts/{bobby.host}/start")
    run_tasks(database)
    label(database, alice.host, "again")
    told = changes(mine.until(labelled("again")))
    assert {(c["topic"], c["id"]) for c in told} == {("hosts", alice.host)}
    assert alice.get(f"{OWN}?topics=nodes").status == 422
    assert alice.get(ALL).status == 403
    assert server.client().get(ALL).status == 401
    # An administrator's own stream is a user's: nothing of others.
    own = listen(admin, OWN)
    label(database, alice.host, "last")
    admin.post("/v1/user/change-password", {"old_password": "wrong", "new_password": "another horse"})
    assert not changes(own.until(lambda e: e.name == "message"), "hosts")


def test_who_comes_back_hears_all_that_happened_meanwhile_once(server, admin, people, database):
    host = people["alice"].host
    first = listen(admin, f"{ALL}?topics=hosts,events")
    label(database, host, "before")
    first.until(labelled("before"))
    first.close()
    for n in range(20):
        database.rows("select event.write('host.verified', %s)", (str(n),))
        label(database, host, str(n))
    server.program.kill()
    server.program.wait()
    server.start()
    second = Stream(admin, f"{ALL}?topics=hosts,events", last=first.where)
    assert second.next().data == {"resumed": True}
    label(database, host, "after")
    seen = second.until(labelled("after"))
    assert [c["payload"]["message"] for c in changes(seen, "events") if c["payload"]["type"] == "host.verified"] == [
        str(n) for n in range(20)
    ]
    assert changes(seen, "hosts")[0]["payload"]["label"] == "19"
    # And from where that ended nothing comes again.
    third = listen(admin, f"{ALL}?topics=hosts,events", last=second.where)
    label(database, host, "last")
    assert [c["payload"]["label"] for c in changes(third.until(labelled("last")))] == ["last"]


def test_who_was_away_too_long_or_elsewhere_reads_the_lists_again(admin, people, database):
    stream = listen(admin, ALL)
    old = stream.where
    database.rows("select live.forget()")
    database.rows("update ccp.test_clock set shift = interval '16 minutes'")
    database.rows("select live.forget()")
    for last in (old, "Zm9yZWlnbg", old[:-2], "x" * 200):
        back = Stream(admin, f"{ALL}?topics=hosts", last=last)
        assert [back.next().name, back.next().name] == ["ready", "resync"], last
        label(database, people["alice"].host, f"to {last[:10]}")
        assert back.until(labelled(f"to {last[:10]}"))
        back.close()
    assert admin.send("GET", ALL, headers={"Last-Event-ID": "not one"}).status == 400


def test_more_than_can_be_told_one_by_one_is_a_list_to_read_again(admin, people, database):
    stream = listen(admin, f"{ALL}?topics=events,hosts")
    database.rows(
        "insert into ccp.events (level, type, message, actor, actor_role)"
        " select 'info', 'host.verified', '', 'test', 'program' from generate_series(1, 501)"
    )
    database.rows("select event.write('host.verified', 'one')")
    seen = stream.until(lambda e: e.name == "resync")
    assert seen[-1].data == {"topic": "events"} and not changes(seen)
    database.rows("update ccp.settings set value = '\"ssh.example.org\"' where name = 'ssh_host'")
    assert stream.until(lambda e: e.name == "resync" and e.data == {"topic": "hosts"})


ENDS = {
    "a logout": (lambda admin, user: user.post("/v1/auth/logout"), "token_invalid"),
    "a new password": (lambda admin, user: admin.post(f"/v1/admin/users/{user.id}/rotate-password"), "token_invalid"),
    "a disabled account": (
        lambda admin, user: admin.send("PATCH", f"/v1/admin/users/{user.id}", {"status": "disabled"}),
        "account_disabled",
    ),
    "another role": (
        lambda admin, user: admin.send("PATCH", f"/v1/admin/users/{user.id}", {"role": "user"}),
        "forbidden",
    ),
}


@pytest.mark.parametrize("way", ENDS)
def test_a_stream_ends_at_once_with(server, admin, way):
    end, code = ENDS[way]
    made = admin.post("/v1/admin/users", {"username": "second", "role": "admin"}).json
    second = server.client().login("second", made["password"])
    second.id = made["id"]
    stream = listen(second, f"{ALL}?topics=hosts")
    assert end(admin, second).status < 300
    began = time.monotonic()
    (event,) = stream.rest()
    assert time.monotonic() - began < SOON_S
    assert (event.name, event.data["error_code"]) == ("end", code)


def test_a_stream_ends_when_its_account_expires(server, admin, database):
    made = admin.post("/v1/admin/users", {"username": "second"}).json
    second = server.client().login("second", made["password"])
    stream = listen(second, f"{OWN}?topics=hosts")
    database.rows("update ccp.users set expires_at = now() + interval '1 second' where id = %s", (made["id"],))
    (event,) = stream.rest()
    assert (event.name, event.data["error_code"]) == ("end", "account_expired")
    late = "select clock_timestamp() - expires_at < %s from ccp.users where id = %s"
    assert database.value(late, (f"{SOON_S} s", made["id"]))


def test_a_login_that_is_renewed_goes_on_listening(server, admin, people, database):
    alice = people["alice"]
    stream = listen(alice, f"{OWN}?topics=hosts")
    alice.token = alice.post("/v1/auth/refresh").json["token"]
    label(database, alice.host, "renewed")
    assert stream.until(labelled("renewed"))


def test_who_does_not_read_slows_nobody_and_reads_the_lists_again(admin, people, database):
    slow = listen(admin, f"{ALL}?topics=events", receive_buffer=4096)
    quick = listen(admin, f"{ALL}?topics=events")
    told = 0
    with database.connect() as connection, connection.cursor() as cursor:
        for n in range(60):
            cursor.execute(
                "insert into ccp.events (level, type, message, actor, actor_role)"
                " select 'info', 'host.verified', repeat('x', 1500) || %s, 'test', 'program'"
                " from generate_series(1, 50);"
                " notify ccp_event",
                (str(n),),
            )
            while told < (n + 1) * 50:
                event = quick.next()
                assert event.name == "message", event
                told += event.data["payload"]["type"] == "host.verified"
    seen = slow.until(lambda e: e.name == "resync")
    assert len(changes(seen)) < 3000
    database.rows("select event.write('host.verified', 'at last')")
    (after,) = slow.until(lambda e: e.name == "message")
    assert after.data["payload"]["message"] == "at last"


def test_an_account_has_a_bounded_number_of_streams(server, admin, people):
    streams = [listen(people["alice"], OWN) for _ in range(32)]
    refused = people["alice"].get(OWN)
    assert (refused.status, refused.json["error_code"]) == (429, "too_many_streams")
    assert refused.headers["Retry-After"] == "5"
    assert listen(people["bobby"], OWN)
    streams[0].close()
    end = time.monotonic() + 10
    while people["alice"].get(OWN).status == 429:
        assert time.monotonic() < end


def test_a_silent_stream_says_where_it_is(admin, people):
    stream = listen(admin, f"{ALL}?topics=sessions")
    event = stream.next()
    assert (event.name, event.data) == ("heartbeat", {}) and event.where


def test_a_hundred_clients_end_with_what_the_table_has(server, admin, people, database):
    clients = [people["alice"], people["bobby"]] * 20
    mine = [(client, listen(client, f"{OWN}?topics=hosts,tasks")) for client in clients]
    others = server.client().login("root", server.PASSWORD), admin
    made = admin.post("/v1/admin/users", {"username": "second", "role": "admin"}).json
    second = server.client().login("second", made["password"])
    all_of = [listen(others[n % 2], f"{ALL}?topics=hosts,tasks") for n in range(30)]
    all_of += [listen(second, f"{ALL}?topics=hosts,tasks") for n in range(30)]
    for n in range(100):
        for client in people.values():
            label(database, client.host, f"{client.id} {n}")
    for client, stream in mine:
        seen = stream.until(labelled(f"{client.id} 99"))
        assert {c["id"] for c in changes(seen)} == {client.host}
    for stream in all_of:
        last = {}
        while last != {client.host: f"{client.id} 99" for client in people.values()}:
            for change in changes([stream.next()], "hosts"):
                last[change["id"]] = change["payload"]["label"]


def test_the_streams_end_in_order_when_the_server_stops(server, admin, people):
    stream = listen(admin, ALL)
    server.program.kill(signal.SIGTERM)
    assert stream.rest() == []
