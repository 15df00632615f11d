"""The same gradients in another way: what is compared, where, and how closely."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, consistency
from minigrad.testing.checked_function import CheckedFunction
from minigrad.testing.options import Options
from minigrad.testing.tolerances import EPS32, MAX32, TINY32

x = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
g = np.array([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]])


def checked(fn=np.sin, vjp=lambda g, y, x: g * np.cos(x), *inputs):
    return CheckedFunction(fn, inputs or (x,), {}, vjp=vjp)


def raised(check):
    with pytest.raises(GradientError) as error:
        check()
    return error.value


def layouts(fn=np.sin, vjp=lambda g, y, x: g * np.cos(x), inputs=(x,), g=g):
    function = checked(fn, vjp, *inputs)
    _, pull = function.pullback(function.x)
    consistency.check_layouts(function, g, pull(g))


def float32(fn=np.sin, vjp=lambda g, y, x: g * np.cos(x), inputs=(x,), g=g):
    consistency.check_float32(checked(fn, vjp, *inputs), g, np.random.default_rng(0), Options())


def test_an_array_with_gaps_is_the_same_backwards():
    for a in (x, x[0], np.array(3.0), np.zeros((2, 0))):
        view = consistency._with_gaps(a)
        np.testing.assert_array_equal(view, a, strict=True)
        whole = consistency._wide(a)
        assert whole.size == (2 * a.size if a.ndim else 1)
        assert np.isnan(whole).sum() == whole.size - a.size
        assert not a.size or not a.ndim or view.strides[-1] == -16


def test_every_layout_is_tried():
    seen = []

    def fn(a):
        seen.append(("C" if a.flags.c_contiguous else "", "F" if a.flags.f_contiguous else "", a.strides[-1] < 0))
        return np.sin(a)

    upstream = []

    def vjp(g, y, a):
        upstream.append((g.strides, g.flags.c_contiguous, g.flags.f_contiguous))
        return g * np.cos(a)

    layouts(fn, vjp)
    assert {("C", "", False), ("", "F", False), ("", "", True)} <= set(seen)
    assert (0, 0) in [strides for strides, *_ in upstream]
    assert any(f and not c for _, c, f in upstream)
    assert any(strides[-1] < 0 for strides, *_ in upstream)


def of_layout(kind):
    return {
        "column-major": lambda a: a.flags.f_contiguous and not a.flags.c_contiguous,
        "views with gaps": lambda a: a.strides[-1] < 0,
    }[kind]


@pytest.mark.parametrize("kind", ["column-major", "views with gaps"])
def test_what_changes_with_a_layout_is_told(kind):
    odd = of_layout(kind)
    error = raised(lambda: layouts(lambda a: np.sin(a) * (1 + 1e-6 * odd(a))))
    assert (error.kind, error.argument) == ("layout", None)
    assert f"the value changes where the arrays are {kind}" in str(error)
    error = raised(lambda: layouts(vjp=lambda g, y, a: g * np.cos(a) * (1 + 1e-6 * odd(a))))
    assert (error.kind, error.argument) == ("layout", "x")
    assert f"the gradient of x changes where the arrays are {kind}" in str(error)
    error = raised(lambda: layouts(vjp=lambda g, y, a: g * np.cos(a) * (1 + 1e-6 * odd(g))))
    assert f"the gradient of x changes where the arrays are {kind}" in str(error)
    error = raised(lambda: layouts(vjp=lambda g, y, a: (g * np.cos(a))[: 1 if odd(a) else 2]))
    assert f"the gradient of x changes where the arrays are {kind}" in str(error)
    error = raised(lambda: layouts(lambda a: np.sin(a)[: 1 if odd(a) else 2], vjp=lambda g, y, a: 0 * a))
    assert f"the value changes where the arrays are {kind}" in str(error)

    def refuse(a):
        if odd(a):
            raise IndexError("not such arrays")
        return np.sin(a)

    error = raised(lambda: layouts(refuse))
    assert f"it raises IndexError where the arrays are {kind}" in str(error)
    assert "not such arrays\n  pass layouts=False" in str(error)


def test_an_upstream_gradient_without_strides_is_told():
    error = raised(lambda: layouts(vjp=lambda g, y, a: g * np.cos(a) * (1 + 1e-6 * (0 in g.strides))))
    assert "the gradient of x changes where the upstream gradient has strides of 0" in str(error)


@pytest.mark.parametrize(
    ("odd", "where"),
    [
        (lambda g: 0 in g.strides, "the upstream gradient has strides of 0"),
        (lambda g: g.strides[-1] < 0, "the arrays are views with gaps and negative strides"),
        (lambda g: g.strides[0] < g.strides[-1], "the arrays are column-major"),
    ],
)
def test_an_op_gets_upstream_gradients_of_every_layout(odd, where):
    sine = mg.op(lambda a: np.sin(a))
    sine.vjp("a", lambda g, y, a: g * np.cos(a) * (1 + 1e-6 * (isinstance(g, np.ndarray) and odd(g))))
    assert f"the gradient of a changes where {where}" in str(raised(lambda: mg.testing.check_vjp(sine, x)))


def test_every_layout_of_what_minigrad_differentiates():
    layouts(np.sin, None)
    layouts(np.multiply, None, (x, x + 3))
    layouts(np.sin, None, (np.array(3.0),), np.array(2.0))
    layouts(inputs=(np.array(3.0),), g=np.array(2.0))
    sine = mg.op(lambda a: np.sin(a))
    sine.vjp("a", lambda g, y, a: g * np.cos(a) * (1 + 1e-6 * (isinstance(a, np.ndarray) and a.strides[-1] < 0)))
    assert "views with gaps" in str(raised(lambda: layouts(sine, None)))


@pytest.mark.parametrize("kind", ["column-major", "views with gaps"])
def test_fewer_rows_of_the_same_numbers_are_told(kind):
    odd, ones = of_layout(kind), np.ones((2, 3))

    def first(a, result):
        return result[: 1 if odd(a) else 2]

    error = raised(lambda: layouts(lambda a: first(a, np.sin(a)), lambda g, y, a: 0 * a, (ones,), ones))
    assert "the value changes" in str(error)
    error = raised(lambda: layouts(vjp=lambda g, y, a: first(a, np.cos(a)), inputs=(ones,), g=ones))
    assert "the gradient of x changes" in str(error)

    def refuse(g, y, a):
        if odd(a):
            raise IndexError("not such arrays")
        return g * np.cos(a)

    assert f"it raises IndexError where the arrays are {kind}" in str(raised(lambda: layouts(vjp=refuse)))


def test_a_gradient_is_compared_by_its_own_size():
    def fn(a):
        return 1e6 * np.sin(a)

    def vjp(g, y, a):
        return 1e6 * g * np.cos(a) * (1 + 3e-10 * a.flags.f_contiguous)

    layouts(fn, vjp)
    function = checked(fn, None)
    _, pull = function.pullback(function.x)
    consistency.check_accumulation(function, g, [pull(g)[0] * (1 + 3e-10)])
    layouts(lambda a: 1e-6 * np.sin(a), lambda g, y, a: 1e-6 * g * np.cos(a) + 1e-13 * a.flags.f_contiguous)


def test_sums_in_another_order_pass():
    layouts(lambda a: np.sin(a) * (1 + 1e-12 * a.flags.f_contiguous))
    layouts(vjp=lambda g, y, a: g * np.cos(a) * (1 + 1e-12 * a.flags.f_contiguous))


def test_a_result_that_is_used_twice_adds():
    function = checked(vjp=None)
    _, pull = function.pullback([x])
    consistency.check_accumulation(function, g, pull(g))
    consistency.check_accumulation(function, g, [pull(g)[0] * (1 + 1e-12)])
    error = raised(lambda: consistency.check_accumulation(function, g, [pull(g)[0] * (1 + 1e-6)]))
    assert (error.kind, error.argument) == ("accumulation", "x")
    nest = checked(lambda a: {"s": np.sin(a), "p": [a * a]}, None)
    upstream = np.concatenate([g.ravel(), g.ravel()])
    _, pull = nest.pullback(nest.x)
    consistency.check_accumulation(nest, upstream, pull(upstream))


def test_a_move_is_half_to_a_whole_rounding():
    a = np.linspace(1, 2, 1000).reshape(10, 100)
    for blocks in (None, 1, 2):
        moved = consistency._moved(a, np.random.default_rng(0), blocks)
        steps = (moved / a - 1) / EPS32
        assert np.abs(steps).min() == pytest.approx(0.5, abs=0.01)
        assert np.abs(steps).max() == pytest.approx(1, abs=0.01)
        signs = np.sign(steps).ravel()
        if blocks is None:
            assert 0.4 < np.mean(signs > 0) < 0.6
            assert np.count_nonzero(np.diff(signs)) > 400
        else:
            assert signs[0] == 1
            assert [*np.flatnonzero(np.diff(signs))] == [499][: blocks - 1]
    assert consistency._moved(np.zeros((0, 2)), np.random.default_rng(0), 2).shape == (0, 2)


def test_the_range_of_float32():
    inside = [0.0, TINY32, -TINY32, 1.0, MAX32, -MAX32]
    outside = [TINY32 / 1.1, -TINY32 / 2, 1.1 * MAX32, -2 * MAX32, np.inf, np.nan]
    assert consistency._in_range(np.array(inside)).all()
    assert not consistency._in_range(np.array(outside)).any()


def test_what_float32_cannot_hold_is_left_out():
    def never(*arrays):
        raise AssertionError

    float32(never, never, inputs=(np.array([[1e40, 1.0, 1.0]]),))
    huge = np.array([100.0, 1.0])
    float32(np.exp, lambda g, y, a: g * np.float32(3) if a.dtype == np.float32 else g * y, (huge,), np.ones(2))
    with np.errstate(all="raise"):
        float32(np.exp, lambda g, y, a: g * y, (np.array([80.0, -200.0]),), np.ones(2))


def test_what_cancels_in_float32_is_not_called_wrong():
    float32(lambda a: (1 + a) - 1, lambda g, y, a: g + 0 * a, (1e-9 * x,))


def test_gradients_of_values_beyond_float32_are_left_out():
    def fn(a):
        with np.errstate(over="ignore"):
            return a + np.array([1e39, -1e39]).astype(a.dtype)

    float32(fn, lambda g, y, a: g * (3 if a.dtype == np.float32 else 1), (np.array([0.5, 2.0]),), np.ones(2))


def test_a_float32_dtype_is_kept():
    error = raised(lambda: float32(lambda a: np.sin(a).astype(np.float64)))
    assert (error.kind, error.argument) == ("dtype", None)
    assert "float32 inputs give a float64 result" in str(error)
    error = raised(lambda: float32(vjp=lambda g, y, a: (g * np.cos(a)).astype(np.float64)))
    assert (error.kind, error.argument) == ("dtype", "x")
    assert "float32 inputs give x a float64 gradient" in str(error)


def of_single(factor):
    """A factor in float32 alone, of the entry [1, 2]."""

    def change(a):
        if a.dtype == np.float32:
            a = a.copy()
            a[1, 2] *= factor
        return a

    return change


def test_float32_values_and_gradients_are_the_float64_ones_up_to_rounding():
    float32()
    float32(lambda a: of_single(1 + 8 * EPS32)(np.sin(a)))
    error = raised(lambda: float32(lambda a: of_single(1 + 1e-3)(np.sin(a))))
    assert (error.kind, error.argument) == ("float32", None)
    assert "the float32 value is off by 0.000682 at [1, 2], over" in str(error)
    float32(vjp=lambda g, y, a: of_single(1 + 8 * EPS32)(g * np.cos(a)))
    error = raised(lambda: float32(vjp=lambda g, y, a: of_single(1 + 1e-3)(g * np.cos(a))))
    assert (error.kind, error.argument) == ("float32", "x")
    assert "the float32 gradient of x is off by 0.000732 at [1, 2], over" in str(error)
    error = raised(lambda: float32(lambda a: of_single(np.inf)(np.sin(a))))
    assert "the float32 value is -inf at [1, 2], where float64 gives -0.681639" in str(error)
    assert "pass float32=False" in str(error)
    error = raised(lambda: float32(lambda a: np.sin(a)[: 1 if a.dtype == np.float32 else 2]))
    assert "the float32 value has shape (1, 3)" in str(error)
    total, spread = np.array(1.0), lambda g, y, a: g + 0 * a

    def more_in_float32(a):
        return a.dtype.type(1.01 if a.dtype == np.float32 else 1)

    error = raised(lambda: float32(np.sum, lambda g, y, a: spread(g, y, a) * more_in_float32(a), g=total))
    assert "the float32 gradient of a is off by 0.01 at [0, 0], over" in str(error)
    error = raised(lambda: float32(lambda a: np.sum(a) * more_in_float32(a), spread, g=total))
    assert "the float32 value is off by 0.025, over" in str(error)


def test_an_error_of_a_gradient_is_weighed_by_the_upstream_gradient():
    flat, constant = np.full((2, 3), np.pi / 2), np.float32(1e-3)
    error = {"of g": lambda g: np.float32(1e-6) * np.max(np.abs(g)), "of no g": lambda g: constant}

    def vjp(kind):
        return lambda g, y, a: g * np.cos(a) + (error[kind](g) if a.dtype == np.float32 else 0)

    for factor in (1e-3, 1.0, 1e3):
        float32(vjp=vjp("of g"), inputs=(flat,), g=factor * g)
    assert raised(lambda: float32(vjp=vjp("of no g"))).kind == "float32"


def linearity(vjp, fn=np.sin, at=x, g=g, **options):
    function = checked(fn, vjp, at)
    _, pull = function.pullback(function.x)
    consistency.check_linearity(function, pull, g, pull(g), Options(**options))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_gradient_is_as_small_and_as_large_as_the_upstream_gradient(dtype):
    at, upstream = dtype(x), dtype(g)
    power = 60 if dtype is np.float64 else 30

    def message(factor, at=at, upstream=upstream):
        return str(raised(lambda: linearity(lambda g, y, a: factor(g) * np.cos(a), at=at, g=upstream)))

    def times(c):
        return f"{c * np.cos(0.5):.6g}"

    def linear_at(at, upstream):
        linearity(lambda g, y, a: g * np.cos(a), at=at, g=upstream)

    linear_at(at, upstream)
    linear_at(at[:0], upstream[:0])
    linear_at(at[0, 0], upstream[0, 0])
    text = message(lambda g: np.clip(g, -1e6, 1e6))
    assert f"for 2**{power} * g it is 877583 at [0, 0], and 2**{power} times that for g is {times(2**power)}\n" in text
    text = message(lambda g: np.where(np.abs(g) < 1e-3, 0, g))
    assert text.startswith("sin: the gradient of x is not linear in g: for 2**-")
    assert f"for 2**-{power} * g it is 0 at [0, 0], and 2**-{power} times that for g is {times(2**-power)}\n" in text
    text = message(lambda g: np.where(np.max(np.abs(g)) == 0, np.nan, g))
    assert "for 0 * g it is nan at [0, 0], and 0 times that for g is " in text
    text = message(lambda g: np.where(np.max(np.abs(g)) < 1e-3, np.nan, g))
    assert f"for 2**-{power} * g it is nan at [0, 0]" in text
    text = message(lambda g: g if g.any() else g[None])
    assert "for 0 * g it has shape (1, 2, 3)" in text
    text = message(lambda g: g + (g == 0), at[0, 0], upstream[0, 0])
    assert "for 0 * g it is 0.877583, and 0 times that for g is 0" in text


def test_what_is_beyond_the_range_of_numbers_is_not_called_wrong():
    for scale in (1e-305, 1e-290, 1.0, 1e290, 1e305):
        linearity(lambda g, y, a: scale * g, fn=lambda a: scale * a)  # noqa: B023
        linearity(lambda g, y, a: (1 / scale) * (scale * g), fn=lambda a: a)  # noqa: B023
    with np.errstate(all="raise"):
        linearity(lambda g, y, a: 1e305 * g, fn=lambda a: 1e305 * a)

    @np.errstate(over="ignore")
    def silent(g, y, a):
        return 1e305 * g

    linearity(silent)


def test_a_gradient_of_another_size_is_told_in_float32_alone():
    def vjp(g, y, a):
        return np.where((np.abs(g) < 1e-6) & (a.dtype == np.float32), 0, g) * np.cos(a)

    assert "for 2**-30 * g it is 0 at [0, 0]" in str(raised(lambda: float32(vjp=vjp)))


def test_rounding_of_what_cancels_need_not_be_linear():
    def of_large(share):
        return lambda g, y, a: share * g * (np.max(np.abs(g)) > 1e6)

    for upstream in (1e-3 * g, g, 1e3 * g):
        linearity(of_large(1e-14), g=upstream)
        with pytest.raises(GradientError, match="not linear"):
            linearity(of_large(1e-10), g=upstream)


def test_tolerances_hold_for_multiples_of_the_upstream_gradient():
    def off(g, y, a):
        return g * np.cos(a) * (1 + 1e-6 * (np.max(np.abs(g)) > 1e6))

    def dropped(g, y, a):
        return np.where(np.abs(g) < 1e-7, 0, g) * np.cos(a) + 1e-6

    assert raised(lambda: linearity(off)).kind == raised(lambda: linearity(dropped)).kind == "wrong"
    linearity(off, rtol=1e-5)
    linearity(off, rtol={"x": 1e-5})
    linearity(dropped, atol=1e-5)
    linearity(dropped, nondet_tol=1e-5)
