"""The audit log as a stream: both forms, resumed, in pieces, slow clients, and who is put out on the way."""

import csv
import http.client
import io
import json
import socket
import time

import pytest
from support.orders import host_make, run_tasks
from support.wait import WAIT_S, wait_until

COUNT = 20000
LOOK_S = 1  # at most so often a log that is followed is asked for
QUIET_S = 4  # several times that
WITHOUT_A_BELL_S = 10  # so long it is not asked for when nothing rings


@pytest.fixture
def many(database):
    """Old events, one a second, with all that CSV and JSON must escape."""
    database.rows(
        "insert into ccp.events (at, level, type, message, actor, actor_role, metadata)"
        " select date_trunc('month', now()) + n * interval '1 second' - interval '10 days',"
        " case when n %% 1000 = 0 then 'error' else 'info' end, 'host.verified',"
        " 'no ' || n || E' \"quoted\", \\\\ é', 'test', 'program',"
        " jsonb_build_object('n', n, 'long', repeat('x', 400))"
        " from generate_series(1, %s) as n",
        (COUNT,),
    )
    return "type=host.verified"


def lines(answer):
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_export_has_every_event_once_in_order_and_goes_on_behind_any_line(server, admin, many):
    answer = admin.get(f"/v1/admin/events/export?{many}")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    events = lines(answer)
    assert [e["metadata"]["n"] for e in events] == list(range(1, COUNT + 1))
    assert events[0]["message"] == 'no 1 "quoted", \\ é'
    rest = lines(admin.get(f"/v1/admin/events/export?{many}&cursor={events[12344]['cursor']}"))
    assert rest == events[12345:]
    assert lines(admin.get(f"/v1/admin/events/export?{many}&level=error,warning&sort=-time")) == [
        e | {"cursor": mine["cursor"]}
        for e, mine in zip(
            [e for e in reversed(events) if e["level"] == "error"],
            lines(admin.get(f"/v1/admin/events/export?{many}&level=error&sort=-time")),
            strict=True,
        )
    ]
    since = lines(admin.get(f"/v1/admin/events/export?{many}&since={events[-10]['time'].replace('+', '%2B')}"))
    assert [e["id"] for e in since] == [e["id"] for e in events[-10:]]
    assert lines(admin.get("/v1/admin/events/export?type=node.disk.short")) == []


def test_an_export_is_csv_when_that_is_asked_for(server, admin, many):
    asked = admin.get(f"/v1/admin/events/export?{many}&format=csv")
    accepted = admin.send("GET", f"/v1/admin/events/export?{many}", headers={"Accept": "text/csv"})
    assert asked.headers["Content-Type"].startswith("text/csv") and accepted.text == asked.text
    rows = list(csv.DictReader(io.StringIO(asked.text, newline="")))
    assert [json.loads(row["metadata"])["n"] for row in rows] == list(range(1, COUNT + 1))
    assert rows[1]["message"] == 'no 2 "quoted", \\ é' and rows[1]["actor_address"] == ""
    rest = admin.get(f"/v1/admin/events/export?{many}&format=csv&cursor={rows[-2]['cursor']}").text
    assert rest.count("\r\n") == 1 and rest.startswith(f'"{rows[-1]["id"]}"')


def test_an_export_refuses_as_a_list_does(server, admin):
    for query in ("format=xml", "cursor=x", "level=bad", "type=x", "limit=1", "since=yesterday"):
        assert admin.get(f"/v1/admin/events/export?{query}").status == 422, query


def test_an_export_that_goes_on_misses_nothing_that_was_written_late(server, admin, database):
    """An event has the time at which its transaction began: one that commits later may be earlier than what is told."""
    write = "select event.write('host.verified', %s)"
    with database.connect(autocommit=False) as late, late.cursor() as cursor:
        cursor.execute("select now()")
        database.rows(write, ("first",))
        told = lines(admin.get("/v1/admin/events/export?type=host.verified"))
        assert [e["message"] for e in told] == ["first"]
        cursor.execute(write, ("second",))
        late.commit()
        again = lines(admin.get(f"/v1/admin/events/export?type=host.verified&cursor={told[-1]['cursor']}"))
        assert [e["message"] for e in again] == ["second", "first"]
    wait_until(
        lambda: not lines(
            admin.get(
                "/v1/admin/events/export?type=host.verified&cursor="
                + lines(admin.get("/v1/admin/events/export?type=host.verified"))[-1]["cursor"]
            )
        ),
        "the log is whole up to its last line",
    )


def asked(server, admin, path):
    """A client that has read the head and no more; its socket takes little."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.settimeout(WAIT_S)
    one.connect(("127.0.0.1", server.port))
    one.sendall(f"GET /v1/admin/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\n\r\n".encode())
    response = http.client.HTTPResponse(one)
    response.begin()
    return one, response


def opened(server, admin, path):
    one, response = asked(server, admin, path)
    assert response.status == 200
    return one, response


def test_clients_that_do_not_read_hold_no_connection_to_the_database(server, admin, database, many):
    slow = [opened(server, admin, f"events/export?{many}") for _ in range(12)]
    for _ in range(8):
        assert admin.get("/v1/admin/events?limit=1").status == 200
    assert (
        database.value(
            "select count(*) from pg_stat_activity"
            " where usename = 'ccp_api' and state <> 'idle' and datname = current_database()"
        )
        == 0
    )
    for one, _ in slow[1:]:
        one.close()
    assert slow[0][1].read().count(b"\n") == COUNT
    slow[0][0].close()


def test_an_admin_who_is_disabled_gets_no_more_and_sees_that_it_broke_off(server, admin, many):
    made = admin.post("/v1/admin/users", {"username": "second", "role": "admin"}).json
    second = server.client().login("second", made["password"])
    one, response = opened(server, second, f"events/export?{many}")
    assert admin.send("PATCH", f"/v1/admin/users/{made['id']}", {"status": "disabled"}).status == 200
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    one.close()
    assert admin.get("/healthz").status == 200


def followed(response):
    """The next event of a log; an empty line says only that the stream lives."""
    while True:
        line = response.readline()
        assert line, "the stream has ended"
        if line.strip():
            return json.loads(line)


def test_a_hosts_log_is_followed_to_its_deletion(server, admin, database):
    _, host = host_make(admin, database)
    _, other = host_make(admin, database, "bob", "two")
    path = f"hosts/{host['id']}/logs"
    log = lines(admin.get(f"/v1/admin/{path}"))
    assert log and {event["host_id"] for event in log} == {host["id"]}
    assert lines(admin.get(f"/v1/admin/{path}?tail=1")) == log[-1:]
    assert admin.get(f"/v1/admin/{path}?format=csv").text.count("\r\n") == len(log) + 1
    one, response = opened(server, admin, f"{path}?follow=true")
    assert [followed(response) for _ in log] == log
    for asked in (other, host):
        assert admin.post(f"/v1/admin/hosts/{asked['id']}/start").status == 202
    new = followed(response)
    assert (new["type"], new["host_id"]) == ("admin.host.action", host["id"])
    assert admin.send("DELETE", f"/v1/admin/hosts/{host['id']}").status == 202
    run_tasks(database)
    rest = [json.loads(line) for line in response.read().splitlines() if line]
    everything = [*log, new, *rest]
    assert [event["id"] for event in everything] == [
        str(row[0])
        for row in database.rows("select id from ccp.events where host_id = %s order by at, id", (host["id"],))
    ]
    one.close()
    assert admin.get(f"/v1/admin/{path}").status == 404


def test_what_happens_to_a_host_is_told_as_it_happens_and_the_log_is_asked_for_only_then(server, admin, database):
    _, host = host_make(admin, database)
    path = f"hosts/{host['id']}/logs?follow=true&tail=1"
    streams = [opened(server, admin, path) for _ in range(3)]
    for _, response in streams:
        followed(response)
    time.sleep(QUIET_S)
    looks = (
        "select count(*) from pg_stat_activity where query like '%%api.host_log(%%' and pid <> pg_backend_pid()"
        " and query_start > now() - %s * interval '1 s'"
    )
    assert database.value(looks, [QUIET_S - LOOK_S]) == 0, "nobody asks while nothing happens"
    write = "select event.write('host.verified', %s, null, %s)"
    began = time.monotonic()
    for word in ("one", "two", "three"):
        database.rows(write, [word, host["id"]])
    heard = [[followed(response)["message"] for _ in range(3)] for _, response in streams]
    assert heard == [["one", "two", "three"]] * 3
    assert time.monotonic() - began < WITHOUT_A_BELL_S
    for one, _ in streams:
        one.close()


def test_an_account_follows_a_bounded_number_of_logs_and_live_streams_together(server, admin, database):
    _, host = host_make(admin, database)
    path = f"hosts/{host['id']}/logs?follow=true&tail=1"
    streams = [opened(server, admin, path) for _ in range(31)]
    live, _ = opened(server, admin, "sse")
    for refused in (admin.get(f"/v1/admin/{path}"), admin.get("/v1/admin/sse")):
        assert (refused.status, refused.json["error_code"]) == (429, "too_many_streams"), refused
        assert refused.headers["Retry-After"] == "5"
    assert admin.get(f"/v1/admin/hosts/{host['id']}/logs").status == 200, "what ends by itself is not counted"
    made = admin.post("/v1/admin/users", {"username": "second", "role": "admin"}).json
    other, response = opened(server, server.client().login("second", made["password"]), path)
    assert followed(response)
    live.close()
    for one, _ in streams:
        one.close()

    other.close()

    def there_is_a_place():
        one, response = asked(server, admin, path)
        one.close()
        return response.status == 200

    wait_until(there_is_a_place, "the places are free again")


def test_who_may_no_longer_read_a_log_that_is_followed_hears_no_more(server, admin, database):
    _, host = host_make(admin, database)
    made = admin.post("/v1/admin/users", {"username": "second", "role": "admin"}).json
    second = server.client().login("second", made["password"])
    one, response = opened(server, second, f"hosts/{host['id']}/logs?follow=true&tail=1")
    followed(response)
    assert second.post("/v1/auth/logout").status == 204
    with pytest.raises(http.client.IncompleteRead):
        response.read()
    one.close()
