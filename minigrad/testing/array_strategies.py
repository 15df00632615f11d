"""Hypothesis strategies for arrays: their shapes, also such that broadcast together, and their values.

Shapes are drawn, and shrink. The values of an array come from a drawn seed, since drawing each of them is slow; they
shrink to a small readable lattice.
"""

import itertools
import math
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .strategy_arguments import checked
from .tolerances import REACH

Domain = tuple[float, float]

_CELL = 1 / 8
_LEAST = 1e-3  # of the domain: the size of the smallest entries
_SEEDS = st.integers(0, 2**32 - 1)
ROUND: ContextVar[int] = ContextVar("round", default=0)
_numbering = st.shared(st.builds(itertools.count), key="minigrad.testing: the arrays of one example")


def kind_of_input(draw: st.DrawFn, kinds: Sequence[Any]) -> Any:
    """One of several kinds of input, each as likely.

    The first example of a Hypothesis test is the simplest. gradtest runs several tests, and in each of them another
    kind is the simplest: so each is drawn within a few examples.
    """
    return kinds[(draw(st.sampled_from(range(len(kinds)))) + ROUND.get()) % len(kinds)]


def _lattice(size: int, domain: Domain, lane: int, lanes: int, capacity: int) -> tuple[np.ndarray, float]:
    """Distinct cells of the domain in increasing order, every `lanes`-th one from `lane` on: (positions, width).

    Cells are 1/8 wide where the domain has room for `capacity` values, also those of arrays of
    another size; their borders are multiples of the width, 0 among them.
    """
    low, high = domain
    cell = min(_CELL, (high - low) / ((capacity + 1) * lanes))
    least = math.ceil(low / (cell * lanes))
    most = max(math.floor(high / (cell * lanes)) - size, least)
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
    return generator.permutation(a) if seed else np.round(a, 3 - math.floor(math.log10(cell)))


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


@checked
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
    """Arrays of one shape. See `tensors`; `capacity` is the size of the largest array among the lanes.

    >>> from hypothesis import find
    >>> find(mg.testing.strategies.values((2,), gap=True), lambda a: True).tolist()
    [-0.0847, 0.0755]
    """
    low, high = _inside(domain)
    size = math.prod(shape)
    positions, cell = _lattice(size, (low, high), lane, lanes, size if capacity is None else capacity)

    # equivalent: any factor because the values are random, and lie 1/32 away from the edges
    def array(mode, seed, numbers, scale):
        number = next(numbers)
        if mode == "lattice":
            a = _placed(positions, cell, seed=seed, number=number)
        else:
            generator = np.random.default_rng([seed, number])
            a = generator.uniform(low, high, size)
            if mode == "decades":
                a = a * _LEAST ** generator.random(size)
            if mode == "one sign":
                a = np.abs(a) * (generator.choice([1, -1]) if low == -high else 1 if high > -low else -1)
        return (a * scale).reshape(shape)

    modes = ["lattice"] if gap else ["lattice", "spread"] + ["decades", "one sign"] * (low <= 0 <= high)
    return st.builds(array, st.sampled_from(modes), _SEEDS, _numbering, st.sampled_from(scales))


_SHAPES = (
    (0, "full"), (1, "full"), (2, "full"), (3, "full"), (2, "square"), (2, "one"), (1, "empty"), (3, "one"),
    (3, "one"), (2, "full"), (3, "square"), (1, "one"),
)  # fmt: skip


@checked
@st.composite
def shapes(
    draw: st.DrawFn, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> tuple[int, ...]:
    """Shapes; one in twelve is empty, and one in three has an axis of length 1, if `min_side` allows it.

    The others have no side of 1 or 0: what is transposed there shows. Some have two equal last sides.

    >>> from hypothesis import find
    >>> find(mg.testing.strategies.shapes(min_dims=2), lambda shape: True)
    (2, 2)
    """
    kinds = [(ndim, odd) for ndim, odd in _SHAPES if min_dims <= ndim <= max_dims]
    # equivalent: 4 -> 3 because one of three axes is then drawn more often, too
    more = [(ndim, "full") for ndim in range(max(4, min_dims), max_dims + 1)]
    # equivalent: kinds[4:] -> kinds[3:]; kinds[4:] -> kinds because some are then drawn more often, and none is lost
    ndim, odd = kind_of_input(draw, kinds[:4] + more + kinds[4:])
    return odd_shape(draw, ndim, odd, min_side, max_side)


def odd_shape(draw: st.DrawFn, ndim: int, odd: str, min_side: int, max_side: int) -> tuple[int, ...]:
    """A shape of so many axes that is full, or has two equal sides, an axis of length 1, or an empty one."""
    least = min(max(min_side, 2), max_side)
    sides = [draw(st.integers(least, max_side)) for _ in range(ndim)]
    if odd == "square":
        sides[-1] = sides[-2]
    for kind, side in (("one", 1), ("empty", 0)):
        if odd == kind and min_side <= side <= max_side:
            sides[draw(st.integers(0, ndim - 1))] = side
    return tuple(sides)


@checked
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
            holds 0, a quarter of the arrays has entries of all sizes down to a thousandth of it, and a quarter has
            entries of one sign
    gap:    keep the values apart from each other and from 0: distinct cells of a shuffled lattice,
            for functions with kinks at 0 or at ties
    scales: the values are multiplied by one of these, drawn: scales=(1, 10, 1e3, 1e-3)
    lane, lanes: with a gap, arrays of different lanes out of `lanes` are kept apart as well

    An array has 64 entries at most. What only larger ones reach, such as the second block of a function that works in
    blocks, needs a shape of its own: `tensors(st.sampled_from([(3,), (1025,)]))`.

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


@checked
def tied(shape: tuple[int, ...] | st.SearchStrategy | None = None, **sides: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays at kinks: most entries are equal to others, some are 0. For gradtest(..., kink=True); keep them small.

    >>> test_relu_at_its_kink = mg.testing.gradtest(mg.testing.strategies.tied((3,)), kink=True)(mg.relu)
    """
    levels = np.array([-1.0, 0.0, 0.5])

    def of_shape(drawn):
        size = math.prod(drawn)
        return _SEEDS.map(
            lambda seed: levels[np.random.default_rng(seed).integers(0, len(levels), size)].reshape(drawn)
        )

    if shape is None:
        shape = shapes(**sides)
    return shape.flatmap(of_shape) if isinstance(shape, st.SearchStrategy) else of_shape(shape)


def _result_shape(draw: st.DrawFn, max_dims: int, min_side: int, max_side: int) -> tuple[int, ...]:
    """The shape of what operands broadcast to: of two axes or more if it may be, one in ten is empty."""
    odd = draw(st.sampled_from(["full", "full", "square", "full", "one", "full", "full", "full", "one", "empty"]))
    ndim = draw(st.integers(min(2, max_dims), max_dims))
    return odd_shape(draw, ndim, odd if ndim > 1 else "full", min_side, max_side)


def broadcast_shapes(draw: st.DrawFn, result: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
    """The shapes of `count` operands of this result, each kind of broadcast as likely."""
    ndim = len(result)
    if count == 1 or ndim == 0:
        return [result] * count
    for_one = ["column", "number", "row"] if ndim > 1 else ["column", "number"]
    each = [(kind, i) for i in range(count) for kind in for_one]
    # equivalent: ("same", 0) -> ("same", 1); ("outer", 0) -> ("outer", any number) because these two change no operand
    # more than another
    kind, special = kind_of_input(draw, [("same", 0), ("outer", 0), *each])
    if kind == "outer":  # each axis has length 1 in one of the operands
        return [_flattened(result, range(i, ndim, count)) for i in range(count)]
    operands = [result] * count
    operands[special] = _stretched_shape(draw, kind, result)
    return operands


def _stretched_shape(draw: st.DrawFn, kind: str, result: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an operand that is stretched to this result."""
    if kind == "number":
        return ()
    if kind == "row":  # the leading axes are missing, and at times the first one that is left has length 1
        rows = [result[i:] for i in range(1, len(result))]
        # equivalent: 3 -> any number because how often one is stretched only tunes
        return draw(st.sampled_from(3 * rows + [_flattened(row, [0]) for row in rows]))
    if kind == "column":  # one or two axes have length 1
        return _flattened(result, [draw(st.integers(0, len(result) - 1)) for _ in range(2)])
    return result


def _flattened(shape: tuple[int, ...], axes: Sequence[int]) -> tuple[int, ...]:
    """The shape with some axes of length 1."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(shape))


@checked
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
    leading axes, as a bias row, at times with one more of length 1; one with axes of length 1; each with some of
    length 1; one a number.

    domain: one pair (low, high), or a list of them, one for each array. gap, scales: as in `tensors`, over all arrays.

    >>> test_add = mg.testing.gradtest(mg.testing.strategies.broadcastable(2))(np.add)
    """
    drawn = broadcast_shapes(draw, _result_shape(draw, max_dims, min_side, max_side), count)
    domains = domain if isinstance(domain, list) else [domain] * count
    capacity = max(map(math.prod, drawn))
    scale = (draw(st.sampled_from(scales)),)
    return tuple(
        draw(values(shape, domain=each, gap=gap, scales=scale, lane=i, lanes=count, capacity=capacity))
        for i, (shape, each) in enumerate(zip(drawn, domains, strict=True))
    )
