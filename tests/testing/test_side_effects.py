"""What a function and its VJP do besides computing: each kind is found, told by name, and nothing else is."""

import functools
import itertools
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, check_vjp, side_effects
from minigrad.testing.checked_function import CheckedFunction
from minigrad.testing.tolerances import STEP

x = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
g = np.array([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]])
WEIGHTS = [mg.tensor(np.ones_like(x), requires_grad=True)]  # where no check looks for Tensors


def cosine(g, y, x):
    return g * np.cos(x)


def checked(fn=np.sin, vjp=cosine, *inputs, **parameters):
    return CheckedFunction(fn, inputs or (x,), parameters, vjp=vjp)


def value_of(fn, vjp=cosine, tolerance=0.0, order=1):
    return side_effects.check_value(checked(fn, vjp), tolerance, order)


def gradients_of(vjp, fn=np.sin, tolerance=0.0, order=1, inputs=()):
    return side_effects.check_gradients(checked(fn, vjp, *inputs), g, tolerance, order)


def told(check, *arguments, **options):
    with pytest.raises(GradientError) as error:
        check(*arguments, **options)
    return error.value.kind, error.value.argument, str(error.value).splitlines()[0].partition(": ")[2]


def test_a_right_function_has_its_value_and_gradients():
    assert value_of(np.sin).tolist() == np.sin(x).tolist()
    (gradient,) = gradients_of(cosine)
    assert gradient.tolist() == (g * np.cos(x)).tolist()
    assert value_of(mg.sin, None).tolist() == np.sin(x).tolist()


def test_a_check_leaves_its_arrays_as_they_are():
    function = checked()
    side_effects.check_value(function)
    side_effects.check_gradients(function, g)
    assert function.x[0].flags.writeable
    assert g.flags.writeable
    (gradient,) = gradients_of(None, mg.sin)
    assert gradient.tolist() == (g * np.cos(x)).tolist()
    before = g.copy()
    for victim in ("x", "the upstream gradient"):
        writer = of_op(writing(victim, 2.0))
        told(side_effects.check_each_vjp, writer, g)
        assert writer.x[0].tolist() == x.tolist()
        writer = checked(np.sin, writing(victim, 2.0))
        told(side_effects.check_gradients, writer, g)
        assert writer.x[0].tolist() == x.tolist()
        assert g.tolist() == before.tolist()
    writer = checked(lambda x: np.multiply(x, 2.0, out=x), cosine)
    told(side_effects.check_value, writer)
    assert writer.x[0].tolist() == x.tolist()


def test_values_that_are_not_finite_or_not_the_same_twice():
    assert told(value_of, lambda x: np.where(x == 2, np.inf, x))[0] == "not finite"
    count = map(float, itertools.count())
    noisy = lambda x: np.sin(x) + 1e-9 * next(count)  # noqa: E731
    kind, _, words = told(value_of, noisy)
    assert (kind, words) == ("not deterministic", "two runs at one input gave two different values")
    value_of(noisy, tolerance=1e-8)


def test_a_value_in_kept_memory():
    buffer = np.empty_like(x)
    kept = lambda x: np.sin(x, out=buffer)  # noqa: E731
    assert told(value_of, kept)[:2] == ("aliased", None)
    assert value_of(kept, order=2) is not None  # its derivatives are made of VJPs that were checked


def test_tensors_give_the_value_that_arrays_give():
    def fn(error):
        return lambda x: np.sin(x) * (1 + error * isinstance(x, mg.Tensor))

    value_of(fn(1e-13), None)
    assert told(value_of, fn(1e-11), None) == ("value", None, "arrays and Tensors give different values")
    value_of(fn(1e-11), None, tolerance=1e-6)
    assert told(value_of, lambda x: 0 * x[: 1 if isinstance(x, mg.Tensor) else 2], None)[0] == "value"
    single = lambda x: (0 * x).astype(np.float32 if isinstance(x, mg.Tensor) else float)  # noqa: E731
    assert told(value_of, single, None)[0] == "value"
    value_of(lambda x: 0 * x, None)
    value_of(lambda x: 1e3 * fn(1e-13)(x), None)


def test_inputs_nearby_differ_in_every_entry():
    (near,) = side_effects.nearby([np.array([0.0, 2.0, -4.0])])
    assert near.tolist() == [-STEP, 2 * (1 - STEP), -4 * (1 - STEP)]


def test_a_gradient_of_another_form():
    assert told(gradients_of, lambda g, y, x: None)[0] == "missing"
    kind, label, words = told(gradients_of, lambda g, y, x: np.cos(x)[0])
    assert (kind, label, words) == ("shape", "x", "the gradient of x has shape (3,), but x has (2, 3)")
    with pytest.raises(GradientError, match=r"^second derivative of sin: the gradient of x has shape"):
        gradients_of(lambda g, y, x: np.cos(x)[0], order=2)
    with pytest.raises(GradientError, match=r"^second derivative of sin: the gradient of x has dtype"):
        gradients_of(lambda g, y, x: cosine(g, y, x).astype(np.float32), order=2)
    with pytest.raises(GradientError, match=r"^second derivative of sin: the gradient of x is not finite"):
        gradients_of(lambda g, y, x: np.where(x == 2, np.nan, x), order=2)
    kind, _, words = told(gradients_of, lambda g, y, x: cosine(g, y, x).astype(np.float32))
    assert (kind, words) == ("dtype", "the gradient of x has dtype float32, but x has float64")
    with np.errstate(all="ignore"):
        kind, _, words = told(gradients_of, lambda g, y, x: cosine(g, y, x) / (x - 0.5))
    assert (kind, words) == ("not finite", "the gradient of x is not finite")


def test_a_shape_is_explained():
    column = np.ones((2, 1))
    hint = "it is not summed over the axes along which the input was broadcast"
    assert side_effects._explained_shape((2, 3), column, g) == [hint]
    assert side_effects._explained_shape((1, 2, 1), column, g) == [hint]
    assert side_effects._explained_shape((1, 2), column, g) == ["it is transposed"]
    assert side_effects._explained_shape((2,), column, g) == []
    with pytest.raises(GradientError) as error:
        gradients_of(lambda g, y, a, b: (g * b, g * a), np.multiply, inputs=(x, x[0]))
    assert error.value.diagnosis == (hint,)


def test_a_vjp_that_gives_other_numbers_the_second_time():
    count = map(float, itertools.count())
    noisy = lambda g, y, x: g * np.cos(x) + 1e-9 * next(count)  # noqa: E731
    kind, label, words = told(gradients_of, noisy)
    assert (kind, label, words) == ("not deterministic", "x", "two runs of the VJP gave x two gradients")
    gradients_of(noisy, tolerance=1e-8)


@pytest.mark.parametrize(
    ("vjp", "owner"),
    [
        (lambda g, y, a, b: (g, g * a), "the upstream gradient"),
        (lambda g, y, a, b: (a, g * a), "x1"),
        (lambda g, y, a, b: (b[:, ::-1], g * a), "x2"),
        (lambda g, y, a, b: (lambda v: (v, v[::-1]))(g * b), "the gradient of x1"),
    ],
)
def test_gradients_share_no_memory(vjp, owner):
    _, _, words = told(gradients_of, vjp, np.multiply, inputs=(x, x + 3))
    assert words.endswith(f"shares its memory with {owner}: return a copy")


def test_a_gradient_in_memory_of_the_next_run():
    buffer = np.empty_like(x)
    _, _, words = told(gradients_of, lambda g, y, x: np.multiply(g, np.cos(x), out=buffer))
    assert words == "the gradient of x shares its memory with the gradient of the next run: return a copy"


def test_a_vjp_that_reads_what_the_function_keeps():
    kept = {}

    def fn(x):
        kept["slope"] = np.cos(x)
        return np.sin(x)

    def vjp(g, y, x):
        return g * kept["slope"]

    kind, label, words = told(gradients_of, vjp, fn)
    assert (kind, label) == ("stateful", "x")
    assert words.startswith("the gradient of x changes when the function runs at another input")
    gradients_of(vjp, fn, tolerance=10.0)
    gradients_of(vjp, fn, order=2)

    def of_signs(x):  # which are the same nearby
        kept["slope"] = np.where(x > 0, 1.0, 0.0)
        return np.maximum(x, 0.0)

    assert told(gradients_of, vjp, of_signs)[0] == "stateful"

    def refusing(x):  # what is reversed
        if x[0, 0] < 0.4:
            raise ValueError("not such an input")
        return fn(x)

    assert told(gradients_of, vjp, refusing)[0] == "stateful"


def test_a_gradient_is_not_the_output():
    _, _, words = told(gradients_of, lambda g, y, x: y, np.exp)
    assert words == "the gradient of x shares its memory with the output: return a copy"


def writing(victim, factor):
    def vjp(g, out, x):
        v = g * np.cos(x)
        array = {"x": x, "the upstream gradient": g, "the output": out}[victim]
        array *= factor
        return v

    return vjp


@pytest.mark.parametrize("victim", ["x", "the upstream gradient", "the output"])
def test_writes_of_a_vjp(victim):
    assert told(gradients_of, writing(victim, 2.0))[::2] == ("mutated", f"the VJP wrote to {victim}")
    words = f"the VJP writes to {victim} (values that are there already)"
    assert told(gradients_of, writing(victim, 1.0)) == ("mutated", victim, words)
    gradients_of(writing(victim, 1.0), order=2)


def of_op(vjp):
    op = mg.op(lambda x: np.sin(x), name="sine")
    op.vjp("x", vjp)
    return checked(op, None)


@pytest.mark.parametrize(("victim", "name"), [("x", "x"), ("the upstream gradient", "g"), ("the output", "the output")])
def test_writes_of_the_vjp_of_an_op(victim, name):
    kind, label, words = told(side_effects.check_each_vjp, of_op(writing(victim, 2.0)), g)
    assert (kind, label, words) == ("mutated", name, f"the VJP of x wrote to {name}")
    kind, label, words = told(side_effects.check_each_vjp, of_op(writing(victim, 1.0)), g)
    assert words == f"the VJP of x writes to {name} (values that are there already)"


def test_the_vjps_of_an_op_keep_no_buffer_and_return_something():
    buffer = np.empty_like(x)
    kind, label, words = told(
        side_effects.check_each_vjp, of_op(lambda g, y, x: np.multiply(g, np.cos(x), out=buffer)), g
    )
    assert (kind, label, words) == ("aliased", "x", "the VJP of x returns the same memory in every call")
    kind, label, words = told(side_effects.check_each_vjp, of_op(lambda g, y, x: None), g)
    assert (kind, label, words) == ("missing", "x", "the VJP returned None for x, not an array")
    side_effects.check_each_vjp(checked(lambda x: np.sin(x), None), g)  # no op
    side_effects.check_each_vjp(checked(of_op(lambda g, y, x: None).fn, cosine), g)  # its own VJP is not checked
    number = mg.op(lambda x, n: x * n)
    number.vjp("x", lambda g, y, x, n: 2.0 * float(g))
    side_effects.check_each_vjp(checked(number, None, np.array(3.0), 2), np.array(1.0))
    buffer.flags.writeable = False
    side_effects.check_each_vjp(of_op(lambda g, y, x: buffer), g)  # a constant that nobody can write to
    side_effects.check_each_vjp(of_op(cosine), g)
    many = mg.op(lambda *arrays: sum(arrays))
    many.vjp("arrays", lambda i, g, y, *arrays: np.multiply(arrays[i], 1.0, out=arrays[i]) + g)
    kind, label, words = told(side_effects.check_each_vjp, checked(many, None, x, x + 1), g)
    assert label == "0"


def test_an_op_that_stands_in_for_a_function_of_numpy_is_checked_where_it_names_all_that_it_is_given():
    op = of_op(lambda g, y, x: None)
    op.fn.numpy = np.sin
    assert told(side_effects.check_each_vjp, op, g)[0] == "missing"
    side_effects.check_each_vjp(checked(mg.sum, None, x, where=x > 0), np.array(1.0))  # it is made of other ops


def test_the_vjp_of_a_function_that_holds_a_weight_writes_to_nothing():
    def fn(x):
        return mg.sin(x) * WEIGHTS[0]

    side_effects.check_gradients(checked(fn, cosine), g)
    kind, _, words = told(side_effects.check_gradients, checked(fn, writing("the output", 1.0)), g)
    assert (kind, words) == ("mutated", "the VJP writes to the output (values that are there already)")


def test_a_function_writes_to_nothing():
    def fn(x, w=None):
        w *= 1.5
        return np.sin(x)

    kind, label, words = told(side_effects.check_value, checked(fn, cosine, x, w=np.ones(2)))
    assert (kind, label, words) == ("mutated", "w", "the function wrote to w")
    kind, label, words = told(value_of, lambda x: np.multiply(x, 1.0, out=x) + 1)
    assert (kind, label, words) == ("mutated", "x", "the function writes to x (values that are there already)")
    value_of(lambda x: np.multiply(x, 1.0, out=x) + 1, order=2)


def test_a_buffer_that_asks_to_be_writable_is_no_write():
    def fn(x):
        if not x.flags.writeable:
            raise ValueError("buffer source array is read-only")
        return np.sin(x)

    value_of(fn)

    def warns(x):
        if not x.flags.writeable:
            warnings.warn("this array is not writable", stacklevel=2)
        return np.sin(x)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value_of(warns)

    def needs_writable(x):
        if not x.flags.writeable:
            raise ValueError("not such an array")
        return np.sin(x)

    value_of(needs_writable)
    refuses = lambda x: x.sum(axis=(0, 0))  # noqa: E731
    with pytest.raises(ValueError, match="duplicate value in 'axis'"):
        value_of(refuses)


def test_what_is_the_same():
    a = np.array([1.0, np.nan])
    assert side_effects._same(a, a.copy())
    assert not side_effects._same(np.zeros(2), np.zeros((1, 2)))
    assert not side_effects._same(np.zeros(2), np.zeros(2, int))
    assert not side_effects._same(a, a[:1])
    assert not side_effects._same(a, a.astype(np.float32))
    assert not side_effects._same(np.array([1.0]), np.array([1.0 + 1e-15]))
    assert not side_effects._same(np.array([0.0]), np.array([-0.0]))
    for sign in (-1, 1):
        assert side_effects._same(np.array([1.0, 2.0]), np.array([1.0 + sign * 0.5, 2.0]), 0.5)
        assert not side_effects._same(np.array([1.0, 2.0]), np.array([1.0 + sign * 0.75, 2.0]), 0.5)


@pytest.mark.parametrize("at", [np.array([0.5, -1.0]), np.array([0.5 + 1j, -1.0])])
@pytest.mark.parametrize("factor", [1, 2])
def test_writes_are_found_in_real_and_in_complex_arrays(at, factor):
    def vjp(g, y, x, victim):
        assert g.dtype == y.dtype == x.dtype
        gradient = g * np.cos(x)
        array = {"x": x, "g": g, "y": y}[victim]
        array *= factor
        return gradient

    def sine(x):
        y = np.sin(x)
        x *= factor
        return y

    for victim, said in (("x", "x"), ("g", "the upstream gradient"), ("y", "the output")):
        with pytest.raises(GradientError, match=f"the VJP (wrote|writes) to {said}") as error:
            check_vjp(np.sin, at, vjp=functools.partial(vjp, victim=victim))
        assert error.value.kind == "mutated"
    with pytest.raises(GradientError, match=r"the function (wrote|writes) to x"):
        check_vjp(sine, at, vjp=lambda g, y, x: g * np.cos(x))


def test_a_vjp_of_an_op_whose_first_call_is_another_is_found():
    calls = []
    op = mg.op(lambda x: np.sin(x), name="f")

    @op.vjp("x")
    def _(g, a, x):
        calls.append(g)
        return g * np.cos(x) * (2 if len(calls) == 1 else 1)

    with pytest.raises(GradientError, match=r"^f: two runs of the VJP gave x two gradients"):
        check_vjp(op, np.array([0.5, 1.0]))
