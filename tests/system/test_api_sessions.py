"""Sessions over HTTP: who sees them, who ends them, and what the ssh proxy is told."""

import uuid

import pytest
from support.orders import host_make


@pytest.fixture
def people(server, admin, database):
    """alice and bobby, logged in, each with a host and an open session in it."""
    found = {}
    for name, exit_label in (("alice", "one"), ("bobby", "two")):
        user, host = host_make(admin, database, name, exit_label)
        database.rows(
            "insert into ccp.sessions (user_id, host_id, process_id, method, address, opened_at)"
            " select %s, %s, max(id), 'key', '198.51.100.7', now() from ccp.processes",
            (user["id"], host["id"]),
        )
        found[name] = server.client().login(name, user["password"])
    return found


def sessions(client, role, query=""):
    answer = client.get(f"/v1/{role}/sessions{query}")
    assert answer.status == 200, answer
    return answer.json["sessions"]


def test_an_admin_sees_who_is_in_which_host_and_users_see_themselves(admin, people):
    everybody = sessions(admin, "admin")
    assert [one["username"] for one in everybody] == ["bobby", "alice"]
    one = everybody[1]
    assert (one["kind"], one["method"], one["address"]) == ("ssh", "key", "198.51.100.7")
    assert sessions(people["alice"], "user") == [one]
    assert sessions(admin, "admin", f"?user_id={one['user_id']}&host_id={one['host_id']}&kind=ssh") == [one]
    assert sessions(admin, "admin", "?kind=desktop") == [] == sessions(admin, "admin", "?state=ended")
    assert len(sessions(admin, "admin", "?state=any&limit=1")) == 1
    assert people["alice"].get("/v1/admin/sessions").status == 403
    for bad in ("state=open,any", "kind=telnet", "user_id=1", "cursor=x", "limit=0"):
        assert admin.get(f"/v1/admin/sessions?{bad}").status == 422, bad


def test_a_session_is_ended_by_its_user_or_an_admin_and_the_proxy_is_rung(admin, people, database):
    bobbys, alices = sessions(admin, "admin")
    assert people["alice"].send("DELETE", f"/v1/user/sessions/{bobbys['id']}").status == 404
    for unknown in (str(uuid.uuid4()), "x"):
        assert admin.send("DELETE", f"/v1/admin/sessions/{unknown}").status == 404
    assert people["alice"].send("DELETE", f"/v1/admin/sessions/{alices['id']}").status == 403
    with database.connect() as listening:
        with listening.cursor() as cursor:
            cursor.execute("listen ccp_sshproxy")
        assert people["alice"].send("DELETE", f"/v1/user/sessions/{alices['id']}").status == 204
        assert admin.send("DELETE", f"/v1/admin/sessions/{bobbys['id']}").status == 204
        assert admin.send("DELETE", f"/v1/admin/sessions/{bobbys['id']}").status == 204
        with listening.cursor() as cursor:
            cursor.execute("select 1")
        rung = [notify.channel for notify in listening.notifies]
        assert rung == ["ccp_sshproxy"] * 2
    ending = {one["username"]: one for one in sessions(admin, "admin")}
    assert (ending["alice"]["end_reason"], ending["alice"]["end_requested_by"]) == ("user", "alice")
    assert (ending["bobby"]["end_reason"], ending["bobby"]["end_requested_by"]) == ("admin", "root")
    sentence = "select session.sentence(end_reason, end_requested_by) from ccp.sessions where id = %s"
    assert database.value(sentence, (bobbys["id"],)) == "This session was ended by the administrator root."
    events = admin.get("/v1/admin/events").json["events"]
    ended = [(e["actor"], e["user_id"]) for e in events if e["type"].endswith("session.ended")]
    assert ended == [("root", bobbys["user_id"]), ("alice", alices["user_id"])]
