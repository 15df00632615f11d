"""The ONNX graph while it is built: nodes, initializers, and names that are given once.

`Graph` writes what a model consists of; `Call` is one op of the tape, as the functions in nodes.py see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from ..names import name_of
from ..nest import flatten
from ..tape import Node
from .runs import Input, Runs, Size, Step, Stretched, place

BATCH = "batch"  # the name of the free length


class Graph:
    """Nodes and initializers in the order of computation.

    input_names: of the arguments of f; parameter_names: {id(array): name}
    """

    def __init__(self, runs: Runs, input_names: list[str], parameter_names: Mapping[int, str]):
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.dtypes: dict[str, np.dtype] = {}
        # what is known: node of the tape, id of an array, node here -> name
        self.values: dict[Any, str] = {node: input_names[i] for node, i in runs.tensors.items()}
        self.input_names, self.parameter_names, self.example = input_names, parameter_names, runs.first.x
        self.output_names: set[str] = set()
        self._kept: list[Any] = []  # so that ids stay those of these arrays
        self._batch_of = next((name for name, x in zip(input_names, runs.first.x, strict=True) if x.ndim), "")
        for name, x in zip(input_names, runs.first.x, strict=True):
            self.dtypes[name] = x.dtype
        self.shapes = {node: runs.input_shapes[i] for node, i in runs.tensors.items()}

    def unique(self, name: str) -> str:
        """The name, with a number if it is taken."""
        # equivalent: 1 -> any number because any number makes another name
        numbered = (f"{name}_{i}" for i, _ in enumerate(self.dtypes, 1))
        return next(free for free in chain([name], numbered) if free not in self.dtypes)

    def add(self, kind: str, inputs: Iterable[str], dtype: Any, name: str, **attributes: Any) -> str:
        """Add a node of this kind, unless there is the same; return the name of its output, which is its own."""
        key = (kind, *inputs, repr(attributes))
        if key not in self.values:
            self.values[key] = name = self.unique(name)
            self.nodes.append(helper.make_node(kind, key[1:-1], [name], name, **attributes))
            self.dtypes[name] = np.dtype(dtype)
        return self.values[key]

    def array(self, array: np.ndarray, name: str) -> str:
        """Add an initializer, each array once; its name is that of the parameter, else this one."""
        if id(array) not in self.values:
            self._kept.append(array)
            self.values[id(array)] = name = self.unique(self.parameter_names.get(id(array)) or name_of(array) or name)
            plain = np.array(array, array.dtype.newbyteorder("="), order="C")
            self.initializers.append(numpy_helper.from_array(plain, name))
            self.dtypes[name] = plain.dtype
        return self.values[id(array)]

    def numbers(self, values: Any, dtype: Any) -> str:
        """Add an initializer of a few numbers, or find the one with the same; it is named by what it holds."""
        array = np.asarray(values, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.values:
            self.values[key] = self.array(array, f"{array.dtype} {array.tolist()}")
        return self.values[key]

    def vector(self, lengths: Iterable[int | Size], name: str) -> str:
        """A vector of whole numbers, some of which depend on the batch."""
        lengths = [*lengths]
        if not any(isinstance(length, Size) for length in lengths):
            return self.numbers(lengths, np.int64)
        parts = [self.length(length, name) for length in lengths]
        # equivalent: > -> >=; 1 -> 0; without if len(parts) > 1 else parts[0] because one part may be joined, too
        return self.add("Concat", parts, np.int64, name, axis=0) if len(parts) > 1 else parts[0]

    def length(self, length: int | Size, name: str) -> str:
        """A vector of one whole number."""
        if not isinstance(length, Size):
            return self.numbers([length], np.int64)
        found = self.add("Shape", [self._batch_of], np.int64, "batch_size", start=0, end=1)
        if length.factor != 1:  # equivalent: 1 -> 0 because a factor of 1 changes nothing
            found = self.add("Mul", [found, self.numbers([length.factor], np.int64)], np.int64, name)
        if length.offset != 0:
            found = self.add("Add", [found, self.numbers([length.offset], np.int64)], np.int64, name)
        return found

    def cast(self, value: str, dtype: Any, name: str) -> str:
        """The value in another dtype."""
        if self.dtypes[value] == dtype:
            return value
        return self.add("Cast", [value], dtype, name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


class Call:
    """One op of the tape: its arguments as values of the graph, or as plain values."""

    def __init__(self, graph: Graph, step: Step):
        self.graph, self.step, self.op = graph, step, step.node.op
        self.name = "/".join((*step.node.scope, self.op.__name__))
        self.dtype, self.shape = step.node.dtype, step.shape

    def add(self, kind: str, *inputs: str, dtype: Any = None, **attributes: Any) -> str:
        """Add a node of this kind, whose output has the op's dtype unless another is given."""
        return self.graph.add(kind, inputs, dtype or self.dtype, self.name, **attributes)

    def tensor(self, i: int = 0, dtype: Any = None) -> str:
        """Argument i in the dtype of the result, or in another one."""
        value, dtype = self.step.arguments[i], dtype or self.dtype
        if isinstance(value, Size):
            number = self.add("Squeeze", self.graph.length(value, self.name), dtype=np.dtype(np.int64))
            return self.graph.cast(number, dtype, self.name)
        if isinstance(value, (int, float, np.generic)):
            return self.graph.numbers(value, dtype)
        return self.graph.cast(self.value(value, self.op.argument(i)), dtype, self.name)

    def value(self, value: Any, argument: str) -> str:
        """The name of an array, as it is."""
        if isinstance(value, Node):
            return self.graph.values[value]
        if isinstance(value, Input):
            return self.graph.input_names[value.position]
        if isinstance(value, Stretched):
            inputs = self.value(value.array, argument), self.vector(value.shape)
            return self.graph.add("Expand", inputs, value.array.dtype, self.name)
        return self.graph.array(value, f"{self.name}.{argument}")

    def array_of(self, value: Any) -> Any:
        """The array, in the first run, of a constant that is the same in all runs or an input; of others, an object."""
        return self.graph.example[value.position] if isinstance(value, Input) else np.asarray(value)

    def vector(self, lengths: Iterable[int | Size]) -> str:
        """Whole numbers, some of which depend on the batch, as a vector."""
        return self.graph.vector(lengths, self.name)

    def argument(self, name: str) -> Any:
        """An argument or parameter that is no array, by name. Raises ValueError if it depends on the batch."""
        known = self.step.parameters
        return self.static(known[name] if name in known else self.step.arguments[self.op.names.index(name)], name)

    def static(self, value: Any, name: str) -> Any:
        """The value. Raises ValueError if it depends on the input or the batch."""
        if any(isinstance(part, (Size, Input, Stretched, Node)) for part in flatten(value)):
            raise self.refusal(f"{name} can't depend on the input or on the number of examples")
        return value

    def shape_of(self, i: int = 0) -> tuple[int | Size, ...]:
        """The shape of argument i."""
        value = self.step.arguments[i]
        return self.graph.shapes[value] if isinstance(value, Node) else getattr(value, "shape", ())

    def refusal(self, said: str) -> ValueError:
        """An error about this op."""
        return ValueError(f"export: {place(self.step.node)}: {said}")


Converter = Callable[[Call], str]
