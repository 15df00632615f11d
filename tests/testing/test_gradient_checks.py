"""The parts of a check of gradients: its inputs and upstream gradients, its options, and the numbers it compares."""

import functools
import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_jvp, check_vjp, gradient_checks
from minigrad.testing.checked_function import CheckedFunction
from minigrad.testing.finite_differences import central
from minigrad.testing.gradient_checks import Options
from minigrad.testing.tolerances import RTOL, STEP
from minigrad.testing.verdict import Comparison

x, u = np.array([0.5, -1.0, 2.0]), np.array([0.5, 1.0, -1.0])
g = np.array([1.0, -2.0, 0.5])
STRICT = Options()


def cosine(g, y, x):
    return g * np.cos(x)


def checked(fn=np.sin, vjp=cosine, at=x):
    return CheckedFunction(fn, (at,), {}, vjp=vjp)


def caught(check, *arguments, **options):
    with pytest.raises(GradientError) as error:
        check(*arguments, **options)
    return error.value


def test_the_tolerances_of_an_input():
    assert Options().tolerances("x") == (RTOL, 0.0)
    assert Options(1e-3, 2.0).tolerances("x") == (1e-3, 2.0)
    named = Options({"x": 1e-3}, {"x": 2.0})
    assert named.tolerances("x") == (1e-3, 2.0)
    assert named.tolerances("w") == (RTOL, 0.0)


def test_random_numbers_belong_to_the_input_and_the_seed():
    def drawn(at, seed):
        return gradient_checks._generator(checked(at=at), seed).random()

    assert drawn(x, 0) == drawn(x.copy(), 0)
    assert len({drawn(x, 0), drawn(x, 1), drawn(2 * x, 0), drawn(x[::-1], 0)}) == 4


def test_a_second_input_is_moved_in_about_half_of_its_entries():
    many = np.linspace(1, 2, 101)
    shares, second = [], set()
    for seed in range(20):
        moved = gradient_checks._partly_moved(many, np.random.default_rng(seed)) / many
        assert moved[0] == 1
        assert {float(m) for m in moved.round(12)} == {1.0, round(1 - STEP, 12)}
        shares.append(np.mean(moved != 1))
        second.add(moved[1] == 1)
    assert len(second) == 2
    assert 0.45 < np.mean(shares) < 0.55
    assert gradient_checks._partly_moved(np.array(2.0), np.random.default_rng(0)) == 2 * (1 - STEP)
    assert gradient_checks._partly_moved(np.zeros((0, 2)), np.random.default_rng(0)).shape == (0, 2)


def test_upstream_gradients_that_a_random_one_hides():
    y = np.linspace(-2, 1, 9).reshape(3, 3)
    zeros, places = set(), set()
    for seed in range(40):
        one, block, output = gradient_checks._sparse(y, np.random.default_rng(seed))
        assert one.shape == block.shape == output.shape == y.shape
        assert sorted(one.ravel()) == [0] * 8 + [1]
        places.add(int(np.argmax(one)))
        assert np.count_nonzero(block) == 4
        assert 50 < np.abs(block).max() < 5000
        zeros.add(tuple(np.flatnonzero(block.ravel() == 0)))
        np.testing.assert_array_equal(output, y / 2)
    assert len(places) > 5
    assert zeros <= {tuple(sorted((start + i) % 9 for i in range(5))) for start in range(9)}
    assert len(zeros) > 5
    assert gradient_checks._sparse(np.zeros(2), np.random.default_rng(0))[2].tolist() == [0, 0]
    assert np.count_nonzero(gradient_checks._sparse(np.ones(4), np.random.default_rng(0))[1]) == 2
    assert gradient_checks._sparse(np.zeros(0), np.random.default_rng(0)) == []


def test_unit_arrays():
    assert [e.tolist() for e in gradient_checks.unit_arrays(np.zeros((1, 2)))] == [[[1, 0]], [[0, 1]]]


def slope(v, fn=np.sin, options=STRICT, g=g, at=x, error=0.0):
    function = checked(fn, cosine, at)
    case = Comparison(function, 0, g, u, [v], function.value(at), 1)
    gradient_checks._check_slope(case, central(case.f, at, u) * (1 + error), options)


def test_one_slope():
    right = g * np.cos(x)
    scale = np.linalg.norm(right * u)
    slope(right)
    for sign in (-1, 1):
        wrong = right * (1 + sign * 1e-6)
        assert caught(slope, wrong).kind == "wrong"
        difference = abs(np.sum((wrong - right) * u))
        slope(wrong, options=Options(rtol=1.1 * difference / scale))
        assert caught(slope, wrong, options=Options(rtol=0.9 * difference / scale)).kind == "wrong"
        slope(wrong, options=Options(atol=1.01 * difference))
        assert caught(slope, wrong, options=Options(atol=0.99 * difference)).kind == "wrong"
        slope(wrong, options=Options(nondet_tol=1.01 * difference / 2.5))  # for each entry of u
        assert caught(slope, wrong, options=Options(nondet_tol=0.99 * difference / 2.5)).kind == "wrong"
    slope(right, error=1e-6)  # the second numeric value decides
    for wrong in (0 * right, -right, 2 * right):
        assert caught(slope, wrong).kind == "wrong"
    slope(np.zeros(3), lambda x: 0 * x, at=np.zeros(3))


def test_a_slope_that_is_lost_in_the_value():
    def lost(v, fn, g=g):
        return slope(v, fn, g=g)

    lost(np.zeros(3), lambda x: 1e9 + 0 * x)
    lost(np.full(3, 1e-9), lambda x: 1e9 + 0 * x)
    assert caught(lost, np.ones(3), lambda x: 1e9 + 0 * x).kind == "wrong"
    lost(g.copy(), lambda x: x + 1e9)
    assert caught(lost, 2 * g, lambda x: x + 1e12).kind in ("wrong", "inconclusive")
    for size in (1.0, 1e-9, 1e-12):
        for sign in (-1, 1):
            assert caught(lost, np.full(3, 10 * sign * size), lambda x: 1e12 + 0 * x, g=size * g).kind == "wrong"
    total = np.array([1.0, 1.0, 1.0])
    lost(np.zeros(3), lambda x: 1e3 * np.exp(x) / np.sum(np.exp(x)), g=total)  # the slopes cancel


def test_a_slope_whose_parts_cancel_is_seen_all_the_same():
    difference = np.array([[1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 0.0]])
    for sign in (-1, 1):
        error = caught(slope, np.full(3, sign * 1e-9), lambda x: difference @ x, g=np.array([1.0, -1.0, 0.0]))
        assert error.kind == "wrong"


def test_a_jacobian_is_checked_in_every_entry():
    def wrong_in(i, j, factor):
        jacobian = np.arange(1.0, 7).reshape(2, 3)
        wrong = jacobian.copy()
        wrong[i, j] *= factor
        return CheckedFunction(lambda x: jacobian @ x, (x,), {}, vjp=lambda g, y, x: g @ wrong)

    def check(function, options=STRICT):
        gradient_checks._check_jacobian(function, function.value(x), options, 1)

    check(wrong_in(0, 0, 1))
    for i in range(2):
        for j in range(3):
            for sign in (-1, 1):
                error = caught(check, wrong_in(i, j, 1 + sign * 1e-6))
                assert (error.kind, error.index) == ("wrong", (j,))
                check(wrong_in(i, j, 1 + sign * 1e-6), Options(rtol=1.1e-6))
                assert caught(check, wrong_in(i, j, 1 + sign * 1e-6), Options(rtol=0.9e-6)).kind == "wrong"
                size = 1e-6 * (3 * i + j + 1) * abs(x[j])
                check(wrong_in(i, j, 1 + sign * 1e-6), Options(atol=1.01 * size))
                assert caught(check, wrong_in(i, j, 1 + sign * 1e-6), Options(atol=0.9 * size)).kind == "wrong"
                check(wrong_in(i, j, 1 + sign * 1e-6), Options(nondet_tol=1.01 * size / abs(x[j])))


def test_an_entry_of_a_jacobian_that_should_be_another_one_or_none():
    jacobian = np.array([[1.0, 0.0], [2.0, 3.0]])
    for place, value in (((0, 0), -1.0), ((0, 0), 0.0), ((0, 1), 1.0), ((0, 1), -1.0), ((1, 1), -3.0)):
        wrong = jacobian.copy()
        wrong[place] = value
        function = CheckedFunction(lambda x: jacobian @ x, (x[:2],), {}, vjp=lambda g, y, x, w=wrong: g @ w)
        y = function.value(x[:2])
        assert caught(gradient_checks._check_jacobian, function, y, STRICT, 1).index == (place[1],)


def test_a_wrong_third_derivative_is_found_where_it_is_asked_for():
    at = np.array([[0.5, -1.0]])
    for order, name in ((3, "third derivative"), (4, "derivative 4")):
        powers = [mg.op(lambda z, n=n: z**n, name=f"power{n}") for n in range(order + 2, 2, -1)]
        for op, slope in itertools.pairwise(powers):
            op.vjp("z", lambda g, out, z, n, slope=slope: g * n * slope(z))
        powers[order - 2].vjp(
            "z", lambda g, out, z, n: g * (n if isinstance(z, np.ndarray) else n + 0.01) * z ** (n - 1)
        )
        check_grads(powers[0], at, order=order - 1)
        with pytest.raises(GradientError, match=f"{name} of power{order + 2}"):
            check_grads(powers[0], at, order=order)
    check_grads(np.sin, at[:, :1], order=4)
    check_grads(lambda z: np.sum(np.sin(z), axis=1), np.outer(x, x[:2]), order=2)


def test_a_large_input_is_checked_along_directions():
    many = np.linspace(0.5, 2, 60)
    check_vjp(np.sin, many, vjp=lambda g, y, x: g * np.cos(x))
    error = caught(check_vjp, np.sin, many, vjp=lambda g, y, x: g * np.cos(x) * (1 + 1e-6))
    assert error.kind == "wrong"
    assert "derivative of sin" not in str(error)
    f = mg.op(lambda z: z**2, name="f")
    f.vjp("z", lambda g, out, z: 2 * g * (z if isinstance(z, np.ndarray) else 1.001 * z))
    with pytest.raises(GradientError, match=r"^second derivative of f"):
        check_grads(f, many)
    check_vjp(np.sin, np.zeros((0, 2)), vjp=lambda g, y, x: g * np.cos(x))


@pytest.mark.parametrize(("size", "order", "exact"), [(20, 1, True), (21, 1, False), (5, 2, True), (12, 2, False)])
def test_the_whole_jacobian_of_small_functions_is_checked(monkeypatch, size, order, exact):
    seen = []
    monkeypatch.setattr(gradient_checks, "_check_jacobian", lambda *arguments: seen.append(arguments[-1]))
    check_grads(np.sin, np.linspace(0.5, 1, size), order=order, float32=False, layouts=False)
    assert (order in seen) == exact


def test_a_jvp_is_compared_with_its_value_its_slope_and_its_form():
    def sine(x, v, value=1.0, slope=1.0):
        return value * np.sin(x[0]), slope * np.cos(x[0]) * v[0]

    check_jvp(np.sin, x, jvp=sine)
    check_jvp(lambda x: 0 * x, x)
    check_jvp(np.sin, x, jvp=lambda x, v: sine(x, v, 1 + 1e-10))
    for sign in (-1, 1):
        assert caught(check_jvp, np.sin, x, jvp=lambda x, v, s=sign: sine(x, v, 1 + s * 1e-8)).kind == "value"
        check_jvp(np.sin, x, jvp=lambda x, v, s=sign: sine(x, v, 1 + s * 1e-8), rtol=2e-8)
        error = caught(check_jvp, np.sin, x, jvp=lambda x, v, s=sign: sine(x, v, slope=1 + s * 1e-6))
        assert (error.kind, error.argument, error.index) == ("wrong", "the output", (0,))
        assert "the JVP is WRONG at [0] of the output" in str(error)
        assert error.analytic == pytest.approx((1 + sign * 1e-6) * error.numeric, rel=1e-8)
        check_jvp(np.sin, x, jvp=lambda x, v, s=sign: sine(x, v, slope=1 + s * 1e-6), rtol=1e-5)
        total = lambda x, v, s=sign: (np.sum(np.sin(x[0])), (1 + s * 1e-6) * np.sum(np.cos(x[0]) * v[0]))  # noqa: E731
        assert caught(check_jvp, lambda x: np.sum(np.sin(x)), x, jvp=total).kind == "wrong"
        small = lambda x, v, s=sign: [1e-6 * a for a in sine(x, v, 1 + s * 1e-8)]  # noqa: E731
        assert caught(check_jvp, lambda x: 1e-6 * np.sin(x), x, jvp=small).kind == "value"
    large = lambda x, v: [1e6 * a for a in sine(x, v, slope=1 + 5e-9)]  # noqa: E731
    check_jvp(lambda x: 1e6 * np.sin(x), x, jvp=large)
    for given in (
        lambda x, v: (np.sin(x[0])[:2], np.cos(x[0]) * v[0]),
        lambda x, v: (np.sin(x[0]), (np.cos(x[0]) * v[0])[:2]),
    ):
        assert caught(check_jvp, np.sin, x, jvp=given).kind == "value"

    def writes(to):
        def given(x, v):
            y = sine(x, v)
            (x, v)[to][0][1] = 7.0
            return y

        return given

    for to, argument in enumerate(("x", "the direction of x")):
        error = caught(check_jvp, np.sin, x, jvp=writes(to))
        assert (error.kind, error.argument) == ("mutated", argument)

    def second_only(x, v):
        y, dy = sine(x, v)
        dy[2] *= 1.5
        return y, dy

    assert caught(check_jvp, np.sin, x, jvp=second_only).index == (2,)


def test_a_gradient_of_another_form_for_one_upstream_gradient():
    error = caught(check_vjp, np.sin, x, vjp=lambda g, y, x: cosine(g, y, x)[: 2 if np.count_nonzero(g) == 1 else 3])
    assert error.kind == "shape"
    assert "the gradient of x has shape (2,), but x has (3,)" in str(error)


def test_each_part_of_a_check_is_run():
    count = itertools.count()
    noisy = lambda x: np.sin(x) + 1e-12 * next(count)  # noqa: E731
    assert caught(check_vjp, noisy, x, vjp=cosine).kind == "not deterministic"
    check_vjp(noisy, x, vjp=cosine, nondet_tol=1e-9, float32=False)
    noisy = lambda g, y, x: cosine(g, y, x) + 1e-12 * next(count)  # noqa: E731
    assert caught(check_vjp, np.sin, x, vjp=noisy).kind == "not deterministic"
    clipped = lambda g, y, x: np.clip(g, -10, 10) * np.cos(x)  # noqa: E731
    assert caught(check_vjp, np.sin, np.linspace(-1, 1, 64), vjp=clipped).kind == "wrong"
    last = []

    def once(g, out, z):
        again = [np.shares_memory(*pair) for pair in zip(last, (g, z, out), strict=False)] == [True, True, False]
        last[:] = g, z, out
        return 0 * z if again else g * np.cos(z)

    def writes(g, out, z):
        if isinstance(z, np.ndarray):
            z *= 1.0
        return g * np.cos(z)

    twice, writing = (mg.op(lambda z: np.sin(z), name="sine") for _ in range(2))
    twice.vjp("z", once)
    writing.vjp("z", writes)
    assert caught(check_vjp, lambda z: twice(z), x).kind == "accumulation"
    assert "(values that are there already)" in str(caught(check_vjp, writing, x))


def test_what_is_kept_by_some_of_the_entries_is_wrong_nearby():
    for key in (lambda x: x.shape, lambda x: x.flat[0]):
        kept = {}
        stale = lambda g, y, x, kept=kept, key=key: g * kept.setdefault(key(x), np.cos(x))  # noqa: E731
        assert caught(check_vjp, np.sin, x, vjp=stale, float32=False).kind in ("wrong", "stateful")


def test_an_order_is_a_positive_int():
    for order in (0, -1, True, 1.0, "2", None):
        with pytest.raises(ValueError, match="check_grads: order must be 1 or more"):
            check_grads(np.sin, x, order=order)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_slope_of_a_jvp_is_compared_in_both_directions(sign):
    ones = np.ones(3)
    for offset in (0.0, 1e3):
        function = CheckedFunction(lambda x, offset=offset: x + offset, (x,), {})
        gradient_checks._compare_jvp(function, [ones], x + offset, ones, RTOL)
        error = caught(gradient_checks._compare_jvp, function, [ones], x + offset, ones * (1 + sign * 1e-6), RTOL)
        assert error.kind == "wrong"


def test_the_second_derivative_is_checked_with_respect_to_the_upstream_gradient():
    doubled, twice = (mg.op(lambda z: 2 * z, name="twice") for _ in range(2))
    doubled.vjp("z", lambda g, out, z: 3 * g)
    twice.vjp("z", lambda g, out, z: doubled(g))
    assert caught(check_grads, twice, x, order=2).argument == "g1"


@pytest.mark.parametrize("check", [check_vjp, functools.partial(check_grads, order=1)])
def test_what_is_left_out(check):
    def in_float32(g, y, x):
        return g * np.cos(x) * (1.5 if x.dtype == np.float32 else 1)

    check(np.sin, x, vjp=in_float32, float32=False)
    for options in ({}, {"layouts": False}, {"seed": 0}):
        assert caught(check, np.sin, x, vjp=in_float32, **options).kind in ("float32", "dtype")
    rows = np.outer(x, x)
    by_layout = lambda g, y, x: g * np.cos(x) * (1 if x.flags.c_contiguous else 2)  # noqa: E731
    check(np.sin, rows, vjp=by_layout, layouts=False)
    assert caught(check, np.sin, rows, vjp=by_layout, float32=False).kind == "layout"


@pytest.mark.parametrize("check", [check_vjp, check_grads])
def test_a_relative_and_an_absolute_tolerance_are_not_the_same(check):
    def off(g, y, x):
        return g * np.cos(x) * (1 + 1e-3)

    x, options = np.array([1e-6, 0.4]), {"vjp": off, "float32": False}
    check(np.sin, x, rtol=2e-3, **options)
    check(np.sin, x, atol=10.0, **options)
    with pytest.raises(GradientError):
        check(np.sin, x, atol=2e-3, **options)


@pytest.mark.parametrize("check", [check_vjp, check_grads, check_jvp])
def test_an_option_that_is_also_a_parameter_of_the_function_is_refused(check):
    def scaled(x, rtol=1.0, *, seed=1.0, factor=1.0):
        return x * rtol * seed * factor

    for name in ("rtol", "seed"):
        said = f"^{check.__name__}: {name} is an option of the check and a parameter of the function: bind the latter"
        with pytest.raises(TypeError, match=said):
            check(scaled, x, **{name: 2})
        check(functools.partial(scaled, **{name: 2.0}), x, **{name: 1})
    check(scaled, x, 2.0, factor=3.0)
    check(scaled, x, 2.0, rtol=1e-3)  # the function has its own by position
    check(np.sin, x, rtol=1e-3, seed=1)
    check = gradient_checks._unambiguous(check.__wrapped__)
    with pytest.raises(TypeError, match=said):
        check(scaled, x, seed=2)
    check(np.sin, x)
    with pytest.raises(TypeError, match=f"^{check.__name__}: the first argument must be a function, not int"):
        check(3, x)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"rtol": -1.0}, ValueError, "rtol must be at least 0 and finite, not -1.0"),
        ({"rtol": {"x": np.nan}}, ValueError, "rtol must be at least 0 and finite, not nan"),
        ({"atol": "a"}, TypeError, "atol must be a number, not 'a'"),
        ({"nondet_tol": np.inf}, ValueError, "nondet_tol must be at least 0 and finite, not inf"),
        ({"seed": "a"}, TypeError, "seed must be an int that is not negative, not 'a'"),
        ({"seed": -1}, TypeError, "seed must be an int that is not negative, not -1"),
    ],
)
def test_options_that_are_none(options, kind, said):
    for check in (check_vjp, check_grads):
        with pytest.raises(kind, match=f"^{check.__name__}: {said}"):
            check(np.sin, x, **options)


def test_masked_arrays_are_no_inputs_and_no_gradients():
    with pytest.raises(TypeError, match=r"^sin: x is a masked array, which would lose its mask"):
        check_vjp(mg.sin, np.ma.array(x, mask=x > 0))
    assert caught(check_vjp, np.sin, x, vjp=lambda g, y, x: np.ma.array(cosine(g, y, x))).kind == "missing"
