"""Borders put on and taken off, against NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf
from support.specification import Specs, call, calls

import minigrad as mg

specs = Specs()
spec = specs.add

RNG = np.random.default_rng(0)
A = RNG.permuted(np.arange(1.0, 7)).reshape(2, 3) / 8
V = RNG.uniform(-2, 2, 3)
CUBE = RNG.uniform(-2, 2, (2, 3, 2))

spec(
    "pad",
    calls(
        *[call(A, width) for width in (0, 1, (1, 2), ((1, 0), (0, 2)))],
        *[call(CUBE, 1), call(CUBE, ((1, 0), (0, 2), (1, 1)), constant_values=1.5), call(CUBE, (1, 2), "linear_ramp")],
        *[call(A, {1: 2, -2: (1, 0)}), call(A, {0: 1}, "edge")],
    ),
    np.pad,
    refused=(
        ((V, 1, "means"), {}, ValueError, "mode must be one of 'edge', .* not 'means'"),
        ((V, 1, "reflect"), {"reflect_type": "off"}, ValueError, "and reflect_type 'even' or 'odd'"),
    ),
)
spec(
    "resize",
    calls(call(V, (2, 4)), call(A, 4), call(A, (0,))),
    np.resize,
    refused=(((np.zeros(0), 3), {}, ValueError, "can't fill 3"),),
)
spec(
    "trim_zeros",
    calls(call(V), call(-V, "f")),
    lambda v, trim="fb": np.trim_zeros(np.pad(v, 1), trim),
    fn=lambda v, trim="fb": mg.trim_zeros(mg.pad(v, 1), trim),
    refused=(
        ((A,), {}, ValueError, "must have one axis"),
        ((V, "x"), {}, ValueError, "trim must be 'f', 'b' or 'fb', not 'x'$"),
    ),
)

TestSpecs = specs.tests(examples=3)
BORDERS = """
"edge"; "reflect"; "symmetric"; "wrap"; "linear_ramp"; "linear_ramp", end_values=v[0]; "mean"; "median"; "maximum"
"linear_ramp", end_values=((v[0], v[1]), (v[2], 3.0)); "minimum"
"mean", stat_length=2; "maximum", stat_length=((1, 2), (3, 1))
"reflect", reflect_type="odd"; "symmetric", reflect_type="odd"; constant_values=v[0]; constant_values=(v[0], v[1])
constant_values=v[:2]; "constant", constant_values=((v[0], v[1]), (v[2], 3.0)); constant_values=[[v[0]], [1.0]]
"""


@pytest.mark.parametrize("width", [1, ((2, 0), (0, 7))])
@pytest.mark.parametrize("options", BORDERS.replace("\n", "; ").strip("; ").split("; "))
def test_borders(options, width):
    padded = eval(f"lambda a, v, width: np.pad(a, width, {options})", {"np": np})
    x, v = leaf(A), leaf(V)
    assert_allclose(padded(x, v, width).data, padded(A, V, width), 1e-14)
    mg.testing.check_grads(padded, A, V, width, argnums=(0, 1) if "v[" in options else 0)


@pytest.mark.parametrize("trim", ["f", "b", "fb", "FB"])
@pytest.mark.parametrize("v", [[0, 0, 0, 1.5, 0, 2.5, 0, 0], [0, 0, 0], [1.5], []])
def test_zeros_are_trimmed_as_numpy_does(v, trim):
    assert_array_equal(np.trim_zeros(leaf(np.array(v, float)), trim).data, np.trim_zeros(np.array(v, float), trim))


def test_an_empty_border_and_one_of_a_single_row():
    assert_array_equal(np.pad(leaf(A), 1, "empty").data[1:-1, 1:-1], A)
    assert_array_equal(np.pad(leaf(A[:1]), 2, "reflect", reflect_type="odd").data[:, 2:-2], A[[0] * 5])


def test_an_axis_that_a_dict_does_not_name_is_not_padded():
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(mg.pad(a, {0: 1}), np.pad(a, ((1, 1), (0, 0))))
    assert_array_equal(mg.pad(a, {-1: (0, 2)}), np.pad(a, ((0, 0), (0, 2))))


def test_sizes_may_be_tensors_and_nothing_fills_nothing():
    assert_array_equal(np.resize(leaf(V), mg.tensor([2, 4])).data, np.resize(V, (2, 4)))
    assert np.resize(leaf(V[:0]), (0, 3)).shape == (0, 3)
