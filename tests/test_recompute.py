"""`checkpoint`: the same derivatives from a second run, which must compute the same."""

import contextlib
import tracemalloc
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad import grad, hessian, hvp, jvp, vjp
from minigrad.scipy.integrate import odeint

X = np.array([0.5, -1.0, 2.0])


def leaf(value):
    return mg.tensor(value, requires_grad=True)


def cubes(x):
    return np.sum(x**3)


def test_checkpoint_has_the_same_derivatives_and_keeps_less():
    w = leaf([0.3, 0.5])

    def block(x):
        return np.tanh(x * w) + np.sin(x)

    def f(x, step):
        return np.sum(step(step(x)))

    x = np.array([0.1, 0.2])
    kept = mg.checkpoint(block)
    for transform in (grad, lambda f: grad(lambda *a: np.sum(grad(f)(*a)))):
        with mg.no_grad():
            assert_allclose(transform(f)(x, kept), transform(f)(x, block), rtol=1e-14)
    f(mg.tensor(x), kept).backward()
    through = w.grad
    w.grad = None
    f(mg.tensor(x), block).backward()
    assert_allclose(through, w.grad, rtol=1e-14)
    assert kept(leaf(x)).node.op.__name__ == "checkpoint"
    assert type(kept(x).detach().data) is np.ndarray


def test_checkpoint_runs_the_function_once_more_for_all_inputs():
    """One second forward pass is the price."""
    runs = []
    f = mg.checkpoint(lambda *x: runs.append(x) or np.sum(x[0] * x[1] * x[2]))
    y = f(*(leaf([i + 1.0, 2.0]) for i in range(3)))
    assert len(runs) == 1
    y.backward(retain_graph=True)
    assert len(runs) == 2


def test_checkpoint_where_one_input_depends_on_another():
    x = leaf(2.0)
    h = x * x
    mg.checkpoint(lambda: x * h)().backward()
    assert x.grad == 12


def test_checkpoint_notices_another_value():
    rng = np.random.default_rng(0)
    y = mg.checkpoint(lambda x: x * rng.normal())(leaf(1.0))
    with pytest.raises(RuntimeError, match="did not compute the same when it ran again"):
        y.backward()


def test_checkpoint_notices_other_ops_of_the_same_value():
    scale, w = [1.0], leaf([0.0, 0.0])
    y = mg.checkpoint(lambda x: np.sum(x * scale[0]))(w)
    scale[0] = 2.0
    with pytest.raises(RuntimeError, match="did not compute the same"):
        y.backward()
    power = [2]
    y = mg.checkpoint(lambda x: np.sum(x ** power[0]))(w)
    power[0] = 3
    with pytest.raises(RuntimeError, match="did not compute the same"):
        y.backward()
    assert w.grad is None


def powers(n):
    """An op that is made anew in each call."""

    @mg.op
    def power(x):
        return x**n

    power.vjp("x", lambda g, out, x: g * n * x ** (n - 1))
    return power


def halved(a):
    """Solves x = a / 2 + x / 2."""
    return mg.fixed_point(lambda a: lambda x: (a + x) / 2, a, np.zeros(3), lambda x, y: np.max(np.abs(x - y)), 1e-12)


@pytest.mark.parametrize("f", [halved, lambda x: powers(3)(x), lambda x: odeint(lambda y, t: -y, x, [0.0, 1.0])[1]])
def test_checkpoint_takes_ops_that_the_function_makes(f):
    def total(x):
        return np.sum(f(x) ** 2)

    assert_allclose(grad(mg.checkpoint(total))(X), grad(total)(X))
    assert_allclose(hvp(mg.checkpoint(total), X, X), hvp(total, X, X))


def test_checkpoint_notices_that_an_op_was_made_otherwise():
    numbers = iter([2, 3])
    y = mg.checkpoint(lambda x: powers(next(numbers))(x))(leaf(1.0))
    with pytest.raises(RuntimeError, match="did not compute the same when it ran again"):
        y.backward()


def test_checkpoint_replays_the_random_numbers_of_a_generator_that_it_is_told_of():
    rng, w = np.random.default_rng(0), leaf([1.0, 2.0])
    y = mg.checkpoint(lambda x: np.sum(x * rng.normal(size=2)), rng=rng)(w)
    drawn = np.random.default_rng(0).normal(size=2)
    after = rng.normal()
    y.backward()
    assert_array_equal(w.grad, drawn)
    assert rng.normal() != after


def test_checkpoint_takes_arrays_as_they_were():
    t, a = leaf([0.0, 0.0]), np.array([1.0, 2.0])
    y = mg.checkpoint(lambda t, nest: np.sum(t * nest["a"]))(t, {"a": a})
    a[:] = [5, 6]
    y.backward()
    assert_array_equal(t.grad, [1, 2])


@pytest.mark.parametrize("rebind", [lambda w: w.data * 3, lambda w: w.data.copy()])
def test_checkpoint_notices_that_a_tensor_was_rebound_though_the_value_is_the_same(rebind):
    w, x = leaf([1.0, 0.0]), leaf([0.0, 0.0])
    y = mg.checkpoint(lambda x: np.sum(w * x))(x)
    w.data = rebind(w)
    with pytest.raises(RuntimeError, match="was given another array after it ran"):
        y.backward()
    assert x.grad is None


def test_checkpoint_notices_that_the_same_ops_took_each_others_arguments():
    x, y = leaf(0.5), leaf(0.5)
    pairs = iter([(x, y), (y, x)])

    def f():
        a, b = next(pairs)
        return np.sin(a) * np.cos(b)

    z = mg.checkpoint(f)()
    with pytest.raises(RuntimeError, match="did not compute the same when it ran again"):
        z.backward()


@pytest.mark.parametrize("other", [lambda x: np.array(2.0), lambda x: mg.tensor(2.0)])
def test_checkpoint_notices_a_result_that_depends_on_nothing(other):
    results = iter([lambda x: x * 2, other])
    y = mg.checkpoint(lambda x: next(results)(x))(leaf(1.0))
    with pytest.raises(RuntimeError, match="did not compute the same when it ran again"):
        y.backward()


def test_what_a_checkpoint_gave_is_updated_as_any_other_result():
    x = leaf(X)
    y = mg.checkpoint(lambda x: x * x)(x)
    with mg.no_grad():
        alias = y.detach()
        alias -= 1
    assert_allclose(alias.data, X**2 - 1)
    with pytest.raises(RuntimeError, match="written to in place"):
        np.sum(y).backward()


def test_checkpoints_nest():
    inner = mg.checkpoint(lambda x: np.sin(x) * x)
    outer = mg.checkpoint(lambda x: np.sum(inner(x) + inner(2 * x)))

    def plain(x):
        return np.sum(np.sin(x) * x + np.sin(2 * x) * 2 * x)

    def third(f):
        return grad(lambda x: np.sum(hvp(f, x, x)))

    for transform in (grad, hessian, third):
        assert_allclose(transform(outer)(X), transform(plain)(X), rtol=1e-12)


def test_checkpoint_notices_a_change_in_a_checkpoint_inside():
    scale, w = [1.0], leaf([0.0, 0.0])
    inner = mg.checkpoint(lambda x: x * scale[0])
    y = mg.checkpoint(lambda x: np.sum(inner(x)))(w)
    scale[0] = 2.0
    with pytest.raises(RuntimeError, match="did not compute the same"):
        y.backward()


def test_checkpoint_notices_tensors_that_changed_places():
    pair = [leaf(1.0), leaf(1.0)]
    y = mg.checkpoint(lambda: pair[0] ** 2 * pair[1])()
    pair.reverse()
    with pytest.raises(RuntimeError, match="did not compute the same"):
        y.backward()


def test_a_transform_inside_of_a_checkpoint_takes_its_argument():
    f = mg.checkpoint(lambda x: np.sum(grad(cubes)(x)))
    assert_allclose(grad(f)(X), 6 * X)
    x = leaf(X)
    f(x * 2).backward()
    assert_allclose(x.grad, 24 * X)


def test_checkpoint_of_what_returns_its_argument():
    x = leaf(X)
    np.sum(mg.checkpoint(lambda h: h)(x * 2) ** 2).backward()
    assert_allclose(x.grad, 8 * X)


def test_a_released_checkpoint_keeps_no_array():
    x = np.ones(3)
    call = mg.checkpoint(lambda x, a: np.sum(x * a))
    y = call(leaf(x), x)
    gone = weakref.ref(y.node.parameters["call"])
    y.backward()
    assert gone() is None


@pytest.mark.parametrize("rng", [0, np.random.RandomState(0), np.random])
def test_checkpoint_takes_a_generator_only(rng):
    with pytest.raises(TypeError, match=r"checkpoint: rng must be an np\.random\.Generator"):
        mg.checkpoint(np.sin, rng=rng)


def test_checkpoint_recomputes_for_each_gradient():
    _, pullback = vjp(mg.checkpoint(lambda x: x * x), np.array([1.0, 2.0]))
    g = np.array([1.0, 0.0])
    assert_array_equal(pullback(g)[0], [2, 0])
    g[:] = [0, 1]
    assert_array_equal(pullback(g)[0], [0, 4])
    x = leaf([1.0, 2.0])
    y = mg.checkpoint(lambda x: x * x)(x)
    for g[:], expected in (([1, 0], [2, 0]), ([0, 1], [2, 4])):  # the same array, with other numbers
        y.backward(g, retain_graph=True)
        assert_array_equal(x.grad, expected)


def test_checkpoint_gives_arrays_for_arrays():
    y, dy = jvp(mg.checkpoint(lambda x: x**3), (2.0,), (1.0,))
    assert (type(y), type(dy), dy) == (np.float64, np.float64, 12)


def test_checkpoint_notices_that_an_op_gave_another_value():
    values = iter([1.0, 2.0])

    @mg.op
    def drawn(x):
        return x + next(values)

    drawn.vjp("x", lambda g, out, x: g)
    y = mg.checkpoint(drawn)(leaf(0.0))
    with pytest.raises(RuntimeError, match="did not compute the same when it ran again"):
        y.backward()


def test_checkpoint_notices_other_entries_of_a_long_index():
    rows, x = np.zeros(3000, int), leaf(np.zeros((2, 2)))
    y = mg.checkpoint(lambda x: np.sum(x[rows.copy(), 1]))(x)
    rows[1500] = 1
    with pytest.raises(RuntimeError, match="did not compute the same when it ran again"):
        y.backward()


@pytest.mark.parametrize("number", [np.nan, np.float32(np.nan), np.complex64(complex(np.nan, 1)).real, -0.0])
def test_checkpoint_takes_nan_for_the_same_value(number):
    def f(x):
        return np.sum(mg.ops.leaky_relu(x, number) * number)

    x = leaf([1.0, 2.0])
    with np.errstate(invalid="ignore"):
        assert_array_equal(grad(mg.checkpoint(f))(x.data), grad(f)(x.data))
        mg.checkpoint(f)(x).backward()
    assert_array_equal(x.grad, grad(f)(x.data))


@pytest.mark.parametrize("f", [lambda x: mg.tensor(2.0), lambda x: np.array(2.0), lambda x: x * 2, lambda x: x])
@pytest.mark.parametrize("x", [leaf(1.0), mg.tensor(1.0), np.array(1.0)])
def test_checkpoint_gives_what_the_function_gives(f, x):
    for records in (True, False):
        with contextlib.nullcontext() if records else mg.no_grad():
            y, z = f(x), mg.checkpoint(f)(x)
        assert type(z) is type(y)
        if isinstance(y, mg.Tensor):
            assert z.requires_grad == (y.requires_grad and records)
            y, z = y.data, z.data
        assert z == y


def test_what_is_no_array_reaches_the_function_as_it_is():
    f = mg.checkpoint(lambda x, n, *, name: x * n if name == "times" else x)
    assert mg.grad(lambda x: f(x, 3, name="times"))(2.0) == 3
    with pytest.raises(TypeError, match=r"^checkpoint: the first argument must be a function, not 3"):
        mg.checkpoint(3)
    with pytest.raises(TypeError, match=r"^checkpoint: the function must return one array, not list"):
        mg.checkpoint(lambda x: [x])(mg.tensor(1.0, requires_grad=True))


def test_a_graph_that_a_sweep_inside_of_another_has_released_is_named():
    kept = mg.checkpoint(cubes)(leaf(X))
    passed = mg.op(lambda x: x * 1.0, name="passed")
    passed.vjp("x", lambda g, out, x: kept.backward() or g)
    with pytest.raises(RuntimeError, match=r"^the graph of this Tensor was released \(at checkpoint\)"):
        passed(kept).backward()


def test_gradients_of_what_a_checkpoint_closes_over_are_not_kept():
    def peak(n):
        def f(w):
            x = X
            for _ in range(n):
                x = mg.checkpoint(lambda x: x * np.sum(w * w))(x)
            return np.sum(x)

        tracemalloc.start()
        grad(f)(np.full(20_000, 1e-3))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)
    assert peak(64) < 3 * peak(8)  # their sum takes an array for each doubling
