"""How the values of a Tensor leave the tape: as numbers, arrays and text."""

import importlib
import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad.errors import LostGradientError

VALUES = [2.75, -0.0, 1e-7, 12345.678]
ARRAYS = [
    np.array([1.1, -2.25]),
    np.array([[0.1], [7]], "f4"),
    np.array([2**53 + 1, 3]),
    np.array([True]),
    np.zeros((0, 2)),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("spec", [".2f", "e", "10.3", ">12", "+"])
def test_a_scalar_is_formatted_as_a_number(value, spec):
    assert f"{mg.tensor(value):{spec}}" == f"{value:{spec}}"


def test_a_tensor_is_formatted_as_its_text():
    for t in (mg.tensor([1.5, 2.0]), mg.tensor(2.0, requires_grad=True), mg.tensor([3.0])):
        assert f"{t}" == format(t) == str(t)
    assert f"{mg.tensor([1.5, 2.0]):>30}" == f"{'tensor([1.5, 2. ])':>30}"
    assert f"{mg.tensor(2.0)}" == "tensor(2.)"
    with pytest.raises(ValueError, match=r"^format: a Tensor of shape \(2,\) does not take '\.2f': format its entries"):
        format(mg.tensor([1.5, 2.0]), ".2f")


@pytest.mark.parametrize("a", ARRAYS)
def test_arrays_and_lists_hold_the_same_entries(a):
    t = mg.tensor(a)
    assert_array_equal(t.numpy(), a, strict=True)
    assert not np.shares_memory(t.numpy(), t.data)
    assert t.tolist() == a.tolist()
    assert [t.tobytes(), t.tobytes("F")] == [a.tobytes(), a.tobytes("F")]
    assert_array_equal(t.detach().data, a, strict=True)


def test_the_only_entry_or_that_at_an_index_is_a_number():
    t = mg.tensor([[1.5, 2.0]])
    assert (t.item(1), t.item(0, 1), mg.tensor([[3]]).item()) == (2.0, 2.0, 3)
    assert type(mg.tensor([[3]]).item()) is int
    for wrong in (t, mg.tensor(np.zeros(0))):
        with pytest.raises(
            ValueError, match=r"^item: the Tensor has shape \(.*\), not one entry; use .tolist\(\) or .data$"
        ):
            wrong.item()
    with pytest.raises(IndexError, match=r"^item: index 5 is out of bounds"):
        t.item(5)


@pytest.mark.parametrize("value", [0.0, 2.5, [0.0], [[3.0]]])
def test_the_truth_of_one_entry(value):
    for t in (mg.tensor(value), mg.tensor(value, requires_grad=True)):
        assert bool(t) is bool(np.array(value))
        assert (1 if t else 2) == (1 if np.array(value) else 2)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(mg.tensor([1.0, 2.0]))


@pytest.mark.parametrize("value", [2.75, -2.75, 3.0])
def test_integers_near_a_number(value):
    t = mg.tensor(value, requires_grad=True)
    for rounded in (int, math.floor, math.ceil, math.trunc):
        assert rounded(t) == rounded(value)
        with pytest.raises(TypeError, match=r"0-dimensional|length-1"):
            rounded(mg.tensor([1.5, 2.5]))


def test_numbers():
    assert (float(mg.tensor(2.5)), complex(mg.tensor(2.5)), int(mg.tensor(2.5))) == (2.5, 2.5, 2)
    assert (type(float(mg.tensor(2))), type(complex(mg.tensor(2))), type(int(mg.tensor(2.0)))) == (float, complex, int)
    assert range(5)[mg.tensor(3)] == 3
    with pytest.raises(TypeError):
        range(5)[mg.tensor(3.0)]


SETS = """
unique(x); unique(x, return_index=True, return_counts=True); unique(ar=x); unique_all(x); unique_inverse(x)
unique_counts(x); unique_values(x); union1d([1.5, 9], x); intersect1d(x, x[1]); intersect1d(x, x[0], False, True)
setdiff1d(x, x[0]); setxor1d(x, x[0])
"""


@pytest.mark.parametrize("call", SETS.replace("\n", "; ").strip("; ").split("; "))
def test_the_entries_in_a_set_keep_their_gradients(call):
    def members(x):
        found = eval(f"np.{call}", {"np": np, "x": x})
        return found if isinstance(found, tuple) else (found,)

    x = np.array([[3.5, -1, 2], [2, 0.25, 7]])
    for t in (mg.tensor(x), mg.tensor(x, requires_grad=True)):
        assert type(members(t)) is type(members(x))
        for ours, theirs in zip(members(t), members(x), strict=True):
            assert_array_equal(ours.data if isinstance(ours, mg.Tensor) else ours, theirs)
    np.sum(members(t)[0] ** 2).backward()
    assert np.sum(t.grad) == np.sum(2 * np.setdiff1d(members(x)[0], [1.5, 9]))
    assert_array_equal(t.grad[t.grad != 0], 2 * x[t.grad != 0])
    assert np.unique(mg.tensor([np.nan, 1.0, np.nan], requires_grad=True)).size == 2


def test_rows_of_a_set_that_need_a_gradient_are_refused():
    assert_array_equal(np.unique(mg.tensor(np.ones((2, 2))), axis=0), [[1, 1]])
    with pytest.raises(TypeError, match=r"^np.unique: axis= would lose the gradient: use t\[np.unique"):
        np.unique(mg.tensor(np.ones((2, 2)), requires_grad=True), axis=0)


@pytest.mark.parametrize(
    ("lose", "instead"),
    [
        (lambda t: math.sin(t[0]), "write np.sin for math.sin"),
        (
            lambda t: mg.grad(lambda x: np.zeros(2).__setitem__(0, x))(t.data[0]),
            "write .* mg.array of a list for a.i. = t",
        ),
        (lambda t: np.array([t[0], 1.0]), "write mg.array of a list"),
        (lambda t: np.eye(2).dot(t), "write mg.array of a list for np.array or a.i. = t, a @ t for a.dot"),
        (lambda t: np.r_[t, 1.0], "write mg.r_ and mg.c_"),
        (lambda t: np.vectorize(lambda x: x * t[0])(np.ones(2)), "write mg.vectorize"),
        (lambda t: importlib.import_module("scipy.sparse").eye(2).dot(t), "write s.toarray.. @ t"),
        (
            lambda t: importlib.import_module("scipy.linalg").lu(t),
            "use minigrad.scipy's function, if there is one",
        ),
        (lambda t: pytest.importorskip("pandas").Series(t), "write s.to_numpy.. @ t"),
        (
            lambda t: importlib.import_module("scipy.optimize").minimize_scalar(lambda x: (x - t[0]) ** 2),
            "return a number, t.item.., to SciPy",
        ),
        (
            lambda t: mg.grad(
                lambda a: importlib.import_module("scipy.optimize").minimize(lambda x: (x[0] - a) ** 2, [0.0])
            )(2.0),
            "return a number, t.item.., to SciPy",
        ),
    ],
)
def test_what_would_lose_a_gradient_says_what_to_write_in_one_short_sentence(lose, instead):
    said = (
        "^a Tensor that needs a gradient can't become an? .*, which would lose it: use .item.., .data or .detach.. if"
    )
    with pytest.raises(LostGradientError, match=f"{said} none should flow, else {instead}") as caught:
        lose(mg.tensor([1.0, 2.0], requires_grad=True))
    assert len(str(caught.value)) < 270
