"""Arguments that a fault changes nothing: `# equivalent: CHANGE; CHANGE because REASON`, at the statement in question.

The comment stands behind the statement or above it, and may go on in the comment lines below. Above a function it is
about each of its statements. A CHANGE is one of

    X -> Y            the text X, which the statement has once, becomes Y
                      (`any number` in Y stands for each that is tried)
    without X         the text X is left out
    never             the condition of the `if` is false
    any factor        what is returned, times a number
    any change        whatever is not caught of the statement: of a size that only tunes, say
"""

import ast
import copy
import functools
import io
import re
import tokenize
from dataclasses import dataclass

WORD, ANY, ANY_CHANGE = "equivalent:", "any number", "any change"


@dataclass(frozen=True)
class Argument:
    """Why changes of the statement on a line of a file are equivalent."""

    file: str
    line: int
    changes: tuple[str, ...]
    reason: str

    def __str__(self):
        return f"{self.file}:{self.line} {'; '.join(self.changes)} because {self.reason}"


@functools.cache
def source(file):
    """The text of a file, read once: someone may be at work on it."""
    return file.read_text(encoding="utf-8")


@functools.cache
def arguments(file):
    """The arguments that a file has, each with the line of its statement."""
    found, text, begun = [], "", 0
    for token in tokenize.generate_tokens(io.StringIO(source(file)).readline):
        if token.type == tokenize.COMMENT:
            words = token.string.lstrip("# ")
            if words.startswith(WORD):
                begun = token.start[0] if token.line[: token.start[1]].strip() else 0
                text = words.removeprefix(WORD)
            elif text and not begun:
                text += f" {words}"
        if text and (begun or token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)):
            found.append(_parsed(file, begun or token.start[0], text))
            text = ""
    return found


def _parsed(file, line, text):
    changes, because, reason = text.partition(" because ")
    if not because or len(reason) < 10:
        raise ValueError(f"{file.name}:{line}: write `# {WORD} CHANGE because REASON`, not {text.strip()!r}")
    return Argument(file.name, line, tuple(change.strip() for change in changes.split(";")), reason)


def argued(near, sound, broken, file):
    """The (argument, change) pairs that answer a fault: a statement (or lambda), as it is and with the fault.

    near: the arguments at the statement
    """
    text, after = _header_text(sound, file), _header(broken)
    return [(argument, change) for argument in near for change in argument.changes if _is(change, text, after)]


def _header(node):
    """A statement without those inside it."""
    if isinstance(getattr(node, "body", None), list):
        node = copy.copy(node)
        node.body = [ast.Pass()]
        if isinstance(node, (ast.If, ast.For, ast.While)):
            node.orelse = []
    return node


def _header_text(node, file):
    """The same as it is written."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        lines = _lines(file)[node.lineno - 1 : body[0].lineno - 1]
        return b"".join(lines)[node.col_offset :].decode().removeprefix("el") + " pass"
    *lines, last = _lines(file)[node.lineno - 1 : node.end_lineno]
    return b"".join([*lines, last[: node.end_col_offset]])[node.col_offset :].decode()


@functools.cache
def _lines(file):
    """Of a file, in UTF-8: the syntax tree counts bytes."""
    return source(file).encode().splitlines(keepends=True)


def _is(change, text, after):
    if change == ANY_CHANGE:
        return True
    if change == "never":
        return isinstance(after, ast.If) and ast.unparse(after.test) == "False"
    if change == "any factor":
        product = isinstance(after, ast.Return) and isinstance(after.value, ast.BinOp) and after.value
        return product and isinstance(product.op, ast.Mult) and _same(text, ast.Return(product.left))
    old, arrow, new = change.partition("->")
    old, new = (change.removeprefix("without "), "") if not arrow else (old, new)
    numbers = set(re.findall(r"\d[\d.]*", ast.unparse(after))) if ANY in new else {""}
    return any(_same(_replaced(text, old, new.replace(ANY, number)), after) for number in numbers)


def _same(text, node):
    """Whether a text is the code of a statement or an expression."""
    try:
        return ast.unparse(ast.parse(text)) == ast.unparse(node)
    except SyntaxError:
        return False


def _replaced(text, old, new):
    """The text with the one place of `old`, as a sequence of tokens, replaced."""
    tokens, wanted = _tokens(text), [token for token, *_ in _tokens(old)]
    names = [token for token, *_ in tokens]
    places = [i for i in range(len(names)) if names[i : i + len(wanted)] == wanted]
    if len(places) != 1:
        return ""
    first, last = tokens[places[0]][1], tokens[places[0] + len(wanted) - 1][2]
    return f"{text[:first]}{new}{text[last:]}"


@functools.cache
def _tokens(text):
    """(token, start, end) of each token of a text, without lines and indentation."""
    starts, found = [0], []
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    layout = {tokenize.COMMENT, tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in layout:
                start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
                found.append((token.string, start, end))
    except tokenize.TokenError:  # the brackets of a part of a statement need not match
        pass
    return found
