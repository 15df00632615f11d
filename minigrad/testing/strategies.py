"""Hypothesis strategies for the inputs of functions of arrays.

Shapes and parameters are drawn, and shrink; the values of an array come from a drawn seed, which
is some hundred times faster than drawing them, and shrink to a small readable lattice.
"""

import itertools
import math
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from .tolerances import REACH

Domain = tuple[float, float]

_CELL = 1 / 8
_round: ContextVar[int] = ContextVar("round", default=0)
_numbering = st.shared(st.builds(itertools.count), key="minigrad.testing: the arrays of one example")


class Call(NamedTuple):
    """What a function is called with: `fn(*arguments, **parameters)`."""

    arguments: tuple
    parameters: dict[str, Any]


def _kind(draw: st.DrawFn, kinds: Sequence[Any]) -> Any:
    """One of several kinds of input, each as likely.

    The first example of a Hypothesis test is the simplest. gradtest runs several tests, and in each of them another
    kind is the simplest: so each is drawn within a few examples.
    """
    return kinds[(draw(st.integers(0, len(kinds) - 1)) + _round.get()) % len(kinds)]


def _lattice(size: int, domain: Domain, lane: int, lanes: int, capacity: int) -> tuple[np.ndarray, float]:
    """Distinct cells of the domain in increasing order, every `lanes`-th one from `lane` on: (positions, width).

    Cells are 1/8 wide where the domain has room for `capacity` values, also those of arrays of
    another size; their borders are multiples of the width, 0 among them.
    """
    low, high = domain
    cell = _CELL
    if (capacity + 1) * lanes * cell > high - low:
        cell = (high - low) / ((capacity + 1) * lanes)
    least = math.ceil(low / (cell * lanes) - 1e-9)
    most = max(math.floor(high / (cell * lanes) + 1e-9) - size, least)
    first = min(max(-(size // 2), least), most)  # around 0, as evenly as the domain allows
    return (first + np.arange(size)) * lanes + lane, cell


def _placed(positions: np.ndarray, cell: float, seed: int, number: int) -> np.ndarray:
    """One value a cell, in its outer half, at random: neither sums nor products of them meet by accident.

    `number` counts the arrays of an example, so that no two are alike. Seed 0, to which all shrink,
    has few digits.
    """
    generator = np.random.default_rng([seed, number])
    share = generator.uniform(0.55, 0.75, positions.size)
    a = np.where(positions >= 0, positions + share, positions + 1 - share) * cell
    if seed:
        return a[generator.permutation(positions.size)]
    return np.round(a, 3 - math.floor(math.log10(cell)))


def _inside(domain: Domain) -> Domain:
    """The domain without its edges, so that no step of a check leaves it: they reach up to 1/64 of a value."""
    low, high = map(float, domain)
    least, most = low + 2 * REACH * abs(low), high - 2 * REACH * abs(high)
    if not least < most:
        raise ValueError(
            f"tensors: the domain must be a pair (low, high) with low < high, and so far apart that 1/32 of each "
            f"leaves something between them, not {domain}"
        )
    return least, most


def values(
    shape: tuple[int, ...],
    *,
    domain: Domain = (-2.0, 2.0),
    gap: bool = False,
    scales: Sequence[float] = (1.0,),
    lane: int = 0,
    lanes: int = 1,
    capacity: int | None = None,
) -> st.SearchStrategy[np.ndarray]:
    """Arrays of one shape. See `tensors`; `capacity` is the size of the largest array among the lanes."""
    low, high = _inside(domain)
    size = math.prod(shape)
    positions, cell = _lattice(size, (low, high), lane, lanes, size if capacity is None else capacity)

    def lattice(seed, numbers, scale):
        return _placed(positions, cell, seed, next(numbers)).reshape(shape) * scale

    def spread(seed, numbers, scale):
        return np.random.default_rng([seed, next(numbers)]).uniform(low, high, shape) * scale

    def decades(seed, numbers, scale):
        a = np.random.default_rng([seed, next(numbers)]).uniform(low, high, shape)
        return a * 1e-3 ** np.random.default_rng([seed, 0]).uniform(0, 1, shape) * scale

    modes = [lattice] if gap else [lattice, spread, decades] if low <= 0 <= high else [lattice, spread]
    seeds = st.integers(0, 2**32 - 1)
    return st.builds(
        lambda mode, *drawn: mode(*drawn), st.sampled_from(modes), seeds, _numbering, st.sampled_from(scales)
    )


_SHAPES = (
    (0, "full"), (1, "full"), (2, "full"), (3, "full"), (2, "square"), (2, "one"), (1, "empty"), (3, "one"),
    (3, "full"), (2, "full"), (3, "square"), (1, "one"),
)  # fmt: skip


@st.composite
def shapes(
    draw: st.DrawFn, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> tuple[int, ...]:
    """Shapes; one in twelve is empty, and one in four has an axis of length 1, if `min_side` allows it.

    The others have no side of 1 or 0: what is transposed there shows. Some have two equal last sides.
    """
    kinds = [(ndim, odd) for ndim, odd in _SHAPES if min_dims <= ndim <= max_dims]
    kinds += [(ndim, "full") for ndim in range(max(4, min_dims), max_dims + 1)]
    ndim, odd = _kind(draw, kinds)
    return _shape(draw, ndim, odd, min_side, max_side)


def _shape(draw: st.DrawFn, ndim: int, odd: str, min_side: int, max_side: int) -> tuple[int, ...]:
    """A shape of so many axes that is full, or has two equal sides, an axis of length 1, or an empty one."""
    least = min(max(min_side, 2), max_side)
    sides = [draw(st.integers(least, max_side)) for _ in range(ndim)]
    if odd == "square":
        sides[-1] = sides[-2]
    for kind, side in (("one", 1), ("empty", 0)):
        if odd == kind and min_side <= side <= max_side:
            sides[draw(st.integers(0, ndim - 1))] = side
    return tuple(sides)


def tensors(
    shape: tuple[int, ...] | st.SearchStrategy | None = None,
    *,
    domain: Domain = (-2.0, 2.0),
    gap: bool = False,
    scales: Sequence[float] = (1.0,),
    lane: int = 0,
    lanes: int = 1,
    **sides: int,
) -> st.SearchStrategy[np.ndarray]:
    """float64 arrays to differentiate at.

    shape:  a shape, a strategy of shapes, or None: any, with `min_dims max_dims min_side max_side` as in `shapes`
    domain: (low, high), where the values lie, 1/32 of each away from it: steps of up to 1/64 stay inside. Where it
            holds 0, a third of the arrays has entries of all sizes down to a thousandth of it
    gap:    keep the values apart from each other and from 0: distinct cells of a shuffled lattice,
            for functions with kinks at 0 or at ties
    scales: the values are multiplied by one of these, drawn: scales=(1, 10, 1e3, 1e-3)
    lane, lanes: with a gap, arrays of different lanes out of `lanes` are kept apart as well

    >>> from hypothesis import find
    >>> find(mg.testing.strategies.tensors((2,), domain=(0, 1)), lambda a: True).tolist()
    [0.0847, 0.2005]
    """
    options: dict[str, Any] = {"domain": domain, "gap": gap, "scales": scales, "lane": lane, "lanes": lanes}
    if shape is None:
        shape = shapes(**sides)
    elif sides:
        raise ValueError(f"tensors: give the shape or {', '.join(sides)}, not both")
    if isinstance(shape, st.SearchStrategy):
        return shape.flatmap(lambda drawn: values(drawn, **options))
    return values(tuple(shape), **options)


def tied(shape: tuple[int, ...] | st.SearchStrategy | None = None, **sides: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays at kinks: most entries are equal to others, some are 0. For gradtest(..., kink=True); keep them small."""
    levels = np.array([-1.0, 0.0, 0.5])

    def of_shape(drawn):
        size = math.prod(drawn)
        return st.integers(0, 2**32 - 1).map(
            lambda seed: levels[np.random.default_rng(seed).integers(0, len(levels), size)].reshape(drawn)
        )

    if shape is None:
        shape = shapes(**sides)
    return shape.flatmap(of_shape) if isinstance(shape, st.SearchStrategy) else of_shape(shape)


def _broadcast(draw: st.DrawFn, result: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
    """The shapes of `count` operands of this result, each kind of broadcast as likely."""
    ndim = len(result)
    if count == 1 or ndim == 0:
        return [result] * count
    for_one = ["column", "number", "row"] if ndim > 1 else ["column", "number"]
    each = [(kind, i) for i in reversed(range(count)) for kind in for_one]
    kind, special = _kind(draw, [("same", 0), ("outer" if ndim > 1 else "same", 0), *each])
    if kind == "outer":  # each axis has length 1 in one of the operands
        return [_flattened(result, range(i, ndim, count)) for i in range(count)]
    operands = [result] * count
    if kind == "number":
        operands[special] = ()
    elif kind == "row":  # the leading axes are missing
        operands[special] = result[draw(st.integers(1, ndim - 1)) :]
    elif kind == "column":  # one or two axes have length 1
        axes = draw(st.tuples(st.integers(0, ndim - 1), st.integers(0, ndim - 1)))
        operands[special] = _flattened(result, axes)
    return operands


def _flattened(shape: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """The shape with some axes of length 1."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(shape))


@st.composite
def broadcastable(
    draw: st.DrawFn,
    count: int = 2,
    *,
    domain: Domain | list[Domain] = (-2.0, 2.0),
    gap: bool = False,
    scales: Sequence[float] = (1.0,),
    max_dims: int = 3,
    min_side: int = 0,
    max_side: int = 4,
) -> tuple[np.ndarray, ...]:
    """Tuples of `count` arrays whose shapes broadcast together.

    The shape of the result is drawn first, then how they come to it, each as likely: all alike; one without the
    leading axes, as a bias row; one with axes of length 1; each with some of length 1; one a number.

    domain: one pair (low, high), or a list of them, one for each array. gap, scales: as in `tensors`, over all arrays.
    """
    odd = draw(st.sampled_from(["full", "full", "square", "full", "one", "full", "full", "full", "one", "empty"]))
    ndim = draw(st.integers(min(2, max_dims), max_dims))
    result = _shape(draw, ndim, odd if ndim > 1 else "full", min_side, max_side)
    drawn = _broadcast(draw, result, count)
    domains = domain if isinstance(domain, list) else [domain] * count
    capacity = max(map(math.prod, drawn))
    scale = (draw(st.sampled_from(scales)),)
    return tuple(
        draw(
            values(
                shape, domain=each, gap=gap, scales=scale, lane=i * gap, lanes=count if gap else 1, capacity=capacity
            )
        )
        for i, (shape, each) in enumerate(zip(drawn, domains, strict=True))
    )


def axes(ndim: int, *, none: bool = True, several: bool = True) -> st.SearchStrategy:
    """What `axis=` may be for an array of `ndim` axes, each kind as likely: None, one axis, one from the end, a tuple.

    A tuple may have axes from the end too, and may be empty.
    """
    options: list[st.SearchStrategy] = [st.none()] if none else []
    if ndim:
        options += [st.integers(0, ndim - 1), st.integers(-ndim, -1)]
        if several:
            options.append(npst.valid_tuple_axes(ndim))
    return st.sampled_from(options).flatmap(lambda kind: kind) if options else st.just(())


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
    """Calls (a, axis, keepdims=...) of a reduction."""
    a = draw(tensors(domain=domain, gap=gap, min_side=min_side, max_side=3, max_dims=max_dims))
    axis = draw(axes(a.ndim, several=several))
    return Call((a, axis), {"keepdims": draw(st.booleans())} if keepdims else {})


@st.composite
def indices(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """An index of an array of this shape, each kind as likely.

    Slices, integers, new axes and ellipsis; slices with negative steps; integer arrays; integer arrays that repeat
    an entry, beside slices and integers; boolean arrays.
    """
    kinds: list[st.SearchStrategy] = [npst.basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds.append(st.tuples(*(st.sampled_from([-1, -2]).map(lambda step: slice(None, None, step)) for _ in shape)))
        kinds.append(npst.integer_array_indices(shape, result_shape=shapes(max_dims=2, max_side=3)))
        kinds.append(npst.arrays(bool, shape))
        kinds.append(_repeated_index(shape))
    return draw(_kind(draw, kinds))


@st.composite
def _repeated_index(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple:
    """An integer array that names an entry twice for one axis, a slice or an integer for each of the others."""
    where = draw(st.integers(0, len(shape) - 1))
    parts: list[Any] = [draw(st.slices(size) | st.integers(-size, size - 1)) for size in shape]
    entries = draw(st.lists(st.integers(-shape[where], shape[where] - 1), min_size=1, max_size=3))
    parts[where] = np.array([*entries, entries[0]])
    return tuple(parts)


@st.composite
def matmul_inputs(
    draw: st.DrawFn, *, max_side: int = 3, min_side: int = 0, scales: Sequence[float] = (1.0,)
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (x1, x2) for matmul, each kind as likely: vectors, matrices, and batches, which broadcast."""
    odd = draw(st.sampled_from(["full", "full", "one", "full", "square", "full", "full", "empty"]))
    rows, inner, columns = _shape(draw, 3, odd, min_side, max_side)
    left = (rows,) if draw(st.booleans()) else ()
    right = (columns,) if draw(st.booleans()) else ()
    leads: list[tuple[int, ...]] = [(), ()]
    if left and right and draw(st.booleans()):
        batch = draw(shapes(min_dims=1, max_dims=2, min_side=1, max_side=max_side))
        leads = _broadcast(draw, batch, 2)
    scale = (draw(st.sampled_from(scales)),)
    x1 = draw(values((*leads[0], *left, inner), scales=scale))
    return x1, draw(values((*leads[1], inner, *right), scales=scale))


@st.composite
def einsum_inputs(draw: st.DrawFn, *, max_operands: int = 3, max_side: int = 3) -> Call:
    """Calls (subscripts, *arrays) of einsum: letters that repeat within an operand, that are summed or kept."""
    letters = "ijAB"[: draw(st.integers(1, 4))]
    sizes = {letter: draw(st.integers(1, max_side)) for letter in letters}
    count = draw(st.integers(1, max_operands))
    operands = [draw(st.text(letters, max_size=3)) for _ in range(count)]
    used = sorted(set("".join(operands)))
    kept = draw(st.lists(st.sampled_from(used), unique=True)) if used else []
    subscripts = ",".join(operands)
    if draw(st.booleans()):
        subscripts += "->" + "".join(kept)
    arrays = [draw(values(tuple(sizes[letter] for letter in operand))) for operand in operands]
    return Call((subscripts, *arrays), {})


def _option(draw: st.DrawFn, pair: tuple[int, ...]) -> int | tuple[int, ...]:
    """A pair (rows, columns), as one int where it can be and the draw says so."""
    return pair[0] if pair[0] == pair[1] and draw(st.booleans()) else pair


def _pairs(least: int, most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(least, most), st.integers(least, most))


def _windows(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int]]:
    """(window, stride): along each axis the windows touch, overlap or leave gaps, each as likely."""
    fits = [(1, 1), (2, 2), (3, 3)], [(2, 1), (3, 1), (3, 2)], [(1, 2), (2, 3), (1, 3)]
    rows, columns = (draw(st.sampled_from(_kind(draw, fits))) for _ in range(2))
    return (rows[0], columns[0]), (rows[1], columns[1])


@st.composite
def conv2d_inputs(
    draw: st.DrawFn, *, max_out: int = 2, bias: bool = True, batches: Sequence[tuple[int, ...]] = ((), (1,), (2,))
) -> Call:
    """Calls (x, k, b, stride=, padding=, dilation=, groups=) of conv2d; b may be None.

    batches: what the shape of x may begin with, before its channels.

    The image is built from the size of the output, so nothing is thrown away, and rows and columns
    that no window reads are drawn too: in = (out - 1) s + d (k - 1) + 1 - 2p + r, with r < s.
    """
    out, (window, stride) = draw(_pairs(1, max_out)), _windows(draw)
    dilation, groups = draw(_pairs(1, 2)), draw(st.integers(1, 2))
    image, padding = _image(draw, out, window, stride, dilation, most_padding=2)
    per_group, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2)) * groups
    batch = draw(st.sampled_from(batches))
    x = draw(values((*batch, per_group * groups, *image)))
    k = draw(values((filters, per_group, *window)))
    b = draw(values((filters,))) if bias and draw(st.booleans()) else None
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
