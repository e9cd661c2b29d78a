"""Changes one condition at a time and runs the tests of that place: what nobody noticed is not tested.

usage: tools/mutants [--share PERCENT] [PLACE]
    PLACE: task, task.finish, agent, runtime or runtime/ids.c (default: everything, which takes hours)
    --share: only so many of the changes, the same at each run

Prints the changes that survived as `file:line: the changed line`, with what goes in [-..-] and what comes in {+..+}.
A change that does not compile is not counted. tools/mutants/equivalent lists, with the reason, those that change
nothing. Exit status 1 when more than 5 % survived.
"""

import argparse
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests")]

import c  # noqa: E402  # found by the line above
import database  # noqa: E402
from support.postgres import Cluster  # noqa: E402
from support.stack import Stack  # noqa: E402

SURVIVORS_MAX = 0.05


class Report:
    """Counts outcomes and prints survivors as they come."""

    def __init__(self):
        self.counts = Counter()
        self.lock = threading.Lock()
        lines = (HERE / "equivalent").read_text().splitlines()
        self.equivalent = {line.partition("  # ")[0] for line in lines if line and not line.startswith("#")}

    def __call__(self, source, change, outcome):
        what = change.describe(source)
        with self.lock:
            if outcome == "survived" and f"{change.path}: {what}" in self.equivalent:
                outcome = "equivalent"
            self.counts[outcome] += 1
            if outcome == "survived":
                print(f"{change.path}:{change.line(source)}: {what}", flush=True)

    def status(self):
        survived, noticed = self.counts["survived"], self.counts["noticed"]
        share = survived / max(survived + noticed, 1)
        print(
            f"{noticed + survived} changes, {noticed} noticed, {survived} survived ({share:.1%}); "
            f"{self.counts['equivalent']} are equivalent, {self.counts['invalid']} do not compile"
        )
        return share > SURVIVORS_MAX


def main():
    parser = argparse.ArgumentParser(prog="tools/mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--share", type=int, default=100, metavar="PERCENT", help="only so many of the changes")
    parser.add_argument("place", nargs="?", help="task, task.finish, agent or agent/host/run.c (default: everything)")
    asked = parser.parse_args()
    place = asked.place
    report = Report()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    try:
        c.run(place, asked.share, report)
        if place is None or (HERE.parents[1] / "db" / "code" / place.split(".")[0]).is_dir():
            stack = Stack(Path(f"/var/tmp/ccp-test-{os.getpid()}-mutants"), "mutants")
            try:
                stack.up("postgres")
                database.run(Cluster(stack.directory).hurry(), place, asked.share, report)
            finally:
                stack.end()
    except SystemExit:
        report.status()  # of what was tried until it was terminated
        raise
    return report.status()


if __name__ == "__main__":
    sys.exit(main())
