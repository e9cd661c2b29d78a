"""What GET /metrics says, and what Prometheus' own tool says of it."""

import http.client
import re
import subprocess

from support.wait import WAIT_S

LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics(dict):
    """{(name, labels): value}; `labels` is a frozenset of pairs."""

    def __init__(self, text):
        super().__init__()
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = LINE.fullmatch(line)
            assert match, line
            key = (match["name"], frozenset(LABEL.findall(match["labels"] or "")))
            assert key not in self, f"twice: {line}"
            self[key] = float(match["value"])

    def find(self, name, **labels):
        """The values of the series of this name that have these labels."""
        return [value for (found, pairs), value in self.items() if found == name and set(labels.items()) <= pairs]

    def total(self, name, **labels):
        return sum(self.find(name, **labels))


def scrape_text(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return text


def scrape(port):
    return Metrics(scrape_text(port))


def promtool(*arguments, text=None, directory=None):
    """Runs it; what it finds fault with is an error, and so is what it warns of."""
    done = subprocess.run(
        ["promtool", *arguments],
        input=text,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
