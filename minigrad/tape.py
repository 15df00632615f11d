"""The tape: one `Node` for each recorded op, and the sweep that walks it backwards.

A node holds arrays and its parent nodes, never a Tensor, so a graph has no reference
cycle and dies with the last Tensor that needs it. This module knows NumPy and nothing else.
"""

import itertools
import math
import os
import sys
import threading
import weakref
from contextlib import ContextDecorator
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from operator import attrgetter
from typing import Any

import numpy as np
from numpy import ndarray

next_number = itertools.count(1).__next__
_by_number = attrgetter("number")


class State(threading.local):
    """What this thread is doing. Each thread starts from these values."""

    recording = True
    scope: tuple[str, ...] = ()
    traced_since = math.inf  # creation number at which the outermost running transform began

    def __init__(self):
        self.open: list[list] = []  # the settings that are in force: [setting, what its field was before]


state = State()
changes: list[None] = []  # one entry for each no_grad or scope that some thread is in: without any, all is as it starts


class Node:
    """One recorded op: `output = op(*arguments, **parameters)`.

    parents:   one for each argument, None where nothing flows back
    arguments: the arrays of Tensors, and copies of all other arrays and values; None once released
    output:    the array; once released, the pair (shape, dtype)
    number:    creation number; a node is younger than its parents
    scope:     names of the enclosing `scope`s, outermost first

    `name` and `grad` are set on leaves; a leaf has op None and no parents. `record` sets the others.
    """

    __slots__ = ("op", "parents", "arguments", "parameters", "output", "number", "scope", "name", "grad")

    op: Any
    parents: Any
    arguments: Any
    parameters: Any
    output: Any
    number: int
    scope: tuple[str, ...]
    name: Any
    grad: Any

    @property
    def released(self):
        """Whether the arrays are gone."""
        return self.arguments is None

    @property
    def shape(self):
        """Of the output, released or not."""
        return self.output.shape if type(self.output) is ndarray else self.output[0]

    @property
    def dtype(self):
        """Of the output, released or not."""
        return self.output.dtype if type(self.output) is ndarray else self.output[1]

    def __repr__(self):
        kind = "leaf" if self.op is None else self.op.__name__
        return f"<Node {self.number} {kind} {self.shape}>"


def record(node, op, parents, arguments, parameters, output):
    """Fill in a new Node and return it: two thirds of the time that a constructor of five arguments takes."""
    node.op = op
    node.parents = parents
    node.arguments = arguments
    node.parameters = parameters
    node.output = output
    node.number = next_number()
    node.scope = state.scope if changes else ()
    return node


def leaf(array, name=None):
    """The node of a Tensor that was made rather than computed."""
    node = record(Node(), None, (), (), {}, array)
    node.name = name
    node.grad = None
    return node


def renewed(written):
    """The leaf node that takes the place of one whose array was written to: what was computed from that is released."""
    node = leaf(written.output, written.name)
    node.grad = written.grad
    written.arguments = None
    return node


_names: dict[int, tuple] = {}  # id(array) -> (name, weak reference to the array)


def name_array(array, name):
    """Remember the name of a Tensor without a node by its array, which is all that the tape sees of it."""
    key = id(array)
    _names[key] = name, weakref.ref(array, lambda _: _names.pop(key, None))


def name_of(array):
    """The name of the Tensor without a node that holds this very array, or None."""
    return _names.get(id(array), (None,))[0]


def sweep(gradients, *, since=0, targets=None, leaves=False, release=False, rebuild=None, outer=None):
    """Yield (node, dJ/d node.output) from the roots back, each gradient complete when it comes.

    Descending creation number is a topological order, since a node is younger than its
    parents; so the sweep needs no recursion. Each op contributes its VJP to each parent.

    gradients: where to start: {root: dJ/d root.output}, of the same shape and dtype
    since:     nodes created earlier belong to an outer trace; give `targets` to leave them out
    targets:   enter only nodes that lead to one of these (None: all); older targets come last
    leaves:    yield these alone
    release:   drop each node's arrays as the sweep leaves it
    rebuild:   (array, node) -> Tensor. VJPs then get Tensors for what leads to something older
               than `since`, and so are recorded for that outer trace
    outer:     which of the older nodes that trace records (None: all)

    Raises RuntimeError if a node was released, before any VJP runs. Consumers must not write
    to a gradient: two nodes may share one. The sum of two contributions goes to a new buffer.
    """
    order = _reached(gradients, since)
    traced = _leading_older(order, since, outer) if rebuild else None
    entered = None if targets is None else _leading_to(targets, order)
    if entered is not None:
        order = [node for node in order if node in entered]
    gradients = {root: g for root, g in gradients.items() if entered is None or root in entered}
    summed = set()
    for node in order:
        g, op = gradients.pop(node), node.op
        if op is None or not leaves:
            yield node, g
        if op is None:
            continue
        arguments, output, parameters = node.arguments, node.output, node.parameters
        if traced and node in traced:
            output, arguments = _rebuilt(node, traced, rebuild)
        vjps = op.vjps
        if type(vjps) is not list:  # endless, of an op of any number of arrays
            vjps = [*itertools.islice(vjps, len(arguments))]
        i = -1  # counted by hand, which takes 70 ns less than enumerate
        for parent in node.parents:
            i += 1
            if parent is None or (entered is not None and parent not in entered):
                continue
            argument, vjp = arguments[i], vjps[i]
            if parameters or len(arguments) != 2:
                contribution = vjp(*(g, output) + arguments, **parameters)
            else:  # the same in half of the time
                contribution = vjp(g, output, arguments[0], arguments[1])
            if (
                type(contribution) is not ndarray
                or contribution.shape != argument.shape
                or contribution.dtype is not argument.dtype
            ):
                contribution = _fit(contribution, argument, node, parent, rebuild)
            if parent not in gradients:
                gradients[parent] = contribution
            elif parent in summed and type(gradients[parent]) is type(contribution) is ndarray:
                gradients[parent] += contribution
            else:
                gradients[parent] = gradients[parent] + contribution
                summed.add(parent)
        if release:  # shapes and dtypes stay, so the graph can still be drawn
            node.arguments = None
            node.output = (output.shape, output.dtype)
    yield from gradients.items()


def _rebuilt(node, traced, rebuild):
    """The node's output and arguments, as Tensors where they are traced."""
    pairs = zip(node.arguments, node.parents, strict=True)
    return rebuild(node.output, node), tuple([rebuild(a, p) if p in traced else a for a, p in pairs])


def _reached(roots, since):
    """The nodes that the roots grew from, but those older than `since`; youngest first."""
    entered = set(roots)
    order = [root for root in roots if root.number >= since]
    for node in order:  # grows while it is read: breadth first
        if node.arguments is None:
            raise RuntimeError(_released(node))
        for parent in node.parents:
            if parent is not None and parent not in entered and parent.number >= since:
                entered.add(parent)
                order.append(parent)
    order.sort(key=_by_number, reverse=True)
    return order


def _released(node):
    if node.op is None:
        return (
            "the array of a leaf was written to in place, as by `t.data -= step`, since this Tensor was computed: "
            "rebind it, as by `t.data = t.data - step`, or compute the Tensor again"
        )
    return (
        f"the graph of this Tensor was released (at {node.op.__name__}) by an earlier backward(), or one that "
        "failed: call that one with retain_graph=True, or compute the Tensor again"
    )


def _leading_to(targets, order):
    """The targets, and those of the nodes that grew from one."""
    leading = set(targets)
    for node in reversed(order):
        if not leading.isdisjoint(node.parents):
            leading.add(node)
    return leading


def _leading_older(order, since, outer=None):
    """The nodes created before `since` (and in `outer`, if given), and those of the others that grew from one."""
    leading = set() if outer is None else set(outer)
    for node in reversed(order):
        if outer is None:
            leading.update(p for p in node.parents if p is not None and p.number < since)
        if not leading.isdisjoint(node.parents):
            leading.add(node)
    return leading


def leads_older(node, since):
    """Whether the node's value depends on a node created before `since`."""
    return node.number < since or node in _leading_older(_reached([node], since), since)


def boundary(root, since):
    """The nodes older than `since` that root's graph grew from, each with its array."""
    pairs = (pair for node in _reached([root], since) for pair in zip(node.parents, node.arguments, strict=True))
    return {parent: array for parent, array in pairs if parent is not None and parent.number < since}


def _fit(contribution, argument, node, parent, rebuild):
    """Undo broadcasting and cast, so that the contribution has the argument's shape and dtype."""
    where = f"{node.op.__name__}: the VJP of {node.op.argument(node.parents.index(parent))!r}"
    if not hasattr(contribution, "dtype"):
        if not isinstance(contribution, (int, float)):
            raise TypeError(f"{where} returned {_kind(contribution)}, not one array")
        contribution = np.asarray(contribution)
    elif rebuild is None and not isinstance(contribution, (ndarray, np.generic)):
        raise TypeError(f"{where} returned a {type(contribution).__name__} where it was given arrays")
    if contribution.dtype.kind not in "fiub":
        raise TypeError(f"{where} returned dtype {contribution.dtype} for a gradient of {argument.dtype}")
    shape = argument.shape
    if contribution.shape != shape:
        extra = contribution.ndim - len(shape)
        stretched = tuple(
            axis for axis, size in enumerate(contribution.shape) if axis < extra or size != shape[axis - extra] == 1
        )
        kept = tuple(1 if axis in stretched else size for axis, size in enumerate(contribution.shape))[max(extra, 0) :]
        if kept != shape:
            raise ValueError(f"{where} returned shape {contribution.shape} for an argument of shape {shape}")
        if type(contribution) is ndarray and contribution.size > _LARGE and argument.size > 1:
            contribution = _sum_outermost(contribution, stretched)
        contribution = np.reshape(np.sum(contribution, axis=stretched), shape)
    return contribution if contribution.dtype == argument.dtype else contribution.astype(argument.dtype)


def _kind(value):
    return "None (is a `return` missing?)" if value is None else f"a {type(value).__name__}"


_LARGE = 2**15  # entries: below, one sum is faster than two


def _sum_outermost(array, axes):
    """Sum over the axis that is outermost in memory, if it is one of these: NumPy then adds long runs.

    What is left to sum is small. A bias behind (64, 16, 24, 24) takes 0.3 to 0.6 of the time so.
    """
    outermost = max(range(array.ndim), key=lambda i: abs(array.strides[i]) if array.shape[i] > 1 else 0)
    return np.sum(array, axis=outermost, keepdims=True) if outermost in axes else array


_references = getattr(sys, "getrefcount", lambda g: math.nan)  # NaN equals no count


def _reference_counts(found):
    return [_references(g) for _, g in found]


_UNSHARED = _reference_counts([(None, np.empty(0))])[0]  # measured, since Pythons count differently


def unshared(found):
    """The pairs (node, g) of a list, with a copy of each array that anything else may refer to.

    An array that owns its memory and has its pair as its only reference can't be aliased, as a view
    refers to the array that it shows. So a gradient that a VJP has just computed is handed over.
    """
    counts = _reference_counts(found)
    return [
        (node, g if n == _UNSHARED and g.flags.owndata and g.flags.writeable else np.array(g))
        for n, (node, g) in zip(counts, found, strict=True)
    ]


_accumulating = threading.RLock()  # threads may share leaves, and the handler of a signal may interrupt here


def accumulate(found):
    """Add each gradient of the pairs (leaf node, g) to what the leaf has."""
    with _accumulating:
        for node, g in found:
            node.grad = g if node.grad is None else np.asarray(node.grad + g)


def _forked():
    """A thread that held the lock is not there in a child."""
    global _accumulating
    _accumulating = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class _Setting(ContextDecorator):
    """A change of one thing in this thread's state: a context manager and a decorator, safe to nest and share."""

    _field: str

    def _enter(self, value):
        state.open.append([self, getattr(state, self._field)])
        changes.append(None)  # before the change, and in __exit__ after it: so no change is overlooked
        setattr(state, self._field, value)
        return self

    def __exit__(self, *exception):
        i = max(i for i, (setting, _) in enumerate(state.open) if setting is self)
        _, before = state.open.pop(i)
        later = [entry for entry in state.open[i:] if entry[0]._field == self._field]
        if later:  # of a task that took its turn in between and is not done
            later[0][1] = before
        else:
            setattr(state, self._field, before)
        changes.pop()

    def __call__(self, function):
        if isgeneratorfunction(function) or iscoroutinefunction(function) or isasyncgenfunction(function):
            kind = type(self).__name__
            raise TypeError(
                f"{kind} can't decorate {function.__name__}, whose body runs later: use `with {kind}` in it"
            )
        return super().__call__(function)


class no_grad(_Setting):
    """Record nothing in this thread: `with no_grad():`, or `@no_grad()` on a function."""

    _field = "recording"

    def __init__(self, function=None):
        if function is not None:
            raise TypeError("no_grad: write `@no_grad()`, with parentheses")

    def __enter__(self):
        return self._enter(False)

    def _recreate_cm(self):
        return no_grad()


class scope(_Setting):
    """Name a part of the graph: ops inside `with scope("conv1"):` are drawn in a box of that name.

    Scopes nest. Raises TypeError if the name is not a string.
    """

    _field = "scope"

    def __init__(self, name):
        if not isinstance(name, str):
            raise TypeError(f"scope: the name must be a string, not {type(name).__name__}")
        self.name = name

    def __enter__(self):
        return self._enter((*state.scope, self.name))

    def _recreate_cm(self):
        return scope(self.name)
