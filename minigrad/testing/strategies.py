"""Hypothesis strategies for the inputs of functions of arrays: arrays alone, and whole calls.

Arrays are drawn as `array_strategies` says; here are axes, indices, products, convolutions and pools.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from .array_strategies import (
    Domain,
    broadcast_shapes,
    broadcastable,
    kind_of_input,
    odd_shape,
    shapes,
    tensors,
    tied,
    values,
)
from .strategy_arguments import checked

__all__ = ["Call", "axes", "broadcastable", "conv2d_inputs", "einsum_inputs", "indices", "matmul_inputs"]
__all__ += ["pool2d_inputs", "reductions", "shapes", "tensors", "tied", "values"]


class Call(NamedTuple):
    """What a function is called with: `fn(*arguments, **parameters)`.

    >>> mg.testing.strategies.Call((1.0,), {"axis": 0})
    Call(arguments=(1.0,), parameters={'axis': 0})
    """

    arguments: tuple
    parameters: dict[str, Any]


@checked
def axes(ndim: int, *, none: bool = True, several: bool = True) -> st.SearchStrategy:
    """What `axis=` may be for an array of `ndim` axes, each kind as likely: None, one axis, one from the end, a tuple.

    A tuple may have axes from the end too, and may be empty.

    >>> from hypothesis import find
    >>> find(mg.testing.strategies.axes(2), lambda axis: axis is not None)
    0
    """
    options: list[st.SearchStrategy] = [st.none()] if none else []
    if ndim:
        options += [st.integers(0, ndim - 1), st.integers(-ndim, -1)]
        if several:
            options.append(npst.valid_tuple_axes(ndim))
    return st.sampled_from(options).flatmap(lambda kind: kind) if options else st.just(())


@checked
@st.composite
def reductions(
    draw: st.DrawFn,
    *,
    domain: Domain = (-2.0, 2.0),
    gap: bool = False,
    min_side: int = 1,
    several: bool = True,
    keepdims: bool = True,
    max_dims: int = 3,
) -> Call:
    """Calls (a, axis, keepdims=...) of a reduction.

    >>> test_mean = mg.testing.gradtest(mg.testing.strategies.reductions())(np.mean)
    """
    a = draw(tensors(domain=domain, gap=gap, min_side=min_side, max_side=3, max_dims=max_dims))
    axis = draw(axes(a.ndim, several=several))
    return Call((a, axis), {"keepdims": draw(st.booleans())} if keepdims else {})


@checked
@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """An index of an array of this shape, each kind as likely.

    Slices, integers, new axes and ellipsis; slices with negative steps; integer arrays; integer arrays that repeat
    an entry, beside slices and integers; boolean arrays.

    >>> index = mg.testing.strategies.indices((3, 2))
    """
    kinds: list[st.SearchStrategy] = [npst.basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds.append(st.tuples(*(st.sampled_from([-1, -2]).map(lambda step: slice(None, None, step)) for _ in shape)))
        # equivalent: max_dims=2 -> max_dims=3; max_side=3 -> max_side=any number because how large it is only tunes
        kinds.append(npst.integer_array_indices(shape, result_shape=shapes(max_dims=2, max_side=3)))
        kinds.append(npst.arrays(bool, shape))
        kinds.append(_repeated_index(shape))
    return draw(kind_of_input(draw, kinds))


@st.composite
def _repeated_index(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple:
    """An integer array that names an entry twice for one axis, a slice or an integer for each of the others."""
    where = draw(st.integers(0, len(shape) - 1))
    parts: list[Any] = [draw(st.slices(size) | st.integers(-size, size - 1)) for size in shape]
    entries = draw(st.lists(st.integers(-shape[where], shape[where] - 1), min_size=1, max_size=3))
    parts[where] = np.array([*entries, entries[0]])
    return tuple(parts)


@checked
@st.composite
def matmul_inputs(
    draw: st.DrawFn, *, max_side: int = 3, min_side: int = 0, scales: Sequence[float] = (1.0,)
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (x1, x2) for matmul, each kind as likely: vectors, matrices, and batches, which broadcast.

    >>> test_matmul = mg.testing.gradtest(mg.testing.strategies.matmul_inputs())(np.matmul)
    """
    odd = draw(st.sampled_from(["full", "full", "one", "full", "square", "full", "full", "empty"]))
    rows, inner, columns = odd_shape(draw, 3, odd, min_side, max_side)
    left = (rows,) if draw(st.booleans()) else ()
    right = (columns,) if draw(st.booleans()) else ()
    leads: list[tuple[int, ...]] = [(), ()]
    if left and right and draw(st.booleans()):
        # equivalent: min_dims=1 -> min_dims=0 because how often there is no batch only tunes
        batch = draw(shapes(min_dims=1, max_dims=2, min_side=1, max_side=max_side))
        leads = broadcast_shapes(draw, batch, 2)  # equivalent: 2 -> 3 because how often each is stretched only tunes
    scale = (draw(st.sampled_from(scales)),)
    x1 = draw(values((*leads[0], *left, inner), scales=scale))
    return x1, draw(values((*leads[1], inner, *right), scales=scale))


@checked
@st.composite
def einsum_inputs(draw: st.DrawFn, *, max_operands: int = 3, max_side: int = 3) -> Call:
    """Calls (subscripts, *arrays) of einsum: letters that repeat within an operand, that are summed or kept.

    >>> test_einsum = mg.testing.gradtest(mg.testing.strategies.einsum_inputs())(np.einsum)
    """
    # equivalent: 4 -> 5 because how often all four are used only tunes
    letters = "ijAB"[: draw(st.integers(1, 4))]
    sizes = {letter: draw(st.integers(1, max_side)) for letter in letters}
    count = draw(st.integers(1, max_operands))
    operands = ["".join(draw(st.lists(st.sampled_from(letters), max_size=3))) for _ in range(count)]
    used = sorted(set("".join(operands)))
    kept = draw(st.lists(st.sampled_from(used), unique=True)) if used else []
    subscripts = ",".join(operands) + draw(st.sampled_from(["", "->" + "".join(kept)]))
    arrays = [draw(values(tuple(sizes[letter] for letter in operand))) for operand in operands]
    return Call((subscripts, *arrays), {})


def _option(draw: st.DrawFn, pair: tuple[int, ...]) -> int | tuple[int, ...]:
    """A pair (rows, columns), as one int where it can be and the draw says so."""
    rows, columns = pair
    return rows if rows == columns and draw(st.booleans()) else pair


def _pairs(least: int, most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(least, most), st.integers(least, most))


def _windows(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int]]:
    """(window, stride): along each axis the windows touch, overlap or leave gaps, each as likely."""
    fits = [(1, 1), (2, 2), (3, 3)], [(2, 1), (3, 1), (3, 2)], [(1, 2), (2, 3), (1, 3)]
    rows, columns = (draw(st.sampled_from(kind_of_input(draw, fits))) for _ in range(2))
    return (rows[0], columns[0]), (rows[1], columns[1])


@checked
@st.composite
def conv2d_inputs(
    draw: st.DrawFn, *, max_out: int = 2, bias: bool = True, batches: Sequence[tuple[int, ...]] = ((), (1,), (2,))
) -> Call:
    """Calls (x, k, b, stride=, padding=, dilation=, groups=) of conv2d; b may be None.

    batches: what the shape of x may begin with, before its channels.

    The image is built from the size of the output, so nothing is thrown away, and rows and columns
    that no window reads are drawn too: in = (out - 1) s + d (k - 1) + 1 - 2p + r, with r < s.

    >>> test_conv2d = mg.testing.gradtest(mg.testing.strategies.conv2d_inputs(), order=1)(mg.conv2d)
    """
    out, (window, stride) = draw(_pairs(1, max_out)), _windows(draw)
    dilation, groups = draw(_pairs(1, 2)), draw(st.integers(1, 2))
    image, padding = _image(draw, out, window, stride, dilation, most_padding=2)
    per_group, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2)) * groups
    batch = draw(st.sampled_from(batches))
    x = draw(values((*batch, per_group * groups, *image)))
    k = draw(values((filters, per_group, *window)))
    b = draw(values((filters,))) if draw(st.booleans()) else None
    options: dict[str, Any] = {
        "stride": _option(draw, stride), "padding": _option(draw, padding), "dilation": _option(draw, dilation)
    }  # fmt: skip
    return Call((x, k, b) if bias else (x, k), {**options, "groups": groups})


def _image(
    draw: st.DrawFn,
    out: tuple[int, int],
    window: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    most_padding: int,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(image, padding) for this output, each axis at least 1 wide; a rest is as likely as none."""
    image, padding = [], []
    for n, k, s, d in zip(out, window, stride, dilation, strict=True):
        rest = draw(st.integers(1, s - 1)) if s > 1 and draw(st.booleans()) else 0
        padded = (n - 1) * s + d * (k - 1) + 1 + rest
        p = draw(st.integers(0, min(most_padding, (padded - 1) // 2)))
        image.append(padded - 2 * p)
        padding.append(p)
    return tuple(image), tuple(padding)


@checked
@st.composite
def pool2d_inputs(
    draw: st.DrawFn,
    *,
    gap: bool = False,
    domain: Domain = (-2.0, 2.0),
    leads: Sequence[tuple[int, ...]] = ((1,), (2,), (2, 1), (2, 2)),
) -> Call:
    """Calls (x, window, stride=, padding=) of a pooling: windows that touch, overlap, leave gaps or leave a rest.

    leads: what the shape of x may begin with, before its rows and columns.

    >>> test_avg_pool2d = mg.testing.gradtest(mg.testing.strategies.pool2d_inputs())(mg.avg_pool2d)
    """
    out, (window, stride) = draw(_pairs(1, 2)), _windows(draw)
    image, _ = _image(draw, out, window, stride, (1, 1), most_padding=0)
    padding = draw(st.tuples(st.integers(0, window[0] // 2), st.integers(0, window[1] // 2)))
    lead = draw(st.sampled_from(leads))
    x = draw(values((*lead, *image), domain=domain, gap=gap))
    options: dict[str, Any] = {"padding": _option(draw, padding)}
    if stride != window or draw(st.booleans()):
        options["stride"] = _option(draw, stride)
    return Call((x, _option(draw, window)), options)
