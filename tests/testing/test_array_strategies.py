"""Where the values of drawn arrays lie and which shapes come together, of the functions below the strategies."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, find, given, settings
from hypothesis import strategies as st
from support.draws import Chosen

from minigrad.testing import array_strategies as drawn
from minigrad.testing import strategies as s
from minigrad.testing.tolerances import REACH

domains = st.tuples(st.integers(-40, 40), st.integers(1, 80), st.sampled_from([8, 10])).map(
    lambda drawn: (drawn[0] / drawn[2], (drawn[0] + drawn[1]) / drawn[2])
)


@given(st.integers(0, 30), domains, st.integers(1, 3), st.integers(0, 10))
@example(1, (-0.5, -0.1), 1, 0)
def test_lanes_share_the_cells_of_the_domain_out(size, domain, lanes, more):
    low, high = domain
    capacity = size + more
    placed = [drawn._lattice(size, domain, lane, lanes, capacity) for lane in range(lanes)]
    for lane, (positions, cell) in enumerate(placed):
        assert len(positions) == size
        assert (np.diff(positions) == lanes).all()
        assert (positions % lanes == lane).all()
        assert size == 0 or low - 1e-9 <= positions[0] * cell
        assert size == 0 or (positions[-1] + 1) * cell <= high + 1e-9
        assert cell == placed[0][1] == min(1 / 8, (high - low) / ((capacity + 1) * lanes))


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_values_lie_around_zero_as_evenly_as_the_domain_allows(size, lanes):
    for lane in range(lanes):
        positions, _ = drawn._lattice(size, (-9.0, 9.0), lane, lanes, size)
        below = np.count_nonzero(positions < 0)
        assert below == size // 2
        positions, _ = drawn._lattice(size, (-0.25, 9.0), lane, lanes, size)
        assert positions[0] == lane - lanes * min(size // 2, 2 // lanes)
        positions, _ = drawn._lattice(size, (-9.0, 0.25), lane, lanes, size)
        assert positions[-1] < max(2, lanes)
        positions, cell = drawn._lattice(size, (1.0, 9.0), lane, lanes, size)
        assert positions[0] * cell < 1.0 + (lanes + lane) * cell


def test_each_value_has_the_outer_half_of_a_cell_and_no_two_arrays_are_alike():
    positions, cell = np.arange(-40, 40), 1 / 8
    first, second = (drawn._placed(positions, cell, 7, number) for number in (0, 1))
    assert not np.isclose(first, second).any()
    assert not np.isclose(first, drawn._placed(positions, cell, 8, 0)).any()
    assert (np.diff(first) < 0).any()  # in no order
    assert (np.sort(np.floor(first / cell)) == positions).all()
    plain = drawn._placed(positions, cell, 0, 0)
    for a in (np.sort(first), plain):
        shares = np.where(positions >= 0, a / cell - positions, positions + 1 - a / cell)
        assert shares.min() > 0.54
        assert shares.max() < 0.76
        assert np.ptp(shares) > 0.15
    assert (np.diff(plain) > 0).all()
    for cell in (1 / 8, 1e-3, 40.0):  # three digits of a cell's width
        plain = drawn._placed(positions, cell, 0, 3)
        assert plain == pytest.approx(np.round(plain, 3 - math.floor(math.log10(cell))), rel=1e-15)
        assert len(set(plain)) == 80
        inner = [drawn._placed(np.arange(-1, 1), cell, 0, number) for number in range(8)]
        digits = max(len(f"{x:.6f}".strip("-0.").replace(".", "")) for x in np.ravel(inner))
        assert digits == (4 if cell == 40 else 3)


def test_steps_of_a_check_stay_in_the_domain():
    for low, high in ((-2.0, 2.0), (0.5, 3.0), (-3.0, -0.5), (0.0, 1.0)):
        least, most = drawn._inside((low, high))
        assert low <= least - REACH * abs(least) <= low + 2 * REACH * abs(low)
        assert high >= most + REACH * abs(most) >= high - 2 * REACH * abs(high)
    for domain in ((0.0, 0.0), (1.0, 1.0), (2.0, 1.0), (1.0, 1.01), (-1.01, -1.0)):
        with pytest.raises(ValueError, match="the domain must be a pair"):
            drawn._inside(domain)


def arrays_of(strategy, count=60):
    found = []

    @settings(max_examples=count, database=None, deadline=None, derandomize=True)
    @given(strategy)
    def draw(a):
        found.append(a)

    draw()
    return found


def test_a_domain_around_zero_has_entries_of_all_sizes_and_another_has_not():
    found = arrays_of(drawn.values((40,)))
    sizes = [np.abs(a).min() / np.abs(a).max() for a in found]
    assert 0.1 < np.mean(np.array(sizes) < 3e-3) < 0.7
    assert min(np.abs(a).max() for a in found) > 0.1
    assert min(np.abs(a).min() for a in found) > 0
    for domain in ((0.0, 2.0), (-2.0, 0.0)):
        found = arrays_of(drawn.values((40,), domain=domain))
        assert np.mean([np.abs(a).min() < 4e-3 for a in found]) > 0.2
        assert all(domain[0] < a.min() and a.max() < domain[1] for a in found)
    assert all((a >= 0.5).all() and (a <= 2).all() for a in arrays_of(drawn.values((40,), domain=(0.5, 2.0))))
    assert all(np.abs(a).min() > 0.05 for a in arrays_of(drawn.values((4,), gap=True)))


def test_values_are_multiplied_by_a_scale():
    found = arrays_of(drawn.values((3, 1), domain=(1.0, 2.0), scales=(1.0, 1e3)))
    assert {a.shape for a in found} == {(3, 1)}
    assert all(((a >= 1) & (a <= 2)).all() or ((a >= 1e3) & (a <= 2e3)).all() for a in found)
    assert {bool(a[0, 0] > 100) for a in found} == {True, False}


@pytest.mark.parametrize("odd", ["full", "square", "one", "empty"])
def test_a_shape_is_odd_as_it_is_asked_to_be(odd):
    for seed in range(40):
        shape = drawn.odd_shape(Chosen(seed), 3, odd, 0, 4)
        special = {"one": 1, "empty": 0}.get(odd)
        assert len(shape) == 3
        assert [n for n in shape if n < 2] == ([] if special is None else [special])
        assert max(shape) <= 4
        assert odd != "square" or shape[-1] == shape[-2]
    if special is not None:
        assert {drawn.odd_shape(Chosen(seed), 2, odd, 0, 4).index(special) for seed in range(40)} == {0, 1}
    assert drawn.odd_shape(Chosen(0), 2, odd, 1, 1) == (1, 1)
    assert min(drawn.odd_shape(Chosen(0), 2, odd, 3, 4)) >= 3
    assert {n for seed in range(40) for n in drawn.odd_shape(Chosen(seed), 1, "full", 0, 3)} == {2, 3}


@pytest.mark.parametrize("result", [(2, 3), (4, 2, 3), (5,), (2, 3, 4, 5)])
@pytest.mark.parametrize("count", [2, 3])
def test_operands_come_to_the_result_in_every_way(result, count):
    ndim, kinds, stretched_rows = len(result), Counter(), 0
    for seed in range(400):
        operands = drawn.broadcast_shapes(Chosen(seed), result, count)
        assert np.broadcast_shapes(*operands) == result
        assert len(operands) == count
        changed = [i for i, shape in enumerate(operands) if shape != result]
        if len(changed) == 1:
            (i,) = changed
            (shape,) = (operands[i],)
            kinds["number" if shape == () else "row" if len(shape) < ndim else "column", i] += 1
            stretched_rows += 0 < len(shape) < ndim and shape != result[-len(shape) :]
            assert shape == () or shape == result[-len(shape) :] or 1 <= shape.count(1) <= 2
        else:
            kinds["outer" if changed else "same"] += 1
            for axis, n in enumerate(result) if changed else ():
                assert sorted(shape[axis] for shape in operands) == [1] + [n] * (count - 1)
    ways = {("number", i) for i in range(count)} | {("column", i) for i in range(count)} | {"same"}
    if ndim > 1:
        ways |= {("row", i) for i in range(count)} | ({"outer"} if ndim >= count else set())
    assert ways <= set(kinds)
    assert (stretched_rows > 0) == (ndim > 1)
    assert drawn.broadcast_shapes(Chosen(0), result, 1) == [result]
    assert all(drawn.broadcast_shapes(Chosen(seed), (), 2) == [(), ()] for seed in range(20))


def test_a_row_has_no_leading_axes_and_may_be_stretched():
    rows = Counter(drawn._stretched_shape(Chosen(seed), "row", (4, 2, 3)) for seed in range(60))
    assert set(rows) == {(2, 3), (3,), (1, 3), (1,)}
    assert rows[2, 3] + rows[3,] > rows[1, 3] + rows[1,]


def test_a_column_has_one_or_two_axes_of_length_1():
    columns = [drawn._stretched_shape(Chosen(seed), "column", (4, 2, 3)) for seed in range(60)]
    assert {tuple(n == 1 for n in column) for column in columns} == {
        (True, False, False), (False, True, False), (False, False, True),
        (True, True, False), (True, False, True), (False, True, True),
    }  # fmt: skip


def test_each_axis_of_a_shape_has_length_1_at_times():
    ones = {tuple(n == 1 for n in shape) for shape in arrays_of(s.shapes(), 200)}
    assert {
        (True,),
        (True, False),
        (False, True),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    } <= ones


def test_ties_are_levels_and_some_are_zero():
    found = arrays_of(s.tied((2, 3)), 20)
    assert {x for a in found for x in a.ravel()} == {-1.0, 0.0, 0.5}
    assert {a.shape for a in found} == {(2, 3)}
    assert {a.ndim for a in arrays_of(s.tied(min_dims=1, max_dims=2), 20)} == {1, 2}


def test_shapes_have_as_many_axes_as_are_asked_for():
    assert {len(shape) for shape in arrays_of(s.shapes(min_dims=2, max_dims=5), 200)} == {2, 3, 4, 5}
    assert {len(shape) for shape in arrays_of(s.shapes(max_dims=1))} == {0, 1}
    assert find(s.shapes(min_dims=5, max_dims=5), lambda shape: True) == (2,) * 5
    assert {len(shape) for shape in arrays_of(s.shapes(max_dims=5), 120)} == {0, 1, 2, 3, 4, 5}
    assert {len(shape) for shape in arrays_of(s.shapes(min_dims=5, max_dims=6), 20)} == {5, 6}
    sides = Counter(n for shape in arrays_of(s.shapes(min_side=1, max_side=3), 80) for n in shape)
    assert set(sides) == {1, 2, 3}
    assert sides[1] < min(sides[2], sides[3])


@pytest.mark.parametrize(("ndim", "least", "most"), [(2, 0.45, 0.65), (3, 0.55, 0.78)])
def test_the_last_two_sides_of_some_shapes_are_equal(ndim, least, most):
    drawn = [Chosen(seed)(s.shapes()) for seed in range(1500)]
    equal = [shape[-1] == shape[-2] for shape in drawn if len(shape) == ndim and min(shape) > 1]
    assert least < np.mean(equal) < most


def test_each_round_begins_with_another_kind():
    def simplest(strategy):
        return 0

    begun = []
    for number in range(4):
        token = drawn.ROUND.set(number)
        begun.append(drawn.kind_of_input(simplest, ["a", "b", "c"]))
        drawn.ROUND.reset(token)
    assert begun == ["a", "b", "c", "a"]
    assert {drawn.kind_of_input(Chosen(seed), ["a", "b", "c"]) for seed in range(20)} == {"a", "b", "c"}


def test_tensors_are_arrays_of_a_shape_that_is_given_or_drawn():
    assert {a.shape for a in arrays_of(s.tensors([2, 3]), 5)} == {(2, 3)}
    assert {a.shape for a in arrays_of(s.tensors(st.sampled_from([(2,), (3, 1)])), 20)} == {(2,), (3, 1)}
    assert {a.ndim for a in arrays_of(s.tensors(min_dims=2, max_dims=3), 20)} == {2, 3}
    with pytest.raises(ValueError, match="tensors: give the shape or max_side, not both"):
        s.tensors((2,), max_side=3)
    assert all(((a >= 3) & (a <= 4)).all() for a in arrays_of(s.tensors((4,), domain=(3.0, 4.0)), 20))
    assert all(np.abs(a).min() > 0.05 for a in arrays_of(s.tensors((4,), gap=True), 20))
    assert {bool(np.abs(a).max() > 10) for a in arrays_of(s.tensors((4,), scales=(1.0, 1e3)), 20)} == {False, True}
    first, second = (arrays_of(s.tensors((4,), gap=True, lane=lane, lanes=2), 20) for lane in range(2))
    assert not set(cells(first)) & set(cells(second))


def cells(arrays):
    return [int(x) for a in arrays for x in np.floor(8 * a).ravel()]


@pytest.mark.parametrize(("most", "ndims"), [(0, {0}), (1, {1}), (2, {2}), (4, {2, 3, 4})])
def test_what_operands_broadcast_to_is_a_matrix_or_more_if_it_may_be(most, ndims):
    results = [drawn._result_shape(Chosen(seed), most, 0, 4) for seed in range(400)]
    assert {len(result) for result in results} == ndims
    shares = {
        "empty": np.mean([0 in result for result in results]),
        "one": np.mean([1 in result for result in results]),
        "square": np.mean([len(result) > 1 and result[-1] == result[-2] for result in results]),
    }
    if most > 1:
        assert 0.05 < shares["empty"] < 0.15
        assert 0.15 < shares["one"] < 0.25
        assert 0.2 < shares["square"] < 0.5
    else:
        assert shares["empty"] == shares["one"] == 0
    assert {n for seed in range(100) for n in drawn._result_shape(Chosen(seed), 3, 1, 3)} == {1, 2, 3}


@pytest.mark.parametrize("gap", [False, True])
def test_arrays_that_broadcast_together_share_a_scale_and_lie_in_their_domains(gap):
    domains = [(1.0, 2.0), (-3.0, -2.0)]
    scales = set()
    for arrays in arrays_of(s.broadcastable(2, domain=domains, gap=gap, scales=(1.0, 1e3), min_side=4), 20):
        scale = 1e3 if np.abs(arrays[0]).max() > 10 else 1.0
        scales.add(scale)
        for a, (low, high) in zip(arrays, domains, strict=True):
            assert a.min() >= low * scale
            assert a.max() <= high * scale
    assert len(scales) == 2
    pairs = arrays_of(s.broadcastable(2, gap=gap, min_side=3, max_side=6), 20)
    sides = {n for pair in pairs for a in pair for n in a.shape}
    assert sides <= {1, 3, 4, 5, 6}
    assert len(sides) > 3
    for x, y in pairs:
        assert max(np.abs(x).max(), np.abs(y).max()) <= 2
        apart = np.abs(np.subtract.outer(x, y)).min()
        assert not gap or apart > 0.2 * min(1 / 8, 4 / (2 * max(x.size, y.size) + 2))
    both = arrays_of(s.broadcastable(domain=(2.0, 3.0), gap=gap, max_dims=1), 20)
    assert {len(arrays) for arrays in both} == {2}
    assert {max(a.ndim for a in arrays) for arrays in both} == {1}
    assert all(((a >= 2) & (a <= 3)).all() for arrays in both for a in arrays)
