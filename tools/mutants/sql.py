"""What can be changed in a function of db/code: operands, comparisons, tests, conditions, assignments, statements."""

import re
from itertools import pairwise

from source import Change, Grammar, dropped_operands, tokens, unique

TOKEN = re.compile(
    r"""
    \s+ | --[^\n]* | /\*.*?\*/ |
    ( '(?:[^']|'')*' | \$\w*\$ | "[^"]*" | \w+ | :: | := | [<>=!~|@#&?%^*/+-]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
ENDS = """
    where on when if elsif then else select from returning return , ; := having group order limit offset for loop union
    set values as while exit continue using into begin do filter with by raise perform
"""
GRAMMAR = Grammar(
    token=TOKEN,
    opening=frozenset({"(", "[", "case"}),
    closing=frozenset({")", "]", "case-end"}),
    joins={"or": 1, "and": 2},
    ends=frozenset(ENDS.split()),
)
TURNED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "~": "!~", "!~": "~"}
TESTS = {"exists", "in", "between", "like"}
# What a log line says, and not whether one is written, is tested: raise of a warning is no statement here.
BLOCKS = {"if", "elsif", "else", "end", "loop", "for", "foreach", "while", "begin", "exception", "when", "case", "null"}


def body(source):
    """Start and end of what stands between the dollars, or after `return` in a function without them."""
    match = re.search(r"^as \$\$\n(.*)^\$\$;$", source, re.MULTILINE | re.DOTALL) or re.search(
        r"^return (.*?);$", source, re.MULTILINE | re.DOTALL
    )
    return match.span(1) if match else None


def definition(source):
    """`create or replace function ...;` or procedure, without the grants and comments around it."""
    start = re.search("^create or replace (function|procedure)", source, re.MULTILINE).start()
    end = source.index(";", body(source)[1]) + 1
    return source[start:end]


def lex(source, start, end):
    """Tokens, where the `and` of a between and the `end` of a case have names of their own."""
    words, cases, betweens = [], [], 0
    flat = tokens(GRAMMAR._replace(opening=frozenset(), closing=frozenset()), source, start, end)
    for index, token in enumerate(flat):
        text = token.text
        following = flat[index + 1].text if index + 1 < len(flat) else ""
        if text == "between":
            betweens += 1
        elif text == "and" and betweens:
            betweens -= 1
            text = "between-and"
        elif text == "case" and (index == 0 or flat[index - 1].text != "end"):
            cases.append(index)
        elif text == "end" and cases and following not in ("if", "loop", "case"):
            cases.pop()
            text = "case-end"
        words.append(token._replace(text=text))
    depth, found = 0, []
    for word in words:
        depth -= word.text in GRAMMAR.closing
        found.append(word._replace(depth=depth))
        depth += word.text in GRAMMAR.opening
    return found


def turned_comparisons(path, found):
    for token, following in pairwise(found):
        if token.text not in TURNED:
            continue
        if following.text in ("any", "all"):
            quantor = "all" if following.text == "any" else "any"
            yield Change(path, token.start, following.end, f"{TURNED[token.text]} {quantor}")
        else:
            yield Change(path, token.start, token.end, TURNED[token.text])


def turned_tests(path, found):
    for before, token, following in zip(found, found[1:], found[2:], strict=False):
        if token.text == "not":
            yield Change(path, token.start, following.start, "")
        elif token.text == "is" and following.text != "not":
            yield Change(path, token.end, token.end, " not")
        elif token.text in TESTS and before.text != "not":
            yield Change(path, token.start, token.start, "not ")


def is_condition(found, index):
    """Whether a condition begins after this token: an if, an exit or continue, a case without a value."""
    token, before = found[index], found[index - 1]
    if token.text == "if":
        return before.text not in ("end", "not")
    if token.text == "when" and token.depth:
        case = next(i for i in range(index, -1, -1) if found[i].text == "case" and found[i].depth < token.depth)
        return found[case + 1].text == "when"
    return token.text == "elsif" or (token.text == "when" and before.text in ("exit", "continue"))


def negated_conditions(source, path, found):
    """`not (...)` around a condition, unless turning its one comparison or test does the same."""
    for index, token in enumerate(found):
        if not is_condition(found, index):
            continue
        last = index + 1
        while found[last].depth > token.depth or found[last].text not in ("then", ";"):
            last += 1
        words = {one.text for one in found[index + 1 : last] if one.depth == token.depth}
        if words & {"and", "or"} or not words & {"is", "not", *TURNED, *TESTS}:
            start, end = found[index + 1].start, found[last - 1].end
            yield Change(path, start, end, f"not ({source[start:end]})")


def skipped_assignments(path, found):
    """Each of several in the `set` of an update."""
    for index, token in enumerate(found):
        if token.text != "set":
            continue
        commas, at = [index], index + 1
        while at < len(found) and found[at].depth >= token.depth:
            if found[at].depth == token.depth and found[at].text in ("where", "from", "returning", ";"):
                break
            if found[at].depth == token.depth and found[at].text == ",":
                commas.append(at)
            at += 1
        commas.append(at)
        if len(commas) < 3:
            continue
        for first, last in pairwise(commas):
            if last == at:
                yield Change(path, found[first].start, found[last - 1].end, "")
            else:
                yield Change(path, found[first + 1].start, found[last + 1].start, "")


def skipped_statements(path, found):
    """Each simple statement of a PL/pgSQL body but its last `return`, without which it would only fail."""
    first, in_body, statements = None, False, []
    for index, token in enumerate(found):
        if token.depth:
            continue
        if token.text in ("begin", "then", "else", "loop", ";") and (in_body or token.text == "begin"):
            in_body = True
            if token.text == ";" and first is not None and found[first].text not in BLOCKS:
                statements.append((found[first], found[index - 1]))
            first = index + 1
    if statements and statements[-1][0].text == "return":
        statements.pop()
    words = {token.start: following.text for token, following in pairwise(found)}
    for start, end in statements:
        if start.text == "raise" and words[start.start] in ("warning", "notice"):
            continue
        yield Change(path, start.start, end.end, "null")


def changes(path, source):
    span = body(source)
    if span is None:
        return []
    found = lex(source, *span)
    made = [
        *turned_comparisons(path, found),
        *turned_tests(path, found),
        *dropped_operands(GRAMMAR, path, found),
        *negated_conditions(source, path, found),
        *skipped_assignments(path, found),
        *(skipped_statements(path, found) if "language plpgsql" in source else []),
    ]
    return sorted(unique(source, made), key=lambda change: change.start)
