"""What the options of a check may be, and the tolerances of one input."""

import numpy as np
import pytest

from minigrad.testing.options import Options
from minigrad.testing.tolerances import RTOL


@pytest.mark.parametrize(
    "given",
    [
        {}, {"rtol": 0, "atol": np.float32(0.5), "nondet_tol": 0.0}, {"rtol": {"x": 1e-3, "y": 0}, "atol": {}},
        {"seed": 0}, {"seed": np.int64(3)}, {"order": 1}, {"order": 3},
    ],
)  # fmt: skip
def test_right_options_are_returned(given):
    options = Options(**given)
    assert options.checked("f") is options


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"rtol": "small"}, TypeError, "rtol must be a number, not 'small'"),
        ({"atol": {"x": 0.5, "y": None}}, TypeError, "atol must be a number, not None"),
        ({"rtol": -0.5}, ValueError, "rtol must be at least 0 and finite, not -0.5"),
        ({"nondet_tol": np.inf}, ValueError, "nondet_tol must be at least 0 and finite, not inf"),
        ({"atol": np.nan}, ValueError, "atol must be at least 0 and finite, not nan"),
        ({"seed": -1}, TypeError, "seed must be an int that is not negative, not -1"),
        ({"seed": 1.0}, TypeError, "seed must be an int that is not negative, not 1.0"),
        ({"seed": None}, TypeError, "seed must be an int that is not negative, not None"),
        ({"order": 0}, ValueError, "order must be 1 or more, not 0"),
        ({"order": True}, ValueError, "order must be 1 or more, not True"),
        ({"order": 1.5}, ValueError, "order must be 1 or more, not 1.5"),
    ],
)
def test_wrong_options_are_refused_in_the_name_of_the_check(given, error, words):
    with pytest.raises(error, match=f"^f: {words}$"):
        Options(**given).checked("f")


def test_tolerances_are_of_all_inputs_or_by_label():
    assert Options().tolerances("x") == (RTOL, 0.0)
    assert Options(rtol=0.5, atol=0.25).tolerances("x") == (0.5, 0.25)
    by_label = Options(rtol={"x": 0.5}, atol={"x": 0.25})
    assert by_label.tolerances("x") == (0.5, 0.25)
    assert by_label.tolerances("y") == (RTOL, 0.0)
