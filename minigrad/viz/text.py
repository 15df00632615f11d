"""The graph as text for a terminal: a tree of scopes, in which each op has a number that later ops refer to."""

from collections.abc import Sequence

from .labels import counted, plain
from .parts import Part, common


def as_text(parts: Sequence[Part], remarks: Sequence[str] = ()) -> str:
    """The parts as an ASCII tree, oldest first, below a line that counts them."""
    ops = [part for part in parts if part.is_computed]
    numbers = {part: f"#{i}" for i, part in enumerate(ops, start=1)}
    rows: list[tuple[str, str, str]] = []
    path: tuple = ()
    for part in parts:
        if part.kind in ("constant", "mark"):
            continue
        for depth in range(len(common([path, part.scope])), len(part.scope)):
            rows.append(("|  " * depth + plain(part.scope[depth]), "", ""))
        path = part.scope
        rows.append(("|  " * len(path) + _call_text(part, numbers), str(part.shape), _facts(part)))
    return "\n".join([heading(parts), *_aligned(rows), *(f"({remark})" for remark in remarks)])


def heading(parts: Sequence[Part]) -> str:
    """One line that counts nodes, and the parameters that are drawn."""
    counts = {"node": sum(part.is_computed for part in parts), "parameter": sum(p.kind == "parameter" for p in parts)}
    return "computational graph: " + ", ".join(counted(n, kind) for kind, n in counts.items() if n or kind == "node")


def _aligned(rows: list[tuple[str, str, str]]) -> list[str]:
    left, middle = (max(len(row[i]) for row in rows) for i in (0, 1))
    return [f"{a:{left}}  {b:{middle}}  {c}".rstrip() for a, b, c in rows]


def _call_text(part: Part, numbers: dict[Part, str]) -> str:
    if part not in numbers:
        return f"{plain(part.heading, 40)} [{part.kind}]"
    taken: list[Part] = []
    for drawn, _ in part.inputs:
        if drawn.kind != "leaves" or drawn not in taken:
            taken.append(drawn)
    named = [numbers.get(drawn) or plain(drawn.heading, 40) for drawn in taken]
    return f"{numbers[part]} {plain(part.heading, 40)}({', '.join(named[:6] + ['...'] * (len(named) > 6))})"


def _facts(part: Part) -> str:
    facts = part.detail.splitlines()
    if part.gradient is not None:
        facts.append(f"gradient norm {part.gradient:.2g}")
    return "  ".join([*facts, *([f"! {part.fault}"] if part.fault else [])])
