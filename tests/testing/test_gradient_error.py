"""What a GradientError says: the verdict first, then where, what it looks like, and the call."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from minigrad.testing import GradientError


def error_of(given, labels=("x",), statement="it is wrong", g=None, **options):
    function = SimpleNamespace(name="f", labels=list(labels), given=lambda: given)
    return GradientError("wrong", function, labels[0], statement, g=g, **options)


x = np.array([1 / 3, 0.1 + 0.2])


def test_all_that_is_known_is_told_in_order():
    found = ((1,), 0.5, 0.25)
    error = error_of({"x": x, "axis": 0}, g=np.ones(2) / 3, found=found, diagnosis=["it is half", "of it"])
    assert (error.kind, error.op, error.argument) == ("wrong", "f", "x")
    assert (error.index, error.numeric, error.analytic) == found
    assert error.diagnosis == ("it is half", "of it")
    assert str(error).splitlines() == [
        "f: it is wrong",
        "  worst at x[1]: numeric 0.5, analytic 0.25",
        "  diagnosis: it is half",
        "  diagnosis: of it",
        "  checked: x; not checked: axis",
        "  with",
        "    x (2,) = [0.3333333333333333 , 0.30000000000000004]",
        "    axis = 0",
        "    upstream gradient g (2,) = [0.33333333, 0.33333333]",
    ]


def test_less_is_told_where_less_is_known():
    error = error_of({"x": np.float64(2.0)})
    assert (error.index, error.numeric, error.analytic, error.diagnosis) == (None, None, None, ())
    assert str(error).splitlines() == ["f: it is wrong", "  with", f"    x = {np.float64(2.0)!r}"]
    assert "worst at x: numeric 1, analytic 2" in str(error_of({"x": x}, found=((), 1.0, 2.0)))


@pytest.mark.parametrize(
    ("order", "begun"),
    [(1, "f:"), (2, "second derivative of f:"), (3, "third derivative of f:"), (4, "derivative 4 of f:")],
)
def test_the_order_of_the_derivative(order, begun):
    assert str(error_of({"x": x}, order=order)).startswith(begun)


def test_values_are_shown_up_to_48_in_all():
    half = np.zeros(24)
    assert "x (24,) = [0., 0." in str(error_of({"x": half, "w": half}))
    assert "x (24,) = float64" in str(error_of({"x": half, "w": np.zeros(25, np.float32)}))
    assert "w (25,) = float32" in str(error_of({"x": half, "w": np.zeros(25, np.float32)}))
    assert "upstream gradient g (25,) = float64" in str(error_of({"x": half}, g=np.zeros(25)))


def test_a_message_has_38_lines_of_118_characters_at_most():
    column = np.zeros((48, 1))
    lines = str(error_of({"x": column})).splitlines()
    assert len(lines) == 38
    assert lines[-1] == "    ..."
    assert str(error_of({"x": column[:36]})).splitlines()[-1] == " " * 17 + "[0.]]"
    assert len(str(error_of({"x": column[:36]})).splitlines()) == 38
    words = "y" * 200
    long = str(error_of({"x": x, words: words, "w": np.linspace(0, 1, 40)}))
    assert max(map(len, long.splitlines())) == 118


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_it_is_copied_and_pickled_as_a_pool_of_processes_does(again):
    error = error_of({"x": x}, found=((1,), 0.5, 0.25), diagnosis=["it is half"])
    copied = again(error)
    assert type(copied) is GradientError
    assert (str(copied), vars(copied)) == (str(error), vars(error))
