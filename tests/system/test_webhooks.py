"""Webhooks: a receiver that takes, fails, hangs, redirects, answers garbage or forever, and names that lead elsewhere.

What comes is checked by the specification's own library.
"""

import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from support.paths import pin
from support.program import Program
from support.receiver import PUBLIC, Receiver
from support.wait import wait_until

CLOCKS_DIFFER_S = 0.1  # what the receiver notes is later than what the worker and SQL see, by different times


@pytest.fixture(scope="module")
def standard():
    """The reference library of the Standard Webhooks specification."""
    sys.path.insert(0, pin("standardwebhooks_dir"))
    import standardwebhooks

    return standardwebhooks


@pytest.fixture
def receiver(tmp_path):
    directory = Path(tempfile.mkdtemp(prefix="ccp-program-", dir="/var/tmp"))
    one = Receiver(directory)
    yield one
    one.end()
    shutil.rmtree(directory)


class Worker(Program):
    """ccp-worker in the receiver's namespace: no other address leads anywhere, and that resolver is the machine's."""

    def __init__(self, receiver, database):
        self.receiver = receiver
        super().__init__("ccp-worker", database, receiver.directory)

    def command(self, conninfo, *arguments):
        return self.receiver.inside(*super().command(conninfo, *arguments))


@pytest.fixture
def worker(receiver, database):
    one = Worker(receiver, database)
    wait_until(
        lambda: database.value("select value from ccp.settings where name = 'webhook_sealing_key'"),
        "the worker has told its key",
    )
    yield one
    one.stop()


class Hook:
    """A webhook, as an administrator sees it."""

    def __init__(self, admin, url, event_types=("setting.changed",)):
        self.admin = admin
        answer = admin.post("/v1/admin/webhooks", {"label": "hook", "url": url, "event_types": list(event_types)})
        assert answer.status == 201, answer
        self.path = f"/v1/admin/webhooks/{answer.json['id']}"
        self.id = answer.json["id"]
        self.secret = answer.json["secret"]

    @property
    def now(self):
        return self.admin.get(self.path).json

    def deliveries(self, state="any"):
        return self.admin.get(f"{self.path}/deliveries?sort=created_at&state={state}").json["deliveries"]

    def wait_taken(self, count):
        def all_taken():
            taken = self.deliveries("delivered")
            return len(taken) == count and taken

        return wait_until(all_taken, f"{count} deliveries were taken")

    def wait_error(self):
        def failed():
            return next((d for d in self.deliveries("waiting") if d["error_message"]), None)

        return wait_until(failed, "a try has failed")

    def wait_status(self, status):
        return wait_until(lambda: self.now["status"] == status and self.now, f"the webhook is {status}")

    def test(self):
        """Its task, ended."""
        task = self.admin.post(f"{self.path}/test")
        assert task.status == 202, task

        def ended():
            one = self.admin.get(task.json["status_url"]).json
            return one["finished_at"] and one

        return wait_until(ended, "the test has ended")


def change(admin, value):
    """An event."""
    assert admin.send("PUT", "/v1/admin/settings/proof_life_s", {"value": value}).status == 200


def changes_of(received):
    return [json.loads(line["body"])["data"]["metadata"]["to"] for line in received]


def test_events_come_once_in_order_and_signed(admin, worker, receiver, standard, database):
    hook = Hook(admin, receiver.url("ok"))
    for value in range(100, 110):
        change(admin, value)
        admin.get("/v1/admin/settings")
    admin.post("/v1/admin/users", {"username": "alice"})  # of a type that it did not choose
    hook.wait_taken(10)
    received = receiver.received("ok")
    assert changes_of(received) == list(range(100, 110))
    events = {event["id"]: event for event in admin.get("/v1/admin/events?type=setting.changed").json["events"]}
    for line in received:
        assert line["headers"]["Content-Type"] == "application/json"
        message = standard.Webhook(hook.secret).verify(line["body"], line["headers"])
        event = events[message["data"]["id"]]
        assert (message["type"], message["timestamp"]) == (event["type"], message["data"]["time"])
        assert message["data"] == event
        assert line["headers"]["webhook-id"] == f"evt_{event['id']}"
        with pytest.raises(standard.WebhookVerificationError):
            standard.Webhook(hook.secret).verify(line["body"] + " ", line["headers"])


def test_a_receiver_that_fails_is_tried_again_and_nothing_overtakes(admin, worker, receiver, standard):
    hook = Hook(admin, receiver.url("fails?2"))
    for value in (100, 101, 102):
        change(admin, value)
    first = hook.wait_taken(3)[0]
    received = receiver.received("fails?2")
    assert changes_of(received) == [100, 100, 100, 101, 102] and first["attempts"] == 3
    assert len({line["headers"]["webhook-id"] for line in received[:3]}) == 1
    for line in received:
        standard.Webhook(hook.secret).verify(line["body"], line["headers"])


@pytest.mark.parametrize("path", ["later?429,seconds,4", "later?503,date,5"])
def test_a_receiver_that_wants_to_be_left_alone_is(admin, worker, receiver, path):
    hook = Hook(admin, receiver.url(path))
    change(admin, 100)
    hook.wait_error()
    assert hook.now["retry_at"]
    change(admin, 101)
    hook.wait_taken(2)
    received = receiver.received(path)
    assert changes_of(received) == [100, 100, 101]
    assert received[1]["time"] - received[0]["time"] >= 4 - CLOCKS_DIFFER_S
    assert hook.now["retry_at"] is None


def test_how_long_a_receiver_is_left_alone_has_a_bound_and_ends_when_it_is_changed(admin, worker, receiver, database):
    paths = ["later?503,seconds,999999999999", "later?503,date,99999999", "later?500,seconds,3000", "later?429,date,-9"]
    hooks = [Hook(admin, receiver.url(path)) for path in paths]
    change(admin, 100)
    for hook in hooks[:2]:
        hook.wait_error()
        left = "select retry_at - now() between '59 min' and '1 h' from ccp.webhooks where id = %s"
        assert database.value(left, [hook.id]), hook.now
        assert admin.send("PATCH", hook.path, {"status": "active"}).json["retry_at"] is None
    for hook in hooks:
        hook.wait_taken(1)


def test_one_that_hangs_or_drips_ends_by_the_clock_and_holds_up_no_other(admin, worker, receiver):
    silent = [Hook(admin, receiver.url("hangs")), Hook(admin, receiver.url("drips"))]
    other = Hook(admin, receiver.url("ok"))
    change(admin, 100)
    other.wait_taken(1)
    assert all(hook.deliveries("waiting") for hook in silent)
    for hook in silent:
        assert "in time" in hook.wait_error()["error_message"]


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("moved", 302, "redirects are not followed"),
        ("status?404", 404, "the receiver answers 404"),
        ("garbage", None, "the receiver: "),
    ],
)
def test_an_answer_that_is_none_is_told_in_a_sentence(admin, worker, receiver, path, status, why):
    hook = Hook(admin, receiver.url(path))
    change(admin, 100)
    failed = hook.wait_error()
    assert why in failed["error_message"] and failed["response_status"] == status
    assert receiver.received("ok") == []


def test_an_answer_without_end_is_read_to_64_kib(admin, worker, receiver):
    hook = Hook(admin, receiver.url("endless"))
    change(admin, 100)
    assert hook.wait_taken(1)[0]["response_status"] == 200
    sent = receiver.directory / "sent"
    wait_until(sent.exists, "the receiver was hung up on")
    assert int(sent.read_text()) < 16 << 20  # what the kernel holds of it on both sides


@pytest.mark.parametrize("host", ["inside.example", "localhost"])
def test_a_name_for_an_address_of_our_own_is_not_connected_to(admin, worker, receiver, host):
    hook = Hook(admin, receiver.url("ok", host))
    change(admin, 100)
    assert "is a loopback address" in hook.wait_error()["error_message"]
    assert receiver.received() == []
    task = hook.test()
    assert task["status"] == "failed" and "is a loopback address" in task["error_message"]
    admin.send("PUT", "/v1/admin/settings/webhook_networks", {"value": ["127.0.0.0/8", "::1/128"]})
    hook.wait_taken(2)  # that change is an event too
    assert [line["at"] for line in receiver.received()] == ["127.0.0.1"] * 2


def test_a_name_that_changes_at_the_second_look_is_judged_again(admin, worker, receiver):
    receiver.resolves({"turns.example": [PUBLIC, "127.0.0.1"]})
    hook = Hook(admin, receiver.url("ok", "turns.example"))
    change(admin, 100)
    hook.wait_taken(1)
    change(admin, 101)
    assert "127.0.0.1 is a loopback address" in hook.wait_error()["error_message"]
    assert [line["at"] for line in receiver.received()] == [PUBLIC]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]:8080/", "http://10.1.2.3/", "http://169.254.169.254/"]
)
def test_an_address_of_our_own_is_refused_when_it_is_written(admin, worker, url):
    answer = admin.post("/v1/admin/webhooks", {"label": "hook", "url": url})
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "url"), answer
    assert "webhook_networks" in answer.json["errors"][0]["message"]


def test_after_a_day_it_is_failing_and_goes_on_when_it_is_mended(admin, worker, receiver, database):
    hook = Hook(admin, receiver.url("status?503"))
    change(admin, 100)
    hook.wait_error()
    database.rows("update ccp.webhook_deliveries set first_tried_at = now() - interval '1 day'")
    failing = hook.wait_status("failing")
    assert failing["failing_reason"] == "the receiver answers 503" and failing["failing_since"]
    event = admin.get("/v1/admin/events?type=webhook.failing").json["events"][0]
    assert (event["level"], event["metadata"]) == ("error", {"webhook_id": hook.id})
    change(admin, 101)
    tries = len(receiver.received())
    assert hook.test()["status"] == "failed" and len(receiver.received()) == tries + 1
    answer = admin.send("PATCH", hook.path, {"url": receiver.url("ok")})
    assert (answer.status, answer.json["status"]) == (200, "active"), answer
    hook.wait_taken(2)
    assert changes_of(receiver.received("ok")) == [100, 101]


def test_a_test_that_is_taken_mends_it(admin, worker, receiver, standard, database):
    hook = Hook(admin, receiver.url("fails?1"))
    database.rows("update ccp.webhooks set failing_since = now(), failing_reason = 'x'")
    change(admin, 100)
    assert hook.test()["status"] == "failed"
    task = hook.test()
    assert (task["status"], task["result"]["status"]) == ("succeeded", 200)
    tested = receiver.received()[1]
    assert standard.Webhook(hook.secret).verify(tested["body"], tested["headers"])["type"] == "webhook.test"
    hook.wait_taken(1)
    assert hook.now["status"] == "active"


def test_a_worker_that_is_killed_sends_again_under_the_same_id(admin, worker, receiver, database):
    hook = Hook(admin, receiver.url("hangs_once"))
    change(admin, 100)
    wait_until(lambda: receiver.received(), "the first try has begun")
    worker.kill(signal.SIGKILL)
    worker.wait()
    again = Worker(receiver, database)
    try:
        hook.wait_taken(1)
    finally:
        again.stop()
    ids = [line["headers"]["webhook-id"] for line in receiver.received()]
    assert len(ids) == 2 and len(set(ids)) == 1


def test_the_secret_is_shown_once_and_is_nowhere_else(admin, server, worker, receiver, standard, database):
    hook = Hook(admin, receiver.url("ok/token-in-the-path"))
    assert hook.secret.startswith("whsec_") and "secret" not in hook.now
    change(admin, 100)
    hook.wait_taken(1)
    answer = admin.post(f"{hook.path}/rotate-secret")
    assert answer.status == 200 and answer.json["secret"] != hook.secret
    change(admin, 101)
    hook.wait_taken(2)
    first, second = receiver.received()
    standard.Webhook(hook.secret).verify(first["body"], first["headers"])
    standard.Webhook(answer.json["secret"]).verify(second["body"], second["headers"])
    everything = database.value(
        "select concat((select string_agg(e::text, '') from ccp.events as e), (select string_agg(t::text, '') from"
        " ccp.task_rows as t), (select string_agg(w.secret_sealed, '') from ccp.webhooks as w), (select"
        " string_agg(d::text, '') from ccp.webhook_deliveries as d))"
    )
    for text in (everything, worker.log, server.program.log):
        for word in (hook.secret, answer.json["secret"], "token-in-the-path"):
            assert word not in text
    assert (receiver.directory / "worker" / "sealing.key").stat().st_mode & 0o777 == 0o600


def test_without_a_worker_there_is_no_key_to_seal_to(admin):
    answer = admin.post("/v1/admin/webhooks", {"label": "hook", "url": "https://hooks.example/"})
    assert (answer.status, answer.json["error_code"]) == (503, "settings_incomplete")
    assert "worker" in answer.json["message"]


def test_an_unsealable_secret_is_told(admin, worker, receiver, database):
    """The key was lost, or is another worker's."""
    hook = Hook(admin, receiver.url("ok"))
    database.rows("update ccp.webhooks set secret_sealed = repeat('A', 132)")
    change(admin, 100)
    assert "enter it again" in hook.wait_error()["error_message"]
    assert receiver.received() == []
