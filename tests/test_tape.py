"""The tape: what is recorded, in which order it is swept, and when it lets go."""

import array
import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import tape


def leaf(value, **options):
    return mg.tensor(value, requires_grad=True, **options)


def test_a_repeated_argument_receives_both_contributions():
    x = leaf(3.0)
    (x * x).backward()
    assert x.grad == 6.0


def test_a_diamond_is_summed_before_it_goes_on():
    x = leaf(2.0)
    a = x * 3
    ((a + 1) * (a * a)).backward()  # (3x + 1) 9x**2 -> 81x**2 + 18x
    assert x.grad == 81 * 4 + 36


def test_fan_out_over_many_uses():
    x = leaf(np.arange(3.0))
    sum((x * i for i in range(50)), 0 * x).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 49 * 25.0))


def test_a_equals_a_plus_a_is_linear_in_time():
    x = leaf(1.0)
    a = x
    for _ in range(60):
        a = a + a
    a.backward()
    assert x.grad == 2.0**60


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


def test_a_gradient_that_nothing_else_refers_to_is_handed_over():
    returned = []

    def fresh(g, out, x):
        made = 2 * g
        returned.append(made.ctypes.data)
        return made

    x = leaf(np.ones(3))
    vjp_that_returns(fresh)(x).backward(np.ones(3))
    assert [x.grad.ctypes.data] == returned
    assert x.grad.base is None


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


def test_where_references_are_not_counted_every_gradient_is_copied(monkeypatch):
    def handed_over():
        array = np.ones(3)
        address, pairs = array.ctypes.data, [(None, array)]
        del array
        return tape.unshared(pairs)[0][1].ctypes.data == address

    assert handed_over()
    monkeypatch.setattr(tape, "_references", lambda g: float("nan"))
    assert not handed_over()


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


def test_no_grad_records_nothing():
    x = leaf(1.0)
    with mg.no_grad():
        assert not (x * x).requires_grad
    assert (x * x).requires_grad


def test_no_grad_decorates_and_recurses():
    x = leaf(1.0)

    @mg.no_grad()
    def power(n):
        return x if n == 0 else power(n - 1) * x

    assert not power(3).requires_grad
    assert (x * x).requires_grad


def generator():
    yield 1


async def coroutine():
    return 1


async def asynchronous_generator():
    yield 1


@pytest.mark.parametrize("setting", [mg.no_grad(), mg.scope("a")])
@pytest.mark.parametrize("function", [generator, coroutine, asynchronous_generator])
def test_settings_refuse_functions_whose_body_runs_later(setting, function):
    with pytest.raises(TypeError, match="whose body runs later"):
        setting(function)


def test_a_scope_decorates_and_recurses():
    @mg.scope("power")
    def power(x, n):
        return x if n == 0 else power(x, n - 1) * x

    assert power(leaf(2.0), 2).node.scope == ("power",)
    assert power(leaf(2.0), 2).node.parents[0].scope == ("power", "power")


def test_recording_is_per_thread():
    x = leaf(1.0)
    seen = []
    with mg.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), mg.no_grad():
        raise KeyError
    assert (leaf(1.0) * 1).requires_grad


def test_scopes_nest_and_end():
    x = leaf(1.0)
    with mg.scope("conv1"), mg.scope("inner"):
        inside = x * x
    assert inside.node.scope == ("conv1", "inner")
    assert (x * x).node.scope == ()
    with pytest.raises(TypeError, match="scope: the name must be a string, not int"):
        mg.scope(3)


def test_a_released_graph_says_so_and_changes_nothing():
    x = leaf(2.0)
    y = x * x
    z = y + x
    y.backward()
    before = x.grad
    with pytest.raises(RuntimeError, match=r"released \(at multiply\).*retain_graph=True"):
        z.backward()
    assert x.grad is before
    assert y.node.released
    assert y.node.shape == ()


def test_retain_graph_keeps_it():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8


def test_a_failing_vjp_changes_no_gradient():
    @mg.op
    def broken(x):
        return x * 1

    @broken.vjp("x")
    def _(g, out, x):
        raise ZeroDivisionError

    x, y = leaf(2.0), leaf(3.0)
    with pytest.raises(ZeroDivisionError):
        (broken(x) * y).backward()
    assert x.grad is None
    assert y.grad is None


def test_a_long_chain_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    y.backward()
    assert x.grad == 1
    del y  # nor does its end


def test_a_graph_has_no_cycle_and_dies_with_its_last_tensor():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(3))
        y = np.exp(x) * 2
        died = weakref.ref(y._array)
        y.sum().backward()
        del y
        assert died() is None
    finally:
        gc.enable()


def test_the_sweep_goes_from_young_to_old():
    x = leaf(1.0)
    y = (x * 2 + x) * x
    numbers = [node.number for node, _ in tape.sweep({y.node: np.ones(())})]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 4


def test_scopes_and_the_recording_switch_keep_out_of_each_others_way():
    x = leaf(1.0)
    with mg.no_grad(), mg.scope("a"), mg.scope("b"):
        assert (tape.state.recording, tape.state.scope) == (False, ("a", "b"))
        assert (x * x).node is None
    with mg.scope("a"):
        assert (tape.state.recording, tape.state.scope) == (True, ("a",))
        assert (x * x).node.scope == np.exp(x).node.scope == ("a",)
    assert (tape.state.recording, tape.state.scope) == (True, ())


def test_the_sweep_yields_leaves_alone_where_asked():
    x, y = leaf(1.0), leaf(2.0)
    z = (x * y + x) * y
    swept = list(tape.sweep({z.node: np.ones(())}, leaves=True))
    assert [(node, float(g)) for node, g in swept] == [(y.node, 5.0), (x.node, 6.0)]
    assert not z.node.released


def test_arguments_are_recorded_as_they_were():
    x = leaf(np.ones(3))
    constant, index = np.full(3, 2.0), np.array([0, 1, 2])
    y = (x * constant)[index].sum()
    constant[:] = 99
    index[:] = 0
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 2, 2])


@pytest.mark.parametrize(
    "other",
    [
        lambda a: a.view(type("Sub", (np.ndarray,), {})),
        lambda a: memoryview(a),
        lambda a: array.array("d", a),
        lambda a: type("Holder", (), {"__array__": lambda self, dtype=None, copy=None: a.copy() if copy else a})(),
    ],
)
def test_arrays_in_another_form_are_recorded_as_they_were(other):
    x, a = leaf([3.0, 4.0]), np.array([1.0, 2.0])
    constant = other(a)
    y = (x * constant).sum() + np.where(other(a > 1) if isinstance(constant, np.ndarray) else a > 1, x, 0).sum()
    a[:] = 99
    if isinstance(constant, array.array):
        constant[0] = 99
    y.backward()
    np.testing.assert_array_equal(x.grad, [1, 3])


def test_a_memory_map_is_recorded_as_it_was(tmp_path):
    x, mapped = leaf([3.0, 4.0]), np.memmap(tmp_path / "data", float, "w+", shape=2)
    mapped[:] = 2
    y = (x * mapped).sum() + x[mapped.astype(int) - 1].sum()
    mapped[:] = 99
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 4])


def test_what_was_computed_from_a_leaf_before_it_was_written_to_is_not_swept():
    w = leaf([1.0, 2.0], name="w")
    loss, other = (w * w).sum(), (w * w * w).sum()
    loss.backward()
    w.data -= 0.1 * w.grad
    assert w.grad.tolist() == [2, 4]
    assert w.name == "w"
    with pytest.raises(RuntimeError, match=r"written to in place, as by `t.data -= step`, since .* rebind it"):
        other.backward()
    w.grad = None
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad, 2 * w.data)


def test_rebinding_a_leaf_leaves_the_recorded_value():
    x = leaf(np.ones(3))
    y = (x * x).sum()
    x.data = np.full(3, 10.0)
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 2, 2])


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


def test_settings_entered_across_each_other_restore_their_own():
    def generator():
        with mg.no_grad():
            yield
            yield

    running = generator()
    next(running)
    with mg.scope("b"):
        list(running)
    assert (leaf(1.0) * 2).requires_grad
    assert tape.state.scope == ()


def test_settings_that_two_tasks_enter_in_turn_end_with_the_last():
    async def without_recording(seconds):
        with mg.no_grad(), mg.scope(str(seconds)):
            await asyncio.sleep(seconds)

    async def later():
        await asyncio.sleep(0.01)
        await without_recording(0.03)

    async def both():
        await asyncio.gather(without_recording(0.02), later())

    asyncio.run(both())
    assert tape.state.recording
    assert tape.state.scope == ()
    assert tape.state.open == tape.changes == []
    with mg.scope("x"):
        assert (leaf(1.0) * 2).requires_grad


def test_one_setting_serves_several_threads():
    shared = mg.scope("shared")
    inside, leave = threading.Event(), threading.Event()

    def other():
        with mg.scope("other"), shared:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    with shared:
        leave.set()
        thread.join()
        assert tape.state.scope == ("shared",)
    assert tape.state.scope == ()


def test_what_another_thread_leaves_does_not_end_what_this_one_is_in():
    x = leaf(1.0)
    with mg.no_grad():
        thread = threading.Thread(target=lambda: mg.scope("other").__enter__().__exit__())
        thread.start()
        thread.join()
        assert (x * x).node is None
        assert np.exp(x).node is None
    assert (x * x).node is not None


def test_no_grad_wants_its_parentheses():
    with pytest.raises(TypeError, match=r"write `@no_grad\(\)`"):
        mg.no_grad(lambda: None)


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
    x, y = leaf(np.ones(3)), leaf(np.ones(3))

    class Interrupted:
        """A gradient whose addition is interrupted."""

        def __add__(self, other):
            (y * 2).sum().backward()
            return other

    x.node.grad = Interrupted()
    done = threading.Thread(target=(x * 3).sum().backward, daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()
    np.testing.assert_array_equal(y.grad, [2, 2, 2])
    np.testing.assert_array_equal(x.grad, [3, 3, 3])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_can_add_gradients_though_a_thread_held_the_lock():
    code = """if True:
        import os, threading, numpy as np, minigrad as mg
        from minigrad import tape
        held, end = threading.Event(), threading.Event()
        def hold():
            with tape._accumulating:
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
    subprocess.run(options, check=True, timeout=60, env=os.environ | {"PYTHONPATH": root})


def test_parameters_are_recorded_as_they_were():
    x, k = leaf(np.ones((1, 1, 5, 5))), np.ones((1, 1, 2, 2))
    stride = [1, 2]
    z = mg.conv2d(x, k, stride=stride)
    stride[:] = [3, 3]
    z.backward(np.ones(z.shape))
    assert x.grad.sum() == 4 * z.size


def test_an_error_leaves_no_cycle_behind():
    x = leaf(np.ones(2))
    gc.collect()
    for call in (lambda: mg.add(x, np.ones(3)), lambda: x + leaf(np.ones(3))):
        try:
            call()
        except ValueError:
            pass
        else:
            raise AssertionError
    assert gc.collect() == 0


def test_a_node_says_what_it_is():
    x = leaf(np.ones(3))
    assert repr(x.node) == f"<Node {x.node.number} leaf (3,)>"
    y = np.exp(x)
    assert repr(y.node) == f"<Node {y.node.number} exp (3,)>"


def probe(seen):
    """An op, A = 2X, that notes with what its VJP is called."""

    @mg.op
    def twice(x):
        return 2 * x

    @twice.vjp("x")
    def _(g, out, x):
        seen.append((type(g), type(out), type(x)))
        return 2 * g

    return twice


def test_only_vjps_that_lead_to_what_is_asked_for_are_run():
    seen = []
    twice, other = probe(seen), leaf(1.0)
    assert mg.grad(lambda x: twice(other) * 3 + x * twice(other) + twice(other))(1.0) == 2
    assert seen == []
    assert mg.vjp(lambda x: twice(twice(x) * twice(other)), 1.0)[1](1.0) == (8,)
    assert len(seen) == 2


def test_only_the_arguments_that_lead_to_what_is_asked_for_receive():
    @mg.op
    def product(x, y):
        return x * y

    product.vjp("x", lambda g, out, x, y: g * y)
    product.vjp("y", lambda g, out, x, y: pytest.fail("nobody asked for this"))
    assert mg.grad(lambda x: product(x, leaf(3.0)))(2.0) == 3


def test_only_what_an_outer_trace_can_see_is_recorded_for_it():
    """In an inner gradient, VJPs that lead to nothing older compute with plain arrays."""
    seen = []
    twice = probe(seen)
    assert mg.grad(lambda x: mg.grad(lambda y: twice(y))(3.0) * x)(1.0) == 2
    assert {kind for kinds in seen for kind in kinds} <= {np.ndarray, np.float64}
    seen.clear()
    assert mg.grad(lambda x: mg.grad(lambda y: twice(y) + y * x)(3.0))(1.0) == 1
    assert [kind for kinds in seen for kind in kinds] == [np.ndarray] * 3
    seen.clear()
    assert mg.grad(lambda x: mg.grad(lambda y: twice(y) * y * x)(3.0))(1.0) == 12
    assert seen[0][0] is mg.Tensor


def test_a_released_node_keeps_its_shape_and_dtype():
    x = leaf(np.ones((2, 3), np.float32))
    y = x * 2
    y.backward(np.ones((2, 3)))
    assert y.node.released
    assert (y.node.shape, y.node.dtype) == ((2, 3), np.float32)
    assert (x.node.shape, x.node.dtype, x.node.released) == ((2, 3), np.float32, False)
    assert (x.node.arguments, x.node.parents, x.node.parameters) == ((), (), {})


def test_what_an_inner_trace_returns_of_an_outer_one_stays_connected():
    assert mg.grad(lambda x: mg.value_and_grad(lambda y: x)(2.0)[0])(3.0) == 1


def test_the_boundary_is_what_a_graph_grew_from_and_nothing_inside():
    x = leaf(2.0)
    y = x * 3
    since = tape.next_number()
    z = np.sin(y) * y + leaf(1.0)
    assert tape.boundary(z.node, since) == {y.node: y.data}


def test_a_broadcast_is_summed_outermost_only_where_that_is_faster(monkeypatch):
    """Large plain arrays, and not where all is summed, which NumPy does pairwise."""
    seen = []
    monkeypatch.setattr(tape, "_LARGE", 12)
    monkeypatch.setattr(tape, "_sum_outermost", lambda array, axes: seen.append(axes) or array)

    def gradients_of(shape, g_shape):
        (leaf(np.ones(shape)) + leaf(np.ones(g_shape))).backward(np.ones(g_shape))

    gradients_of((1, 3), (4, 3))  # 12 entries
    gradients_of((1, 1), (5, 3))
    assert seen == []
    mg.grad(lambda x: np.sum(mg.grad(lambda y: np.sum((x * y) ** 3))(np.ones((1, 3)))))(np.ones((5, 3)))
    tensors = len(seen)
    gradients_of((1, 2), (7, 2))
    gradients_of((4,), (5, 4))
    assert seen[tensors:] == [(0,), (0,)]
    seen.clear()
    x = leaf(np.ones((5, 3)))
    product = mg.vjp(lambda y: mg.vjp(lambda z: z * x, y)[1](x * x)[0], np.ones((1, 3)))
    assert product[0].shape == (1, 3)
    assert seen == []  # of a Tensor


@pytest.mark.parametrize(
    ("strides", "axes", "summed"),
    [
        ((8, 4, 1), (0,), 0),
        ((8, 4, 1), (0, 2), 0),
        ((8, 4, 1), (1, 2), None),
        ((1, 4, 8), (2,), 2),
        ((-8, 4, 1), (0,), 0),
        ((1, -8, 4), (1, 2), 1),
    ],
)
def test_the_axis_outermost_in_memory_is_summed(strides, axes, summed):
    order = np.argsort([-abs(s) for s in strides])
    array = np.arange(24.0).reshape(2, 3, 4).transpose(np.argsort(order))
    array = array[tuple(slice(None, None, 1 if s > 0 else -1) for s in strides)]
    assert [int(np.sign(s)) for s in array.strides] == [1 if s > 0 else -1 for s in strides]
    found = tape._sum_outermost(array, axes)
    expected = array if summed is None else array.sum(axis=summed, keepdims=True)
    np.testing.assert_array_equal(found, expected)


def test_an_axis_of_one_entry_is_not_outermost():
    array = np.ones((2, 3, 1)).transpose(2, 0, 1)
    strided = np.lib.stride_tricks.as_strided(array, (1, 2, 3), (1000, *array.strides[1:]))
    assert tape._sum_outermost(strided, (0, 1)).shape == (1, 1, 3)


def test_a_recorded_contribution_joins_the_sum_of_plain_ones():
    assert mg.grad(lambda x: mg.grad(lambda y: y * x + 2 * y + 3 * y)(1.0) * x)(2.0) == 9
    xs = np.array([2.0, 3.0])
    found = mg.grad(lambda x: np.sum(mg.grad(lambda y: np.sum(y * x + 2 * y + 3 * y))(np.ones(2)) * x))(xs)
    np.testing.assert_array_equal(found, 2 * xs + 5)
