"""What the sweep adds to leaves: whose memory it is, its shape and dtype, and who may add at the same time."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import gradients


def leaf(value, **options):
    return mg.tensor(value, requires_grad=True, **options)


def test_leaves_accumulate_until_they_are_cleared():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [4, 8])
    np.testing.assert_array_equal(first, [2, 4])
    x.grad = None
    assert x.grad is None
    (3 * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [3, 3])


def test_gradients_share_no_memory():
    x, y = leaf(np.ones(3)), leaf(np.ones(3))
    g = np.arange(3.0)
    (x + y).backward(g)
    assert not np.shares_memory(x.grad, y.grad)
    assert not np.shares_memory(x.grad, g)
    x.grad += 1
    np.testing.assert_array_equal(y.grad, g)


def vjp_that_returns(function):
    @mg.op
    def same(x):
        return x.copy()

    same.vjp("x", lambda g, out, x: function(g, out, x))
    return same


kept = np.arange(3.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda g, out, x: g,
        lambda g, out, x: x,
        lambda g, out, x: out,
        lambda g, out, x: kept,
        lambda g, out, x: kept[:],
        lambda g, out, x: kept[::-1],
        lambda g, out, x: np.asarray(memoryview(kept)),
        lambda g, out, x: np.frombuffer(kept),
        lambda g, out, x: np.broadcast_to(kept, (2, 3)),
        lambda g, out, x: np.reshape(g, (1, 3)),
    ],
)
@pytest.mark.parametrize("retain_graph", [False, True])
def test_a_gradient_that_something_else_refers_to_is_copied(function, retain_graph):
    x, z, g = leaf(np.ones(3)), leaf(np.ones(3)), np.full(3, 7.0)
    same = vjp_that_returns(function)
    for y in (same(x), same(x) + z, z + same(x)):
        x.grad = z.grad = None
        y.backward(g, retain_graph=retain_graph)
        first = [t.grad for t in (x, z) if t.grad is not None]
        others = [g, kept, x.data, z.data, y.data]
        for i, gradient in enumerate(first):
            assert gradient.flags.writeable
            assert not any(np.shares_memory(gradient, other) for other in others + first[:i])
    np.testing.assert_array_equal(kept, np.arange(3.0))


def test_a_read_only_gradient_is_copied():
    def locked(g, out, x):
        made = 2 * g
        made.flags.writeable = False
        return made

    x = leaf(np.ones(3))
    vjp_that_returns(locked)(x).backward(np.ones(3))
    x.grad += 1
    np.testing.assert_array_equal(x.grad, [3, 3, 3])


def test_a_gradient_is_writable_even_where_the_vjp_broadcast():
    x = leaf(np.ones((2, 3)))
    x.sum().backward()
    x.grad[0, 0] = 5
    assert x.grad.sum() == 10


def test_broadcasting_is_undone():
    x, y, z = leaf(np.ones((2, 1, 3))), leaf(np.ones((4, 1))), leaf(2.0)
    (x * y * z).sum().backward()
    assert (x.grad.shape, y.grad.shape, z.grad.shape) == ((2, 1, 3), (4, 1), ())
    assert z.grad == 24
    np.testing.assert_array_equal(y.grad, np.full((4, 1), 12.0))


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 1, 0), (1, 0, 2, 3), (3, 2, 0, 1)])
@pytest.mark.parametrize("shape", [(8, 1, 1), (16, 8, 1, 32), (1, 8, 30, 1), (1, 32), (8, 30, 32), (1, 1, 1, 1)])
def test_broadcasting_is_undone_in_any_layout(shape, order):
    g = np.random.default_rng(0).normal(size=[(16, 8, 30, 32)[axis] for axis in order]).transpose(np.argsort(order))
    b = leaf(np.zeros(shape))
    (b + np.zeros(g.shape)).backward(g)
    axes = tuple(i for i, size in enumerate((1,) * (4 - len(shape)) + shape) if size != g.shape[i])
    np.testing.assert_allclose(b.grad, np.sum(g.copy("C"), axis=axes, keepdims=True).reshape(shape), atol=1e-11)


def test_broadcasting_against_nothing():
    x = leaf(np.ones((1, 3)))
    (x * np.ones((0, 3))).sum().backward()
    np.testing.assert_array_equal(x.grad, np.zeros((1, 3)))


def test_each_gradient_has_the_dtype_of_its_leaf():
    x, y = leaf(np.ones(3, np.float32)), leaf(np.ones(3))
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_python_numbers_are_weak():
    x = leaf(np.ones(3, np.float32))
    y = (2.5 * x**2 + 1 - x / 3) ** 0.5
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (lambda x: np.ones(7), ValueError, r"triple: the VJP of 'x' returned shape \(7,\) for .* shape \(3,\)"),
        (lambda x: np.ones(()), ValueError, r"returned shape \(\)"),
        (lambda x: None, TypeError, r"triple: the VJP of 'x' returned None \(is a `return` missing\?\), not one array"),
        (lambda x: (x,), TypeError, "triple: the VJP of 'x' returned a tuple, not one array"),
        (lambda x: x.astype(object), TypeError, "triple: the VJP of 'x' returned dtype object"),
        (lambda x: 1j * x, TypeError, "returned dtype complex128"),
        (lambda x: mg.tensor(x), TypeError, "returned a Tensor where it was given arrays"),
    ],
)
def test_a_vjp_that_returns_no_gradient_is_named(returned, error, message):
    @mg.op
    def triple(x):
        return 3 * x

    triple.vjp("x", lambda g, out, x: returned(x))
    with pytest.raises(error, match=message):
        triple(leaf(np.ones(3))).sum().backward()


def test_the_gradient_of_a_scalar_stays_an_array():
    x = leaf(1.0)
    for _ in range(2):
        (x * 2).backward()
        assert type(x.grad) is np.ndarray


def test_threads_that_share_a_leaf_lose_no_update():
    x = leaf(np.zeros(1000))

    def work():
        for _ in range(50):
            (x * 1.0).sum().backward()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    np.testing.assert_array_equal(x.grad, np.full(1000, 200.0))


def test_a_signals_handler_may_sweep_while_gradients_are_added():
    y = leaf(np.ones(3))

    def interrupted():
        with gradients._accumulating:
            (y * 2).sum().backward()

    done = threading.Thread(target=interrupted, daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()
    np.testing.assert_array_equal(y.grad, [2, 2, 2])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_can_add_gradients_though_a_thread_held_the_lock():
    code = """if True:
        import os, threading, numpy as np, minigrad as mg
        from minigrad import gradients
        held, end = threading.Event(), threading.Event()
        def hold():
            with gradients._accumulating:
                held.set()
                end.wait()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        child = os.fork()
        if child == 0:
            x = mg.tensor([3.0], requires_grad=True)
            (x * x).sum().backward()
            os._exit(0 if x.grad.tolist() == [6] else 1)
        end.set()
        assert os.waitpid(child, 0)[1] == 0
    """
    root = str(Path(mg.__file__).parent.parent)
    options = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    subprocess.run(options, check=True, timeout=300, env=os.environ | {"PYTHONPATH": root})


def test_a_recorded_contribution_joins_the_sum_of_plain_ones():
    assert mg.grad(lambda x: mg.grad(lambda y: y * x + 2 * y + 3 * y)(1.0) * x)(2.0) == 9
    xs = np.array([2.0, 3.0])
    found = mg.grad(lambda x: np.sum(mg.grad(lambda y: np.sum(y * x + 2 * y + 3 * y))(np.ones(2)) * x))(xs)
    np.testing.assert_array_equal(found, 2 * xs + 5)


RETURNED = [2, 2.5, True, 2 + 0j, np.float64(2.5), np.float32(2), np.full((4, 2, 3), 0.5, "f8")]
RETURNED += [np.full((2, 3), 2), np.full((2, 3), 1.5 + 1j), np.ones((1, 2, 3), bool), np.full((2, 3), 0.5, "f2")]


@pytest.mark.parametrize("returned", RETURNED)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64])
def test_what_a_vjp_returns_is_made_to_fit_its_argument(returned, dtype):
    """The VJP before it, and a transform, see the argument's shape and dtype, whatever the kind that was returned."""
    shape = (2, 3) if np.ndim(returned) else ()
    seen = []

    @mg.op(complex=True)
    def watched(x):
        return x.copy()

    @watched.vjp("x")
    def _(g, out, x):
        seen.append(g)
        return g

    @mg.op(complex=True)
    def same(x):
        return x.copy()

    same.vjp("x", lambda g, out, x: returned)
    x = leaf(np.ones(shape, dtype))
    same(watched(x)).backward(np.ones(shape, dtype))
    part = np.asarray(returned if np.dtype(dtype).kind == "c" else np.real(returned))
    whole = part.sum(0) if part.ndim > len(shape) else part
    for found in (seen[0], x.grad, mg.vjp(same, np.ones(shape, dtype))[1](np.ones(shape, dtype))[0]):
        np.testing.assert_array_equal(found, whole.astype(dtype))
        assert (found.dtype, found.shape) == (np.dtype(dtype), shape)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_many_rows_is_precise_in_any_order(dtype):
    rows = np.full((60_000, 2), 0.1, dtype)
    b = leaf(np.zeros(2, dtype))
    (b + rows).backward(rows)
    np.testing.assert_allclose(b.grad, [float(rows[0, 0]) * 60_000] * 2, rtol=16 * np.finfo(dtype).eps)

    def cubes(b):
        return np.sum((b + rows) ** 3)

    second = mg.grad(lambda b: np.sum(mg.grad(cubes)(b)))(np.zeros(2, dtype))
    np.testing.assert_allclose(second, [6 * float(rows[0, 0]) * 60_000] * 2, rtol=16 * np.finfo(dtype).eps)
