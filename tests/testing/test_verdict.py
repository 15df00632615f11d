"""What a check says of a number that is not the expected one: wrong, inconclusive, or right after all; and where."""

import numpy as np
import pytest

from minigrad.testing import GradientError, verdict
from minigrad.testing.checked_function import CheckedFunction
from minigrad.testing.finite_differences import Slope, romberg
from minigrad.testing.tolerances import EPS, of_cancellation, of_rounding

x, u = np.array([0.5, -1.0, 2.0]), np.array([0.5, 1.0, -1.0])
g = np.array([1.0, -2.0, 0.5])


def case(fn, gradients, *inputs, g=g, u=u, position=0, order=1):
    """A Comparison of a function with these gradients, which no VJP has to give."""
    inputs = inputs or (x,)
    function = CheckedFunction(fn, inputs, {}, vjp=lambda g, y, *x: tuple(factor(g) for factor in gradients))
    given = [factor(g) for factor in gradients]
    return verdict.Comparison(function, position, g, u, given, function.value(*function.x), order)


def of_sine(error=0.0, where=slice(None)):
    def gradient(g):
        v = g * np.cos(x)
        v[where] *= 1 + error
        return v

    return case(np.sin, [gradient])


def test_what_a_comparison_is_about():
    a = np.array([[3.0, -7.0]])
    second = case(np.multiply, [lambda g: g * a, lambda g: g * 2 * a], a, 2 * a, g=a, u=a, position=1)
    assert second.x.tolist() == [[6.0, -14.0]]
    assert second.label == "x2"
    assert second.size == 14
    assert second.analytic.tolist() == (2 * a * a).tolist()
    assert second.scalar(a) == np.sum(a * a * a)
    assert second.f(a).tolist() == (a * a).tolist()


def test_a_second_value_may_confirm_a_gradient():
    right = of_sine()
    slope = float(np.sum(right.analytic * u))
    assert verdict.settle(right, slope * 2, slope, 1e-9) is None
    with pytest.raises(GradientError) as error:
        verdict.settle(right, slope * 2, slope, 0.0)  # nothing is as exact as that
    assert error.value.kind == "inconclusive"
    value, known = romberg(right.scalar, x, u, rounding=EPS / 4 * np.linalg.norm(g * np.sin(x)))
    assert verdict.settle(right, slope * 2, value, known / 5) is None
    with pytest.raises(GradientError):
        verdict.settle(right, slope * 2, value, known / 20)


def test_a_wrong_gradient_is_told_with_its_numbers():
    wrong = of_sine(0.5, 2)
    analytic = float(np.sum(wrong.analytic * u))
    exact = float(np.sum(g * np.cos(x) * u))
    with pytest.raises(GradientError) as error:
        verdict.settle(wrong, exact, analytic, 1e-9)
    told = str(error.value)
    assert (error.value.kind, error.value.index) == ("wrong", (2,))
    assert error.value.diagnosis
    norm = np.linalg.norm(wrong.analytic * u)
    for words in (
        "is WRONG", "(x (3,), output (3,))", f"numeric {exact:.10g}", f"analytic {analytic:.12g}",
        f"difference {abs(exact - analytic):.3g}; allowed 1e-09, S = {norm:.3g}", "upstream gradient g",
    ):  # fmt: skip
        assert words in told, told
    assert "second derivative of" not in told


def test_the_order_is_told():
    later = case(np.sin, [lambda g: 2 * g * np.cos(x)], order=2)
    with pytest.raises(GradientError, match="second derivative of sin"):
        verdict.settle(later, 0.0, 5.0, 1e-9)


def test_a_gradient_that_is_lost_in_rounding_is_confirmed_roughly():
    """f is 1e8 + x: its slope along u is known to some 1e-6 of itself at best."""
    offset = 1e8
    lost = case(lambda x: x + offset, [lambda g: g * 1.0])
    slope = float(np.sum(g * u))
    assert verdict.settle(lost, slope, slope, 1e-9 * abs(slope), lost=True) is None
    with pytest.raises(GradientError):
        verdict.settle(lost, slope, slope, 1e-9 * abs(slope))
    with pytest.raises(GradientError) as error:
        verdict.settle(lost, slope, 2 * slope, 1e-9 * abs(slope), lost=True)
    assert error.value.kind == "wrong"


def test_how_roughly():
    right = of_sine()  # |g y| and |g| of order 1
    rest = of_cancellation(g, np.sin(x), 2.0)

    def confirmed(value, error, numeric, analytic, allowed=0.0):
        return verdict._confirmed_roughly(right, Slope(value, error), numeric, analytic, allowed)

    assert confirmed(1.0, 0.24, 1.0, 0.8)  # known to a quarter of itself
    assert not confirmed(1.0, 0.26, 1.0, 0.8)
    assert confirmed(-1.0, 0.24, 1.0, -0.8)
    assert confirmed(-1.0, 0.24, 1.0, -1.2)
    assert confirmed(0.5, 0.24, 0.5, 0.97, allowed=0.25)
    assert confirmed(0.5, 0.24, 0.5, -1.0, allowed=1.3)  # or to one of the gradient's
    assert not confirmed(0.5, 0.26, 0.5, -1.0, allowed=1.2)
    assert not confirmed(1.0, 1e-3, 1.0, 0.99)
    assert confirmed(1.0, 1e-3, 1.0, 0.99, allowed=0.01)
    assert confirmed(0.0, 0.9 * rest, 1.0, 0.0)
    assert not confirmed(0.0, 1.1 * rest, 1.0, 0.0)
    half = rest / 2
    assert confirmed(half, rest / 100, 10 * half, 2 * half)  # the two numeric values differ: something cancels
    assert not confirmed(half, rest / 1000, half, 2 * half)  # nothing does, so a quarter is known
    assert not confirmed(half, rest / 1000, 1.005 * half, 2 * half)
    assert confirmed(half, rest / 1000, 1.5 * half, 2 * half)
    rounded = of_rounding(g, np.sin(x), u)
    assert confirmed(rounded / 10, 0.0, rounded / 10, 0.9 * rounded)
    assert not confirmed(rounded / 10, 0.0, rounded / 10, 1.3 * rounded)
    assert not confirmed(-half, rest / 1000, -half, -2 * half)
    assert confirmed(half, rest / 1000, half, 1.2 * half)
    assert not confirmed(10.0, 0.01, 10.0, 10.02)


def test_a_kink_is_where_the_slopes_of_the_two_sides_differ():
    at = np.array([0.0, 1.0])
    along = np.array([1.0, 0.5])

    def kinked(fn, g=(1.0, 1.0), difference=1e3):
        return verdict._kinked(case(fn, [np.array], at, g=np.array(g), u=along), difference)

    assert kinked(np.abs)
    assert kinked(lambda x: -np.abs(x))
    assert not kinked(lambda x: x * x + 1e9, difference=0.0)
    assert kinked(lambda x: 5 * x + 0.2 * np.abs(x))
    assert not kinked(np.abs, g=(0.0, 1.0))
    assert not kinked(np.sin)
    assert not kinked(np.sin, difference=0.0)
    for sign in (-1, 1):
        assert kinked(lambda x, sign=sign: sign * 5 * x + 0.06 * np.abs(x))
        assert not kinked(lambda x, sign=sign: sign * 5 * x + 0.04 * np.abs(x))
    assert not kinked(lambda x: 5 * x + 0.02 * np.abs(x))  # 0.2 %
    assert kinked(lambda x: 5 * x + 0.02 * np.abs(x), difference=0.039)
    assert not kinked(lambda x: 5 * x + 0.02 * np.abs(x), difference=0.041)
    assert kinked(lambda x: 5 * x + 0.02 * np.abs(x), g=(-2.0, 1.0), difference=0.079)
    assert not kinked(lambda x: 5 * x + 0.02 * np.abs(x), g=(-2.0, 1.0), difference=0.081)
    with np.errstate(all="ignore"):
        assert not kinked(np.sqrt)


def test_a_difference_below_what_is_known_is_inconclusive():
    noisy = case(lambda x: np.sin(x) + 1e-4 * np.sin(1e9 * x), [lambda g: g * np.cos(x)])

    def of(slope, numeric, difference, allowed=0.0, of=None):
        found, hint = verdict._verdict(of or of_sine(), slope, numeric, difference, allowed)
        assert (found == "wrong") == (hint == [])
        return found

    exact = Slope(1.0, 1e-12)
    assert of(exact, 1.0, 1e-3) == "wrong"
    assert of(Slope(1.0, 1.1e-4), 1.0, 1e-3) == "inconclusive"
    assert of(Slope(1.0, 0.9e-4), 1.0, 1e-3) == "wrong"
    assert of(Slope(1.0, 0.9e-4), 1.0, 1e-3, allowed=2e-4) == "inconclusive"
    assert of(exact, 1.0 + 5.5e-4, 1e-3) == "inconclusive"
    assert of(exact, 1.0 - 4.5e-4, 1e-3) == "wrong"
    assert of(exact, 1.0, np.nan) == "inconclusive"
    assert of(exact, 1.0, 1e-13) == "inconclusive"
    assert of(exact, 1.0, 1e-3, of=noisy) == "inconclusive"
    unseen, quiet = of_cancellation(g, x, 1.0), case(lambda x: x * 1.0, [lambda g: g * 1.0])
    assert of(Slope(1.0, 0.0), 1.0, 1.05 * unseen, of=quiet) == "wrong"
    assert of(Slope(1.0, 0.0), 1.0, 0.95 * unseen, of=quiet) == "inconclusive"
    bent = case(np.abs, [np.sign], np.zeros(3))
    assert verdict._verdict(bent, exact, 1.0, 1.0, 0.0)[1] == [
        "the two one-sided slopes differ: this is a kink, see check_subgradient"
    ]
    found, hint = verdict._verdict(of_sine(), Slope(1.0, 0.25), 1.0, 1.0, 0.0)
    assert (found, hint) == ("inconclusive", ["the numeric slope is only known to 0.25 here"])


def test_the_worst_entry_is_found():
    worst = verdict._worst_entry(of_sine(0.5, 1))
    assert worst[0] == (1,)
    assert worst[1:] == pytest.approx((-2 * np.cos(1), -3 * np.cos(1)))
    a = np.array([[0.5, 0.0], [2.0, 1.0]])
    both = case(lambda a: a**3, [lambda g: g * (3 * a * a + [[0, 0.1], [0, 0.2]])], a, g=np.ones((2, 2)), u=a)
    assert verdict._worst_entry(both)[0] == (1, 1)
    cancelling = case(np.sin, [lambda g: g * np.cos(x) + [0.5, -0.25, 0.3]], g=np.ones(3), u=np.array([1.0, 2.0, 1.0]))
    assert verdict._worst_entry(cancelling)[0] == (0,)
    with np.errstate(all="ignore"):
        infinite = case(lambda a: np.where(a == 0.5, 0.5, 1e300 * (a - 0.5) * 1e300), [np.zeros_like], a, g=a, u=a)
        index, numeric, analytic = verdict._worst_entry(infinite)
    assert index == (0, 0)
    assert not np.isfinite(numeric)
    assert analytic == 0


@pytest.mark.parametrize("wrong", [0, 17, 4999, 5000])
def test_the_worst_entry_of_a_large_input_is_found_by_halves(wrong):
    many, upstream = np.linspace(0.5, 2, 5001).reshape(3, 1667), np.linspace(1, 3, 5001).reshape(3, 1667)

    def gradient(g):
        v = g * np.exp(many)
        v.flat[wrong] *= 1.5
        v.flat[100] *= 1.001
        return v

    found = case(np.exp, [gradient], many, g=upstream, u=many)
    index, numeric, analytic = verdict._worst_entry(found)
    assert np.ravel_multi_index(index, many.shape) == wrong
    right = upstream[index] * np.exp(many[index])
    assert (numeric, analytic) == pytest.approx((right, 1.5 * right), rel=1e-6)
    assert all(isinstance(i, int) for i in index)


def test_the_diagnosis_of_a_large_input_is_that_of_a_sample():
    many = np.linspace(0.5, 2, 6301)
    sampled = np.linspace(0, 6300, 64).astype(int)

    def said(change, fn=np.exp):
        def gradient(g):
            v = g * fn(many)
            change(v)
            return v

        return verdict._diagnosis(case(fn, [gradient], many, g=-np.ones(many.size), u=many))

    def times(places, factor, more=0.0):
        def change(v):
            v[places] *= factor
            v[places] += more

        return change

    factor = "it is 1.5 times the numeric gradient in every entry of 64 that were sampled"
    assert said(times(slice(None), 1.5)) == [factor]
    assert said(times([3], 2)) == ["none of 64 sampled entries is wrong"]
    assert said(times(sampled[:1], 2)) == ["1 of 64 sampled entries is wrong"]
    assert said(times(sampled[-2:], 2)) == ["2 of 64 sampled entries are wrong"]
    assert said(times(sampled[:3], 0.5)) == ["3 of 64 sampled entries are wrong"]
    assert said(times(sampled[:5], np.nan)) == ["5 of 64 sampled entries are wrong"]
    assert said(times(sampled[:5], 1, 4e-6)) == ["none of 64 sampled entries is wrong"]  # of 7.4 in the largest
    assert said(times(sampled[:5], 1, 9e-6)) == ["5 of 64 sampled entries are wrong"]
    assert said(times(sampled[:1], 1, 1.0), np.zeros_like) == ["1 of 64 sampled entries is wrong"]


def test_a_diagnosis_looks_at_other_inputs_of_this_shape_and_at_multiples_of_g():
    other = x + 3
    swapped = case(np.multiply, [lambda g: g * x, lambda g: g * other], x, other)
    assert verdict._diagnosis(swapped) == ["it is the gradient of x2"]
    second = case(np.multiply, [lambda g: g * other, lambda g: g * other], x, other, position=1)
    assert verdict._diagnosis(second) == ["it is the gradient of x1"]
    nearly = case(np.multiply, [lambda g: g * other * (1 + 1e-8 * u), lambda g: g * x], x, other)
    assert not any("it is the gradient of" in said for said in verdict._diagnosis(nearly))
    one = np.array([2.0])
    spread = case(np.multiply, [lambda g: np.full(3, np.sum(g * x)), lambda g: np.sum(g * x)[None]], x, one)
    assert not any("it is the gradient of" in said for said in verdict._diagnosis(spread))
    squared = case(np.sin, [lambda g: g * g * np.cos(x)])
    assert any("not linear in the upstream gradient" in said for said in verdict._diagnosis(squared))
    of_size = case(np.sin, [lambda g: np.abs(g) * np.cos(x)])
    assert any("not linear in the upstream gradient" in said for said in verdict._diagnosis(of_size))
    constant = case(np.sin, [lambda g: np.cos(x)])
    assert any("does not depend on the upstream gradient" in said for said in verdict._diagnosis(constant))
