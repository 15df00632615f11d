"""Boxes are Tensors. `trace` makes nodes of a program's own of what the tape recorded."""

from typing import Any

import minigrad as mg

from ...tape import reached
from .extend import notrace_primitive, primitive

__all__ = ["Box", "Node", "getval", "isbox", "notrace_primitive", "primitive", "trace"]

Box = mg.Tensor


def isbox(value):
    """Whether it is a Tensor."""
    return isinstance(value, mg.Tensor)


def getval(value):
    """The array of a Tensor; anything else as it is."""
    return value.data if isinstance(value, mg.Tensor) else value


class Node:
    """What a trace is made of: called as Node(value, fun, args, kwargs, parent_argnums, parents) for each op."""

    initialize_root: Any

    @classmethod
    def new_root(cls, *arguments, **options):
        """The node of the argument, which `initialize_root` fills in."""
        root = cls.__new__(cls)
        root.initialize_root(*arguments, **options)
        return root


def trace(start_node, fun, x):
    """`(fun(x), its node)`, after a node for each op has been made of start_node's class, or None if there is none."""
    start = mg.tensor(x, requires_grad=True)
    y = fun(start)
    if not isbox(y) or not y.requires_grad:
        return y, None
    made = {start.node: start_node}
    for node in reversed(reached([y.node])):
        argnums = [i for i, parent in enumerate(node.parents) if parent in made]
        if argnums:
            parents = [made[node.parents[i]] for i in argnums]
            made[node] = type(start_node)(node.output, node.op, node.arguments, node.parameters, argnums, parents)
    return y.data, made[y.node]


# programs read a box in this way, too
Box._value = property(getval)  # type: ignore[attr-defined]
