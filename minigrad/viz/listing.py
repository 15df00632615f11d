"""The graph as text for a terminal: scopes are branches, and each op has a number that others name it by."""

from .escaping import plain
from .reading import common


def listing(parts, remarks=()):
    """The parts as an ASCII tree, oldest first, below one line that says what it is."""
    ops = [part for part in parts if part.kind in ("op", "fold")]
    numbers = {part: f"#{i}" for i, part in enumerate(ops, start=1)}
    rows, path = [], ()
    for part in parts:
        if part.kind in ("constant", "mark"):
            continue
        shared = len(common([path, part.scope]))
        for depth in range(shared, len(part.scope)):
            rows.append(("|  " * depth + plain(part.scope[depth]), "", ""))
        path = part.scope
        rows.append(("|  " * len(path) + _call(part, numbers), str(part.shape), _remarks(part)))
    left, middle = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    lines = [f"{a:{left}}  {b:{middle}}  {c}".rstrip() for a, b, c in rows]
    return "\n".join([_heading(parts), *lines, *(f"({remark})" for remark in remarks)])


def _heading(parts):
    counts = [("node", sum(part.kind in ("op", "fold") for part in parts))]
    counts += [(kind, sum(part.kind == kind for part in parts)) for kind in ("parameter",)]
    return "computational graph: " + ", ".join(f"{n:,} {kind}{'s' * (n != 1)}" for kind, n in counts)


def _call(part, numbers):
    if part not in numbers:
        return f"{plain(part.heading, 40)} [{part.kind}]"
    named = [numbers.get(source) or plain(source.heading, 40) for source, _ in part.sources]
    return f"{numbers[part]} {plain(part.heading, 40)}({', '.join(named[:6] + ['...'] * (len(named) > 6))})"


def _remarks(part):
    said = part.detail.splitlines()
    if part.gradient is not None:
        said.append(f"grad {part.gradient:.2g}")
    return "  ".join([*said, *([f"! {part.fault}"] if part.fault else [])])
