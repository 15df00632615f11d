"""The strategies draw what they promise, reach the corners, and shrink to something small."""

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from support.draws import Chosen

import minigrad as mg
from minigrad import testing
from minigrad.testing import array_strategies, strategies
from minigrad.testing import strategies as s

search = settings(max_examples=2000, database=None, suppress_health_check=list(HealthCheck), derandomize=True)


def found(strategy, condition):
    return find(strategy, condition, settings=settings(search, phases=[Phase.generate]))


def smallest(strategy, condition=lambda drawn: True):
    return find(strategy, condition, settings=search)


@given(s.tensors(gap=True, min_side=1))
def test_a_gap_keeps_entries_apart_from_each_other_and_from_zero(a):
    values = np.sort(np.concatenate([a.ravel(), [0.0]]))
    assert a.dtype == np.float64
    assert a.size < 2 or np.min(np.diff(values)) >= min(1 / 16, 2 / (a.size + 1)) * 0.99
    assert np.max(np.abs(a)) <= 2


@given(s.broadcastable(2, gap=True))
def test_lanes_stay_apart_under_broadcasting(arrays):
    x, y = arrays
    difference = np.abs(np.subtract(*np.broadcast_arrays(x, y)))
    assert difference.size == 0 or difference.min() > 1 / 100


@given(s.tensors(domain=(0.25, 1.5)) | s.tensors(domain=(0.25, 1.5), gap=True))
def test_values_lie_in_the_domain(a):
    assert np.all((a >= 0.25) & (a <= 1.5))


@given(s.broadcastable(3, domain=[(0, 1), (2, 3), (-1, 0)]))
def test_one_domain_for_each_array(arrays):
    for a, low in zip(arrays, (0, 2, -1), strict=True):
        assert np.all((a >= low) & (a <= low + 1))
    np.broadcast_shapes(*(a.shape for a in arrays))


@pytest.mark.parametrize(
    "condition", [lambda a: a.ndim == 0, lambda a: a.size == 0, lambda a: 1 in a.shape, lambda a: a.ndim == 3]
)
def test_corners_are_drawn(condition):
    assert condition(found(s.tensors(), condition))


def test_arrays_shrink_to_a_small_readable_lattice():
    assert smallest(s.tensors(), lambda a: a.size >= 2).tolist() == [-0.0847, 0.0755]
    assert smallest(s.tensors()).tolist() == 0.0847


@given(st.integers(0, 3).flatmap(lambda n: st.tuples(st.just(n), s.axes(n))))
def test_axes_are_what_numpy_takes(drawn):
    ndim, axis = drawn
    np.sum(np.zeros((2,) * ndim), axis=axis)


def some(strategy, count=60):
    drawn = []
    settings(search, max_examples=count, phases=[Phase.generate])(given(strategy)(lambda each: drawn.append(each)))()
    return drawn


def test_axes_are_of_the_kinds_that_are_asked_for():
    assert set(some(s.axes(0))) == {None}
    assert set(some(s.axes(0, none=False))) == {()}
    assert set(some(s.axes(3, several=False))) == {None, 0, 1, 2, -1, -2, -3}
    assert set(some(s.axes(3, none=False, several=False))) == {0, 1, 2, -1, -2, -3}
    assert {type(axis) for axis in some(s.axes(2, none=False))} == {int, tuple}


def test_reductions_have_the_options_that_are_asked_for():
    assert {call.parameters["keepdims"] for call in some(s.reductions())} == {False, True}
    calls = some(s.reductions(keepdims=False, several=False, max_dims=1, min_side=0, domain=(3, 4)))
    assert {str(call.parameters) for call in calls} == {"{}"}
    assert {call.arguments[1] for call in calls} == {None, 0, -1}
    assert {n for call in calls for n in call.arguments[0].shape} >= {0, 2, 3}
    assert {call.arguments[0].ndim for call in calls} == {0, 1}
    assert all(((a >= 3) & (a <= 4)).all() for a, _ in (call.arguments for call in calls))
    gaps = [call.arguments[0] for call in some(s.reductions(gap=True))]
    assert all(np.abs(a).min() > 1 / 100 for a in gaps)


def test_indices_have_new_axes_and_ellipsis():
    drawn = [part for index in some(s.indices((3, 2)), 90) for part in parts(index)]
    assert {part for part in drawn if part is None or part is Ellipsis} == {None, Ellipsis}


def test_pools_have_values_that_are_asked_for():
    calls = some(s.pool2d_inputs(domain=(3, 4)), 20)
    assert all(((x >= 3) & (x <= 4)).all() for x, _ in (call.arguments for call in calls))
    for call in some(s.pool2d_inputs(gap=True), 40):
        values = np.sort(call.arguments[0].ravel())
        assert values.size < 2 or np.diff(values).min() > 1e-3


@given(st.data())
def test_indices_fit(data):
    shape = data.draw(s.shapes())
    np.zeros(shape)[data.draw(s.indices(shape))]


@pytest.mark.parametrize("shape", [(), (0,), (2, 0)])
def test_indices_of_a_number_and_of_what_is_empty_fit(shape):
    assert counted(s.indices(shape), {"fits": lambda index: np.zeros(shape)[index] is not None}, 20)["fits"] > 0


@pytest.mark.parametrize("steps", [[-1, -2], [-2, -1]])
def test_indices_go_backwards_by_one_and_by_two(steps):
    def goes(index):
        return [part.step for part in parts(index) if is_backwards(part)] == steps

    assert goes(found(s.indices((3, 2)), goes))


def test_indices_name_entries_twice():
    def repeated(index):
        return np.unique(np.arange(3)[index]).size < np.size(np.arange(3)[index])

    assert repeated(found(s.indices((3,)), repeated))


@given(s.matmul_inputs())
def test_matmul_inputs_fit(pair):
    np.matmul(*pair)


@given(s.einsum_inputs())
def test_einsum_inputs_fit(call):
    np.einsum(*call.arguments)


@pytest.mark.parametrize("words", ["->", "ii"])
def test_einsum_inputs_reach(words):
    assert words in found(s.einsum_inputs(), lambda call: words in call.arguments[0]).arguments[0]


@given(s.conv2d_inputs())
def test_conv2d_inputs_fit(call):
    z = mg.conv2d(*call.arguments, **call.parameters)
    assert max(z.shape[-2:]) <= 2
    assert all({window, stride} <= {1, 2, 3} for window, stride in window_and_stride(call))


def rest(call):
    """How many columns of the padded image no window reads."""
    x, k, _ = call.arguments
    options = {name: v if isinstance(v, tuple) else (v, v) for name, v in call.parameters.items() if name != "groups"}
    reach = options["dilation"][1] * (k.shape[3] - 1) + 1
    return (x.shape[-1] + 2 * options["padding"][1] - reach) % options["stride"][1]


@pytest.mark.parametrize(
    "condition",
    [
        lambda call: rest(call) > 0,
        lambda call: rest(call) == 0 and np.min(call.parameters["stride"]) > 1,
        lambda call: call.parameters["groups"] == 2,
        lambda call: isinstance(call.parameters["stride"], int),
        lambda call: call.arguments[2] is not None,
        lambda call: call.arguments[0].ndim == 3,
        lambda call: np.max(call.parameters["padding"]) == 2,
    ],
)
def test_conv2d_inputs_reach(condition):
    assert condition(found(s.conv2d_inputs(), condition))


@given(s.pool2d_inputs(gap=True))
def test_pool2d_inputs_fit(call):
    assert mg.max_pool2d(*call.arguments, **call.parameters).size > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: s.tensors((2,), domain=(1, 1)), "low < high"),
        (lambda: s.tensors((2,), domain=(31, 33)), "leaves something between them"),
        (lambda: s.tensors((2,), max_side=3), "not both"),
    ],
)
def test_wrong_use(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_reductions_draw_each_kind_of_axis():
    kinds = dict.fromkeys(["None", "positive", "negative", "tuple"], 0)

    @settings(search, max_examples=400, phases=[Phase.generate])
    @given(s.reductions())
    def count(call):
        axis = call.arguments[1]
        if call.arguments[0].ndim:
            kind = (
                "None" if axis is None else "tuple" if isinstance(axis, tuple) else ["positive", "negative"][axis < 0]
            )
            kinds[kind] += 1

    count()
    assert min(kinds.values()) > 0.1 * sum(kinds.values()), kinds


def counted(strategy, kinds, examples):
    """How many of the draws are of each kind: {name: condition}."""
    counts = dict.fromkeys(kinds, 0)

    @settings(search, max_examples=examples, phases=[Phase.generate])
    @given(strategy)
    def count(drawn):
        for name, condition in kinds.items():
            counts[name] += bool(condition(drawn))

    count()
    return counts


def stretched(a, result):
    """Whether it has axes of length 1 that the result has longer."""
    return any(m == 1 and n > 1 for m, n in zip(a.shape[::-1], result[::-1], strict=False))


def result_of(arrays):
    return np.broadcast_shapes(*(a.shape for a in arrays))


BROADCASTS = {
    "same": lambda xy: xy[0].shape == xy[1].shape,
    "row": lambda xy: xy[0].ndim != xy[1].ndim and min(xy[0].ndim, xy[1].ndim) > 0,
    "matrix and bias": lambda xy: sorted([xy[0].ndim, xy[1].ndim]) == [1, 2],
    "one stretched": lambda xy: stretched(xy[0], result_of(xy)) != stretched(xy[1], result_of(xy)),
    "both stretched": lambda xy: all(stretched(a, result_of(xy)) for a in xy),
    "number": lambda xy: 0 in (xy[0].ndim, xy[1].ndim) and result_of(xy) != (),
}


@pytest.mark.parametrize("attempt", range(3))
def test_a_gradtest_draws_every_kind_of_broadcast_within_20_examples(attempt):
    drawn = []
    arrays = s.broadcastable(2).map(lambda xy: drawn.append(xy) or xy)
    options = {"max_examples": 20, "database": None, "derandomize": False}
    settings(**options)(testing.gradtest(arrays, order=1, float32=False, layouts=False)(np.add))()
    assert len(drawn) == 20
    for kind, condition in BROADCASTS.items():
        assert any(map(condition, drawn)), kind


@pytest.mark.parametrize("max_dims", [3, 4, 5])
def test_a_gradtest_draws_arrays_of_the_most_axes_within_20_examples(max_dims):
    drawn = []
    arrays = s.tensors(max_dims=max_dims, max_side=2).map(lambda x: drawn.append(x.ndim) or x)
    options = {"max_examples": 20, "database": None, "derandomize": False}
    settings(**options)(testing.gradtest(arrays, order=1, float32=False, layouts=False)(np.sin))()
    assert set(drawn) == set(range(max_dims + 1))


def test_the_kinds_of_broadcast_are_about_as_likely():
    kinds = BROADCASTS | {
        "empty": lambda xy: 0 in result_of(xy),
        "a row that is stretched": lambda xy: any(
            0 < a.ndim < len(result_of(xy)) and stretched(a, result_of(xy)) for a in xy
        ),
    }
    counts = dict.fromkeys(kinds, 0)
    for seed in range(1000):  # Hypothesis itself prefers some draws
        draw = Chosen(seed)
        shapes = array_strategies.broadcast_shapes(draw, array_strategies._result_shape(draw, 3, 0, 4), 2)
        for name, condition in kinds.items():
            counts[name] += bool(condition([*map(np.empty, shapes)]))
    assert counts.pop("empty") <= 150
    assert counts.pop("a row that is stretched") >= 25
    assert min(counts.values()) >= 65, counts


SHAPES = {
    "1-d": lambda shape: len(shape) == 1,
    "square": lambda shape: len(shape) > 1 and shape[-1] == shape[-2] > 1,
    "not square": lambda shape: len(shape) > 1 and shape[-1] != shape[-2],
    "3-d": lambda shape: len(shape) == 3,
    "an axis of 1": lambda shape: 1 in shape,
    "empty": lambda shape: 0 in shape,
}
INDICES = {
    "negative step": lambda index: any((getattr(i, "step", None) or 1) < 0 for i in parts(index)),
    "repeated": lambda index: any(np.unique(i).size < i.size for i in arrays_in(index, "i")),
    "mask": lambda index: arrays_in(index, "b") != [],
    "integers": lambda index: arrays_in(index, "i") != [],
    "integers of two axes": lambda index: any(i.ndim == 2 for i in arrays_in(index, "i")),
    "integers on each axis": lambda index: len(arrays_in(index, "i")) > 1,
}
OF_A_MATRIX = {
    "every axis backwards": lambda i: len(parts(i)) == 2 and all(is_backwards(part) for part in parts(i)),
    "integers beside a slice": lambda i: arrays_in(i, "i") and any(isinstance(part, slice) for part in parts(i)),
}
WINDOWS = {
    "overlap": lambda c: any(k > n for k, n in window_and_stride(c)),
    "gap": lambda c: any(k < n for k, n in window_and_stride(c)),
    "touch": lambda c: any(k == n > 1 for k, n in window_and_stride(c)),
    "rest": lambda c: rest(c) > 0,
    "padding": lambda c: np.max(c.parameters["padding"]) > 0,
    "3-d": lambda c: c.arguments[0].ndim == 3,
    "4-d": lambda c: c.arguments[0].ndim == 4,
}
PRODUCTS = {
    "vector": lambda xy: 1 in (xy[0].ndim, xy[1].ndim),
    "matrices": lambda xy: xy[0].ndim == xy[1].ndim == 2,
    "batch": lambda xy: max(xy[0].ndim, xy[1].ndim) > 2,
}
SIZES = {
    f"{low:g} to {high:g}": lambda a, low=low, high=high: np.any((np.abs(a) >= low) & (np.abs(a) < high))
    for low, high in ((1e-3, 1e-2), (0.01, 0.1), (1, 2), (10, 20), (1e3, 2e3))
}


def parts(index):
    return index if isinstance(index, tuple) else (index,)


def is_backwards(part):
    return isinstance(part, slice) and (part.start, part.stop) == (None, None) and (part.step or 1) < 0


def arrays_in(index, kind):
    return [part for part in parts(index) if isinstance(part, np.ndarray) and part.dtype.kind == kind]


def window_and_stride(call):
    stride = call.parameters["stride"]
    return [*zip(call.arguments[1].shape[-2:], stride if isinstance(stride, tuple) else (stride, stride), strict=True)]


@pytest.mark.parametrize(
    ("strategy", "kinds"),
    [
        (s.tensors().map(np.shape), SHAPES),
        (s.indices((3, 2)), INDICES | OF_A_MATRIX),
        (s.conv2d_inputs(), WINDOWS),
        (s.matmul_inputs(), PRODUCTS),
        (s.tensors(scales=(1, 10, 1e3, 1e-3)), SIZES),
        (s.tied(min_dims=1), {"tie": lambda a: np.unique(a).size < a.size, "zero": lambda a: np.any(a == 0)}),
    ],
    ids=["shapes of tensors", "indices", "conv2d_inputs", "matmul_inputs", "sizes", "tied"],
)
def test_every_kind_is_drawn(strategy, kinds):
    counts = counted(strategy, kinds, 200)
    assert min(counts.values()) >= 4, counts


def both(option):
    """An option of two axes, however it is written."""
    return option if isinstance(option, tuple) else (option, option)


def sizes_of_a_pool(call):
    x, window = call.arguments
    stride = both(call.parameters.get("stride", window))
    return {
        "sides": both(window),
        "windows and strides": zip(both(window), stride, strict=True),
        "lead": [x.shape[:-2]],
        "gaps left at the end": [(n + 2 * p - k) % s for n, p, k, s in zip(
            x.shape[-2:], both(call.parameters["padding"]), both(window), stride, strict=True)],
    }  # fmt: skip


def sizes_of_a_convolution(call):
    x, k, _ = call.arguments
    options = call.parameters
    return {
        "filters of a group": [len(k) // options["groups"]],
        "channels of a group": [k.shape[1]],
        "groups": [options["groups"]],
        "dilation": both(options["dilation"]),
        "padding": both(options["padding"]),
        "lead": [x.shape[:-3]],
        "out": mg.conv2d(*call.arguments, **options).shape[-2:],
    }


def sizes_of_operands(call):
    _, *arrays = call.arguments
    return {
        "operands": [len(arrays)],
        "sides": [n for a in arrays for n in a.shape],
        "axes": [a.ndim for a in arrays],
    }


WINDOWS_OF_SIDES = {
    "sides": {1, 2, 3},
    "windows and strides": {*itertools.product((1, 2, 3), repeat=2)},
    "gaps left at the end": {0, 1, 2},
}
CONVOLUTIONS = {name: {1, 2} for name in ["filters of a group", "channels of a group", "groups", "dilation", "out"]}


@pytest.mark.parametrize(
    ("strategy", "sizes", "drawn"),
    [
        (s.pool2d_inputs(), sizes_of_a_pool, WINDOWS_OF_SIDES | {"lead": {(1,), (2,), (2, 1), (2, 2)}}),
        (s.conv2d_inputs(), sizes_of_a_convolution, CONVOLUTIONS | {"padding": {0, 1, 2}, "lead": {(), (1,), (2,)}}),
        (
            s.einsum_inputs(),
            sizes_of_operands,
            {"operands": {1, 2, 3}, "sides": {1, 2, 3}, "axes": {0, 1, 2, 3}},
        ),
        (
            s.reductions(),
            lambda call: {"sides": call.arguments[0].shape, "axes": [call.arguments[0].ndim]},
            {"sides": {1, 2, 3}, "axes": {0, 1, 2, 3}},
        ),
        (
            s.matmul_inputs(),
            lambda pair: {"sides": [n for x in pair for n in x.shape], "axes": [x.ndim for x in pair]},
            {"sides": {0, 1, 2, 3}, "axes": {1, 2, 3, 4}},
        ),
    ],
    ids=["pool2d_inputs", "conv2d_inputs", "einsum_inputs", "reductions", "matmul_inputs"],
)
def test_all_sizes_that_are_drawn_are_these(strategy, sizes, drawn):
    found = {name: set() for name in drawn}

    @settings(search, max_examples=60, phases=[Phase.generate])
    @given(strategy)
    def note(call):
        for name, values in sizes(call).items():
            found[name].update(values)

    note()
    assert found == drawn


def test_operands_whose_result_is_a_number_are_numbers():
    assert array_strategies.broadcast_shapes(None, (), 3) == [(), (), ()]
    assert array_strategies.broadcast_shapes(None, (2, 3), 1) == [(2, 3)]


@pytest.fixture
def shapes_alone(monkeypatch):
    """Arrays that are drawn have a shape and no values, so that many draws are cheap."""
    monkeypatch.setattr(strategies, "values", lambda shape, **_: st.sampled_from([np.empty(shape)]))


def share(found):
    return np.mean([*found])


def test_a_pool_is_drawn_with_every_window_stride_rest_and_padding(shapes_alone):
    calls = [Chosen(seed)(s.pool2d_inputs()) for seed in range(1000)]
    combinations, leads, rests, paddings = Counter(), Counter(), Counter(), Counter()
    without, as_int, outs = [], [], Counter()
    for call in calls:
        (x, window), padding = call.arguments, both(call.parameters["padding"])
        stride = both(call.parameters.get("stride", window))
        if both(window) == stride:
            without.append("stride" not in call.parameters)
        if both(window)[0] == both(window)[1]:
            as_int.append(isinstance(window, int))
        leads[x.shape[:-2]] += 1
        for axis, n, k, step, p in zip((0, 1), x.shape[-2:], both(window), stride, padding, strict=True):
            combinations[k, step] += 1
            paddings[axis, k, p] += 1
            outs[(n - k) // step + 1] += 1
            rests[step, (n - k) % step] += 1
    assert {*combinations} == {*itertools.product((1, 2, 3), repeat=2)}
    assert min(combinations.values()) > 2000 / 9 * 0.8
    assert set(outs) == {1, 2}
    assert {*leads} == {(1,), (2,), (2, 1), (2, 2)}
    assert {*paddings} == {(axis, *pair) for axis in (0, 1) for pair in ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1))}
    assert 0.4 < share(without) < 0.6
    assert 0.4 < share(as_int) < 0.6
    assert {*rests} == {(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)}
    for step in (2, 3):
        assert 0.4 < rests[step, 0] / sum(count for (n, _), count in rests.items() if n == step) < 0.6
    narrow = [Chosen(seed)(s.pool2d_inputs(leads=[(7,)])) for seed in range(3)]
    assert {call.arguments[0].shape[:-2] for call in narrow} == {(7,)}


def test_a_convolution_is_drawn_with_every_option(shapes_alone):
    counts, rests, biases, ints = Counter(), Counter(), [], []
    for seed in range(1000):
        call = Chosen(seed)(s.conv2d_inputs())
        (x, k, b), options = call.arguments, call.parameters
        groups = options["groups"]
        biases.append(b is not None)
        assert b is None or b.shape == k.shape[:1]
        assert x.shape[-3] == groups * k.shape[1]
        counts["groups", groups] += 1
        counts["batch", x.shape[:-3]] += 1
        counts["channels", k.shape[1]] += 1
        counts["filters", len(k) / groups] += 1
        for name in ("stride", "padding", "dilation"):
            if both(options[name])[0] == both(options[name])[1]:
                ints.append(isinstance(options[name], int))
        axes = zip(
            x.shape[-2:],
            k.shape[-2:],
            *(both(options[name]) for name in ("stride", "padding", "dilation")),
            strict=True,
        )
        for n, window, step, p, d in axes:
            padded = n + 2 * p
            out, rest = divmod(padded - d * (window - 1) - 1, step)
            counts["window", window, step] += 1
            counts["out", out + 1] += 1
            counts["dilation", d] += 1
            counts["padding", min(padded, 5), p] += 1
            rests[step, rest] += 1
    kinds = {
        "groups": {1, 2}, "batch": {(), (1,), (2,)}, "channels": {1, 2}, "filters": {1, 2}, "out": {1, 2},
        "dilation": {1, 2},
    }  # fmt: skip
    for kind, values in kinds.items():
        assert {value for name, value, *_ in counts if name == kind} == values
        assert min(counts[kind, value] for value in values) > 0.8 * sum(counts[kind, v] for v in values) / len(values)
    assert {pair for name, *pair in map(tuple, counts) if name == "window" for pair in [tuple(pair)]} == {
        *itertools.product((1, 2, 3), repeat=2)
    }
    paddings = {(n, p) for name, *rest in map(tuple, counts) if name == "padding" for n, p in [rest]}
    assert paddings == {(1, 0), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (5, 0), (5, 1), (5, 2)}
    assert 0.4 < share(biases) < 0.6
    assert 0.4 < share(ints) < 0.6
    assert {*rests} == {(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)}
    for step in (2, 3):
        assert 0.4 < rests[step, 0] / sum(count for (n, _), count in rests.items() if n == step) < 0.6
    assert len(Chosen(0)(s.conv2d_inputs(bias=False)).arguments) == 2
    assert max(n for seed in range(99) for n in out_of(Chosen(seed)(s.conv2d_inputs(max_out=3, bias=False)))) == 3


def out_of(call):
    x, k = call.arguments
    names = ("stride", "padding", "dilation")
    options = zip(x.shape[-2:], k.shape[-2:], *(both(call.parameters[name]) for name in names), strict=True)
    return [(n + 2 * p - d * (window - 1) - 1) // step + 1 for n, window, step, p, d in options]


def test_a_product_is_drawn_of_vectors_matrices_and_batches(shapes_alone):
    kinds, odd, sides, batches, together = Counter(), Counter(), set(), set(), set()
    for seed in range(1500):
        x1, x2 = Chosen(seed)(s.matmul_inputs())
        shape = np.matmul(np.zeros(x1.shape), np.zeros(x2.shape)).shape
        kinds[min(x1.ndim, 3), min(x2.ndim, 3)] += 1
        assert 0 not in x1.shape[:-2] + x2.shape[:-2]
        odd["empty"] += 0 in (*x1.shape[-2:], *x2.shape[-2:])
        odd["one"] += 1 in (*x1.shape[-2:], *x2.shape[-2:])
        odd["batch"] += len(shape) > 2
        batches |= {x.shape[:-2] for x in (x1, x2)}
        together.add(np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2]))
        sides |= {*x1.shape, *x2.shape}
    assert min(kinds[pair] for pair in ((1, 1), (1, 2), (2, 1))) > 1500 * 0.2
    assert 1500 * 0.1 < kinds[2, 2] < 1500 * 0.2
    assert {(3, 3), (2, 3), (3, 2)} < set(kinds)
    assert 1500 * 0.08 < odd["batch"] < 1500 * 0.16
    assert 1500 * 0.05 < odd["empty"] < 1500 * 0.16
    assert odd["one"] < 1500 * 0.2
    assert sides == {0, 1, 2, 3}
    assert {*itertools.product((1, 2, 3)), *itertools.product((1, 2, 3), repeat=2)} == batches - {()}
    assert {(1,), (2,), (3,), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2)} < together
    pairs = [Chosen(seed)(s.matmul_inputs(min_side=2, max_side=5)) for seed in range(200)]
    assert {n for pair in pairs for x in pair for n in x.shape[-2:]} == {2, 3, 4, 5}


def test_an_einsum_is_drawn_of_up_to_four_letters_in_any_order(shapes_alone):
    letters, counts, results, kept, sides = Counter(), Counter(), [], Counter(), set()
    for seed in range(500):
        subscripts, *arrays = Chosen(seed)(s.einsum_inputs()).arguments
        operands, arrow, result = subscripts.partition("->")
        assert [*map(len, operands.split(","))] == [a.ndim for a in arrays]
        np.einsum(subscripts, *arrays)
        letters["".join(sorted({*operands} - {","}))] += 1
        counts[len(arrays)] += 1
        results.append(arrow != "")
        kept[result] += arrow != ""
        sides |= {n for a in arrays for n in a.shape}
    assert letters["i"] > 100  # each number of letters is as likely
    assert letters["ABij"] > 10
    assert letters[""] < 75
    assert min(counts[n] for n in (1, 2, 3)) > 140
    assert sides == {1, 2, 3}
    assert 0.4 < share(results) < 0.6
    assert {"", "i", "j", "ij", "ji", "A", "B"} < set(kept)
    assert {len(result) for result in kept} == {0, 1, 2, 3, 4}
    wide = [Chosen(seed)(s.einsum_inputs(max_operands=5, max_side=7)).arguments[1:] for seed in range(99)]
    assert {len(arrays) for arrays in wide} == {1, 2, 3, 4, 5}
    assert max(n for arrays in wide for a in arrays for n in a.shape) == 7


def test_an_index_that_repeats_an_entry_has_slices_and_integers_beside_it():
    shape, places, sizes, integers, entries, slices = (4, 3, 2), Counter(), set(), Counter(), Counter(), set()
    for seed in range(1000):
        index = Chosen(seed)(strategies._repeated_index(shape))
        np.zeros(shape)[index]
        ((place, repeated),) = [(i, part) for i, part in enumerate(index) if isinstance(part, np.ndarray)]
        assert repeated[0] == repeated[-1]
        places[place] += 1
        sizes.add(repeated.size)
        entries.update((place, entry) for entry in repeated.tolist())
        integers.update((i, part) for i, part in enumerate(index) if isinstance(part, int))
        slices |= {i for i, part in enumerate(index) if isinstance(part, slice)}
    assert min(places[i] for i in range(3)) > 250
    assert sizes == {2, 3, 4}
    every = {(i, entry) for i, n in enumerate(shape) for entry in range(-n, n)}
    assert set(entries) == set(integers) == every
    assert slices == {0, 1, 2}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: s.tensors(3), "tensors: shape must be a tuple of ints, or a strategy of such, not 3"),
        (lambda: s.values(None), "values: shape must be a tuple of ints, or a strategy of such, not None"),
        (lambda: s.indices((2, "a")), "indices: shape must be a tuple of ints, or a strategy of such, not (2, 'a')"),
        (lambda: s.tensors(domain=1.0), "tensors: domain must be a pair (low, high) of numbers, not 1.0"),
        (lambda: s.tensors(scales=()), "tensors: scales must be a tuple of numbers, not ()"),
        (lambda: s.tensors(max_dims=-1), "tensors: max_dims must be an int of 0 or more, not -1"),
        (lambda: s.tensors(max_dim=1), "shapes: got an unexpected keyword argument 'max_dim'"),
        (lambda: s.broadcastable(None), "broadcastable: count must be an int of 0 or more, not None"),
        (lambda: s.axes(True), "axes: ndim must be an int of 0 or more, not True"),
        (lambda: s.shapes(min_dims=9), "shapes: min_dims must be at most max_dims, not 9 and 3"),
        (lambda: s.matmul_inputs(min_side=5), "matmul_inputs: min_side must be at most max_side, not 5 and 3"),
    ],
)
def test_wrong_arguments_are_named_when_the_strategy_is_called(call, message):
    with pytest.raises(ValueError if "at most" in message else TypeError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize(("domain", "signs"), [((-2.0, 2.0), {-1, 1}), ((-1.0, 3.0), {1}), ((-3.0, 1.0), {-1})])
def test_some_arrays_have_entries_of_one_sign_in_the_domain(domain, signs):
    for sign in signs:
        a = found(s.tensors((6,), domain=domain), lambda a, sign=sign: np.all(sign * a > 0))
        assert np.all((domain[0] < a) & (a < domain[1]))
    rare = Counter()

    @settings(search, max_examples=100)
    @given(s.tensors((20,), domain=domain))
    def draw(a):
        rare[abs(int(np.sign(a).sum()))] += 1

    draw()
    assert rare[20] > 5
