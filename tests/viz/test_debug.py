"""`mg.debug` records the line of the program that called each op, in its thread and block only."""

import inspect
import threading
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import operation, tape

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
        assert y.node.seen == (str(HERE), call.__code__.co_firstlineno)


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
    assert f'href="{HERE.as_uri()}#L{line}"' in mg.graph(y)._repr_html_()


def test_code_without_a_file_has_a_line_but_no_link():
    variables = {"x": mg.tensor([1.0], requires_grad=True)}
    with mg.debug():
        exec(compile("y = x * x", "javascript:alert(1)", "exec"), variables)
    source = mg.graph(variables["y"]).source
    assert "javascript:alert(1):1" in source
    assert "URL" not in source


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
        assert (x * x).node.seen[0] == str(HERE)
    assert inner().node.seen[0] == str(HERE)


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
