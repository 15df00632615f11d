"""A function run on batches of several sizes: what is the same in all runs is a constant of the model.

What grows with the batch is a `Size`. What differs in any other way depends on the values of the input or on chance,
outside of the tape, and is refused: one run alone would make it a constant of the model in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import tape
from .._tensor import Tensor, tensor
from ..errors import NUMPY_ERRORS, brief
from ..nest import flatten, paths
from ..nesting import run
from ..operation import array_of
from ..settings import call_with
from ..tape import Node

GROWTH = (0, 1, 3)  # what is added to the batch: two sizes give a line, and the third shows whether it is one


@dataclass(frozen=True)
class Size:
    """A length that depends on the batch: factor * N + offset for N examples."""

    factor: int
    offset: int


@dataclass(frozen=True)
class Input:
    """A constant that is the argument in this position: an array of integers or booleans, which no tape records."""

    position: int


@dataclass(frozen=True)
class Stretched:
    """A constant that repeats an array along axes that grow with the batch."""

    array: np.ndarray
    shape: tuple[int | Size, ...]


class Step(NamedTuple):
    """One op as all runs did it.

    node: of the first run; arguments: nodes of the first run, or constants; shape: of the output
    """

    node: Node
    arguments: tuple[Any, ...]
    parameters: dict[str, Any]
    shape: tuple[int | Size, ...]


def place(node: Node) -> str:
    """What messages call an op."""
    inside = "/".join(node.scope)
    return node.op.__name__ + (f" in {inside}" if inside else "")


class Run:
    """One call of f. inputs: what it was called with; steps: the nodes it recorded; outputs: {path: Tensor}."""

    def __init__(self, f: Callable, x: list[np.ndarray]):
        self.x = x
        since = tape.next_number()
        self.inputs = [tensor(array, requires_grad=True) if array.dtype.kind == "f" else array for array in x]
        y = call_with(run, (f, self.inputs, {}), recording=True)
        self.outputs = _outputs(y)
        roots = [leaf.node for leaf in self.outputs.values()]
        self.steps = [node for node in reversed(tape.reached(roots, since)) if node.op is not None]
        self.number: dict[Node | None, Any] = {node: i for i, node in enumerate(self.steps)}
        entered = [x.node for x in self.inputs if isinstance(x, Tensor)]
        self.number |= {node: ("input", i) for i, node in enumerate(entered)}
        self.returned = [(path, self.number.get(leaf.node)) for path, leaf in self.outputs.items()]


def _outputs(y: Any) -> dict[str, Tensor]:
    """{path: Tensor} of what f returned. Raises ValueError for nothing, and TypeError for what isn't on the tape."""
    outputs = {path: leaf for path, leaf in zip(paths(y), flatten(y), strict=True) if leaf is not None}
    if not outputs:
        raise ValueError("export: f returns no Tensor")
    for path, leaf in outputs.items():
        if not isinstance(leaf, Tensor) or leaf.node is None:
            what = f"what f returns{' at ' + path if path else ''}"
            raise TypeError(
                f"export: {what} must be a Tensor that was computed of parameters that need a gradient or of a "
                f"floating-point input, not {brief(leaf)}"
            )
    return outputs


class Runs:
    """The runs of f on the example and on larger batches, joined into one sequence of `Step`s.

    dynamic_batch: whether the first axis of each input may have any length.
    Raises TypeError and ValueError that begin with "export: ".
    """

    def __init__(self, f: Callable, example: list[np.ndarray], dynamic_batch: bool):
        self.dynamic_batch = dynamic_batch
        n = _batch_size(example) if dynamic_batch else None
        self.sizes = [n and n + growth for growth in GROWTH]
        self.runs = [Run(f, example)]
        # equivalent: start=1 -> start=0; start=1 -> start=2 because it only gives other examples
        for i, size in enumerate(self.sizes[1:], start=1):
            try:
                with np.errstate(all="ignore"):
                    self.runs.append(Run(f, [_varied(x, i, size) for x in example]))
            except NUMPY_ERRORS as error:
                raise self._differs(f"f raises {type(error).__name__} for other examples ({error})") from error
        self.first = self.runs[0]
        self.tensors = {x.node: i for i, x in enumerate(self.first.inputs) if isinstance(x, Tensor)}
        self.input_shapes = [self._shape(*arrays) for arrays in zip(*(run.x for run in self.runs), strict=True)]
        self._check_distinct()

    def steps(self) -> list[Step]:
        """The ops of all runs. Raises ValueError if the runs differ in more than sizes."""
        first, *others = self.runs
        for other in others:
            for node, twin in zip(first.steps, other.steps, strict=False):
                self._check_twins(first, node, other, twin)
            if len(first.steps) != len(other.steps):
                raise self._differs(f"f takes {len(first.steps)} steps, and {len(other.steps)} for another example")
            if first.returned != other.returned:
                raise self._differs("f returns something else for another example")
        outputs = zip(*(run.outputs.values() for run in self.runs), strict=True)
        self.output_shapes = [self._shape(*leaves) for leaves in outputs]
        return [self._joined(nodes) for nodes in zip(*(run.steps for run in self.runs), strict=True)]

    def _check_twins(self, run: Run, node: Node, other: Run, twin: Node) -> None:
        here, there = ([r.number.get(parent) for parent in n.parents] for r, n in ((run, node), (other, twin)))
        if node.op is not twin.op or here != there:
            raise self._differs(f"f does {node.op.__name__} where it does {twin.op.__name__} for another example")

    def _joined(self, nodes: tuple[Node, ...]) -> Step:
        node, *_ = nodes
        shape = self._shape(*nodes)
        arguments = tuple(
            parent
            if parent in self.first.number
            else self._constant(node, node.op.argument(i), *(n.arguments[i] for n in nodes))
            for i, parent in enumerate(node.parents)
        )
        parameters = {
            name: self._constant(node, name, *(n.parameters[name] for n in nodes))
            for name in node.parameters
            if name != "saved"
        }
        return Step(node, arguments, parameters, shape)

    def _constant(self, node: Node, name: str, *values: Any) -> Any:
        """What stands for the value of an argument or parameter in all runs."""
        try:
            return self._merged([*values])
        except _NoConstantError:
            first, *others = map(brief, values)
            second = next((other for other in others if other != first), first)
            raise self._differs(
                f"{place(node)}: {name} is {first} for the example and {second} for another one"
            ) from None

    def _merged(self, values: list) -> Any:
        first, *_ = values
        if isinstance(first, (list, tuple, slice, np.ndarray)) and any(type(a) is not type(first) for a in values):
            raise _NoConstantError
        if isinstance(first, (list, tuple)):
            parts = self._merged_parts(values)
            return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
        if isinstance(first, slice):
            return slice(*self._merged_parts([(value.start, value.stop, value.step) for value in values]))
        if isinstance(first, np.ndarray):
            return self._merged_arrays(values)
        return self._merged_constants(values)

    def _merged_constants(self, values: list) -> Any:
        first, *_ = values
        if all(type(value) is type(first) and (value is first or value == first) for value in values):
            return first
        if all(isinstance(value, (int, np.integer)) for value in values):
            return self._size(values)
        raise _NoConstantError

    def _merged_parts(self, values: list) -> list:
        if len({len(value) for value in values}) > 1:
            raise _NoConstantError
        return [self._merged([*column]) for column in zip(*values, strict=True)]

    def _merged_arrays(self, arrays: list[np.ndarray]) -> Any:
        first, *_ = arrays
        if all(_same(array, first) for array in arrays):
            return first
        for i, x in enumerate(self.first.x):
            if x.dtype.kind != "f" and all(_same(a, run.x[i]) for a, run in zip(arrays, self.runs, strict=True)):
                return Input(i)
        return self._stretched(arrays)

    def _stretched(self, arrays: list[np.ndarray]) -> Stretched:
        """One array, repeated along the axes that grow with the batch."""
        (first, *_), shape = arrays, self._shape(*arrays)
        grown = tuple(axis for axis, length in enumerate(shape) if isinstance(length, Size))
        index = tuple(slice(0, 1) if axis in grown else slice(None) for axis in range(first.ndim))
        row = first[index]
        if all(_same(array, np.broadcast_to(row, array.shape)) for array in arrays):
            return Stretched(row, shape)
        raise _NoConstantError

    def _shape(self, *arrays: Any) -> tuple[int | Size, ...]:
        """The shape that arrays or nodes have in all runs."""
        shapes = [array.shape for array in arrays]
        try:
            if len({len(shape) for shape in shapes}) > 1:
                raise _NoConstantError
            return tuple(self._size(lengths) for lengths in zip(*shapes, strict=True))
        except _NoConstantError:
            raise self._differs(f"an array is {' or '.join(map(str, shapes))} for different examples") from None

    def _size(self, lengths: Any) -> int | Size:
        """The number, or the line that numbers lie on as the batch grows."""
        first, second, *_ = lengths
        if all(length == first for length in lengths):
            return first
        if self.dynamic_batch:
            factor = second - first
            offset = first - factor * self.sizes[0]
            if [factor * n + offset for n in self.sizes] == [*lengths]:
                return Size(int(factor), int(offset))
        raise _NoConstantError

    def _differs(self, said: str) -> ValueError:
        why = "f must compute it with recorded ops alone (no .data, no random numbers, no if on values)"
        if self.dynamic_batch:
            why += ", and for any number of examples unless dynamic_batch=False"
        return ValueError(f"export: {said}; {why}")

    def _check_distinct(self) -> None:
        """Raise ValueError for an input of integers that looks like a constant in each run."""
        for i, array in enumerate(self.first.x):
            row = array[tuple(slice(0, 1) for _ in array.shape)]
            if array.dtype.kind != "f" and _same(array, np.broadcast_to(row, array.shape)):
                raise ValueError(
                    f"export: example[{i}] must have entries that differ, to tell it from a constant, not all "
                    f"{brief(array.reshape(-1)[0].item() if array.size else array)}"
                )


class _NoConstantError(Exception):
    """Values of several runs are neither the same nor on a line."""


def _same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _batch_size(example: list[np.ndarray]) -> int:
    sizes = {len(x) for x in example if x.ndim}
    if len(sizes) != 1 or 0 in sizes:
        shapes = ", ".join(str(x.shape) for x in example) or "no array"
        raise ValueError(
            "export: the first axis of each input must be the batch, of one size of at least 1 in all, not "
            f"{shapes}; pass dynamic_batch=False to export for just these shapes"
        )
    return sizes.pop()


# equivalent: any change because it only gives other examples, of which one has other values
def _varied(x: np.ndarray, i: int, size: int | None) -> np.ndarray:
    """Another example, with so many rows (None: as many): i = 1 stays in the range of this one, i = 2 leaves it."""
    if x.size:
        x = x[(np.arange(len(x) if size is None else size) + i) % len(x)] if x.ndim else x
    if x.dtype.kind == "f":
        return (x + (0.5 - x) / 16 if i == 1 else -2 * x - 1).astype(x.dtype)
    return np.roll(x, i, axis=-1) if x.ndim > 1 else x


def plain_example(example: Any) -> list[np.ndarray]:
    """The arguments of f as arrays."""
    given = example if isinstance(example, tuple) else (example,)
    arrays = []
    for i, x in enumerate(given):
        x = array_of(x)
        array = x if type(x) is np.ndarray else np.asarray(x) if isinstance(x, (np.generic, int, float)) else None
        if array is None or array.dtype.char not in "?bBhHiIlLqQefd":
            raise TypeError(
                f"export: example must be an array, or a tuple of one for each argument of f, of at most 64 bits an "
                f"entry; [{i}] is {brief(x)}"
            )
        arrays.append(np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape))
    return arrays
