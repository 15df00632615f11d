"""`mg.debug` records the line of the program that called each op, in its thread and block only."""

import _thread
import contextvars
import inspect
import itertools
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import operation, tape
from minigrad.operation import array_of
from minigrad.viz import _debug

HERE = Path(__file__)


def line_before():
    return inspect.currentframe().f_back.f_lineno - 1


def test_each_way_to_call_an_op_is_located():
    x = mg.tensor(np.ones((1, 1, 4, 4)), requires_grad=True)
    calls = [
        lambda: x * 2,
        lambda: 2 - x,
        lambda: mg.relu(x),
        lambda: np.exp(x),
        lambda: x.sum(),
        lambda: mg.conv2d(x, np.ones((1, 1, 2, 2))),
        lambda: mg.std(x) if hasattr(mg, "std") else x.mean(),
    ]
    for call in calls:
        with mg.debug():
            y = call()
        assert y.node.seen.line == (str(HERE), call.__code__.co_firstlineno)


def test_an_op_that_no_line_of_python_called_is_computed_all_the_same():
    """As one that a callback of C code starts with."""
    x, made, done = leaf([1.0]), [], threading.Event()
    with mg.debug():
        expected = mg.exp(x)
        run = contextvars.copy_context().run
        _thread.start_new_thread(run, (made.extend, map(mg.exp, iter([x]))))
        for _ in range(500):
            if made:
                break
            done.wait(0.01)
    assert [y.tolist() for y in made] == [expected.tolist()]


def test_the_tooltip_has_line_and_link(monkeypatch, tmp_path):
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug():
        y = x * x
        line = line_before()
    monkeypatch.chdir(HERE.parent)
    source = mg.graph(y).source
    assert f"{HERE.name}:{line}" in source
    assert f'URL="{HERE.name}#L{line}"' in source
    monkeypatch.chdir(tmp_path)
    assert f'URL="{HERE.as_uri()}#L{line}"' in mg.graph(y).source
    assert f'href="{HERE.as_uri()}#L{line}"' in mg.graph(y).svg()


def test_code_without_a_file_has_a_line_but_no_link():
    variables = {"x": mg.tensor([1.0], requires_grad=True)}
    with mg.debug():
        exec(compile("y = x * x", "javascript:alert(1)", "exec"), variables)
    source = mg.graph(variables["y"]).source
    assert "javascript:alert(1):1" in source
    assert "URL" not in source


def test_an_array_whose_shape_was_set_is_found():
    x = mg.tensor(np.ones(3), requires_grad=True)
    with mg.debug():
        y = np.sum(x * x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of newer NumPys
            x.data.shape = (3, 1)
        with pytest.raises(RuntimeError, match="multiply: its argument 'x1' was written to since the op was called"):
            y.backward()


def test_outside_nothing_is_recorded_and_nothing_is_left_behind():
    x = mg.tensor([1.0], requires_grad=True)
    with mg.debug(), mg.debug():
        pass
    assert operation.Node is tape.Node
    assert not hasattr((x * x).node, "line")
    with pytest.raises(ZeroDivisionError), mg.debug():
        1 / 0  # noqa: B018
    assert operation.Node is tape.Node


def test_it_nests_and_decorates():
    x = mg.tensor([1.0], requires_grad=True)

    @mg.debug()
    def inner():
        return x * x

    with mg.debug():
        inner()
        assert (x * x).node.seen.line[0] == str(HERE)
    assert inner().node.seen.line[0] == str(HERE)


def test_a_generator_runs_later_so_it_is_refused():
    with pytest.raises(TypeError, match="debug can't decorate later, whose body runs later: use `with debug` in it"):

        @mg.debug()
        def later():
            yield


def test_other_threads_are_left_alone():
    x, made = mg.tensor([1.0], requires_grad=True), []
    with mg.debug():
        thread = threading.Thread(target=lambda: made.append(x * x))
        thread.start()
        thread.join()
    assert not hasattr(made[0].node, "seen")
    assert "test_debug" not in mg.graph(made[0]).source


def test_gradients_are_the_same_within():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.debug():
        (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def raised(call, kind, **options):
    with mg.debug(**options), np.errstate(all="ignore"), pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def leaf(value):
    return mg.tensor(value, requires_grad=True)


def test_the_first_nan_of_a_forward_pass_is_named():
    x = leaf([1.0, -1.0])
    message = raised(lambda: mg.log(x) * 2, FloatingPointError)
    line = test_the_first_nan_of_a_forward_pass_is_named.__code__.co_firstlineno + 2
    assert message.startswith(f"log: it gave nan at [1] from finite values: x = -1.0, called at test_debug.py:{line}")
    constant = mg.tensor([[0.0, 1.0]])
    assert "divide: it gave inf at [0, 0]" in raised(lambda: 1 / constant, FloatingPointError)
    assert "x2 of shape (2, 2)" in raised(
        lambda: leaf(np.full((1, 2), 1e300)) @ np.full((2, 2), 1e300), FloatingPointError
    )


def test_the_first_nan_of_a_vjp_is_named():
    x, mask = leaf([0.0, 4.0]), np.array([0.0, 1.0])
    y = mg.sqrt(x) * mask
    message = raised(lambda: y.sum().backward(), FloatingPointError)
    assert message.startswith("sqrt: the VJP of 'x' gave nan at [0] from finite values: g = 0.0, out = 0.0, x = 0.0")
    assert "called at" not in message  # the op ran outside of debug()
    assert x.grad is None
    inside = raised(lambda: (mg.sqrt(x) * mask).sum().backward(), FloatingPointError)
    assert "called at test_debug.py:" in inside
    transformed = raised(lambda: mg.grad(lambda x: np.sum(np.sqrt(x)))(np.zeros(2)), FloatingPointError)
    assert transformed.startswith("sqrt: the VJP of 'x' gave inf at [0]")


def test_what_is_not_finite_already_passes_and_so_does_all_of_it_where_asked():
    x = leaf([np.inf, 1.0])
    with mg.debug():
        (x * 2).sum().backward()
        assert (mg.tensor([1]) * 2).tolist() == [2]  # integers have no NaN
    with mg.debug(nonfinite=False), np.errstate(all="ignore"):
        assert np.isnan(mg.log(leaf(-1.0)).item())


@pytest.mark.parametrize("order", ["first", "second"])
def test_a_write_that_nothing_sees_is_found(order):
    w = leaf([1.0, 2.0])
    with mg.debug():
        y = np.sum(w * w)
        w.data[0] = 7
        with pytest.raises(
            RuntimeError, match=r"multiply: its argument 'x1' was written to since .* test_debug\.py:\d+"
        ):
            y.backward()
        z = mg.exp(w)
        z.node.output[0] = 3
        with pytest.raises(RuntimeError, match="exp: its output was written to"):
            z.backward(np.ones(2))
        assert w.grad is None

        def f(x):
            y = np.sum(x * constant)
            constant.data[0] = 9
            return y

        constant = mg.tensor([1.0, 2.0])
        transform = mg.grad(f) if order == "first" else mg.hessian(f)
        with pytest.raises(RuntimeError, match="multiply: its argument 'x2' was written to"):
            transform(np.ones(2))
    np.sum(w * w).backward()


def test_a_write_inside_of_a_nested_transform_is_found():
    def f(x):
        y = mg.exp(x)
        if into == "its output":
            array_of(y.node.output)[0] = 9.0
        z = np.sum(y * y)
        if into == "its argument 'x1'":
            array_of(y.node.output)[0] = 9.0
        return z

    for into, name in (("its output", "exp"), ("its argument 'x1'", "multiply")):
        with mg.debug(), pytest.raises(RuntimeError, match=f"{name}: {into} was written to"):
            mg.hessian(f)(np.ones(2))


def test_a_write_is_found_in_a_sweep_whose_result_is_not_used():
    def f(x):
        y = mg.exp(x)
        y.node.output[...] = 9.0
        return y

    def unused(x):
        mg.grad(f)(x)
        return x * 2

    with mg.debug(), pytest.raises(RuntimeError, match="exp: its output was written to"):
        mg.grad(unused)(1.0)


def test_arrays_that_hold_no_numbers_are_finite():
    @mg.op
    def named(x, names):
        return x * 2.0

    named.vjp("x")(lambda g, out, x, names: g * 2.0)
    x = leaf([1.0, 2.0])
    with mg.debug():
        named(x, np.array(["a", None], object)).sum().backward()
        assert "named: it gave inf" in raised(
            lambda: named(leaf([1e308] * 2), np.array(["a", "b"])), FloatingPointError
        )
    assert x.grad.tolist() == [2.0, 2.0]


def test_numpy_warns_inside_of_debug_as_outside_where_nan_is_allowed():
    y = mg.sqrt(leaf([0.0]))
    with mg.debug(nonfinite=False), np.errstate(all="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        y.backward(np.ones(1))
    with mg.debug(), np.errstate(all="raise"), pytest.raises(FloatingPointError, match="the VJP of 'x' gave inf"):
        y.backward(np.ones(1))


def test_time_is_only_noted_where_it_is_asked_for():
    x = leaf([1.0, 2.0])
    with mg.debug():
        y = x * x
        y.sum().backward()
    assert y.node.seen.seconds == {}
    y = x * x
    with mg.debug(time=True):
        y.sum().backward()
    assert not hasattr(y.node, "seen")


def test_the_times_of_the_vjps_of_an_op_are_added(monkeypatch):
    monkeypatch.setattr(_debug, "perf_counter", itertools.count(10).__next__)  # each look at the clock takes a second
    x = leaf([1.0, 2.0])
    with mg.debug(time=True):
        y = x * x
        y.sum().backward()
    assert y.node.seen.seconds == {"forward": 1, "backward": 2}


@pytest.mark.parametrize("value", [0.0, np.inf])
def test_what_a_vjp_makes_of_tensors_is_looked_at(value):
    @mg.op
    def f(x):
        return x * 1.0

    @f.vjp("x")
    def _(g, out, x):
        return g * (1 / array_of(x)) if value == 0 else array_of(x) * 2.0

    def again(x):
        return np.sum(mg.grad(lambda x: np.sum(f(x)))(x) * x)

    x = np.array([1.0, value])

    def unused(x):
        mg.grad(lambda x: np.sum(f(x) * (x + 1)))(x)
        return np.sum(x)

    if value == 0:
        message = raised(lambda: mg.grad(unused)(x), FloatingPointError)
        assert message.startswith("f: the VJP of 'x' gave inf at [1] from finite values: g = 1.0, out = 0.0, x = 0.0")
    else:
        with mg.debug():
            assert mg.grad(again)(x).tolist() == [2.0, np.inf]


def test_an_option_is_true_or_false():
    for name in ("nonfinite", "time"):
        mg.debug(**{name: np.True_})
        with pytest.raises(TypeError, match=f"debug: {name} must be True or False, not 1"):
            mg.debug(**{name: 1})


def test_an_error_in_a_vjp_is_told_the_line():
    @mg.op
    def broken(x):
        return x * 1

    @broken.vjp("x")
    def _(g, out, x):
        return np.reshape(g, (7,))

    y = broken(leaf([1.0]))
    with pytest.raises(ValueError, match=r"broken: the VJP of 'x': .*inside mg\.debug\(\), the message names the line"):
        y.backward()
    with mg.debug(), pytest.raises(ValueError, match=r"broken: the VJP of 'x': .*called at test_debug\.py:\d+"):
        broken(leaf([1.0])).backward()


@pytest.mark.filterwarnings("ignore:overflow")
def test_arguments_that_are_no_numbers_do_not_hide_what_is_found():
    x = mg.tensor(np.array([1e308, 1e308]), requires_grad=True)
    with mg.debug(), pytest.raises(FloatingPointError, match=r"^sum: it gave inf"):
        mg.sum(x)
    with mg.debug(), pytest.raises(FloatingPointError, match=r"^sum: it gave inf"):
        mg.sum(x, 0)
