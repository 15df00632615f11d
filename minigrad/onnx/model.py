"""A model of joined runs: their steps as nodes, between the inputs and what f returns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, helper

from ..operation import array_of
from ..tape import Node
from .graph import BATCH, Call, Graph
from .nodes import CONVERTERS
from .runs import Runs, Size, place

OPSET, IR_VERSION = 20, 10  # of 2023 and 2024, which today's runtimes know
LARGEST = 2**31 - 2**20  # bytes of arrays: a file holds 2 GiB


def model_of(runs: Runs, input_names: list[str], parameter_names: Mapping[int, str], name: str) -> ModelProto:
    """Return the model. Raises ValueError for ops without an ONNX node and for arrays that are too large for a file."""
    _check_known(runs.first.steps)
    graph = Graph(runs, input_names, parameter_names)
    for step in runs.steps():
        graph.values[step.node] = CONVERTERS[step.node.op.__name__](Call(graph, step))
        graph.shapes[step.node] = step.shape
    outputs = [
        _value_info(_named(graph, "y" + re.sub(r"\W+", "_", path).rstrip("_"), leaf), leaf.dtype, shape)
        for (path, leaf), shape in zip(runs.first.outputs.items(), runs.output_shapes, strict=True)
    ]
    between = {
        name: _value_info(name, node.dtype, graph.shapes[node])
        for node, name in graph.values.items()
        if isinstance(node, Node) and name not in graph.output_names and name not in input_names
    }
    size = sum(len(tensor.raw_data) for tensor in graph.initializers)
    if size > LARGEST:
        raise ValueError(f"export: the arrays take {size:,} bytes, and an .onnx file holds {LARGEST:,}")
    inputs = [
        _value_info(*described)
        for described in zip(input_names, [x.dtype for x in runs.first.x], runs.input_shapes, strict=True)
    ]
    return helper.make_model(
        helper.make_graph(graph.nodes, name, inputs, outputs, graph.initializers, value_info=[*between.values()]),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="minigrad",
    )


def _check_known(nodes: list[Node]) -> None:
    """Raise ValueError that names all ops without a converter; one of a user's own may have the name of one of ours."""
    for node in nodes:
        if node.dtype.char not in "efd":
            raise ValueError(f"export: {place(node)} gives {node.dtype}, which no ONNX node does")
    unknown = {place(node): None for node in nodes if node.op.foreign or node.op.__name__ not in CONVERTERS}
    if unknown:
        raise ValueError(f"export: no ONNX node is known for {', '.join(unknown)}")


def _named(graph: Graph, name: str, leaf: Any) -> str:
    """Let what f returned have this name; return the name it has."""
    name, value = graph.unique(name), graph.values.get(leaf.node) or graph.array(array_of(leaf), "constant")
    graph.dtypes[name] = leaf.dtype
    if all(value not in node.output for node in graph.nodes) or value in graph.output_names:
        graph.nodes.append(helper.make_node("Identity", [value], [name], name))
    else:
        for node in graph.nodes:
            for names in (node.input, node.output):
                names[:] = [name if known == value else known for known in names]
        graph.values = {key: name if known == value else known for key, known in graph.values.items()}
    graph.output_names.add(name)
    return name


def _value_info(name: str, dtype: np.dtype, shape: tuple[int | Size, ...]) -> Any:
    lengths = [(BATCH if length == Size(1, 0) else None) if isinstance(length, Size) else length for length in shape]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), lengths)
