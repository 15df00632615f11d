"""Hypothesis strategies for the inputs of functions of arrays.

Shapes and parameters are drawn, and shrink; the values of an array come from a drawn seed, which
is some hundred times faster than drawing them, and shrink to a small readable lattice.
"""

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from .tolerances import REACH

_CELL = 1 / 8
_numbering = st.shared(st.builds(itertools.count), key="minigrad.testing: the arrays of one example")


class Call(NamedTuple):
    """What a function is called with: `fn(*arguments, **parameters)`."""

    arguments: tuple
    parameters: dict[str, Any]


def _lattice(size, domain, lane, lanes, capacity):
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


def _placed(positions, cell, seed, number):
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


def _inside(domain):
    """The domain without its edges, so that no step of a check leaves it: they reach up to 1/64 of a value."""
    low, high = map(float, domain)
    least, most = low + 2 * REACH * abs(low), high - 2 * REACH * abs(high)
    if not least < most:
        raise ValueError(
            f"tensors: the domain must be a pair (low, high) with low < high, and so far apart that 1/32 of each "
            f"leaves something between them, not {domain}"
        )
    return least, most


def values(shape, *, domain=(-2.0, 2.0), gap=False, lane=0, lanes=1, capacity=None):
    """Arrays of one shape. See `tensors`; `capacity` is the size of the largest array among the lanes."""
    low, high = _inside(domain)
    size = math.prod(shape)
    positions, cell = _lattice(size, (low, high), lane, lanes, size if capacity is None else capacity)

    def lattice(drawn):
        seed, numbers = drawn
        return _placed(positions, cell, seed, next(numbers)).reshape(shape)

    def spread(drawn):
        seed, numbers = drawn
        return np.random.default_rng([seed, next(numbers)]).uniform(low, high, shape)

    seeds = st.tuples(st.integers(0, 2**32 - 1), _numbering)
    return seeds.map(lattice) if gap else seeds.map(lattice) | seeds.map(spread)


def shapes(*, min_dims=0, max_dims=3, min_side=0, max_side=4):
    """Shapes, 0-d and empty ones included unless the least dimensions and sides say otherwise.

    Half of them have two axes or more, and no side of 1 or 0: what is transposed there shows.
    """
    full = npst.array_shapes(
        min_dims=max(min_dims, min(2, max_dims)),
        max_dims=max_dims,
        min_side=max(min_side, min(2, max_side)),
        max_side=max_side,
    )
    return npst.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side) | full


def tensors(shape=None, *, domain=(-2.0, 2.0), gap=False, lane=0, lanes=1, **sides):
    """float64 arrays to differentiate at.

    shape:  a shape, a strategy of shapes, or None: any, with `min_dims max_dims min_side max_side` as in `shapes`
    domain: (low, high), where the values lie, 1/32 of each away from it: steps of up to 1/64 stay inside
    gap:    keep the values apart from each other and from 0: distinct cells of a shuffled lattice,
            for functions with kinks at 0 or at ties
    lane, lanes: with a gap, arrays of different lanes out of `lanes` stay apart too
    """
    options = {"domain": domain, "gap": gap, "lane": lane, "lanes": lanes}
    if shape is None:
        shape = shapes(**sides)
    elif sides:
        raise ValueError(f"tensors: give the shape or {', '.join(sides)}, not both")
    if isinstance(shape, st.SearchStrategy):
        return shape.flatmap(lambda drawn: values(drawn, **options))
    return values(tuple(shape), **options)


@st.composite
def broadcastable(draw, count=2, *, domain=(-2.0, 2.0), gap=False, max_dims=3, min_side=0, max_side=4):
    """Tuples of `count` arrays whose shapes broadcast together.

    domain: one pair (low, high), or a list of them, one an array. gap: as in `tensors`, over all arrays.
    """
    drawn = draw(
        npst.mutually_broadcastable_shapes(num_shapes=count, max_dims=max_dims, min_side=min_side, max_side=max_side)
    )
    domains = domain if isinstance(domain, list) else [domain] * count
    capacity = max(map(math.prod, drawn.input_shapes))
    return tuple(
        draw(values(shape, domain=each, gap=gap, lane=i * gap, lanes=count if gap else 1, capacity=capacity))
        for i, (shape, each) in enumerate(zip(drawn.input_shapes, domains, strict=True))
    )


def axes(ndim, *, none=True, several=True):
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
def reductions(draw, *, domain=(-2.0, 2.0), gap=False, min_side=1, several=True, keepdims=True, max_dims=3):
    """Calls (a, axis, keepdims=...) of a reduction."""
    a = draw(tensors(domain=domain, gap=gap, min_side=min_side, max_side=3, max_dims=max_dims))
    axis = draw(axes(a.ndim, several=several))
    return Call((a, axis), {"keepdims": draw(st.booleans())} if keepdims else {})


@st.composite
def indices(draw, shape):
    """An index of an array of this shape: slices, integers, new axes, ellipsis, integer and boolean arrays.

    Integer arrays may name an entry many times.
    """
    kinds: list[st.SearchStrategy] = [npst.basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds.append(npst.integer_array_indices(shape, result_shape=shapes(max_dims=2, max_side=3)))
        kinds.append(npst.arrays(bool, shape))
        kinds.append(_mixed_index(shape))
    return draw(st.one_of(kinds))


@st.composite
def _mixed_index(draw, shape):
    """An integer array for one axis, a slice or an integer for each of the others."""
    where = draw(st.integers(0, len(shape) - 1))
    parts: list[Any] = [draw(st.slices(size) | st.integers(-size, size - 1)) for size in shape]
    parts[where] = draw(npst.arrays(np.intp, st.integers(1, 3), elements=st.integers(-shape[where], shape[where] - 1)))
    return tuple(parts)


@st.composite
def matmul_inputs(draw, *, max_side=3, min_side=0):
    """Pairs (x1, x2) for matmul: vectors, matrices and batches that broadcast."""
    drawn = draw(
        npst.mutually_broadcastable_shapes(signature="(m?,n),(n,p?)->(m?,p?)", min_side=min_side, max_side=max_side)
    )
    return tuple(draw(values(shape)) for shape in drawn.input_shapes)


@st.composite
def einsum_inputs(draw, *, max_operands=3, max_side=3):
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


def _option(draw, pair, plain):
    """A pair (rows, columns), as one int where it can be and the draw says so."""
    return pair[0] if pair[0] == pair[1] and draw(plain) else pair


def _pairs(least, most):
    return st.tuples(st.integers(least, most), st.integers(least, most))


@st.composite
def conv2d_inputs(draw, *, max_out=2, bias=True, batches=((), (1,), (2,))):
    """Calls (x, k, b, stride=, padding=, dilation=, groups=) of conv2d; b may be None.

    batches: what the shape of x may begin with, before its channels.

    The image is built from the size of the output, so nothing is thrown away, and rows and columns
    that no window reads are drawn too: in = (out - 1) s + d (k - 1) + 1 - 2p + r, with r < s.
    """
    out, window, stride = draw(_pairs(1, max_out)), draw(_pairs(1, 3)), draw(_pairs(1, 3))
    dilation, groups = draw(_pairs(1, 2)), draw(st.integers(1, 2))
    image, padding = _image(draw, out, window, stride, dilation, most_padding=2)
    per_group, filters = draw(st.integers(1, 2)), draw(st.integers(1, 2)) * groups
    batch = draw(st.sampled_from(batches))
    x = draw(values((*batch, per_group * groups, *image)))
    k = draw(values((filters, per_group, *window)))
    b = draw(values((filters,))) if bias and draw(st.booleans()) else None
    plain = st.booleans()
    options = {name: _option(draw, value, plain) for name, value in
               [("stride", stride), ("padding", padding), ("dilation", dilation)]}  # fmt: skip
    return Call((x, k, b) if bias else (x, k), {**options, "groups": groups})


def _image(draw, out, window, stride, dilation, most_padding):
    """(image, padding) for this output, each axis at least 1 wide."""
    image, padding = [], []
    for n, k, s, d in zip(out, window, stride, dilation, strict=True):
        padded = (n - 1) * s + d * (k - 1) + 1 + draw(st.integers(0, s - 1))
        p = draw(st.integers(0, min(most_padding, (padded - 1) // 2)))
        image.append(padded - 2 * p)
        padding.append(p)
    return tuple(image), tuple(padding)


@st.composite
def pool2d_inputs(draw, *, gap=False, domain=(-2.0, 2.0), leads=((1,), (2,), (2, 1), (2, 2))):
    """Calls (x, window, stride=, padding=) of a pooling: windows that overlap, leave gaps or leave a rest.

    leads: what the shape of x may begin with, before its rows and columns.
    """
    out, window = draw(_pairs(1, 2)), draw(_pairs(1, 3))
    default = draw(st.booleans())
    stride = window if default else draw(_pairs(1, 3))
    image, _ = _image(draw, out, window, stride, (1, 1), most_padding=0)
    padding = tuple(draw(st.integers(0, size // 2)) for size in window)
    lead = draw(st.sampled_from(leads))
    x = draw(values((*lead, *image), domain=domain, gap=gap))
    plain = st.booleans()
    options: dict[str, Any] = {"padding": _option(draw, padding, plain)}
    if not default:
        options["stride"] = _option(draw, stride, plain)
    return Call((x, _option(draw, window, plain)), options)
