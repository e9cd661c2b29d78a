"""Logins of browsers: the refresh cookie, who may send it, several tabs, and how many requests a login may make."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from support.document import operations
from support.wait import wait_until

NAME = "__Host-ccp_refresh"
FOREIGN = (
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://ccp.example", "Host": "ccp.example"},  # in the clear
)


class Browser:
    """A jar with one cookie, as every tab of a browser shares it; each call is a tab's request."""

    def __init__(self, server, username="root", password=None):
        self.server = server
        self.origin = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
        self.cookie = None
        login = {"username": username, "password": password or server.PASSWORD, "cookie": True}
        answer = self.post("/v1/auth/login", login)
        assert answer.status == 200, answer
        self.token = answer.json["token"]
        self.expires_in = answer.json["expires_in"]

    def post(self, path, body=None, cookie=None, **headers):
        cookie = cookie or self.cookie
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = self.origin | ({"Cookie": f"theme=dark; {NAME}={cookie}"} if cookie else {}) | headers
        answer = self.server.client().post(path, body, headers=sent)
        line = answer.headers["Set-Cookie"]
        if line is not None:
            value, *attributes = line.split("; ")
            assert value.startswith(f"{NAME}="), line
            assert {"Path=/", "HttpOnly", "Secure", "SameSite=Strict"} < set(attributes), line
            self.life_s = int(next(a for a in attributes if a.startswith("Max-Age=")).partition("=")[2])
            self.cookie = value.partition("=")[2] or None
        return answer

    def refresh(self, cookie=None):
        answer = self.post("/v1/auth/refresh", cookie=cookie)
        if answer.status == 200:
            self.token = answer.json["token"]
        return answer

    def sees(self, token=None):
        client = self.server.client()
        client.token = token or self.token
        return client.get("/v1/user/me").status


@pytest.fixture
def browser(server):
    return Browser(server)


def pass_seconds(database, seconds):
    database.rows("update ccp.refresh_cookies set replaced_at = replaced_at - make_interval(secs => %s)", (seconds,))


def test_a_browser_stays_logged_in_by_a_cookie_that_each_use_replaces(server, browser, database):
    assert (browser.life_s, browser.expires_in) == (7 * 24 * 3600, 600)
    tokens, cookies = [browser.token], [browser.cookie]
    for _ in range(3):
        assert browser.refresh().status == 200
        tokens.append(browser.token)
        cookies.append(browser.cookie)
    assert len(set(cookies)) == 4
    assert [browser.sees(token) for token in tokens] == [200] * 4  # each tab's
    stored = database.value("select string_agg(c::text, ' ') from ccp.refresh_cookies as c")
    assert not any(cookie.partition(".")[2] in stored for cookie in cookies)
    assert cookies[0] not in server.program.log and NAME not in server.program.log


def test_a_cookie_that_was_replaced_ends_the_login_for_everybody(browser, database):
    stolen = browser.cookie
    assert browser.refresh().status == 200
    pass_seconds(database, 11)
    assert browser.refresh(stolen).status == 401
    assert browser.refresh().status == 401 == browser.sees()
    said = "a cookie of root that had been replaced was used again; that login is revoked"
    assert database.value("select message from ccp.events where type = 'auth.failed'") == said


def test_tabs_that_refresh_at_once_all_go_on(browser, database):
    for _ in range(5):
        cookie = browser.cookie
        with ThreadPoolExecutor(12) as tabs:
            answers = list(tabs.map(lambda _, c=cookie: browser.refresh(c), range(12)))
        assert [answer.status for answer in answers] == [200] * 12, answers
        assert [browser.sees(answer.json["token"]) for answer in answers] == [200] * 12
        kept = [answer.headers["Set-Cookie"].split("; ")[0].partition("=")[2] for answer in answers]
        assert len(set(kept)) == 12
        pass_seconds(database, 11)
        browser.cookie = kept[5]  # whichever came last
        assert browser.refresh().status == 200
    assert database.value("select count(*) from ccp.logins where revoked_at is not null") == 0


def test_an_answer_that_never_came_does_not_end_the_login(browser, database):
    cookie = browser.cookie
    assert browser.refresh(cookie).status == 200
    assert browser.refresh(cookie).status == 200  # the page was reloaded meanwhile
    pass_seconds(database, 11)
    assert browser.refresh().status == 200


def test_only_pages_of_this_server_use_or_get_the_cookie(server, browser, database):
    login = {"username": "root", "password": server.PASSWORD, "cookie": True}
    cookie = {"Cookie": f"{NAME}={browser.cookie}"}
    before = database.value("select string_agg(c::text, ' ') from ccp.refresh_cookies as c")
    for headers in FOREIGN:
        for path, body in (
            ("/v1/auth/refresh", None),
            ("/v1/auth/logout", None),
            ("/v1/auth/login", login),
            ("/v1/admin/login", login),
        ):
            answer = server.client().post(path, body, headers=cookie | headers)
            assert (answer.status, answer.json["error_code"]) == (403, "foreign_page"), (path, headers, answer)
            assert answer.headers["Set-Cookie"] is None and answer.headers["Access-Control-Allow-Origin"] is None
    assert database.value("select string_agg(c::text, ' ') from ccp.refresh_cookies as c") == before
    https = {"Host": "ccp.example", "Origin": "https://ccp.example"}
    assert server.client().post("/v1/auth/refresh", headers=cookie | https).status == 200


def test_the_cookie_opens_nothing_else(server, browser):
    headers = browser.origin | {"Cookie": f"{NAME}={browser.cookie}"}
    document = server.client().get("/v1/openapi.json").json
    taking = [path for _, path, operation in operations(document) if {"refreshCookie": []} in operation["security"]]
    assert sorted(taking) == ["/v1/auth/logout", "/v1/auth/refresh"]
    for path in ("/v1/user/me", "/v1/admin/users", "/v1/user/sse"):
        assert server.client().get(path, headers=headers).status in (401, 404), path


def test_a_browsers_token_renews_nothing_and_a_script_needs_no_cookie(server, browser):
    client = server.client()
    client.token = browser.token
    answer = client.post("/v1/auth/refresh")
    assert (answer.status, answer.json["error_code"]) == (403, "cookie_required"), answer
    script = server.admin()
    for cookie in ("", "theme=dark", f"{NAME}=x", f"{NAME}={'x' * 80}"):
        answer = script.post("/v1/auth/refresh", headers={"Cookie": cookie, "Sec-Fetch-Site": "cross-site"})
        assert answer.status == 200 and answer.headers["Set-Cookie"] is None, (cookie, answer)
        script.token = answer.json["token"]
    assert script.post("/v1/auth/logout").headers["Set-Cookie"] is None


def test_logout_takes_the_cookie_away(browser):
    token = browser.token
    answer = browser.post("/v1/auth/logout")
    assert (answer.status, browser.cookie, browser.life_s) == (204, None, 0), answer
    assert browser.sees(token) == 401


def test_a_retired_signing_key_logs_no_browser_out(server, browser):
    client = server.client()
    client.token = browser.token
    kid = client.get("/v1/admin/signing-keys").json["signing_keys"][0]["kid"]
    assert client.post(f"/v1/admin/signing-keys/{kid}/retire").status == 204
    wait_until(lambda: browser.sees() == 401, "the key counts no more")
    assert browser.refresh().status == 200 == browser.sees()


def test_a_disabled_user_renews_nothing_and_an_enabled_one_goes_on(server, admin):
    user = admin.post("/v1/admin/users", {"username": "alice"}).json
    browser = Browser(server, "alice", user["password"])
    for status, want in (("disabled", 403), ("active", 200)):
        assert admin.send("PATCH", f"/v1/admin/users/{user['id']}", {"status": status}).status == 200
        assert browser.refresh().status == want == browser.sees()
    assert admin.send("DELETE", f"/v1/admin/users/{user['id']}/sessions").json["logins"] == 1
    assert browser.refresh().status == 401 == browser.sees()


def test_a_script_in_a_loop_is_told_to_wait_and_others_are_not(server, admin):
    loop, other = server.user("alice"), server.user("bobby")
    assert admin.send("PUT", "/v1/admin/settings/requests_per_minute", {"value": 60}).status == 200

    def refused():
        answers = [loop.get("/v1/user/me") for _ in range(61)]
        return answers[-1].status == 429 and answers

    answers = wait_until(refused, "the setting counts")
    last = answers[-1]
    assert last.json["error_code"] == "too_many_requests" and last.headers["Retry-After"] == "1", last
    assert {answer.status for answer in answers} <= {200, 429}
    assert other.get("/v1/user/me").status == 200
    assert loop.another().get("/v1/openapi.json").status == 200
    wait_until(lambda: loop.get("/v1/user/me").status == 200, "a second has passed")
    assert admin.send("PUT", "/v1/admin/settings/requests_per_minute", {"value": 100000}).status == 200
    wait_until(lambda: all(loop.get("/v1/user/me").status == 200 for _ in range(100)), "so does another value")


def test_a_loop_of_refreshes_is_limited_too(browser, database):
    database.rows("update ccp.settings set value = '60' where name = 'requests_per_minute'")
    wait_until(lambda: browser.refresh().status == 429, "a loop of refreshes ends")
    assert database.value("select count(*) from ccp.logins where revoked_at is not null") == 0
