"""Transforms: what they return, how they nest, and what they never lose."""

import contextlib
import copy
import gc
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.specification import Specs

import minigrad as mg
from minigrad import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from minigrad.testing import strategies
from minigrad.transforms import identity

specs = Specs()
specs.add("identity", strategies.tensors(), np.array, fn=identity)
TestSpecs = specs.tests()


def leaf(value):
    return mg.tensor(value, requires_grad=True)


def cubes(x):
    return np.sum(x**3)


X = np.array([0.5, -1.0, 2.0])


def test_array_in_array_out_tensor_in_tensor_out():
    assert type(grad(cubes)(X)) is np.ndarray
    assert type(grad(np.tanh)(1.0)) is np.float64
    y, dy = value_and_grad(cubes)(X)
    assert type(y) is np.float64
    assert_allclose(dy, 3 * X**2)
    t = grad(cubes)(mg.tensor(X))
    assert isinstance(t, mg.Tensor)
    assert not t.requires_grad


def test_float32_stays_float32():
    g = grad(cubes)(X.astype(np.float32))
    assert g.dtype == np.float32
    assert hessian(cubes)(X.astype(np.float32)).dtype == np.float32


def test_closures_of_outer_traces_are_found():
    assert grad(lambda x: grad(lambda y: x * y * y)(3.0))(2.0) == 6
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * y * z**3)(1.0))(2.0))(5.0) == 12
    assert grad(lambda x: jvp(lambda y: x * x * y, (1.0,), (1.0,))[1])(3.0) == 6
    assert grad(lambda x: vjp(lambda y: x * x * y, 1.0)[1](1.0)[0])(3.0) == 6
    assert grad(lambda x: np.sum(hvp(lambda y: x * np.sum(y**3), np.ones(2), np.ones(2))))(3.0) == 12


def test_the_value_of_an_inner_function_keeps_its_trace():
    def f(x):
        y, dy = value_and_grad(lambda y: x * x * y * y)(3.0)
        return y + dy

    assert grad(f)(2.0) == 2 * 2 * 9 + 2 * 2 * 6


def test_a_leaf_in_a_closure_receives_its_gradient():
    w = leaf([1.0, 2.0])
    g = grad(lambda x: (w * x * x).sum())(np.array([3.0, 4.0]))
    assert isinstance(g, mg.Tensor)
    (g * g).sum().backward()
    assert_allclose(w.grad, 2 * w.data * np.array([36, 64]))


def test_under_no_grad_a_transform_records_and_returns_arrays():
    w = leaf([1.0, 2.0])
    with mg.no_grad():
        g = grad(lambda x: (w * x * x).sum())(np.array([3.0, 4.0]))
        y, pullback = vjp(lambda x: w * x, np.ones(2))
        assert type(g) is type(y) is type(pullback(np.ones(2))[0]) is np.ndarray
    assert_allclose(g, [6, 16])


@pytest.mark.parametrize("f", [np.tanh, np.sum, lambda x: x])
def test_under_no_grad_a_pullback_of_a_tensor_returns_an_array(f):
    y, pullback = vjp(f, np.ones(2))
    g = leaf(np.ones(np.shape(y)))
    with mg.no_grad():
        assert type(pullback(g)[0]) is np.ndarray
    assert pullback(g)[0].requires_grad


def test_no_grad_inside_is_a_constant():
    def f(x):
        with mg.no_grad():
            scale = x * x
        return scale * x

    assert grad(f)(3.0) == 9


def test_any_order():
    f = np.tanh
    t = np.tanh(0.7)
    for expected in (1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2)):
        f = grad(f)
        assert_allclose(f(0.7), expected, rtol=1e-14)


def test_nests_of_arguments():
    class Layer(NamedTuple):
        w: np.ndarray
        b: float

    def f(p, scale):
        return scale * np.sum(p["layers"][0].w * p["a"]) + p["layers"][0].b ** 2

    p = {"layers": [Layer(np.ones(2), 3.0)], "a": np.array([1.0, 2.0])}
    g = grad(f)(p, 2.0)
    assert isinstance(g["layers"][0], Layer)
    assert_array_equal(g["layers"][0].w, [2, 4])
    assert g["layers"][0].b == 6
    assert_array_equal(g["a"], [2, 2])
    both = grad(f, (0, 1))(p, 2.0)
    assert both[1] == 3.0


def test_argnums_and_options():
    def f(x, y, *, power=1):
        return (x * y) ** power

    assert grad(f, 1)(2.0, 3.0) == 2
    assert grad(f, -1)(2.0, 3.0) == 2
    assert grad(f, -2)(2.0, 3.0) == 3
    assert grad(f, (1, 0))(2.0, 3.0, power=2) == (24, 36)
    with pytest.raises(ValueError, match="argnums 2 is out of range for 2 positional"):
        grad(f, 2)(2.0, 3.0)


def test_other_arguments_pass_through():
    assert grad(lambda x, n, mode: x**n if mode == "power" else x)(3.0, 2, "power") == 6


def test_what_f_does_not_depend_on_has_gradient_0():
    assert grad(lambda x: 3.0)(1.0) == 0
    assert_array_equal(grad(lambda x, y: np.sum(y), (0, 1))(np.ones(2), np.ones(3))[0], [0, 0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: grad(np.tanh)(3),
            TypeError,
            r"^grad: only a floating-point argument has .* not argument 0, which is int64 3: ",
        ),
        (lambda: vjp(np.tanh, [1, 2]), TypeError, "vjp: only a floating-point argument"),
        (lambda: grad(lambda x: x)(X), ValueError, r"must return a scalar, not shape \(3,\)"),
        (lambda: grad(lambda x: (x, x))(1.0), ValueError, "must return a scalar, not tuple"),
        (lambda: grad(lambda x: None)(1.0), ValueError, "must return a scalar, not NoneType"),
        (lambda: vjp(np.exp, X)[1](np.ones(2)), ValueError, r"must have shape \(3,\), not \(2,\)"),
        (lambda: vjp(np.exp, X)[1](1j * X), TypeError, "must be floating-point, not complex128"),
        (lambda: jvp(np.exp, (X,), (np.ones(2),)), ValueError, r"jvp: v must have shape \(3,\), not \(2,\)"),
        (lambda: jvp(np.exp, X, X), TypeError, "jvp: x and v must be tuples.* not ndarray and ndarray$"),
        (lambda: jvp(np.exp, (X,), X), TypeError, "jvp: x and v must be tuples.* not tuple and ndarray$"),
        (lambda: jvp(np.exp, X, (X,)), TypeError, "jvp: x and v must be tuples.* not ndarray and tuple$"),
        (lambda: jvp(np.exp, (3,), (1.0,)), TypeError, "jvp: only a floating-point argument"),
        (lambda: hvp(cubes, X, np.ones(2)), ValueError, r"hvp: v must have shape \(3,\), not \(2,\)"),
        (lambda: hvp(np.tanh, X, X), ValueError, "hvp: the function must return a scalar"),
        (lambda: hvp(cubes, [1, 2], [1, 2]), TypeError, "hvp: only a floating-point argument"),
        (
            lambda: grad(lambda x: x + 1j)(1.0),
            TypeError,
            r"^grad: .* scalar, not complex128 of shape \(\): differentiate np.real\(y\) and np.imag\(y\), or",
        ),
        (lambda: grad(lambda x: True)(1.0), TypeError, "^grad: the function must return a .* scalar, not True$"),
        (lambda: hessian(np.tanh)(X), ValueError, "hessian: the function must return a scalar"),
        (lambda: value_and_grad(np.tanh)(X), ValueError, "value_and_grad: the function must return a scalar"),
        (lambda: mg.jacobian(np.tanh)(3), TypeError, "jacobian: only a floating-point argument"),
        (lambda: mg.vec_jacobian(np.tanh, X, argnum=3), ValueError, "vec_jacobian: argnums 3 is out of range"),
        (lambda: mg.checkpoint(lambda x: (x, x))(leaf(1.0)), TypeError, "must return one array, not tuple"),
    ],
)
def test_wrong_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_failing_function_ends_the_trace():
    def f(x):
        raise KeyError("inside")

    for _ in range(2):
        with pytest.raises(KeyError):
            grad(f)(1.0)
    assert (leaf(2.0) * 1).item() == 2


def test_pullback_may_be_called_again_and_keeps_its_point():
    x = np.array([1.0, 2.0])
    y, pullback = vjp(lambda x: x * x, x)
    x[:] = 100
    y[:] = 100
    for _ in range(2):
        assert_array_equal(pullback(np.ones(2))[0], [2, 4])


def test_a_pullback_casts_g_to_the_dtype_of_y():
    """The VJP of -x would give 56 for 200 as a byte."""
    _, pullback = vjp(np.negative, np.ones(1))
    assert_array_equal(pullback(np.array([200], np.uint8))[0], [-200])
    with mg.no_grad():
        assert_array_equal(pullback(mg.tensor(np.array([0.1], np.float32)))[0], [-np.float32(0.1)])


def test_pullback_is_linear_and_differentiable_in_g():
    _, pullback = vjp(np.exp, X)
    assert_allclose(grad(lambda g: np.sum(pullback(g)[0] ** 2))(np.ones(3)), 2 * np.exp(X) ** 2)


def test_vjp_of_several_outputs():
    y, pullback = vjp(lambda x: {"square": x * x, "both": (x, 2.0)}, X)
    assert y["both"][1] == 2.0
    (dx,) = pullback({"square": np.ones(3), "both": (np.full(3, 10.0), 0.0)})
    assert_allclose(dx, 2 * X + 10)


def test_vjp_of_one_output_twice():
    _, pullback = vjp(lambda x: [y := x * x, y, 3 * y], X)
    assert_allclose(pullback([np.ones(3), np.full(3, 10.0), np.full(3, 100.0)])[0], 2 * 311 * X)


def test_a_value_of_an_outer_trace_stays_one():
    assert grad(lambda x: vjp(lambda y: x, 3.0)[0] * 2)(5.0) == 2
    assert grad(lambda x: x * value_and_grad(lambda y: x * x)(3.0)[0])(5.0) == 75


def test_a_tensor_comes_back_where_a_tensor_came_in():
    for options in ({}, {"factor": mg.tensor(2.0)}):
        x = X if options else mg.tensor(X)
        y, pullback = vjp(lambda x: x * 2.0, mg.tensor(X))
        for found in (
            y,
            *pullback(np.ones(3)),
            *value_and_grad(lambda x, factor=2.0: np.sum(x * factor))(x, **options),
        ):
            assert isinstance(found, mg.Tensor)
            assert not found.requires_grad
    assert_array_equal(y.data, 2 * X)


def test_what_does_not_lead_to_an_argument_is_not_differentiated():
    failing = mg.op(lambda x: x * 2, name="failing")
    failing.vjp("x", lambda g, out, x: 1 / 0)
    w = leaf(2.0)
    assert grad(lambda x: x * 3 + failing(w * 1.0))(1.0).item() == 3
    assert grad(lambda x: np.sum(x * failing(w * 1.0)))(1.0).item() == 4


def test_jvp():
    y, dy = jvp(lambda x, y: x * np.exp(y), (2.0, 1.0), (1.0, 0.5))
    assert_allclose([y, dy], [2 * np.e, np.e + np.e])
    y, dy = jvp(lambda p: {"s": p["w"] ** 2}, ({"w": X},), ({"w": np.ones(3)},))
    assert_allclose(dy["s"], 2 * X)


def test_jacobian_shapes():
    a = np.arange(6.0).reshape(2, 3)
    j = jacobian(lambda x: x @ a)(np.ones((4, 2)))
    assert j.shape == (4, 3, 4, 2)
    assert_allclose(np.einsum("ijkl,kl->ij", j, np.ones((4, 2))), np.ones((4, 2)) @ a)
    nested = jacobian(lambda p: {"y": p["w"] * p["b"]})({"w": X, "b": 2.0})
    assert_allclose(nested["y"]["w"], 2 * np.eye(3))
    assert_allclose(nested["y"]["b"], X)
    by_argument = jacobian(lambda x, y: x * y, (0, 1))(X, X + 1)
    assert_allclose(by_argument[1], np.diag(X))
    assert jacobian(lambda x: x[:0])(X).shape == (0, 3)


def test_hessian_and_hvp_agree():
    def f(x):
        return np.sum(np.exp(x) * np.sum(x * x))

    h = hessian(f)(X)
    assert_allclose(h, h.T)
    v = np.array([1.0, 2.0, -1.0])
    assert_allclose(hvp(f, X, v), h @ v)
    assert_allclose(jvp(grad(f), (X,), (v,))[1], h @ v)
    nested = hvp(lambda p: np.sum(p["x"] ** 3), {"x": X}, {"x": v})
    assert_allclose(nested["x"], 6 * X * v)


def test_transforms_of_ops_with_options():
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2))

    def penalty(k):
        return np.sum(grad(lambda k: np.sum(mg.conv2d(x, k, stride=2, padding=1) ** 2))(k) ** 2)

    u, h = rng.normal(size=k.shape), 1e-5
    numeric = (penalty(k + h * u) - penalty(k - h * u)) / (2 * h)
    assert_allclose(np.sum(grad(penalty)(k) * u), numeric, rtol=1e-7)


@pytest.mark.parametrize("lose", [lambda z: np.array([z[0]]), lambda z: np.zeros(3).fill(z[0])])
def test_an_error_in_a_transform_leaves_no_cycle_of_references(lose):
    with pytest.raises(TypeError, match="needs a gradient"):
        grad(lose)(X)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            with contextlib.suppress(TypeError):
                grad(lose)(X)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_derivatives_keep_the_byte_order_of_their_argument():
    x = X.astype(X.dtype.newbyteorder())
    for f, transform in (
        (cubes, grad),
        (np.square, jacobian),
        (cubes, hessian),
        (cubes, lambda f: jacobian(hessian(f))),
    ):
        assert transform(f)(x).dtype == x.dtype
        assert_allclose(transform(f)(x), transform(f)(X))


@pytest.mark.parametrize("first", [0, 1, 2, 3, 4])
def test_contributions_that_an_outer_trace_sees_mix_with_those_that_it_does_not(first):
    """However many plain arrays come before, between and after the recorded ones."""
    factors = [lambda w: 2.0, lambda w: 3.0, lambda w: w, lambda w: w**2, lambda w: w**3]
    order = factors[first:] + factors[:first] + factors[:2]

    def f(x, w):
        return np.sum(sum((x * factor(w) for factor in order[1:]), x * order[0](w)))

    slope = grad(lambda w: np.sum(grad(f)(X, w) * X))(0.5)
    assert_allclose(slope, (1 + 2 * 0.5 + 3 * 0.5**2) * X.sum())


def test_backward_inside_of_a_transform_would_lose_its_derivative():
    def through_grad(x):
        w = leaf(1.5)
        ((w * x) ** 2).backward(retain_graph=True)
        return w.grad * x

    w = leaf(1.0)
    for transform in (grad, lambda f: grad(lambda x: grad(lambda z: f(x) * z)(1.0))):
        with pytest.raises(RuntimeError, match="backward: inside of a transform"):
            transform(through_grad)(2.0)

    def apart(x):  # of a graph that does not depend on the transform's arguments
        y = grad(cubes)(w)
        y.backward()
        return w.grad * x

    assert grad(apart)(2.0) == 6


def test_argnums_are_ints_and_name_each_argument_once():
    for twice in ((0, 0), (0, -1)):
        with pytest.raises(ValueError, match=rf"argnums \({twice[0]}, {twice[1]}\) names an argument twice"):
            grad(lambda x: x * x, twice)(3.0)
    for argnums in ("x", ["x"], True):
        with pytest.raises(TypeError, match="argnums must be an int or a tuple of ints"):
            grad(lambda x: x, argnums)
    for transform in (mg.grad, mg.value_and_grad, mg.jacobian, mg.hessian, mg.elementwise_grad):
        for x in (np.ones(3), mg.tensor(1.0)):
            with pytest.raises(TypeError, match=rf"not an array: write {transform.__name__}\(f\)\(x\)$"):
                transform(np.sum, x)


@pytest.mark.parametrize("transform", [grad, value_and_grad, vjp, mg.jacobian, hessian, mg.checkpoint])
def test_a_transform_wants_a_function(transform):
    with pytest.raises(TypeError, match=f"^{transform.__name__}: the first argument must be a function, not 3"):
        transform(3)
    for call in (lambda: jvp(3, (X,), (X,)), lambda: hvp(3, X, X)):
        with pytest.raises(TypeError, match=r"^[jh]vp: the first argument must be a function, not 3"):
            call()


def test_a_copy_of_a_traced_argument_keeps_the_gradient():
    for copied in (copy.copy, copy.deepcopy, lambda x: x.copy()):
        assert grad(lambda x, copied=copied: copied(x) * x)(3.0) == 6


def test_an_elementwise_gradient_is_that_of_the_sum():
    assert_allclose(mg.elementwise_grad(lambda x: x**3)(X), 3 * X**2)
    assert_allclose(mg.elementwise_grad(lambda x, y: x * y, 1)(X, 2.0), np.sum(X))
    assert_array_equal(mg.elementwise_grad(lambda x: [1.0, 2.0])(X), [0, 0, 0])
    with pytest.raises(TypeError, match=r"^elementwise_grad: what the function returns must hold numbers, not 'a'"):
        mg.elementwise_grad(lambda x: "a")(X)


def test_full_like_keeps_the_gradient_of_its_fill():
    assert_array_equal(grad(lambda x: np.sum(np.full_like(x, x[0])))(np.ones(2)), [2, 0])
    assert_array_equal(grad(lambda x: np.sum(np.full_like(x, fill_value=3.0) * x))(np.ones(2)), [3, 3])


def test_nests_are_matched_by_key_and_not_by_order():
    def f(d):
        return d["a"] ** 2 * d["b"]

    x, v = {"a": 2.0, "b": 3.0}, {"b": 1.0, "a": 0.0}
    assert hvp(f, x, v) == {"a": 4, "b": 0}
    assert jvp(f, (x,), (v,))[1] == 4
    assert vjp(lambda x: {"a": x, "b": x * 10}, 1.0)[1]({"b": 1.0, "a": 0.0}) == (10,)
    with pytest.raises(ValueError, match=r"jvp: v must have the keys \['a', 'b'\], not \['c'\]"):
        jvp(f, (x,), ({"c": 1.0},))
    with pytest.raises(ValueError, match=r"jvp: v must have the keys \['a', 'b'\], not list"):
        jvp(f, (x,), ([1.0, 0.0],))
    with pytest.raises(ValueError, match=r"jvp: v must be a list or tuple of 2, not 3.0"):
        jvp(lambda pair: pair[0] * pair[1], ([1.0, 2.0],), (3.0,))
    with pytest.raises(ValueError, match=r"jvp: v must be a list or tuple of 1"):
        jvp(f, (x,), (x, x))


@pytest.mark.parametrize("dtype", [object, str])
def test_a_cast_to_another_kind_is_refused(dtype):
    with pytest.raises(TypeError, match="astype: a Tensor is boolean, integer, floating-point or complex"):
        grad(lambda x: np.sum(np.abs(x.astype(dtype))))(np.ones(2))


def test_a_cast_to_complex_is_differentiated():
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.abs(x.astype(complex))))(np.array([1.0, -2.0])), [1, -1])


def test_a_cast_to_integers_is_a_constant():
    assert grad(lambda x: x * x.astype(int))(2.5) == 2


def test_what_has_no_derivative_is_named_by_its_transform():
    with pytest.raises(TypeError, match="jvp: the function must return floating-point values"):
        jvp(lambda x: (x, 3), (2.0,), (1.0,))
    with pytest.raises(TypeError, match="vec_jacobian: the function must take and return one array"):
        mg.vec_jacobian(lambda x: {"y": x}, np.ones(2))


def test_argnum_is_another_name_and_a_list_is_a_tuple():
    f = lambda x, y: np.sum(x**2 * y)  # noqa: E731
    x, y = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    for transform in (grad, mg.value_and_grad, mg.jacobian, mg.hessian, mg.elementwise_grad):
        for one, other in ((1, 1), ([1, 0], (1, 0))):
            np.testing.assert_equal(transform(f, argnum=one)(x, y), transform(f, other)(x, y))
    np.testing.assert_equal(grad(f, [0])(x, y), (2 * x * y,))
    with pytest.raises(TypeError, match="grad: argnum and argnums mean the same: give one of them"):
        grad(f, 1, argnum=0)


def test_hessian_in_other_arguments_and_hvp_with_more():
    f = lambda x, y: np.sum(x**2 * y**2)  # noqa: E731
    x, y = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    blocks = mg.hessian(f, (0, 1))(x, y)
    for row, of in zip(blocks, ((2 * y**2, 4 * x * y), (4 * x * y, 2 * x**2)), strict=True):
        for block, right in zip(row, of, strict=True):
            np.testing.assert_allclose(block, np.diag(right))
    np.testing.assert_allclose(mg.hessian(f, 1)(x, y), blocks[1][1])
    np.testing.assert_allclose(mg.hvp(f, x, np.array([1.0, 10.0]), y), 2 * y**2 * [1, 10])


def cubic(x):
    """x[0]**3 + 2 x[1]**3 + ..., and the last entry again by slices of other kinds."""
    return sum((i + 1) * x[i] ** 3 for i in range(len(x))) + np.sum(x[-1:] ** 3) + x[..., None, -1].sum() ** 3


def test_derivatives_of_any_order_through_slices_of_one_array():
    x, n = np.linspace(-1, 1, 12), np.arange(1.0, 13)
    n[-1] += 2
    v = np.cos(np.arange(12.0))
    assert_allclose(hessian(cubic)(x), np.diag(6 * n * x), rtol=1e-14)
    assert_allclose(hvp(cubic, x, v), 6 * n * x * v, rtol=1e-14)
    assert_allclose(jvp(cubic, (x,), (v,))[1], np.sum(3 * n * x**2 * v), rtol=1e-14)
    assert_allclose(grad(lambda x: hvp(cubic, x, v) @ v)(x), 6 * n * v**2, rtol=1e-14)
    assert_allclose(hessian(lambda x: hvp(cubic, x, v) @ v)(x), np.zeros((12, 12)))


def test_second_derivatives_through_slices_take_no_array_for_each():
    def peak(n):
        x = np.ones((n, 8))
        tracemalloc.start()
        hvp(lambda x: sum(np.sum(x[i] ** 2) for i in range(n)), x, x)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(8)
    assert peak(800) < 8 * peak(200)  # 4 times as much; an array for each slice takes 14 times as much


@pytest.mark.parametrize("step", [np.tanh, mg.checkpoint(lambda x: np.tanh(np.tanh(x)))])
def test_gradients_on_the_way_are_freed_as_the_sweep_goes_on(step):
    """What the forward pass keeps is all that is large: 40 arrays, one for each step."""

    def peak(differentiate):
        tracemalloc.start()
        differentiate()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found / x.nbytes

    def f(x):
        for _ in range(40):
            x = step(x)
        return np.sum(x)

    x = np.ones(10_000)
    assert peak(lambda: grad(f)(x)) < 55
    assert peak(lambda: vjp(f, x)[1](1.0)) < 55
    assert peak(lambda: f(leaf(x)).backward(retain_graph=True)) < 55
