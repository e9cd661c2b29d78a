"""GET /docs: a page that shows the document, made of what we serve and of nothing from elsewhere."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.document import operations
from support.http import Api
from support.paths import CHECKOUT, pin

PAGE_S = 200


@pytest.fixture
def documented(server):
    """The same server with the page's script installed, as `make up` does it."""
    server.program.stop()
    libexec = server.program.directory / "libexec"
    libexec.mkdir()
    libexec.chmod(0o755)
    shutil.copy(pin("redoc"), libexec / "redoc.js")
    server.start()
    return server


def shown(port, text):
    tools = pin("openapi_tools")
    done = subprocess.run(
        ["node", CHECKOUT / "tests" / "openapi" / "page.js", f"http://127.0.0.1:{port}/docs", text],
        env={"NODE_PATH": f"{tools}/node_modules", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=PAGE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_shows_every_operation_and_asks_nobody_else(documented):
    page = shown(documented.port, "What happened.")
    origin = f"http://127.0.0.1:{documented.port}"
    assert page["asked"] == [f"{origin}/docs/redoc.js", f"{origin}/v1/openapi.json"], page["asked"]
    assert all(source.startswith((origin, "data:")) for source in page["sources"]), page["sources"]
    assert page["errors"] == []
    for _, path, operation in operations(documented.contract.document):
        assert operation["summary"] in page["text"], path


def test_its_policy_lets_it_go_nowhere_else(documented):
    """What a browser would refuse: a script, a style sheet, a picture or an answer of another origin, and any frame."""
    answer = Api(documented.port).get("/docs")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    rules = dict(rule.strip().partition(" ")[::2] for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'" and rules["script-src"] == rules["connect-src"] == "'self'"
    assert not re.search(r"https?:|\*|unsafe-eval", answer.headers["Content-Security-Policy"])
    assert "unsafe" not in rules["script-src"] and rules["frame-ancestors"] == "'none'"
    assert not re.findall(r"<script(?![^>]*\bsrc=)", answer.text), "no script inside the page"
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", answer.text)


def test_the_script_is_the_pinned_one_and_has_its_licenses(documented):
    answer = Api(documented.port).get("/docs/redoc.js")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.text == Path(pin("redoc")).read_text()
    assert "cdn.redoc.ly" not in answer.text and "MIT" in answer.text[:4000]


def test_what_is_no_page_may_do_nothing_in_a_browser(server):
    for path in ("/healthz", "/v1/openapi.json", "/nothing"):
        answer = Api(server.port).get(path)
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path


def test_where_the_script_is_not_installed_the_page_says_so(server):
    for path in ("/docs", "/docs/redoc.js"):
        answer = server.client().get(path)
        assert answer.status == 503 and answer.json["error_code"] == "settings_incomplete"
        assert "install-deps" in answer.json["message"] and "/v1/openapi.json" in answer.json["message"]
