"""deploy/prometheus: rules and dashboard ask for what there is, and the alerts come when they should."""

import json
import re

import pytest
from support.metrics import promtool
from support.paths import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "prometheus"
ROW = re.compile(r"\(\s*'(ccp_\w+)',\s*'(\w+)',\s*'\{([\w,]*)\}',\s*'((?:[^']|'')+)'\s*\)")
IN_C = re.compile(r'struct metric \w+ = \{\s*"(\w+)",\s*METRIC_(\w+),\s*\{([^}]*)\}\}')
SELECTOR = re.compile(r"\b(ccp_\w+)(?:\{([^}]*)\})?")
BY_DATABASE = re.compile(r"'(ccp_\w+)'")


def rules():
    """{name: (type, labels)} of ccp.metrics."""
    text = (CHECKOUT / "db" / "rules" / "metrics.sql").read_text()
    found = {name: (kind, tuple(filter(None, labels.split(",")))) for name, kind, labels, _ in ROW.findall(text)}
    assert len(found) == text.count("('ccp_") + text.count("(\n        'ccp_"), "a row is not understood"
    return found


def counted():
    """{name: (type, labels)} of what programs count."""
    found = {}
    for folder in ("lib", "workers", "api", "agent", "sshproxy"):
        for path in (CHECKOUT / folder).rglob("*.c"):
            for name, kind, labels in IN_C.findall(path.read_text()):
                assert name not in found, f"{name} is there twice"
                found[name] = (kind.lower(), tuple(re.findall(r'"(\w+)"', labels)))
    return found


def seen():
    """What the database sees itself."""
    folder = CHECKOUT / "db" / "code" / "metric"
    return {name for path in folder.glob("*.sql") for name in BY_DATABASE.findall(path.read_text())}


def test_what_is_measured_has_its_rule_and_each_rule_is_measured():
    table, programs = rules(), counted()
    assert len(programs) > 10 and {name: table.get(name) for name in programs} == programs
    assert programs.keys() | seen() == table.keys()


def test_a_metric_is_declared_in_one_way_only():
    """Else the test above would not see it."""
    for folder in ("lib", "workers", "api", "agent", "sshproxy"):
        for path in (CHECKOUT / folder).rglob("*.c"):
            text = path.read_text()
            assert text.count("METRIC_COUNTER,") + text.count("METRIC_GAUGE,") + text.count("METRIC_HISTOGRAM,") == len(
                IN_C.findall(text)
            ), path


def panels():
    return [panel for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"] if panel["type"] != "row"]


def dashboard_queries():
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def alert_queries():
    return re.findall(r"expr: (?:>-\n((?:          .*\n)+)|(.*))", (FOLDER / "alerts.yml").read_text())


def check_names(query):
    """Each selector names a metric that there is, by the series that its type has, and labels that it has."""
    table = rules()
    for name, matchers in SELECTOR.findall(query):
        plain = re.sub(r"_(bucket|sum|count)$", "", name)
        kind, labels = table.get(plain if plain in table else name, (None, ()))
        assert kind is not None, f"{name} does not exist: {query}"
        assert (kind == "histogram") == (plain in table and name != plain), f"{name} is a {kind}: {query}"
        wanted = set(re.findall(r"(\w+)[=!]", matchers))
        assert wanted <= {*labels, "program", "node"}, f"{name} has no label {wanted}: {query}"


def test_each_query_of_the_dashboard_names_what_there_is(tmp_path):
    queries = dashboard_queries()
    assert len(queries) > 25
    for query in queries:
        check_names(query)
    group = [{"record": f"a{i}", "expr": query} for i, query in enumerate(queries)]
    text = json.dumps({"groups": [{"name": "dashboard", "rules": group}]}).replace("$__rate_interval", "1m")
    (tmp_path / "queries.json").write_text(text)
    promtool("check", "rules", "--lint=none", str(tmp_path / "queries.json"))


def test_a_query_that_names_what_there_is_not_is_found():
    for query in ("ccp_nothing", "ccp_hosts_bucket", "ccp_pool_wait_seconds", 'ccp_hosts{colour="red"}'):
        with pytest.raises(AssertionError):
            check_names(query)


def test_the_dashboard_shows_every_metric():
    names = (name for query in dashboard_queries() for name, _ in SELECTOR.findall(query))
    asked = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    assert rules().keys() - asked == set()


def test_panels_do_not_overlap_and_have_ids_of_their_own():
    taken = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_each_alert_asks_for_what_there_is_and_is_tried():
    queries = ["".join(pair) for pair in alert_queries()]
    names = re.findall(r"alert: (\w+)", (FOLDER / "alerts.yml").read_text())
    assert len(names) == len(set(names)) == len(queries) > 15
    for query in queries:
        check_names(query)
    tried = set(re.findall(r"alertname: (\w+)", (FOLDER / "alerts_test.yml").read_text()))
    assert tried == set(names)


def test_the_alerts_come_when_they_should_and_not_before():
    promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml", directory=FOLDER)
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml", directory=FOLDER)
    promtool("check", "config", "prometheus.yml", directory=FOLDER)
