"""The walk as a sequence, and the arrays as small images."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz.walk import SECTIONS, heat_map


def test_every_op_is_walked_forward_and_then_backward(programs):
    walk = mg.viz.trace(programs["cnn"]())
    names = [step.op for step in walk]
    assert names[:2] == ["conv2d", "relu"]
    assert names[7:] == names[:7][::-1]
    assert [step.direction for step in walk] == ["forward"] * 7 + ["backward"] * 7
    assert walk[0].inputs == (("images", (2, 1, 8, 8)), ("conv1.k", (2, 1, 3, 3)), ("conv1.b", (2,)))
    assert walk[0].output == ("conv2d", (2, 2, 6, 6))
    assert repr(walk) == "<walk of 14 steps, forward and backward>"


def test_equations_come_from_the_docstrings():
    x = mg.tensor([1.0], requires_grad=True)
    forward, backward = mg.viz.trace(mg.exp(x))
    assert (forward.equation, backward.equation) == ("A = e**X", "dA/dX = A.")


def test_a_section_of_the_derivation_is_called_by_its_title():
    x = mg.tensor([[1.0]], requires_grad=True)
    _, backward = mg.viz.trace(x @ x)
    assert 'section 3.1.1 ("dJ/dW, dJ/db and dJ/dB of the fully connected layer")' in backward.equation
    text = (Path(__file__).parents[2] / "docs" / "derivation.md").read_text("utf-8")
    assert dict(re.findall(r"^### Section (3\.1\.[1-5]): (.*)$", text, re.MULTILINE)) == SECTIONS


def test_a_long_net_is_walked_folded():
    y = x = mg.tensor([1.0, 0.5], requires_grad=True)
    for _ in range(600):
        y = y * x
    walk = mg.viz.trace(y)
    assert len(walk) == 1200
    assert len(walk.html()) < 300_000


def bytes_of(heat):
    shape = heat["count"], heat["rows"], heat["columns"]
    return np.frombuffer(base64.b64decode(heat["bytes"]), np.uint8).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "kind", "expected"),
    [
        ((5,), "op", (1, 1, 5)),
        ((3, 100), "op", (1, 3, 64)),
        ((2, 3, 4, 5), "op", (3, 4, 5)),
        ((2, 3, 4, 5), "parameter", (6, 4, 5)),
        ((8, 8, 4, 5), "parameter", (16, 4, 5)),
        ((3, 4, 5), "op", (3, 4, 5)),
    ],
)
def test_a_heat_map_is_small(shape, kind, expected):
    assert bytes_of(heat_map(np.ones(shape), kind)).shape == expected


def test_a_heat_map_is_symmetric_and_marks_what_is_not_finite():
    heat = heat_map(np.array([-2.0, -1.0, 0.0, 2.0, np.nan, np.inf]), "op")
    assert bytes_of(heat).tolist() == [[[1, 64, 128, 255, 0, 0]]]
    assert heat["limit"] == "2"
    assert set(bytes_of(heat_map(np.zeros(3), "op")).ravel()) == {128}
    assert heat_map(np.array(1.0), "op") is None


def test_wrong_input(programs, tmp_path):
    with pytest.raises(TypeError, match="trace: expected a Tensor, not float"):
        mg.viz.trace(1.0)
    x = mg.tensor(1.0, requires_grad=True)
    with pytest.raises(ValueError, match="trace: this Tensor is a leaf, so there is no op to walk"):
        mg.viz.trace(x)
    with pytest.raises(ValueError, match="trace: max_nodes must be at least 3, not 2"):
        mg.viz.trace(x * x, max_nodes=2)
    with pytest.raises(ValueError, match=r"should end in \.html"):
        mg.viz.trace(programs["square"]()).save(tmp_path / "walk.svg")
    released = programs["square"]()
    released.backward()
    with pytest.raises(RuntimeError, match="released by backward"):
        mg.viz.trace(released)
