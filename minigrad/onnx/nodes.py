"""The table from ops to ONNX nodes: `NODES` where one node has the op's arguments, `CONVERTERS` for the rest.

A converter adds the nodes of one call and returns the name of the value that they compute.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..ops.windows import pair
from ..summation import normalized_axes
from .graph import Call, Converter
from .runs import Size

NODES = {  # op -> the node that takes the same arguments, all in the dtype of the result
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "negative": "Neg", "reciprocal": "Reciprocal",
    "power": "Pow", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "abs": "Abs", "sign": "Sign", "floor": "Floor",
    "ceil": "Ceil", "rint": "Round", "maximum": "Max", "minimum": "Min", "sin": "Sin", "cos": "Cos", "tan": "Tan",
    "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh",
    "arccosh": "Acosh", "arctanh": "Atanh", "tanh": "Tanh", "erf": "Erf", "matmul": "MatMul",
    "relu": "Relu", "sigmoid": "Sigmoid", "softplus": "Softplus", "gelu": "Gelu",
}  # fmt: skip
REDUCTIONS = {
    "sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
    "norm": "ReduceL2", "logsumexp": "ReduceLogSumExp",
}  # fmt: skip
CONVERTERS: dict[str, Converter] = {}

FIRST, LAST = -(2**63), 2**63 - 1  # ends of a slice that reaches to the end


def converts(*ops: str) -> Any:
    """Register a converter for these ops."""

    def register(converter: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(ops, converter))
        return converter

    return register


@converts(*NODES)
def _(call: Call) -> str:
    return call.add(NODES[call.op.__name__], *(call.tensor(i) for i in range(len(call.step.arguments))))


@converts("identity", "positive", "copy", "astype")
def _(call: Call) -> str:
    return call.tensor()


@converts("square")
def _(call: Call) -> str:
    return call.add("Mul", call.tensor(), call.tensor())


@converts("silu")
def _(call: Call) -> str:
    return call.add("Mul", call.tensor(), call.add("Sigmoid", call.tensor()))


@converts("leaky_relu", "elu")
def _(call: Call) -> str:
    kind, name = ("LeakyRelu", "slope") if call.op.__name__ == "leaky_relu" else ("Elu", "alpha")
    return call.add(kind, call.tensor(), alpha=float(call.argument(name)))


@converts("where")
def _(call: Call) -> str:
    return call.add("Where", call.tensor(0, np.dtype(bool)), call.tensor(1), call.tensor(2))


@converts("clip")
def _(call: Call) -> str:
    a = call.tensor()
    for i, kind in ((1, "Max"), (2, "Min")):
        if call.step.arguments[i] is not None:
            a = call.add(kind, a, call.tensor(i))
    return a


@converts("softmax", "log_softmax")
def _(call: Call) -> str:
    axis = call.argument("axis")
    if not isinstance(axis, (int, np.integer)):
        raise call.refusal(f"axis must be an int, not {axis}")
    return call.add("Softmax" if call.op.__name__ == "softmax" else "LogSoftmax", call.tensor(), axis=int(axis))


# reductions


def _axes(call: Call) -> list[int]:
    return sorted(map(int, normalized_axes(call.argument("axis"), len(call.shape_of()))))


def _reduced(call: Call, kind: str, a: str, axes: list[int], keepdims: bool) -> str:
    if not axes:
        return a
    return call.add(kind, a, call.vector(axes), keepdims=int(keepdims))


@converts(*REDUCTIONS)
def _(call: Call) -> str:
    kind, axes = REDUCTIONS[call.op.__name__], _axes(call)
    if not axes and kind == "ReduceL2":
        return call.add("Abs", call.tensor())
    return _reduced(call, kind, call.tensor(), axes, call.argument("keepdims"))


def _moments(call: Call, axes: list[int], keepdims: bool) -> tuple[str, str]:
    """The deviations from the mean, and the mean of their squares."""
    deviation = call.add("Sub", call.tensor(), _reduced(call, "ReduceMean", call.tensor(), axes, True))
    return deviation, _reduced(call, "ReduceMean", call.add("Mul", deviation, deviation), axes, keepdims)


@converts("normalize")
def _(call: Call) -> str:
    deviation, variance = _moments(call, _axes(call), True)
    spread = call.add("Sqrt", call.add("Add", variance, call.graph.numbers(call.argument("eps"), call.dtype)))
    return call.add("Add", call.add("Mul", call.add("Div", deviation, spread), call.tensor(1)), call.tensor(2))


@converts("var")
def _(call: Call) -> str:
    axes, ddof = _axes(call), call.argument("ddof")
    count = [call.shape_of()[axis] for axis in axes]
    if ddof and any(isinstance(length, Size) for length in count):
        raise call.refusal("with a ddof it can't run over the examples; pass dynamic_batch=False")
    _, variance = _moments(call, axes, call.argument("keepdims"))
    if not ddof:  # equivalent: never because it is then multiplied by 1
        return variance
    n = math.prod(length for length in count if isinstance(length, int))
    return call.add("Mul", variance, call.graph.numbers(n / (n - ddof) if n > ddof else math.inf, call.dtype))


@converts("cumsum")
def _(call: Call) -> str:
    a, axis = call.tensor(), call.argument("axis")
    if axis is None:
        a, axis = call.add("Reshape", a, call.vector([-1])), 0
    return call.add("CumSum", a, call.graph.numbers(axis, np.int64))


# shapes


def _reshaped(call: Call, a: str, shape: tuple[int | Size, ...]) -> str:
    free = [length for length in shape if isinstance(length, Size)]
    if len(free) == 1 and 0 not in shape:
        return call.add("Reshape", a, call.vector(-1 if isinstance(length, Size) else length for length in shape))
    return call.add("Reshape", a, call.vector(shape), allowzero=int(0 in shape))


def _flattened(call: Call, a: str) -> str:
    return call.add("Reshape", a, call.vector([-1]))


def _transposed(call: Call, a: str, axes: Iterable[int]) -> str:
    return call.add("Transpose", a, perm=[*axes])


@converts("reshape")
def _(call: Call) -> str:
    if call.argument("order") == "C":
        return _reshaped(call, call.tensor(), call.shape)
    a = _transposed(call, call.tensor(), reversed(range(len(call.shape_of()))))
    return _transposed(call, _reshaped(call, a, call.shape[::-1]), reversed(range(len(call.shape))))


@converts("transpose")
def _(call: Call) -> str:
    ndim, axes = len(call.shape_of()), call.argument("axes")
    return _transposed(call, call.tensor(), reversed(range(ndim)) if axes is None else [int(i) % ndim for i in axes])


@converts("broadcast_to")
def _(call: Call) -> str:
    return call.add("Expand", call.tensor(), call.vector(call.shape))


@converts("concatenate")
def _(call: Call) -> str:
    arrays, axis = [call.tensor(i) for i in range(len(call.step.arguments))], call.argument("axis")
    if axis is None:
        arrays, axis = [_flattened(call, a) for a in arrays], 0
    return call.add("Concat", *arrays, axis=int(axis))


@converts("pieces")
def _(call: Call) -> str:
    a, axis, runs = call.tensor(), call.argument("axis"), call.step.parameters["runs"]
    return call.add(
        "Concat", *(call.add("Slice", a, *[call.vector([i]) for i in (*run, axis)]) for run in runs), axis=axis
    )


@converts("stack")
def _(call: Call) -> str:
    axis, arrays = call.argument("axis"), range(len(call.step.arguments))
    return call.add("Concat", *(call.add("Unsqueeze", call.tensor(i), call.vector([axis])) for i in arrays), axis=axis)


@converts("pad")
def _(call: Call) -> str:
    widths = np.asarray(call.argument("pad_width"))
    value = np.asarray(call.argument("constant_values"))
    if value.size != 1:
        raise call.refusal(f"constant_values must be one number, not {value.tolist()}")
    return call.add(
        "Pad", call.tensor(), call.vector(widths.T.ravel().tolist()), call.graph.numbers(value.reshape(()), call.dtype)
    )


@converts("tile")
def _(call: Call) -> str:
    times = call.argument("times")
    missing = range(len(times) - len(call.shape_of()))
    # equivalent: without if missing else call.tensor() because no new axes change nothing
    a = call.add("Unsqueeze", call.tensor(), call.vector(missing)) if missing else call.tensor()
    return call.add("Tile", a, call.vector(times))


@converts("getitem")
def _(call: Call) -> str:
    """Slices first, then integers and an array of indices, and new axes last."""
    a, axis, position = call.tensor(), 0, 0
    sliced: list[tuple[int, slice]] = []
    picked: list[tuple[int, str]] = []
    inserted: list[int] = []
    for part in _index(call):
        if part is None:
            inserted.append(position)
        elif isinstance(part, slice):
            # equivalent: without if part != slice(None) else [] because a slice of all changes nothing
            sliced += [(axis, part)] if part != slice(None) else []
        else:
            picked.append((axis, _indices(call, part)))
        axis += part is not None
        position += 1 if part is None or isinstance(part, slice) else call.array_of(part).ndim
    if sliced:
        axes, parts = zip(*sliced, strict=True)
        starts, ends, steps = zip(*map(_ends, parts), strict=True)
        a = call.add("Slice", a, *map(call.vector, (starts, ends, axes, steps)))
    for axis, indices in reversed(picked):
        a = call.add("Gather", a, indices, axis=axis)
    # equivalent: without if inserted else a because no new axes change nothing
    return call.add("Unsqueeze", a, call.vector(inserted)) if inserted else a


def _index(call: Call) -> list[Any]:
    """The parts of the index, one for each axis or new axis. Raises ValueError for what has no nodes here."""
    index = call.step.arguments[1]
    parts = [np.asarray(p) if isinstance(p, list) else p for p in (index if type(index) is tuple else (index,))]
    kinds = [_kind(call, part) for part in parts]
    if "other" in kinds or kinds.count("array") > 1 or {"array", "number"} <= {*kinds}:
        raise call.refusal(
            "an index must be slices with integers, or with one array of integers, that are the same "
            "for all examples or an input"
        )
    axes = len(call.shape_of()) - sum(part is not None and part is not ... for part in parts)
    at = next((i for i, part in enumerate(parts) if part is ...), len(parts))
    return [*parts[:at], *[slice(None)] * axes, *parts[at + 1 :]]


def _kind(call: Call, part: Any) -> str:
    if part is None or part is ... or isinstance(part, slice):
        return "slice"
    if call.array_of(part).dtype.kind not in "iu":
        return "other"
    return "number" if isinstance(part, (int, np.integer)) else "array"


def _ends(part: slice) -> tuple[Any, Any, int]:
    """Start, end and step as ONNX writes them."""
    step = 1 if part.step is None else int(part.step)
    # equivalent: > -> >= because no step is 0
    start, end = (0, LAST) if step > 0 else (LAST, FIRST)
    return start if part.start is None else part.start, end if part.stop is None else part.stop, step


def _indices(call: Call, part: Any) -> str:
    if isinstance(part, (int, np.integer)):
        return call.graph.numbers(part, np.int64)
    return call.graph.cast(call.value(part, "index"), np.dtype(np.int64), call.name)


# products


@converts("einsum")
def _(call: Call) -> str:
    equation = f"{','.join(call.argument('inputs'))}->{call.argument('output')}"
    return call.add("Einsum", *(call.tensor(i) for i in range(len(call.step.arguments))), equation=equation)


# images


def _windows(call: Call, **more: str) -> dict[str, Any]:
    """The attributes that say where windows lie; more: {attribute: option of the op}."""
    name, options = call.op.__name__, {"strides": "stride", "pads": "padding"} | more
    # equivalent: option, name -> name, option because the op has refused what would raise here
    found = {key: pair(call.argument(option), option, name, 0) for key, option in options.items()}
    return {key: [*value] * (2 if key == "pads" else 1) for key, value in found.items()}


def _on_images(call: Call, kind: str, *others: str, **attributes: Any) -> str:
    """A node that takes a batch of images, also for one image alone."""
    if len(call.shape_of()) == 4:
        return call.add(kind, call.tensor(), *others, **attributes)
    images = call.add("Unsqueeze", call.tensor(), call.vector([0]))
    return call.add("Squeeze", call.add(kind, images, *others, **attributes), call.vector([0]))


@converts("conv2d", "conv_transpose2d")
def _(call: Call) -> str:
    attributes = _windows(call, dilations="dilation") | {"group": int(call.argument("groups"))}
    kernel = [call.tensor(i) for i in (1, 2) if call.step.arguments[i] is not None]
    if call.op.__name__ == "conv2d":
        return _on_images(call, "Conv", *kernel, **attributes)
    size, window = call.static(call.shape[-2:], "the size of an image"), call.shape_of(1)[2:]
    options = (attributes[name][:2] for name in ("strides", "pads", "dilations"))
    sides = zip(call.shape_of()[-2:], window, size, *options, strict=True)
    extra = [m - ((n - 1) * s - 2 * p + d * (k - 1) + 1) for n, k, m, s, p, d in sides]
    return _on_images(call, "ConvTranspose", *kernel, **attributes, output_padding=extra)


@converts("avg_pool2d", "max_pool2d", "l2_pool2d")
def _(call: Call) -> str:
    if call.argument("stride") is None:
        attributes = _windows(call, strides="window", kernel_shape="window")
    else:
        attributes = _windows(call, kernel_shape="window")
    if call.op.__name__ == "max_pool2d":
        return _on_images(call, "MaxPool", **attributes)
    if call.op.__name__ == "avg_pool2d":
        # equivalent: 1 -> 2 because any number but 0 stands for true
        return _on_images(call, "AveragePool", **attributes, count_include_pad=1)
    return _on_images(call, "LpPool", **attributes, p=2)
