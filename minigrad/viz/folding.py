"""Folding: many ops drawn as one node, and the scope in which each leaf is drawn.

A fold is a run of neighbours in the order of creation. That order is topological, so a fold makes no cycle.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..settings import BACKWARD
from .labels import counted
from .names import DEFAULTS
from .parts import Part, common

MANY = 2  # ops that a leaf may reach by edges; more edges are a tangle, and slow to lay out
NAMED = 3  # hidden arrays that a fold lists by name; more are only counted
OWN = 12  # leaves that one op alone takes; more become one part where there are more than max_nodes
LISTED = 20  # hidden arrays that its tooltip lists


class _Group(NamedTuple):
    """Neighbouring ops, the scope that they are drawn in, and their common name if they are drawn as one node."""

    ops: list[Part]
    scope: tuple
    name: str | None = None
    is_scope: bool = False  # else a run from the middle of the graph
    repeats: int = 1  # of scopes that are alike


def fold(
    parts: Sequence[Part], depth: int | None = None, max_nodes: int | None = None, repeats: bool = False
) -> tuple[list[Part], str]:
    """The parts to draw, in order, and a remark on what was folded to keep to max_nodes, or "".

    depth: each scope deeper than this becomes one part (None: none does)
    max_nodes: fold more until about this many parts are left
    repeats: neighbouring folds that are alike become one part
    """
    ops = [part for part in parts if part.kind == "op"]
    for op in ops:  # undo an earlier fold
        op.inputs = [(tensor, tensor) for _, tensor in op.inputs]
    leaves = [part for part in parts if part.kind != "op"]
    users = users_of(ops)
    _place(leaves, users, ops)
    own = {} if max_nodes is None or len(parts) <= max_nodes else many_leaves(users)
    groups, remark = _by_scope(ops, depth), ""
    if repeats:
        groups = _merge_repeats(groups)
    if max_nodes is not None:

        def count(groups: list[_Group]) -> int:
            drawn = {group.ops[0] for group in groups if group.name is None}
            gathered = sum(len(own[op]) - 1 for op in own if op in drawn)
            return len(groups) + len(_visible(groups, leaves, users)) - gathered

        groups, remark = _limited(groups, ops, depth, max_nodes, count)
    visible = _visible(groups, leaves, users)
    return _with_marks(_gathered(_drawn(groups, leaves, visible), own)), remark


def _limited(
    groups: list[_Group], ops: list[Part], depth: int | None, max_nodes: int, count: Callable[[list[_Group]], int]
) -> tuple[list[_Group], str]:
    """The groups, folded further while they count more than max_nodes, and a remark on it."""
    remark = ""
    depths = sorted({i for op in ops for i in range(len(op.scope))})
    for shallower in reversed(depths[:depth]):
        if count(groups) <= max_nodes:
            break
        groups, remark = _by_scope(ops, shallower), f"folded to depth {shallower}"
    if count(groups) > max_nodes:
        groups, remark = _merge_repeats(groups), f"{remark}, repeats as one".removeprefix(", ")
    if count(groups) > max_nodes:
        groups = _without_middle(groups, max_nodes // 4)
        folded = sum(len(group.ops) for group in groups if group.name is not None)
        remark = f"{folded:,} of {len(ops):,} ops folded: max_nodes=None draws all" if folded else ""
    return groups, remark


def users_of(ops: Iterable[Part]) -> dict[Part, list[Part]]:
    """The ops that take each leaf."""
    users: dict[Part, list[Part]] = {}
    for op in ops:
        for tensor, _ in op.inputs:
            if tensor.kind != "op":
                users.setdefault(tensor, []).append(op)
    return users


def many_leaves(users: Mapping[Part, Sequence[Part]]) -> dict[Part, list[Part]]:
    """The leaves that an op alone takes, for each op of more than OWN of them. users: the ops that take each leaf."""
    own: dict[Part, list[Part]] = {}
    for leaf, takers in users.items():
        if len(takers) == 1:
            own.setdefault(takers[0], []).append(leaf)
    return {op: leaves for op, leaves in own.items() if len(leaves) > OWN}


def _scopes_with_inputs(ops: Iterable[Part]) -> set[tuple]:
    """The scopes that take something computed outside of them."""
    return {
        op.scope[:depth]
        for op in ops
        for depth, _ in enumerate(op.scope, 1)
        if any(tensor.kind == "op" and tensor.scope[:depth] != op.scope[:depth] for tensor, _ in op.inputs)
    }


def _place(leaves: Iterable[Part], users: dict[Part, list[Part]], ops: list[Part]) -> None:
    """Put each leaf into the innermost scope that all its users share.

    Data at which the computation starts stands outside of the scope, as an input of it. Data without a name does so
    only for the first op: elsewhere it is a detail of the scope.
    """
    with_inputs = _scopes_with_inputs(ops)
    for leaf in leaves:
        takers = users.get(leaf, [])
        leaf.scope = common([op.scope for op in takers])
        if _is_start(leaf, takers) and (leaf.title != DEFAULTS["data"] or ops[0] in takers):
            while leaf.scope and leaf.scope not in with_inputs:
                leaf.scope = leaf.scope[:-1]


def _is_start(leaf: Part, takers: list[Part]) -> bool:
    """Whether it is data that only ops without a computed input take."""
    return leaf.kind == "data" and all(tensor.kind != "op" for op in takers for tensor, _ in op.inputs)


def _by_scope(ops: Iterable[Part], depth: int | None) -> list[_Group]:
    """Each op as a group of its own, but a run of neighbours in one deeper scope as one group.

    Without a depth, what the VJP of an op recorded is one group.
    """
    groups: list[_Group] = []
    path = None
    for op in ops:
        deepest = _backward_depth(op.scope) if depth is None else depth
        if len(op.scope) <= deepest:
            groups.append(_Group([op], op.scope))
            path = None
        elif op.scope[: deepest + 1] == path:
            groups[-1].ops.append(op)
        else:
            path = op.scope[: deepest + 1]
            groups.append(_Group([op], path[:-1], path[-1], True))
    return groups


def _backward_depth(scope: tuple) -> int:
    """The number of scopes around the first that a VJP was recorded in."""
    return next((i for i, name in enumerate(scope) if name.startswith(BACKWARD)), len(scope))


def _merge_repeats(groups: list[_Group]) -> list[_Group]:
    """The groups, but each run of scopes that are alike as one."""
    merged: list[_Group] = []
    before = None
    for group in groups:
        alike = _structure(group) if group.is_scope else None
        if alike is not None and alike == before:
            first = merged.pop()
            name = f"{str(first.name).partition(' to ')[0]} to {group.name}"
            merged.append(_Group(first.ops + group.ops, group.scope, name, True, first.repeats + 1))
        else:
            merged.append(group)
        before = alike
    return merged


def _structure(group: _Group) -> tuple:
    """What two scopes share if they are alike: ops, shapes, and how the ops are connected."""
    index = {op: i for i, op in enumerate(group.ops)}
    ops = [(op.title, op.shape, [index.get(tensor, tensor.shape) for _, tensor in op.inputs]) for op in group.ops]
    return group.scope, ops


def _without_middle(groups: list[_Group], keep: int) -> list[_Group]:
    """About `keep` groups: a third of them from the start, the rest from the end, all between as one."""
    first = max(1, keep // 3)
    last = max(1, keep - first - 1)
    if len(groups) <= first + last + 1:
        return groups
    middle = [op for group in groups[first:-last] for op in group.ops]
    folded = _Group(middle, common([op.scope for op in middle]), f"{len(middle):,} ops")
    return [*groups[:first], folded, *groups[-last:]]


def _visible(groups: list[_Group], leaves: list[Part], users: dict[Part, list[Part]]) -> list[Part]:
    """The leaves that are drawn: all but those that only ops inside of one fold take."""
    group_of = {op: group for group in groups for op in group.ops}

    def is_visible(leaf: Part) -> bool:
        takers = [group_of[op] for op in users.get(leaf, [])]
        if not takers or any(group is not takers[0] for group in takers) or takers[0].name is None:
            return True
        return takers[0].is_scope and len(leaf.scope) <= len(takers[0].scope)

    return [leaf for leaf in leaves if is_visible(leaf)]


class _Sequence:
    """The parts in the order in which they are drawn; a leaf comes before the run of its scope that takes it."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._scope: tuple = ()
        self._starts: list[int] = []  # where the run of each scope around the last part starts, outermost first

    def enter(self, scope: tuple) -> None:
        """Start the runs of the scopes that the last part was not in."""
        shared = len(common([self._scope, scope]))
        self._starts[shared:] = [len(self.parts)] * len(scope)  # those past the scope are not read
        self._scope = scope

    def add_leaf(self, leaf: Part) -> None:
        """Add a leaf of the scope that was entered, or of one around it."""
        depth = len(leaf.scope)
        self.parts.insert(self._starts[depth] if depth < len(self._scope) else len(self.parts), leaf)
        self._starts[depth:] = [start + 1 for start in self._starts[depth:]]


def _drawn(groups: list[_Group], leaves: list[Part], visible: list[Part]) -> list[Part]:
    """The parts to draw: ops, folds and the visible leaves."""
    waiting = dict.fromkeys(visible)
    drawn_as: dict[Part, Part] = {}
    sequence = _Sequence()
    for group in groups:
        sequence.enter(group.scope)
        part = group.ops[0] if group.name is None else _folded(group, group.name, set(visible))
        drawn_as.update(dict.fromkeys(group.ops, part))
        for leaf in dict.fromkeys(tensor for _, tensor in part.inputs if tensor in waiting):
            leaf.scope = leaf.scope[: len(part.scope)]
            sequence.add_leaf(leaf)
            del waiting[leaf]
        part.inputs = [(drawn_as.get(tensor, tensor), tensor) for _, tensor in part.inputs]
        sequence.parts.append(part)
    return sequence.parts + [leaf for leaf in leaves if leaf in waiting]


def _gathered(parts: list[Part], own: Mapping[Part, Sequence[Part]]) -> list[Part]:
    """The parts, with the leaves that an op alone takes as one part where they are many."""
    kept: list[Part] = []
    gone: set[Part] = set()
    for part in parts:
        if part in own:
            leaves = together("leaves", own[part])
            gone.update(own[part])
            part.inputs = [(leaves if drawn in gone else drawn, tensor) for drawn, tensor in part.inputs]
            kept.append(leaves)
        kept.append(part)
    return [part for part in kept if part not in gone]


def together(kind: str, tensors: Sequence[Part]) -> Part:
    """The part that stands for several, with the shape of the first."""
    first = tensors[0]
    part = Part(kind, name_of(tensors), first.shape, first.dtype, first.scope)
    part.not_finite = any(tensor.not_finite for tensor in tensors)
    part.fault = next((_named_fault(tensor) for tensor in tensors if tensor.fault), "")
    part.detail = "\n".join(_hidden_parameters(tensors) + _hidden_data(tensors))
    norms = [tensor.gradient for tensor in tensors if tensor.gradient is not None]
    part.gradient = math.hypot(*norms) if norms else None
    part.notes = [f"{tensor.title} {tensor.shape}" for tensor in tensors[:LISTED]]
    return part


def name_of(tensors: Sequence[Part]) -> str:
    """The name of several, after the first and the last."""
    first, last = tensors[0].heading, tensors[-1].heading
    return f"{len(tensors)} arrays" if first == last else f"{first} to {last}"


def _folded(group: _Group, name: str, visible: set[Part]) -> Part:
    """The part that stands for a group of ops and for the leaves that only they take."""
    last = group.ops[-1]
    outside, hidden = _inputs_of(group.ops, visible)
    fold = Part("fold", name, last.shape, last.dtype, group.scope)
    fold.inputs = [(tensor, tensor) for tensor in outside]
    fold.is_output = any(op.is_output for op in group.ops)
    fold.not_finite = any(part.not_finite for part in [*group.ops, *hidden])
    fold.fault = next((_named_fault(part) for part in [*hidden, *group.ops] if part.fault), "")
    fold.detail, fold.notes = _summary(group, hidden)
    return fold


def _inputs_of(ops: Sequence[Part], visible: set[Part]) -> tuple[list[Part], list[Part]]:
    """What ops take from outside of them: what is drawn, and the leaves that are not."""
    inside = set(ops)
    taken = [
        tensor for tensor in dict.fromkeys(tensor for op in ops for _, tensor in op.inputs) if tensor not in inside
    ]
    hidden = [tensor for tensor in taken if tensor.kind != "op" and tensor not in visible]
    return [tensor for tensor in taken if tensor.kind == "op" or tensor in visible], hidden


def _summary(group: _Group, hidden: Sequence[Part]) -> tuple[str, list[str]]:
    """What a fold hides: lines for its node, and for its tooltip."""
    counts = Counter(op.title for op in group.ops).most_common()
    facts = [title for title, _ in counts[:3]]
    if group.is_scope:
        facts = [counted(len(group.ops) // group.repeats, "op")]
    if group.repeats > 1:
        facts = [f"x {group.repeats}\n{facts[0]} each"]
    notes = [", ".join(f"{count:,} {title}" for title, count in counts)]
    norms = [op.gradient for op in group.ops if op.gradient is not None]
    if len(norms) > 1:
        low = min(norms)
        notes.append(f"gradient norm {low:.3g}, the least, at op {norms.index(low) + 1}, to {max(norms):.3g}")
    notes += [f"data {leaf.title} {leaf.shape}" for leaf in hidden if leaf.kind == "data"][:LISTED]
    return "\n".join([", ".join(facts + _hidden_parameters(hidden)), *_hidden_data(hidden)]), notes


def _named_fault(part: Part) -> str:
    return part.fault if part.fault.startswith(part.title) else f"{part.fault}: {part.title}"


def _hidden_parameters(hidden: Iterable[Part]) -> list[str]:
    """The number of hidden parameters, and of their entries."""
    sizes = [leaf.size for leaf in hidden if leaf.kind == "parameter"]
    return [f"{counted(len(sizes), 'parameter')} ({sum(sizes):,})"] if sizes else []


def _hidden_data(hidden: Iterable[Part]) -> list[str]:
    """The names of hidden arrays of data if they are few and have names, else their number."""
    names = [leaf.title for leaf in hidden if leaf.kind == "data"]
    if not names:
        return []
    if len(names) > NAMED or DEFAULTS["data"] in names:
        return [f"{counted(len(names), 'array')} of data"]
    return [f"data {', '.join(names)}"]


def _with_marks(parts: list[Part]) -> list[Part]:
    """The parts, with a small mark beside each op but the first that takes leaves of many uses, in place of edges."""
    many = _leaves_of_many_uses(parts)
    seen: set[Part] = set()
    marked = []
    for part in parts:
        taken = dict.fromkeys(leaf for leaf, _ in part.inputs if leaf in many)
        again = [leaf for leaf in taken if leaf in seen]
        if again:
            mark = _mark(again, part.scope)
            part.inputs = [(mark if drawn in again else drawn, tensor) for drawn, tensor in part.inputs]
            marked.append(mark)
        seen.update(taken)
        marked.append(part)
    return marked


def _leaves_of_many_uses(parts: Iterable[Part]) -> set[Part]:
    uses = Counter(leaf for part in parts for leaf in {leaf for leaf, _ in part.inputs})
    return {leaf for leaf, count in uses.items() if count > MANY and leaf.kind in ("parameter", "data")}


def _mark(leaves: Sequence[Part], scope: tuple) -> Part:
    """The part that refers to leaves that are drawn elsewhere."""
    title = ", ".join(leaf.title for leaf in leaves)
    # equivalent: .shape, leaves[0].dtype -> .dtype, leaves[0].shape because a mark shows neither
    mark = Part("mark", title, leaves[0].shape, leaves[0].dtype, scope)
    mark.notes = [f"{leaf.title} {leaf.shape}, drawn once, above" for leaf in leaves]
    return mark
