"""Which nodes lead where: what nested transforms ask of the tape.

A node created before a transform began belongs to an outer trace. What leads to one is swept with Tensors,
so that the outer trace records the sweep.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from . import tape
from ._tensor import make
from .errors import last_lost, lost_behind
from .settings import BACKWARD, call_with
from .tape import Node


def leading_to(targets: Iterable[Node], order: list[Node]) -> set[Node]:
    """Return the targets, and those nodes of the order that grew from one."""
    leading = set(targets)
    for node in reversed(order):
        if not leading.isdisjoint(node.parents):
            leading.add(node)
    return leading


def left_out(order: list[Node], entered: set[Node]) -> set[Node | None]:
    """Return the parents of nodes of the order that a sweep doesn't enter."""
    return {parent for node in order for parent in node.parents} - entered


def outside(order: list[Node]) -> set[Any]:
    """Return the parents of nodes of the order that are not in it: of what `reached` returned, the older ones."""
    return {parent for node in order for parent in node.parents} - {None, *order}


def older_parents(order: Iterable[Node], since: int) -> dict[Node, Any]:
    """Return the nodes created before `since` that nodes of the order used, each with its array."""
    return {
        parent: array
        for node in order
        for parent, array in zip(node.parents, node.arguments, strict=True)
        # equivalent: < -> <= because the transform has taken the number `since` for itself
        if parent is not None and parent.number < since
    }


class _InScope:
    """The VJPs of a node, called in a scope of their own, so that a picture shows to which op they belong."""

    def __init__(self, node: Node, op: Any):
        self._node, self._op = node, op
        self.places, self.together = getattr(op, "places", None), getattr(op, "together", None)

    def contribution(self, i: int, view: Node, g: Any) -> Any:
        """Return what the op does."""
        path = (*self._node.scope, f"{BACKWARD}{self._node.op.__name__}")
        return call_with(self._op.contribution, (i, view, g), scope=path)


def retracing(traced: Collection[Node]) -> Callable[[Node, Any], tuple[Node, Any]] | None:
    """What gives VJPs Tensors for the nodes in `traced`, in a sweep that an outer trace records; None for no node."""

    def retrace(node: Node, op: Any) -> tuple[Node, Any]:
        if node not in traced:
            return node, _InScope(node, op)
        pairs = zip(node.arguments, node.parents, strict=True)
        arguments = tuple([make(a, p) if p in traced else a for a, p in pairs])
        retraced = tape.record(node.op, node.parents, arguments, node.parameters, make(node.output, node))
        if hasattr(node, "seen"):
            retraced.seen = node.seen
        return retraced, _InScope(node, op)

    # equivalent: retrace if traced else None -> retrace because it would return each node as it is
    return retrace if traced else None


def run(f: Callable, x: Iterable, options: dict) -> Any:
    """Call f. NumPy and SciPy hide a Tensor's error, as of `array[i] = tensor`, behind one of their own: raise it."""
    before = last_lost.set([])
    try:
        return f(*x, **options)
    except Exception as error:
        lost = lost_behind(error)
        if lost is None:
            raise
    finally:
        last_lost.reset(before)
    try:
        raise lost
    finally:
        del lost  # its traceback holds this frame
