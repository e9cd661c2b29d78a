"""What can be changed in a C function; the unit tests that use its file try it, in a copy of the checkout."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from source import Change, Grammar, dropped_operands, tokens, unique
from support.paths import CHECKOUT

from workers import spread

# Decisions of the agent (when, why, in which order), of the runtime (what it serves) and at the door (what is read, who
# enters). How is mechanism, which system tests try.
DECISIONS = [
    "agent/container/pid1.c",
    "agent/container/rootfs.c",
    "agent/container/socket_memory.c",
    "agent/host/bring_up.c",
    "agent/host/end.c",
    "agent/host/guard.c",
    "agent/host/inspect.c",
    "agent/host/pulse.c",
    "agent/host/run.c",
    "agent/host/schedule.c",
    "agent/host/sync.c",
    "agent/host/verdict.c",
    "agent/machine/engine.c",
    "agent/machine/taken_ids.c",
    "agent/store/usage.c",
    "agent/task/egress_test.c",
    "agent/task/host_task.c",
    "agent/task/start.c",
    "agent/verify/verify_judge.c",
    "api/allowance.c",
    "api/chunks.c",
    "api/cookie.c",
    "api/head.c",
    "runtime/call.c",
    "runtime/config.c",
    "runtime/config_check.c",
    "runtime/ids.c",
    "runtime/limits.c",
    "runtime/overlay.c",
    "sshproxy/startup.c",
]
TIMEOUT_S = 60
TOKEN = re.compile(
    r"""
    \s+ | //[^\n]* | /\*.*?\*/ | ^\#(?:[^\n]*\\\n)*[^\n]* |
    ( "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \w+ | -> | [<>=!&|+*/%^-]= | << | >> | && | \|\| | \+\+ | -- | . )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
GRAMMAR = Grammar(
    token=TOKEN,
    opening=frozenset("([{"),
    closing=frozenset(")]}"),
    joins={"||": 1, "&&": 2},
    ends=frozenset([*";,?:={}", "return", "+=", "-=", "|=", "&="]),
)
TURNED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
ASSIGNS = {"=", "->", ".", "[", "++", "--", "+=", "-=", "|=", "&=", "("}


def closing(found, index):
    """The index of what closes the bracket that opens at `index`."""
    return next(i for i in range(index + 1, len(found)) if found[i].depth == found[index].depth)


def turned(path, found):
    for before, token, following in zip(found, found[1:], found[2:], strict=False):
        if token.text in TURNED:
            yield Change(path, token.start, token.end, TURNED[token.text])
        elif token.text == "!" and before.text != ")":  # (void)!call() decides nothing
            yield Change(path, token.start, following.start, "")


def negated_conditions(source, path, found):
    """`!(...)` around an if's condition, unless turning its one comparison does the same."""
    for index, token in enumerate(found):
        if token.text != "if" or found[index + 1].text != "(":
            continue
        last = closing(found, index + 1)
        words = {one.text for one in found[index + 2 : last] if one.depth == token.depth + 1}
        if words & {"&&", "||"} or not words & {"!", *TURNED}:
            start, end = found[index + 2].start, found[last - 1].end
            yield Change(path, start, end, f"!({source[start:end]})")


def begins_statement(found, index):
    before = found[index - 1]
    if before.text == ")":
        opening = next(i for i in range(index - 2, 0, -1) if found[i].depth == before.depth and found[i].text == "(")
        return found[opening - 1].text in ("if", "for", "while")
    return before.text in (";", "{", "}", "else", ":")


def skipped_statements(path, found):
    """Each call or assignment that is a statement; what is logged and asserted is not tested."""
    for index, token in enumerate(found[:-1]):
        if not token.depth or not re.match(r"[a-z_]", token.text) or found[index + 1].text not in ASSIGNS:
            continue
        if not begins_statement(found, index) or re.match(r"log_|assert$|if$|for$|while$|switch$|return$", token.text):
            continue
        last = index
        while found[last].depth >= token.depth and not (found[last].depth == token.depth and found[last].text == ";"):
            last += 1
        if found[last].text == ";":
            yield Change(path, token.start, found[last - 1].end, "(void)0")


def changes(path, source):
    found = tokens(GRAMMAR, source, 0, len(source))
    made = [
        *turned(path, found),
        *dropped_operands(GRAMMAR, path, found),
        *negated_conditions(source, path, found),
        *skipped_statements(path, found),
    ]
    return sorted(unique(source, made), key=lambda change: change.start)


def units(path):
    """The unit tests that are built with this file."""
    for test in sorted(CHECKOUT.glob("tests/unit/test_*.c")):
        if re.search(rf"^// uses:.*\b{re.escape(path)}(?!\S)", test.read_text(), re.MULTILINE):
            yield f"build/asan/unit/{test.stem}"


class Try:
    """One worker's copy of the checkout, with what has been compiled so far."""

    def __init__(self, report):
        self.report = report
        self.directory = Path(tempfile.mkdtemp(prefix="ccp-mutants-", dir="/var/tmp"))
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True, text=True)
        built = [str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("build/asan")]
        subprocess.run(
            ["cp", "-a", "--parents", *listed.stdout.split("\0")[:-1], *built, self.directory], cwd=CHECKOUT, check=True
        )

    def end(self):
        shutil.rmtree(self.directory)

    def make(self, targets):
        done = subprocess.run(
            ["make", "-s", "FLAVOUR=asan", "WARNINGS=-w", *targets],
            cwd=self.directory,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def runs(self, target):
        try:
            done = subprocess.run(
                [self.directory / target], cwd=self.directory, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def attempt(self, item):
        source, change = item
        self.report(source, change, self.outcome(source, change))

    def outcome(self, source, change):
        """'invalid': it does not compile. 'noticed', or 'survived'."""
        targets = [*units(change.path)]
        file = self.directory / change.path
        file.write_text(change.apply(source))
        try:
            if not self.make(targets):
                return "invalid"
            return "survived" if all(self.runs(target) for target in targets) else "noticed"
        finally:
            file.write_text(source)


def run(place, share, report):
    """Tries a share of the changes of a place; report(source, change, outcome) for each. The unit tests are built."""
    found = []
    for path in DECISIONS:
        if place in (None, path.split("/")[0], path):
            source = (CHECKOUT / path).read_text()
            found += [(source, change) for change in changes(path, source)]
    if found:
        spread(found, share, lambda: Try(report))
