"""Reads the Test Anything Protocol, in which both cmocka and pgTAP report."""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^\s*(not )?ok (\d+) - (.*)$")  # without a name it is a row that a query printed
PLAN = re.compile(r"^\s*1\.\.(\d+)")


@dataclass
class Report:
    """What a program said: each case's result by its name, and how many it had promised."""

    planned: int | None = None
    results: list[tuple[str, bool, str]] = field(default_factory=list)

    def find(self, name):
        """The (name, passed, notes) of a case, or None when the program never came to it."""
        return next((result for result in self.results if result[0] == name), None)

    @property
    def failures(self):
        return [f"not ok: {name}\n{notes}".rstrip() for name, passed, notes in self.results if not passed]

    @property
    def complete(self):
        return self.planned is not None and self.planned == len(self.results)


def parse(text):
    """Reads a whole output; `#` lines after a result are its notes."""
    report = Report()
    for line in text.splitlines():
        if match := PLAN.match(line):
            report.planned = int(match[1])
        elif match := RESULT.match(line):
            report.results.append((match[3].strip(), match[1] is None, ""))
        elif line.lstrip().startswith("#") and report.results:
            name, passed, notes = report.results[-1]
            report.results[-1] = (name, passed, f"{notes}{line.strip()}\n")
    return report
