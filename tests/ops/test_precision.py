"""What float16, float32 and integers do to every op: precision by all specs, counts, extremes and orders one by one."""

import functools
import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf, numeric, slopes
from support.specification import all_specs

import minigrad as mg
from minigrad.operation import Op
from minigrad.ops import decompositions, inverses, singular_values
from minigrad.stand_ins import NUMPY

HALF, SINGLE = np.float16, np.float32
NOT_OF_HALF = {  # NumPy has no decomposition of float16; and the order within the parts of a partition is any
    *decompositions.__all__,
    *inverses.__all__,
    *singular_values.__all__,
    *("matrix_norm", "cond", "pinv", "qr", "lstsq", "polyfit", "tensorinv", "tensorsolve", "partition", "roots"),
}
STEEP = {"interp", "pinv"}  # a rounding of their inputs counts for so much more in the result


@pytest.fixture(scope="module")
def specs():
    return all_specs()


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def is_real(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def derived(spec, call, dtype):
    """The spec's value and gradients at the inputs rounded to float16, computed in a dtype."""
    given = [a.astype(HALF).astype(dtype) if is_real(a) else a for a in call.arguments]
    moving = [i for i, a in enumerate(given) if is_real(a) and spec.options.get("argnums", i) == i]

    def f(*moved):
        arguments = [*given]
        for i, x in zip(moving, moved, strict=True):
            arguments[i] = x
        return spec.fn(*arguments, **call.parameters)

    value, pullback = mg.vjp(f, *(given[i] for i in moving))
    g = np.random.default_rng(0).uniform(0.5, 1.5, np.shape(value)).astype(HALF)
    return value, pullback(g.astype(np.asarray(value).dtype))


@pytest.mark.parametrize("name", mg.ops.__all__)
def test_values_and_gradients_are_right_to_a_few_units_in_the_last_place(name, specs):
    assert name in specs, f"{name} has no specification: see step 4 of CONTRIBUTING.md"
    spec = specs[name]

    @settings(max_examples=8, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(spec.inputs)
    def hold(call):
        exact = derived(spec, call, float)
        for dtype in [SINGLE] if name in NOT_OF_HALF else [HALF, SINGLE]:
            holds_in(dtype, call, *exact)

    def holds_in(dtype, call, exact_value, exact_gradients):
        value, gradients = derived(spec, call, dtype)
        if any(np.max(np.abs(exact), initial=0) > np.finfo(dtype).max for exact in (exact_value, *exact_gradients)):
            return  # out of the dtype's range
        inputs = [a for a in call.arguments if is_real(a)]  # the terms of a sum over broadcast axes may cancel
        for found, exact in zip((value, *gradients), (exact_value, *exact_gradients), strict=True):
            scale = max(1, *(np.max(np.abs(a), initial=0) for a in (exact, *inputs)))
            atol = (64 if name in STEEP else 4) * np.finfo(dtype).eps * scale
            assert_allclose(found, exact, rtol=0, atol=atol)

    hold()


# counts that float16 can't hold

ROWS = np.random.default_rng(0).uniform(0, 1, (70_000, 2))


@functools.lru_cache(maxsize=4)
def exactly(f, scale):
    """An upstream gradient of float16 numbers, and the value and gradient in float64: the same for every dtype."""
    exact, pullback = mg.vjp(f, ROWS.astype(HALF).astype(float))
    g = (np.random.default_rng(1).uniform(0.5, 1.5, np.shape(exact)) * scale).astype(HALF)
    return g, exact, pullback(g.astype(float))[0]


@pytest.mark.parametrize("dtype", [HALF, SINGLE])
@pytest.mark.parametrize("laid", [np.ascontiguousarray, np.asfortranarray, lambda a: np.repeat(a, 2, 1)[:, ::2]])
@pytest.mark.parametrize("scale", [1, 1024])
@pytest.mark.parametrize(
    "f",
    [
        mg.sum, mg.mean, mg.var, mg.std, mg.norm, mg.logsumexp, mg.max,
        *(lambda a, f=f: f(a, 0) for f in (mg.mean, mg.var, mg.std, mg.logsumexp, mg.softmax, mg.log_softmax)),
        lambda a: mg.norm(a, axis=0),
        *(lambda a, f=f: f(a.reshape(-1, 10)) for f in (mg.softmax, mg.log_softmax)),
        lambda a: mg.average(a, weights=a + 1),
        lambda a: mg.softmax_cross_entropy(a, np.arange(len(a)) % 2),
        lambda a: mg.mean_squared_error(a[:, 0], a[:, 1]),
        lambda a: mg.binary_cross_entropy_with_logits(a[:, 0], a[:, 1]),
        lambda a: mg.cumsum(a[:, 0]),
        lambda a: mg.trapezoid(a[:, 0] / 2),
        lambda a: mg.ops.scatter(a, np.arange(len(a)) % 3, (3, 2)),
        lambda a: mg.ops.broadcast_to(a[0], (20_000, 2)) / 2**10,
        lambda a: a[np.zeros(20_000, int)] / 2**10,
        lambda a: mg.einsum("ij->j", a),
        lambda a: mg.avg_pool2d(a[: 300 * 200].reshape(1, 300, 400), (300, 400)),
        lambda a: mg.avg_pool2d(a[: 100 * 100].reshape(1, 100, 200), 9, stride=1),
        lambda a: mg.l2_pool2d(a[: 300 * 200].reshape(1, 300, 400) * 1000, (20, 30)),
    ],
)  # fmt: skip
def test_tens_of_thousands_of_entries(f, scale, laid, dtype):
    """Each value and gradient that its dtype can hold is right; `scale` is that of a scaled loss."""
    value, pullback = mg.vjp(f, laid(ROWS.astype(HALF)).astype(dtype))
    g, exact, exact_gradient = exactly(f, scale)
    limits = np.finfo(dtype)
    (gradient,) = pullback(g.astype(dtype))
    for found, right in ((value, exact), (gradient, exact_gradient)):
        held = np.abs(right) < limits.max
        size = np.max(np.abs(right)[held], initial=0)
        atol = 8 * limits.eps * size + limits.smallest_subnormal
        assert_allclose(found[held], right[held], rtol=0, atol=atol)
        assert np.all(np.abs(found[~held]) >= limits.max)


@pytest.mark.parametrize("dtype", [HALF, SINGLE])
def test_the_gradient_of_a_bias_over_very_many_rows(dtype):
    """As much as float32 adds up row after row: 3 % off."""
    g = np.full((3_000_000 if dtype is SINGLE else 4096, 2), 0.1, dtype)
    b = leaf(np.zeros(2, dtype))
    (np.broadcast_to(np.zeros(1, dtype), g.shape) + b).backward(g)
    assert_allclose(b.grad, len(g) * float(dtype(0.1)), rtol=1e-6 if dtype is SINGLE else 5e-4)


@pytest.mark.parametrize("f", [np.var, np.std])
@pytest.mark.parametrize("centre", [0, 1e4, 1e6])
def test_spread_around_a_large_mean(f, centre):
    a = (np.random.default_rng(0).normal(size=(100_000, 2)) + centre).astype(SINGLE)
    exact, exact_pullback = mg.vjp(lambda a: f(a, axis=0), a.astype(float))
    value, pullback = mg.vjp(lambda a: f(a, axis=0), a)
    assert_allclose(value, exact, rtol=1e-6)
    gradient, exact_gradient = pullback(np.ones(2, SINGLE))[0], exact_pullback(np.ones(2))[0]
    assert_allclose(
        gradient, exact_gradient, rtol=0, atol=np.max(np.abs(exact_gradient)) * np.finfo(SINGLE).eps * max(4, centre)
    )


# integers: NumPy's functions do what NumPy does; every other op of floating values takes them for float64

OF_INTEGERS = {
    "relu",
    "getitem",
    "flatten",
    "selected",
    "astype",
    "scatter",
}  # exact in integers: they stay as they are
INTEGERS = [bool, np.uint8, np.int8, np.uint16, np.int32, np.int64]


def elementwise_names():
    for name in mg.ops.__all__:
        op = getattr(mg.ops, name)
        if (
            name not in {*OF_INTEGERS, "log_abs_det"}
            and isinstance(op, Op)
            and not op.any_number
            and not op.parameters
            and all(vjp is not None for vjp in op.vjps)
        ):
            yield name, len(op.names)


FITTED = {
    "insert",
    "put_along_axis",
    "put",
    "place",
    "fill_diagonal",
    "full_like",
}  # to the dtype of the array, by NumPy
OF_A_USER = {"vectorize"}  # whose function computes with integers


@pytest.mark.filterwarnings("ignore:Converting input from bool")  # by np.histogramdd
@pytest.mark.parametrize("name", [name for name in mg.ops.__all__ if name not in FITTED | OF_A_USER])
def test_integers_beside_arguments_that_are_differentiated_count_as_fractions(name, specs):
    """Or are refused: a sum of uint8 wraps around, and so would the gradient of what stands beside it."""
    spec, rng = specs[name], np.random.default_rng(0)

    @settings(max_examples=8, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(spec.inputs)
    def hold(call):
        places = [i for i, a in enumerate(call.arguments) if is_real(a)]
        for i, dtype in itertools.product(places, (bool, np.uint8, np.int8)):
            if not moving_beside(spec, call.arguments, i):
                continue
            drawn = rng.integers(0, 255, call.arguments[i].shape, endpoint=True).astype(np.uint8)
            integers = drawn % 2 == 1 if dtype is bool else drawn.view(dtype)
            try:
                expected = beside(spec, call, i, integers.astype(float))
            except (ValueError, ArithmeticError, np.linalg.LinAlgError):
                continue  # these numbers are none of its inputs
            try:
                found = beside(spec, call, i, integers)
            except TypeError as error:
                assert name in str(error)  # noqa: PT017
                continue
            for a, b in zip(found, expected, strict=True):
                scale = np.max(np.abs(b), initial=1, where=np.isfinite(b))
                assert_allclose(a, b, rtol=1e-4, atol=1e-6 * scale)

    hold()


def moving_beside(spec, arguments, i):
    """The places of the arguments beside i that are differentiated."""
    return [j for j, a in enumerate(arguments) if j != i and is_real(a) and spec.options.get("argnums", j) == j]


def beside(spec, call, i, array):
    """The value, and the gradients of the other arguments, with this array in place i."""
    given = [array if j == i else a for j, a in enumerate(call.arguments)]
    moving = moving_beside(spec, given, i)

    def f(*moved):
        arguments = dict(enumerate(given)) | dict(zip(moving, moved, strict=True))
        return spec.fn(*arguments.values(), **call.parameters)

    value, pullback = mg.vjp(f, *(given[j] for j in moving))
    return value, *pullback(np.ones(np.shape(value)))


@pytest.mark.parametrize(("name", "count"), [*elementwise_names()])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_in_an_op_of_each_entry(name, count, dtype):
    op = getattr(mg.ops, name)
    arguments = [np.array([3, 1, 120 - 5 * i]).astype(dtype) for i in range(count)]
    stands_for = [function for function, stand_in in NUMPY.items() if stand_in is op]
    for passed in (arguments, [mg.tensor(a) for a in arguments]):
        if stands_for:
            try:
                expected = stands_for[0](*arguments)
            except (TypeError, ValueError):  # such as the negative of booleans
                with pytest.raises((TypeError, ValueError), match=f"^{name}: "):
                    op(*passed)
                continue
        else:
            expected = op(*(a.astype(float) for a in arguments))
        found = op(*passed)
        assert found.dtype == expected.dtype
        assert_allclose(getattr(found, "data", found), expected, rtol=1e-15)


TABLE = np.array([[3, 1, 120], [7, 0, 115]])


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(
    "f",
    [
        mg.softmax, mg.log_softmax, mg.logsumexp, mg.leaky_relu, mg.elu, mg.mean, mg.var, mg.std, mg.norm, mg.median,
        mg.average, mg.trapezoid, lambda a: mg.average(a, 1, weights=a + 1), lambda a: mg.trapezoid(a, a),
        lambda a: mg.norm(a, 1, 1), lambda a: mg.norm(a, np.inf, 1), lambda a: mg.mean_squared_error(a, a[::-1]),
        lambda a: mg.binary_cross_entropy_with_logits(a, a > 2),
        lambda a: mg.binary_cross_entropy_with_logits(a / 9.0, a > 2),
        lambda a: mg.softmax_cross_entropy(a, np.array([0, 1])), lambda a: mg.ops.svdvals(a),
        lambda a: mg.inv(a[:, :2]), lambda a: mg.det(a[:, :2]), lambda a: mg.solve(a[:, :2], a[:, 0]),
    ],
)  # fmt: skip
def test_integers_in_other_ops_count_as_float64(f, dtype):
    a = TABLE.astype(dtype)
    found, expected = f(a), f(a.astype(float))
    assert found.dtype == float
    assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64])
@pytest.mark.parametrize(
    "f",
    [
        mg.mean_squared_error, lambda x, n: mg.mean_squared_error(n, x), mg.binary_cross_entropy_with_logits,
        lambda x, n: mg.binary_cross_entropy_with_logits(n, x), mg.logaddexp, mg.hypot, mg.arctan2, mg.multiply,
        mg.divide, mg.power, mg.maximum, lambda x, n: mg.average(x, weights=n), lambda x, n: mg.average(n, weights=x),
        lambda x, n: mg.where(n > 0, x, n), lambda x, n: mg.trapezoid(x, n), lambda x, n: mg.vecdot(n, x),
    ],
)  # fmt: skip
def test_gradients_beside_an_argument_of_integers(f, dtype):
    x, n = np.array([0.25, 0.5, 0.75]), np.array([1, 2, 100]).astype(dtype)
    assert_allclose(slopes(lambda x: f(x, n), x), slopes(lambda x: f(x, n.astype(float)), x), rtol=1e-14)


def test_sigmoid_of_bytes():
    assert_allclose(mg.sigmoid(np.uint8([3, 200])), [1 / (1 + math.exp(-3)), 1])


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("f", [mg.avg_pool2d, mg.max_pool2d, mg.l2_pool2d, mg.ops.unfold2d])
def test_pooling_of_integers_is_refused(f, dtype):
    with pytest.raises(TypeError, match=f"{f.__name__}: x must be floating-point, not "):
        f(np.ones((1, 4, 4), dtype), 2)


# differences of rounded values, infinities, and what overflows on the way


@pytest.mark.parametrize("dtype", [HALF, SINGLE, float])
@pytest.mark.parametrize("centre", [0, 100, 1e4, 1e17])
def test_logarithms_of_sums_far_from_0(centre, dtype):
    if centre > np.finfo(dtype).max:
        return
    step = max(0.5, float(np.spacing(dtype(centre))))
    allowed = {"rtol": 4 * np.finfo(dtype).eps, "atol": float(np.finfo(dtype).smallest_subnormal)}
    x = np.array([centre, centre + step, centre - step]).astype(dtype)
    due = np.exp((x - x[1]).astype(float))
    for axis in (None, 0):
        assert_allclose(mg.grad(lambda x, a=axis: mg.logsumexp(x, a))(x), due / due.sum(), **allowed)
    first, second = mg.vjp(mg.logaddexp, x[:1], x[1:2])[1](np.ones(1, dtype))
    assert_allclose([first[0], second[0]], due[:2] / due[:2].sum(), **allowed)


INF = np.inf
NUMPY_OF = {stand_in.__name__: function for function, stand_in in NUMPY.items()}
NOT_AS_NUMPY = {  # its decompositions never end, or raise, where an entry is not finite
    *NOT_OF_HALF,
    *("interp", "histogram", "histogramdd", "histogram2d", "histogram_bin_edges"),  # points out of order
    *("quantile", "percentile", "nanquantile", "nanpercentile"),  # ours is the infinite neighbour, NumPy's is NaN
    *("geomspace", "polydiv", "matrix_power"),  # refused; sizes by values; other products come first
}


@pytest.mark.parametrize("name", sorted({*NUMPY_OF} & {*mg.ops.__all__} - NOT_AS_NUMPY))
def test_infinities_nan_and_zeros_give_what_numpy_gives(name, specs):
    @settings(max_examples=5, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(specs[name].inputs, st.randoms(use_true_random=False))
    def hold(call, random):
        arguments = [np.array(a) if is_real(a) and np.size(a) else a for a in call.arguments]
        real = [a for a in arguments if is_real(a) and a.size]
        for a in random.choices(real, k=2) if real else ():
            a[... if random.random() < 0.3 else random.choice([*np.ndindex(a.shape)])] = random.choice(SPECIAL)
        function = NUMPY_OF[name]
        in_list = specs[name].fn is not getattr(mg.ops, name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = function(*([arguments] if in_list else arguments), **call.parameters)
        except (TypeError, ValueError, AttributeError):  # NumPy's function takes something else
            return
        tensors = [mg.tensor(a) if any(a is x for x in real) else a for a in arguments]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            agree(function(*([tensors] if in_list else tensors), **call.parameters), expected)

    hold()


SPECIAL = (INF, -INF, np.nan, 0.0, -0.0)


def agree(found, expected):
    """The same numbers, also in nested tuples, and the same shapes."""
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for part, other in zip(found, expected, strict=True):
            agree(part, other)
        return
    found = found.data if isinstance(found, mg.Tensor) else found
    assert np.shape(found) == np.shape(expected)
    scale = np.max(np.abs(expected), initial=0, where=np.isfinite(expected))
    assert_allclose(found, expected, rtol=1e-10, atol=1e-13 * scale)


@pytest.mark.parametrize(
    ("f", "x", "value", "gradient"),
    [
        (mg.logsumexp, [-INF, -INF], -INF, [0.5, 0.5]),
        (mg.logsumexp, [-INF, 1.0], 1, [0, 1]),
        (mg.logsumexp, [INF, 1.0], INF, [1, 0]),
        (mg.logsumexp, [INF, -INF, INF], INF, [0.5, 0, 0.5]),
        (lambda x: mg.logaddexp(x[0], x[1]), [1.0, INF], INF, [0, 1]),
        (lambda x: mg.logaddexp(x[0], x[1]), [-INF, 1.0], 1, [0, 1]),
        (lambda x: mg.logaddexp(x[0], x[1]), [INF, INF], INF, [0.5, 0.5]),
        (lambda x: mg.logaddexp(x[0], x[1]), [-INF, -INF], -INF, [0.5, 0.5]),
        (lambda x: mg.binary_cross_entropy_with_logits(x, np.array([0.0, 1.0])), [-INF, INF], 0, [0, 0]),
        (lambda x: mg.binary_cross_entropy_with_logits(x, np.array([1.0, 0.0])), [-INF, INF], INF, [-0.5, 0.5]),
        (lambda x: mg.softmax_cross_entropy(x[None], np.array([0])), [INF, 1.0], 0, [0, 0]),
        (lambda x: mg.softmax_cross_entropy(x[None], np.array([1])), [-INF, 1.0], 0, [0, 0]),
        (lambda x: mg.softmax_cross_entropy(x[None], np.array([0])), [-INF, 1.0], INF, [-1, 1]),
        (lambda x: mg.softmax(x)[0], [INF, 1.0, -INF], 1, [0, 0, 0]),
    ],
)
def test_limits_at_infinities(f, x, value, gradient):
    with warnings.catch_warnings(), np.errstate(all="warn", over="ignore", divide="ignore"):
        warnings.simplefilter("error")
        found, pullback = mg.vjp(f, np.array(x))
        assert_array_equal(found, value)
        assert_allclose(pullback(np.ones(()))[0], gradient)


def test_a_nan_is_not_taken_for_an_infinity():
    for f in (mg.logsumexp, lambda x: mg.sum(mg.softmax(x)), lambda x: mg.logaddexp(x[0], x[1])):
        assert np.isnan(f(np.array([np.nan, INF])))
        assert np.isnan(mg.grad(f)(np.array([np.nan, 1.0]))).all()
    assert np.isnan(mg.softmax(np.array([-INF, -INF]))).all()  # there is no limit


@pytest.mark.parametrize("dtype", [HALF, SINGLE, float])
def test_the_unit_vector_where_the_norm_overflows(dtype):
    x = np.array([3.0, 4.0]).astype(dtype) * dtype(np.finfo(dtype).max / 4)
    for f in (
        mg.norm,
        lambda x: mg.hypot(x[0], x[1]),
        lambda x: mg.sum(mg.l2_pool2d(mg.ops.reshape(x, (1, 1, 2)), (1, 2))),
    ):
        assert np.isinf(f(x))
        assert_allclose(mg.grad(f)(x), [0.6, 0.8], rtol=2 * np.finfo(dtype).eps)
        assert_allclose(mg.hessian(f)(x), np.zeros((2, 2)), atol=1 / np.finfo(dtype).max)


def test_a_norm_of_infinities_has_no_direction():
    assert np.isnan(mg.grad(mg.norm)(np.array([INF, 1.0]))[0])


@pytest.mark.parametrize("f", [np.var, np.std])
@pytest.mark.parametrize(("a", "ddof"), [([3.0], 1), ([1.0, 2.0], 2), ([1.0, 1.0], 2), ([1.0, 2.0], 5), ([], 0)])
def test_without_degrees_of_freedom_the_gradient_is_nan(f, a, ddof):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_array_equal(f(mg.tensor(a), ddof=ddof).data, f(np.array(a), ddof=ddof))
        assert np.isnan(mg.grad(lambda a: f(a, ddof=ddof))(np.array(a))).all()


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (mg.arctan, 250.0, 1 / 62501),
        (mg.arctan, 1e150, 1e-300),
        (mg.arccosh, 1e200, 1e-200),
        (mg.log10, 1e308, 1e-308 / math.log(10)),
        (mg.square, 1e-200, 2e-200),
        (lambda z: mg.binary_cross_entropy_with_logits(mg.ops.reshape(z, 1), np.zeros(1)), -40.0, math.exp(-40)),
    ],
)
def test_slopes_far_out(f, x, slope):
    assert_allclose(mg.grad(f)(x), slope, rtol=1e-14)


def test_gelu_far_below_0():
    for dtype, x in ((float, -10.0), (float, -30.0), (SINGLE, -5.0), (SINGLE, -12.0), (HALF, -4.0)):
        due = x * math.erfc(-x / math.sqrt(2)) / 2
        slope = due / x + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        rounding = np.finfo(dtype).eps * (2 if dtype is not float else x * x)
        assert_allclose(mg.gelu(np.array(x, dtype)), due, rtol=rounding, atol=1e-45)
        assert_allclose(
            mg.grad(mg.gelu)(np.array(x, dtype)),
            slope,
            rtol=x * x * np.finfo(dtype).eps,
            atol=1e-7 if dtype is HALF else 1e-45,
        )


@pytest.mark.parametrize(
    "f", [mg.arctan, mg.arcsinh, mg.arccosh, mg.log, mg.log2, mg.log10, mg.log1p, mg.sqrt, mg.cbrt, mg.reciprocal]
)
def test_slopes_of_large_float16(f):
    x = np.array([300.0, 3000.0, 30_000.0, 60_000.0]).astype(HALF)
    assert_allclose(
        slopes_in(f, x, 1024),
        slopes_in(f, x.astype(float), 1024),
        rtol=3e-3,
        atol=2 * float(np.finfo(HALF).smallest_subnormal),
    )


def slopes_in(f, x, g):
    y, pullback = mg.vjp(f, x)
    return pullback(np.full_like(y, g))[0]


def test_a_scaled_loss_overflows_only_where_its_gradient_does():
    g, small = np.full(3, 40_000, HALF), np.array([0.001, 0.25, 0.5], HALF)
    for f in (mg.square, lambda x: x**2, lambda x: x / 400 * x, lambda x: mg.exp2(x) * 0.5, lambda x: 40 / (x + 200)):
        found = mg.vjp(f, small)[1](g)[0]
        assert_allclose(found, mg.vjp(f, small.astype(float))[1](g.astype(float))[0], rtol=0.02)


# powers at higher orders


def summed_gradient(f):
    return lambda x: np.sum(mg.grad(f)(x))


@pytest.mark.parametrize("x", [1e-20, 1e-30, 1e-40, 0.0, -1e-20])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 0.0, 2.0, np.int64(2), np.float32(2.0), np.array([2, 2], np.uint8)])
def test_a_polynomial_has_all_derivatives_at_small_arguments(n, x):
    f, power, due = (lambda x: np.sum(x**n)), float(np.ravel(n)[0]), 1.0
    for order in range(1, 6):
        f = summed_gradient(f)
        due *= power - order + 1
        for dtype in (SINGLE, float):
            expected = due * float(dtype(x)) ** max(power - order, 0) if due else 0
            assert_allclose(f(np.full(2, x, dtype)), 2 * expected, rtol=1e-5, atol=1e-45)


def test_a_gradient_keeps_the_byte_order_of_its_leaf():
    x = leaf((np.arange(3.0) + 0.5).astype(">f4"))
    y = leaf(np.arange(3.0).astype(">f8"))
    ((x * y).sum() + (mg.sigmoid(x) * mg.relu(x) + x.max() + mg.softmax(y)).sum() + y.mean()).backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.dtype(">f4"), np.dtype(">f8"))
    z = np.arange(3.0)

    def f(x):
        return (mg.sigmoid(x) * mg.relu(x)).sum() + x.max() * 3 + (x * z).sum()

    assert_allclose(x.grad, numeric(f, np.arange(3.0) + 0.5), rtol=1e-6)
