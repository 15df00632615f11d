"""The tree of groups that the page folds: scopes, repeats of scopes that are alike, and runs of many neighbours.

A group is a run of neighbours in the order of creation. That order is topological, so a closed group makes no cycle.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ..settings import BACKWARD
from .folding import many_leaves, name_of, users_of
from .names import DEFAULTS
from .parts import Part, common

MOST = 60  # members of a group; more are put into runs
REPEATS = 4  # neighbouring scopes that are alike, from which on they become one group
LARGE = 3000  # ops from which on runs are made even if all is to be drawn


@dataclass(eq=False)
class Group:
    """A node of the tree.

    kind: "graph" (the root), "scope", "backward" (a scope of a VJP), "repeat", "run" or "inputs" (leaves of one op)
    depth: the number of scopes around its members
    members: groups and ops, oldest first
    """

    kind: str
    name: str = ""
    depth: int = 0
    members: list = field(default_factory=list, repr=False)
    is_open: bool = False


def grow(parts: Sequence[Part], depth: int | None = None, max_nodes: int | None = 100) -> Group:
    """The tree of the ops, with groups opened, level by level, until about max_nodes nodes are seen.

    depth: scopes deeper than this stay closed; max_nodes: None opens all
    """
    ops = [part for part in parts if part.kind == "op"]
    root = _in_scopes(ops)
    is_unfolded = max_nodes is None and len(ops) <= LARGE
    number = {op: i for i, op in enumerate(ops, start=1)}
    for group in groups_of(root):
        repeats = _in_repeats(group.members, group.depth)
        group.members = _in_runs(repeats, group.depth, math.inf if is_unfolded else MOST, number)
    _open(root, depth, math.inf if is_unfolded else max_nodes or MOST)
    return root


def _in_scopes(ops: Iterable[Part]) -> Group:
    """The root of a tree with a group for each run of ops in a scope."""
    root = Group("graph")
    open_scopes = [root]
    for op in ops:
        path = tuple(group.name for group in open_scopes[1:])
        del open_scopes[len(common([path, op.scope])) + 1 :]
        for name in op.scope[len(open_scopes) - 1 :]:
            kind = "backward" if name.startswith(BACKWARD) else "scope"
            group = Group(kind, name, len(open_scopes))
            open_scopes[-1].members.append(group)
            open_scopes.append(group)
        open_scopes[-1].members.append(op)
    return root


def groups_of(root: Group) -> Iterable[Group]:
    """The root and all groups below it, outer ones first (a loop, so depth does not matter)."""
    found = [root]
    for group in found:  # grows while it is read
        found += [member for member in group.members if isinstance(member, Group)]
    return found


def ops_of(group: Group) -> list[Part]:
    """The ops in a group and in those inside of it, oldest first."""
    found: list[Part] = []
    waiting: list[Part | Group] = [group]
    while waiting:
        member = waiting.pop()
        if isinstance(member, Group):
            waiting += reversed(member.members)
        else:
            found.append(member)
    return found


def place(parts: Sequence[Part], root: Group, is_gathered: bool = False) -> dict[Part, Group]:
    """The group that each part is drawn in: a leaf in the innermost that all its users share.

    Data at which the computation starts stands outside of the groups that take nothing else, as an input of them.
    is_gathered: put the leaves that an op alone takes into a group of their own, where they are many.
    """
    paths = _paths(root)
    with_inputs, users = _with_inputs(paths), users_of(paths)
    placed = {op: path[-1] for op, path in paths.items()}
    first = next(iter(paths), None)
    for leaf in (part for part in parts if part.kind != "op"):
        takers = users.get(leaf, [])
        path = common([paths[op] for op in takers]) or (root,)
        if _is_input(leaf, takers, first):
            # equivalent: len(path), 1 -> len(path), 0 because the root takes nothing from outside
            path = next((path[:i] for i in range(len(path), 1, -1) if path[i - 1] in with_inputs), path[:1])
        placed[leaf] = path[-1]
    for op, leaves in many_leaves(users).items() if is_gathered else ():
        group = Group("inputs", name_of(leaves), len(op.scope))
        placed[op].members.insert(placed[op].members.index(op), group)
        placed.update(dict.fromkeys(leaves, group))
    return placed


def _is_input(leaf: Part, takers: Sequence[Part], first: Part | None) -> bool:
    """Whether a leaf is data at which the computation starts. Data without a name is so only for the first op."""
    return leaf.kind == "data" and (first in takers or (leaf.title != DEFAULTS["data"] and _starts(takers)))


def _paths(root: Group) -> dict[Part, tuple[Group, ...]]:
    """The groups around each op, from the root to the innermost."""
    paths: dict[Part, tuple[Group, ...]] = {}
    around: dict[Group, tuple[Group, ...]] = {root: (root,)}
    for group in groups_of(root):
        for member in group.members:
            if isinstance(member, Group):
                around[member] = (*around[group], member)
            else:
                paths[member] = around[group]
    return paths


def _with_inputs(paths: Mapping[Part, tuple[Group, ...]]) -> set[Group]:
    """The groups that take something computed outside of them."""
    links = [(op, tensor) for op in paths for tensor, _ in op.inputs if tensor in paths]
    return {group for op, tensor in links for group in set(paths[op]).difference(paths[tensor])}


def _starts(takers: Sequence[Part]) -> bool:
    """Whether none of these ops takes a computed input."""
    # equivalent: any factor because only its truth counts
    return all(tensor.kind != "op" for op in takers for tensor, _ in op.inputs)


def _signature(member: Part | Group) -> object:
    """What members that are alike share: the ops and their shapes."""
    if isinstance(member, Group):
        return member.kind, [(op.title, op.shape) for op in ops_of(member)]
    return None


def _in_repeats(members: list, depth: int) -> list:
    """The members, with each run of scopes that are alike as one group."""
    found: list = []
    for signature, run in groupby(members, _signature):
        alike = list(run)
        if signature is None or len(alike) < REPEATS or len(alike) == len(members):
            found += alike
        else:
            found.append(Group("repeat", f"{alike[0].name} to {alike[-1].name}", depth, alike))
    return found


def _in_runs(members: list, depth: int, most: float, number: Mapping[Part, int]) -> list:
    """The members, at most `most` of them: more are put into runs of as many each, again and again."""
    while len(members) > most:
        size = min(MOST, math.ceil(math.sqrt(len(members))))
        starts = range(0, len(members), size)
        members = [_run(members[i : i + size], depth, number) for i in starts]
    return members


def _run(members: list, depth: int, number: Mapping[Part, int]) -> Group:
    """A group of neighbours, named after the first and the last scope, or op by its number."""
    group = Group("run", "", depth, members)
    first, last = members[0], members[-1]
    if all(isinstance(end, Group) and end.kind != "run" for end in (first, last)):
        group.name = f"{first.name} ... {last.name}"
    else:
        ops = ops_of(group)
        group.name = f"ops {number[ops[0]]:,} to {number[ops[-1]]:,}"
    return group


def _open(root: Group, depth: int | None, most: float) -> None:
    """Open groups level by level while no more than `most` nodes are seen, but the root and few groups anyway."""
    root.is_open, level, seen = True, [root], len(root.members)
    while level:
        inner = [m for group in level for m in group.members if isinstance(m, Group) and m.kind != "backward"]
        level = [group for group in inner if depth is None or group.depth <= depth]
        seen += sum(len(group.members) - 1 for group in level)
        if seen > most:
            return
        for group in level:
            group.is_open = True
