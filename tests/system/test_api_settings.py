"""Settings over HTTP: what each means, which values it takes, who changed it."""

import pytest


def test_the_list_tells_what_each_may_be(admin):
    settings = {setting["name"]: setting for setting in admin.get("/v1/admin/settings").json["settings"]}
    proof = settings["proof_life_s"]
    assert (proof["value"], proof["default_value"], proof["type"], proof["min"]) == (900, 900, "number", 3)
    assert proof["description"] and proof["updated_by"] is None
    assert settings["public_url"]["value"] is None and settings["public_url"]["optional"]


def test_a_change_is_noted_with_who_made_it(admin):
    path = "/v1/admin/settings/proof_life_s"
    before = admin.get(path)
    answer = admin.send("PUT", path, {"value": 30}, headers={"If-Match": before.headers["ETag"]})
    assert (answer.status, answer.json["value"], answer.json["updated_by"]) == (200, 30, "root")
    assert answer.headers["ETag"] != before.headers["ETag"]
    answer = admin.send("PUT", path, {"value": 40}, headers={"If-Match": before.headers["ETag"]})
    assert (answer.status, answer.json["error_code"]) == (412, "precondition_failed")
    event = admin.get("/v1/admin/events?type=setting.changed").json["events"][0]
    assert (event["actor"], event["metadata"]) == ("root", {"name": "proof_life_s", "from": 900, "to": 30})


@pytest.mark.parametrize("value", ["30", 2, 30.5, [30], {"a": 1}, True, "", "\x00", "\ud800", 1e300])
def test_a_value_that_does_not_fit_is_refused_with_what_it_must_be(admin, value):
    answer = admin.send("PUT", "/v1/admin/settings/proof_life_s", {"value": value})
    if answer.status == 400:  # no text of PostgreSQL's
        assert value in ("\x00", "\ud800")
        return
    (error,) = answer.json["errors"]
    assert answer.status == 422 and error["field"] == "value" and "whole number from 3" in error["message"], answer


def test_only_an_optional_one_may_be_null(admin):
    answer = admin.send("PUT", "/v1/admin/settings/proof_life_s", {"value": None})
    assert (answer.status, answer.json["errors"][0]["message"]) == (422, "must be set")
    assert admin.send("PUT", "/v1/admin/settings/public_url", {"value": "https://a.example"}).status == 200
    assert admin.send("PUT", "/v1/admin/settings/public_url", {"value": None}).json["value"] is None


@pytest.mark.parametrize("value", [["192.0.2.0/24", "2001:db8::1"], []])
def test_a_list_is_a_list(admin, value):
    answer = admin.send("PUT", "/v1/admin/settings/penalty_exempt", {"value": value})
    assert answer.json["value"] == value, answer


def test_an_unknown_name_is_not_found(admin):
    assert admin.get("/v1/admin/settings/no_such").status == 404
    assert admin.send("PUT", "/v1/admin/settings/no_such", {"value": 1}).status == 404


def test_users_see_and_change_none(server):
    user = server.user("alice")
    assert user.get("/v1/admin/settings").status == 403
    assert user.send("PUT", "/v1/admin/settings/proof_life_s", {"value": 30}).status == 403
