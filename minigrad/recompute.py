"""`checkpoint`: run a function again instead of keeping what its VJPs need.

The tape keeps one node for the whole call. When the sweep reaches it, the function runs once more, and
that run is swept in its place.
"""

from __future__ import annotations  # np.random, which an annotation names, is slow to load

from collections.abc import Callable, Iterable
from functools import wraps
from types import FunctionType
from typing import Any

import numpy as np

from . import tape
from ._tensor import Tensor, make
from .argnums import of_a_function
from .nest import mapped
from .nesting import leading_to, left_out, older_parents, retracing, run
from .operation import Op, array_of
from .settings import call_with
from .tape import Node


class _Recomputed(Op):
    """An op whose contributions come from one more run of the function."""

    def contribution(self, i: int, node: Node, g: Any) -> Any:
        """Return dJ/d argument i of the node from g = dJ/d output."""
        output, parameters, arguments = node.output, node.parameters, node.arguments  # a release drops these first
        if arguments is None:  # another thread has swept here meanwhile
            raise tape.released(node)
        return parameters["call"].gradient(i, g, output, arguments)


def _known(*arrays, call):
    """The value that f returned for these arrays, which the call can compute again."""
    return call.value


_known.__name__, _known.__qualname__ = "checkpoint", "_computed_before"  # of which pickle finds it
_computed_before = _Recomputed(_known)
_computed_before.vjps = ()  # it has no VJPs of its own
_computed_before.differentiable = "fc"


@of_a_function
def checkpoint(f: Callable, *, rng: np.random.Generator | None = None) -> Callable:
    """A function with f's values and derivatives that keeps nothing of f's inside: the sweep runs f again.

    Memory for n steps falls to the order of sqrt(n) where each sqrt(n) of them are one checkpoint;
    the price is a second forward pass. What f closes over receives its gradient too. `rng` is the
    generator that f draws from, if it draws: the second run then draws the same numbers.

    Raises TypeError if f returns anything but one array; RuntimeError, in the sweep, if the second run
    does not compute what the first one did.

    >>> def steps(x):
    ...     for _ in range(100):
    ...         x = np.sin(x) + x
    ...     return x
    >>> bool(mg.grad(mg.checkpoint(steps))(0.5) == mg.grad(steps)(0.5))
    True
    """
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"checkpoint: rng must be an np.random.Generator, not {type(rng).__name__}")

    @wraps(f)
    def checkpointed(*x, **options):
        call = _Call(f, x, options, rng)
        y = call.first()
        if not isinstance(y, (Tensor, np.ndarray, np.generic, float, complex)):
            raise TypeError(f"checkpoint: the function must return one array, not {type(y).__name__}")
        if not isinstance(y, Tensor) or y.node is None:
            return y
        origins = (make(array, node) for node, array in call.parents.items())
        return _computed_before(*origins, call=call)

    return checkpointed


class _Call:
    """One call of the function: its arguments, and what its ops did, which shows whether a second run does the same."""

    def __init__(self, f: Callable, x: tuple, options: dict, rng: np.random.Generator | None):
        self.f, self.rng = f, rng
        self.x, self.options = mapped(_own_array, [x, options])
        self.random_state: Any = rng and rng.bit_generator.state
        self.last: tuple[Any, dict[int, Any]] = None, {}  # g, and the gradients that are still to be asked for

    def first(self) -> Any:
        """Run f and note what its ops did; what it recorded is dropped with the Tensor that is returned."""
        y, order, self.parents = self._run()
        self.trace, self.value = _fingerprint(order, self.parents), array_of(y)
        return y

    def _run(self) -> tuple[Any, list[Node], dict[Node, Any]]:
        since = tape.next_number()
        y = call_with(run, (self.f, self.x, self.options), recording=True)
        if not isinstance(y, Tensor) or y.node is None:
            return y, [], {}
        order = tape.reached([y.node], since)
        return y, order, older_parents(order, since) or {y.node: array_of(y)}

    def gradient(self, i: int, g: Any, out: Any, arrays: tuple) -> Any:
        """Return the gradient of the i-th of `parents`. A sweep asks once for each, with the same g."""
        last, left = self.last
        found = left.pop(i, None) if last is g else None
        if found is None:  # another sweep, whose g may be an array that was changed
            left = dict(enumerate(self._swept_again(g, out, arrays)))
            found = left.pop(i)
        self.last = (g, left) if left else (None, {})  # a gradient that the sweep has taken is not kept
        return found

    def _swept_again(self, g: Any, out: Any, arrays: tuple) -> list:
        """Run f once more and sweep that run back to the nodes that it grew from."""
        y, order, parents = self._run_again()
        same = list(parents) == list(self.parents) and _fingerprint(order, parents) == self.trace
        if not same or not np.array_equal(y.data, out, equal_nan=True):
            raise RuntimeError(
                "checkpoint: the function did not compute the same when it ran again: draw random numbers outside of "
                "it, or give their generator as rng=, and don't change what it closes over"
            )
        origins = dict(zip(self.parents, arrays, strict=True))
        if any(array_of(origins[node]) is not array for node, array in parents.items()):
            raise RuntimeError("checkpoint: a Tensor that the function takes was given another array after it ran")
        outer = {node for node, origin in origins.items() if isinstance(origin, Tensor)}
        entered = leading_to(origins, order)
        order = [node for node in order if node in entered]
        retrace = retracing(leading_to(outer, order))
        found = dict(tape.sweep({y.node: g}, order, left_out=left_out(order, entered), retrace=retrace, leaves=True))
        return [found[node] for node in origins]

    def _run_again(self) -> tuple[Any, list[Node], dict[Node, Any]]:
        if self.rng is None:
            return self._run()
        now, self.rng.bit_generator.state = self.rng.bit_generator.state, self.random_state
        try:
            return self._run()
        finally:
            self.rng.bit_generator.state = now


def _own_array(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _fingerprint(order: list[Node], parents: Iterable[Node]) -> list:
    """What the ops of a run were and what they took: two runs from the same parents that agree compute the same."""
    place: dict[Node | None, int] = {node: i for i, node in enumerate((*order, *parents))}
    return [
        (
            _kind(node.op),
            [place.get(parent) for parent in node.parents],
            [_digest(a) for a, parent in zip(node.arguments, node.parents, strict=True) if parent is None],
            [(name, _digest(value)) for name, value in node.parameters.items()],
        )
        for node in order
    ]


def _kind(op: Op) -> Any:
    """What identifies an op: the op itself, or its functions if it is defined in a function that runs again."""
    return _digest([op.forward, getattr(op.vjps, "function", op.vjps)]) if "<locals>" in op.__qualname__ else op


def _digest(value: Any) -> Any:
    """The value, or the hash of an array's bytes, which takes no memory. Of a function: its code, and what it holds."""
    value = array_of(value)
    if isinstance(value, FunctionType):
        return (
            value.__code__,
            _digest(value.__defaults__),
            [_digest(cell.cell_contents) for cell in value.__closure__ or ()],
        )
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, hash(value.tobytes())
    if isinstance(value, (list, tuple)):
        return [_digest(part) for part in value]
    if isinstance(value, _Call):  # a checkpoint inside
        return value.trace
    return repr(value)  # unlike ==, it distinguishes 0.0 from -0.0, and NaN equals NaN
