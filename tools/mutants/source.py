"""A source as tokens, and the one kind of thing that is done to it: a change of a span, described by its line."""

import re
from dataclasses import dataclass
from typing import NamedTuple


class Token(NamedTuple):
    text: str
    start: int
    end: int
    depth: int


@dataclass(frozen=True)
class Change:
    """`replacement` in place of source[start:end]."""

    path: str
    start: int
    end: int
    replacement: str

    def apply(self, source):
        return source[: self.start] + self.replacement + source[self.end :]

    def line(self, source):
        return source.count("\n", 0, self.start) + 1

    def describe(self, source):
        """The changed line, with what goes in [-..-] and what comes in {+..+}."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.end)
        gone = " ".join(source[self.start : self.end].split())
        if len(gone) > 160:
            gone = f"{gone[:78]} ... {gone[-78:]}"
        text = source[first : self.start] + (f"[-{gone}-]" if gone else "")
        text += f"{{+{self.replacement.strip()}+}}" if self.replacement.strip() else ""
        return " ".join((text + source[self.end : last if last >= 0 else None]).split())


class Grammar(NamedTuple):
    """What is needed to find the operands of a language's `and` and `or` without parsing it."""

    token: re.Pattern  # group 1: what is no space and no comment
    opening: frozenset
    closing: frozenset
    joins: dict  # the joining operators and their precedence
    ends: frozenset  # what ends an operand at its own depth


def tokens(grammar, source, start, end):
    """The tokens of a span with their depth; an opening and its closing token have that of what is around them."""
    found, depth = [], 0
    for match in grammar.token.finditer(source, start, end):
        text = match[1]
        if text is None:
            continue
        if text in grammar.closing:
            depth -= 1
        found.append(Token(text, match.start(1), match.end(1), depth))
        if text in grammar.opening:
            depth += 1
    return found


def operand(grammar, found, index, step):
    """First and last index of the operand that lies beside the join at `index`, in the direction of `step`."""
    join = found[index]
    at = index + step
    while 0 <= at < len(found):
        token = found[at]
        if token.depth < join.depth:
            break
        if token.depth == join.depth and (
            token.text in grammar.ends or grammar.joins.get(token.text, 9) <= grammar.joins[join.text]
        ):
            break
        at += step
    return (index + 1, at - 1) if step > 0 else (at + 1, index - 1)


def dropped_operands(grammar, path, found):
    """A change for each operand of each join: without it."""
    for index, token in enumerate(found):
        if token.text not in grammar.joins:
            continue
        left, _ = operand(grammar, found, index, -1)
        _, right = operand(grammar, found, index, +1)
        if left < index < right + 1 and left <= index - 1:
            yield Change(path, found[left].start, found[index + 1].start, "")
            yield Change(path, found[index - 1].end, found[right].end, "")


def unique(source, changes):
    """Without those that make the same text as one before."""
    seen = set()
    for change in changes:
        text = " ".join(change.apply(source).split())
        if text not in seen:
            seen.add(text)
            yield change
