"""Folding: many ops drawn as one node, and the place of the leaves among the scopes.

What is folded is a run of neighbours in creation order, a topological one, so a fold makes no cycle.
"""

from collections import Counter
from typing import NamedTuple

from .reading import Part, common

MANY = 2  # ops that a leaf may reach by edges; more of them are a tangle, and slow to lay out


class _Group(NamedTuple):
    """Neighbouring ops, the scope that they are drawn in, and their common name if they are one node."""

    ops: list
    scope: tuple
    name: str | None = None
    in_a_scope: bool = False  # else from the middle


def fold(parts, depth=None, max_nodes=None):
    """The parts to draw, in order, and a remark on what was folded unasked, or "".

    depth: each scope deeper than this becomes one part (None: none does)
    max_nodes: fold more until about this many parts are left
    """
    ops = [part for part in parts if part.kind == "op"]
    leaves = [part for part in parts if part.kind != "op"]
    users = _users(ops)
    _place(leaves, users, ops)
    groups, remark = _by_scope(ops, depth), ""
    if max_nodes is not None:
        deepest = max((len(op.scope) for op in ops), default=0)
        for shallower in range(deepest - 1 if depth is None else min(depth, deepest) - 1, -1, -1):
            if len(groups) + len(_shown(groups, leaves, users)) <= max_nodes:
                break
            groups, remark = _by_scope(ops, shallower), f"folded to depth {shallower}"
        if len(groups) + len(_shown(groups, leaves, users)) > max_nodes:
            groups = _without_middle(groups, max_nodes // 4)
            folded = sum(len(group.ops) for group in groups if group.name is not None)
            remark = f"{folded:,} of {len(ops):,} ops folded: max_nodes=None draws all"
    return _with_marks(_units(groups, leaves, _shown(groups, leaves, users))), remark


def _users(ops):
    """The ops that take each leaf."""
    users: dict[Part, list] = {}
    for op in ops:
        for source, _ in op.sources:
            if source.kind != "op":
                users.setdefault(source, []).append(op)
    return users


def _fed(ops):
    """The scopes that take something computed outside of them."""
    return {
        op.scope[:depth]
        for op in ops
        for depth in range(1, len(op.scope) + 1)
        if any(source.kind == "op" and source.scope[:depth] != op.scope[:depth] for source, _ in op.sources)
    }


def _place(leaves, users, ops):
    """Put each leaf into the innermost scope that all its users share.

    Data at which the computation starts stands outside: it comes into the scope, not from it.
    """
    fed = _fed(ops)
    for leaf in leaves:
        takers = users.get(leaf, [])
        leaf.scope = common([op.scope for op in takers])
        starts = leaf.kind == "data" and all(source.kind != "op" for op in takers for source, _ in op.sources)
        if starts and (leaf.title != "array" or ops[0] in takers):  # else one without a name
            while leaf.scope and leaf.scope not in fed:
                leaf.scope = leaf.scope[:-1]


def _by_scope(ops, depth):
    """Each op as a group of its own, but a run of neighbours in one deeper scope as one."""
    groups, path = [], None
    for op in ops:
        if depth is None or len(op.scope) <= depth:
            groups.append(_Group([op], op.scope))
            path = None
        elif op.scope[: depth + 1] == path:
            groups[-1].ops.append(op)
        else:
            path = op.scope[: depth + 1]
            groups.append(_Group([op], path[:-1], path[-1], True))
    return groups


def _without_middle(groups, keep):
    """About `keep` groups: a third of them from the start, the rest from the end, all between as one."""
    first = max(1, keep // 3)
    last = max(1, keep - first - 1)
    if len(groups) <= first + last + 1:
        return groups
    middle = [op for group in groups[first:-last] for op in group.ops]
    folded = _Group(middle, common([op.scope for op in middle]), f"{len(middle):,} ops")
    return [*groups[:first], folded, *groups[-last:]]


def _shown(groups, leaves, users):
    """The leaves that are drawn: not those that only the inside of one fold takes."""
    home = {op: group for group in groups for op in group.ops}

    def is_shown(leaf):
        homes = [home[op] for op in users.get(leaf, [])]
        if not homes or any(group is not homes[0] for group in homes) or homes[0].name is None:
            return True
        return homes[0].in_a_scope and len(leaf.scope) <= len(homes[0].scope)

    return [leaf for leaf in leaves if is_shown(leaf)]


def _units(groups, leaves, shown):
    """The parts to draw: ops, folds, and the shown leaves, each leaf before the run of its scope that takes it."""
    shown = dict.fromkeys(shown)
    drawn_as: dict[Part, Part] = {}
    units: list[Part] = []
    placed, starts, before = set(), [0], ()
    for group in groups:
        shared = len(common([before, group.scope]))
        del starts[shared + 1 :]
        starts += [len(units)] * (len(group.scope) - shared)
        before = group.scope
        unit = group.ops[0] if group.name is None else _folded(group, shown)
        drawn_as.update(dict.fromkeys(group.ops, unit))
        for leaf in dict.fromkeys(tensor for _, tensor in unit.sources if tensor in shown and tensor not in placed):
            leaf.scope = leaf.scope[: len(unit.scope)]
            position = starts[len(leaf.scope)] if len(leaf.scope) < len(group.scope) else len(units)
            units.insert(position, leaf)
            placed.add(leaf)
            starts[len(leaf.scope) + 1 :] = [start + 1 for start in starts[len(leaf.scope) + 1 :]]
        unit.sources = [(drawn_as.get(tensor, tensor), tensor) for _, tensor in unit.sources]
        units.append(unit)
    return units + [leaf for leaf in leaves if leaf in shown and leaf not in placed]


def _folded(group, shown):
    """The one part that stands for a group of ops."""
    inside, last = set(group.ops), group.ops[-1]
    fold = Part("fold", group.name, last.shape, last.dtype, group.scope)
    fold.is_output = any(op.is_output for op in group.ops)
    fold.not_finite = any(op.not_finite for op in group.ops)
    fold.fault = next((f"{op.fault}: {op.title}" for op in group.ops if op.fault), "")
    taken = dict.fromkeys(tensor for op in group.ops for _, tensor in op.sources if tensor not in inside)
    hidden = [tensor for tensor in taken if tensor.kind == "parameter" and tensor not in shown]
    fold.sources = [(tensor, tensor) for tensor in taken if tensor.kind == "op" or tensor in shown]
    counts = Counter(op.title for op in group.ops).most_common()
    fold.notes = [", ".join(f"{count:,} {title}" for title, count in counts)]
    said = [_counted(len(group.ops), "op")] if group.in_a_scope else [title for title, _ in counts[:3]]
    if hidden:
        said.append(f"{_counted(len(hidden), 'parameter')} ({sum(parameter.size for parameter in hidden):,})")
    fold.detail = ", ".join(said)
    return fold


def _counted(number, what):
    return f"{number:,} {what}{'s' * (number != 1)}"


def _with_marks(units):
    """The units, with a small mark beside each op but the first that takes a leaf of many uses, in place of an edge."""
    uses = Counter(source for unit in units for source in dict.fromkeys(source for source, _ in unit.sources))
    many = {source for source, count in uses.items() if count > MANY and source.kind in ("parameter", "data")}
    seen: set[Part] = set()
    marked = []
    for unit in units:
        marks = {}
        for i, (source, tensor) in enumerate(unit.sources):
            if source not in many:
                continue
            if source in seen and source not in marks:
                marks[source] = Part("mark", source.title, source.shape, source.dtype, unit.scope)
                marked.append(marks[source])
            if source in marks:
                unit.sources[i] = (marks[source], tensor)
        seen.update(source for source, _ in unit.sources)
        marked.append(unit)
    return marked
