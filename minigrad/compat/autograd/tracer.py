"""Boxes are Tensors. `trace` makes nodes of a program's own of what the tape recorded."""

from typing import Any

import minigrad as mg

from ...settings import call_with
from ...transforms import identity
from .extend import Box, held, notrace_primitive, primitive

__all__ = ["Box", "Node", "getval", "isbox", "notrace_primitive", "primitive", "trace"]


def isbox(value):
    """Whether it is a Tensor."""
    return isinstance(value, mg.Tensor)


def getval(value):
    """What a Tensor holds; anything else as it is."""
    return held(value.data) if isinstance(value, mg.Tensor) else value


class Node:
    """What a trace is made of: called as Node(value, fun, args, kwargs, parent_argnums, parents) for each op."""

    initialize_root: Any

    @classmethod
    def new_root(cls, *arguments, **options):
        """The node of the argument, which `initialize_root` fills in."""
        root = cls.__new__(cls)
        root.initialize_root(*arguments, **options)
        return root


class _Watch:
    """Stands where mg.debug() would, and makes a node of the program's own of each op that is recorded."""

    def __init__(self, start, node):
        self.made = {start: node}

    def forward(self, op):
        return op.forward

    def contribution(self, i, node, g):
        return node.op.contribution(i, node, g)

    def computed(self, op, arrays, tensor):
        node = tensor.node
        parents = {i: made for i, parent in enumerate(node.parents if node else ()) if (made := self.of(parent))}
        if parents:
            kind = type(next(iter(self.made.values())))
            self.made[node] = kind(tensor.data, op, tuple(arrays), node.parameters, [*parents], [*parents.values()])
        return tensor

    def of(self, node):
        """The program's node, or None; where an argument enters an inner trace it has the outer one's."""
        while node is not None and node.op is identity:
            node = node.parents[0]
        return self.made.get(node)


def trace(start_node, fun, x):
    """`(fun(x), its node)`, after each op has made a node of start_node's class; None if fun(x) is traced to none."""
    start = mg.tensor(x, requires_grad=True)
    watch = _Watch(start.node, start_node)
    y = call_with(fun, (start,), debug=watch)
    return getval(y), watch.of(y.node) if isbox(y) else None


# programs read a box in this way, too
mg.Tensor._value = property(getval)  # type: ignore[attr-defined]
