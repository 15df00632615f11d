"""The tape: one `Node` for each recorded op, and the sweep that walks it backwards.

A node holds arrays and its parent nodes, never a Tensor, so a graph has no reference
cycle and dies with the last Tensor that needs it.
"""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import ndarray

from . import writes
from .allocator import keep_freed_memory
from .settings import setting
from .summation import PairwiseSum, plus, plus_at, total

next_number = itertools.count(1).__next__
_by_number = attrgetter("number")
_SURVIVORS = (str, int, float, slice, type, np.dtype, np.generic, type(None))  # parameters that outlive a release


class Node:
    """One recorded op: `output = op(*arguments, **parameters)`.

    parents:   one for each argument, None where nothing flows back
    arguments: the arrays of Tensors, and copies of all other arrays and values; None once released
    output:    the array; once released, the pair (shape, dtype)
    number:    creation number; a node is younger than its parents
    scope:     names of the enclosing `scope`s, outermost first

    A leaf has op None, no parents, and a `grad`. `name` is set on leaves, and on results that are named. `seen` is what
    `mg.debug()` notes of it. `record` sets the others.
    """

    __slots__ = ("op", "parents", "arguments", "parameters", "output", "number", "scope", "name", "grad", "seen")

    op: Any
    parents: tuple["Node | None", ...]
    arguments: Any
    parameters: dict[str, Any]
    output: Any
    number: int
    scope: tuple[str, ...]
    name: str | None
    grad: ndarray | None
    seen: Any

    @property
    def released(self) -> bool:
        """Whether the arrays are gone."""
        return self.arguments is None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the output, released or not."""
        return self.output.shape if type(self.output) is ndarray else self.output[0]

    @property
    def dtype(self) -> np.dtype:
        """Of the output, released or not."""
        return self.output.dtype if type(self.output) is ndarray else self.output[1]

    def __repr__(self):
        return f"<Node {self.number} {self.op.__name__ if self.op else 'leaf'} {self.shape}>"


def record(op: Any, parents: tuple, arguments: tuple, parameters: dict, output: Any, scope: tuple = ()) -> Node:
    """Return a new Node: the youngest on the tape."""
    node = Node()
    node.op = op
    node.parents = parents
    node.arguments = arguments
    node.parameters = parameters
    node.output = output
    node.number = next_number()
    node.scope = scope
    return node


def leaf(array: ndarray) -> Node:
    """Return the node of a Tensor that was made rather than computed."""
    node = record(None, (), (), {}, array)
    node.name = node.grad = None
    return node


# equivalent: >= -> > because no node has the number `since`
def reached(roots: Iterable[Node], since: int = 0) -> list[Node]:
    """Return the nodes that the roots grew from, youngest first; those created before `since` are left out.

    A transform takes a number when it starts, and gives it as `since`: no node has it.
    Descending creation number is a topological order, since a node is younger than its parents.
    Raises RuntimeError if the arrays of one are gone, or were written to in place later.
    """
    order = [root for root in roots if root.number >= since]
    seen = set(order)
    for node in order:  # grows while it is read: breadth first
        if node.arguments is None:
            raise released(node)
        for parent in node.parents:
            if parent is not None and parent not in seen and parent.number >= since:
                seen.add(parent)
                order.append(parent)
    order.sort(key=_by_number, reverse=True)
    writes.check(order)
    return order


def released(node: Node) -> RuntimeError:
    """Return the error that says so."""
    return RuntimeError(
        f"the graph of this Tensor was released (at {node.op.__name__}) by an earlier backward(), or one that "
        "failed: call that one with retain_graph=True, or compute the Tensor again"
    )


def sweep(
    gradients: dict[Node, Any],
    order: list[Node],
    *,
    left_out: Collection[Node | None] = (),
    retrace: Callable[[Node, Any], tuple[Node, Any]] | None = None,
    leaves: bool = False,
    release: bool = False,
) -> Iterator[tuple[Node, Any]]:
    """Yield (node, dJ/d node.output) from the roots back, each gradient complete when it comes.

    gradients: where to start: {root: dJ/d root.output}, of the same shape and dtype
    order:     the nodes to visit, youngest first, as `reached` returns them
    left_out:  of transforms: parents that receive nothing; others that are not in the order get theirs at the end
    retrace:   of transforms: (node, op) -> the node with Tensors in it, and what calls its VJPs, so that it is recorded
    leaves:    of `backward`: yield only leaves, and what is not in the order
    release:   of `backward`: drop each node's arrays as the sweep leaves it

    Consumers must not write to a gradient: two nodes may share one.
    """
    debugger = setting("debug", None)
    keep_freed_memory()  # equivalent: any change because memory only takes longer to get without it
    sums = dict(gradients)
    for node in order:
        g, op = sums.pop(node), node.op
        if type(g) is PairwiseSum:
            g = total(g)
        if op is None:
            yield node, g
            continue
        if not leaves:
            yield node, g
        view = node
        if debugger:
            op = debugger
        if retrace:
            view, op = retrace(node, op)
        i = 0
        for parent in node.parents:
            if parent is not None and parent not in left_out:
                sums[parent] = _added(sums[parent], op, i, view, g) if parent in sums else op.contribution(i, view, g)
            i += 1  # noqa: SIM113 (enumerate takes longer)
        if release:
            _release(node)
    yield from zip(sums, map(total, sums.values()), strict=True)


def _added(sum: Any, op: Any, i: int, node: Node, g: Any) -> PairwiseSum:
    """The sum with the node's contribution to its i-th parent: g itself in its place, if it is a small part.

    Otherwise each slice of an array would take an array of zeros as large as the whole.
    """
    arguments = node.arguments
    # equivalent: without and arguments is not None because only another thread takes them away
    if getattr(op, "places", None) and arguments is not None:
        a, index = arguments
        small = 4 * g.size <= a.size  # equivalent: any change because both ways give the same sum
        if small and op.places(index):  # equivalent: without small and because both ways give the same sum
            return plus_at(sum, index, g, a.shape, op.together)
    return plus(sum, op.contribution(i, node, g))


def _release(node: Node) -> None:
    """Drop the node's arrays. Shapes, dtypes and small parameters stay, so that the graph can still be drawn."""
    output = node.output
    if type(output) is not ndarray:  # another thread has released it meanwhile
        return
    node.arguments, node.output = None, (output.shape, output.dtype)
    if node.parameters:
        node.parameters = {name: value for name, value in node.parameters.items() if _is_small(value)}


def _is_small(value: Any) -> bool:
    return isinstance(value, _SURVIVORS) or (isinstance(value, tuple) and all(map(_is_small, value)))
