"""The walk as a sequence, and the arrays as small images."""

import base64
import gc
import math
import re
import weakref
from pathlib import Path

import numpy as np
import pytest
from support.pages import data_of

import minigrad as mg
from minigrad.viz import walk
from minigrad.viz.explorer import frame
from minigrad.viz.parts import read_tape
from minigrad.viz.statistics import totals
from minigrad.viz.walk import SECTIONS, heat_map, small_images


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
    ("shape", "kind", "shown", "note"),
    [
        ((2,), "op", (1, 1, 2), ""),
        ((5,), "op", (1, 1, 5), ""),
        ((3, 64), "op", (1, 3, 64), ""),
        ((3, 100), "op", (1, 3, 64), "a part of it"),
        ((100, 3), "op", (1, 64, 3), "a part of it"),
        ((3, 4, 5), "op", (3, 4, 5), ""),
        ((1, 3, 4, 5), "op", (3, 4, 5), ""),
        ((1, 3, 4, 65), "op", (3, 4, 64), "a part of it"),
        ((2, 3, 4, 5), "op", (3, 4, 5), "the first 3 of 6 images"),
        ((2, 17, 4, 5), "op", (16, 4, 5), "the first 16 of 34 images"),
        ((2, 3, 2, 4, 5), "op", (2, 4, 5), "the first 2 of 12 images"),
        ((2, 3, 4, 5), "parameter", (6, 4, 5), ""),
        ((2, 3, 11, 12), "parameter", (6, 11, 12), ""),
        ((2, 3, 12, 11), "parameter", (3, 12, 11), "the first 3 of 6 images"),
        ((2, 3, 4), "parameter", (2, 3, 4), ""),
        ((20, 16, 4, 5), "parameter", (16, 4, 5), "the first 16 of 320 images"),
    ],
)
def test_a_heat_map_has_the_first_entries_and_says_what_is_left_out(shape, kind, shown, note):
    array = np.arange(math.prod(shape)).reshape(shape)
    heat = heat_map(array, kind)
    assert (bytes_of(heat).shape, heat["note"]) == (shown, note)
    first = array.reshape(-1, *np.atleast_2d(array).shape[-2:])[: shown[0], : shown[1], : shown[2]]
    assert np.array_equal(small_images(array, kind), first)


@pytest.mark.parametrize(
    ("entries", "limit", "expected"),
    [
        ([-2.0, -1.0, 0.0, 2.0, math.nan, math.inf], "2", [1, 64, 128, 255, 0, 0]),
        ([-4, 1], "4", [1, 160]),
        ([-0.25, 0.125], "0.25", [1, 192]),
        ([0.0, 0.0, 0.0], "0", [128, 128, 128]),
        ([math.nan, -math.inf], "0", [0, 0]),
        ([False, True], "1", [128, 255]),
        ([3 + 4j, 0j], "5", [255, 128]),
        (np.array([-128, 64], np.int8), "128", [1, 192]),
        (np.array([60000, -60000], np.float16), "6e+04", [255, 1]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_heat_map_is_symmetric_and_marks_what_is_not_finite(entries, limit, expected):
    heat = heat_map(np.array(entries), "op")
    assert bytes_of(heat).tolist() == [[expected]]
    assert heat["limit"] == limit


def test_one_entry_or_none_makes_no_heat_map():
    assert heat_map(np.array(1.0), "op") is heat_map(np.array([]), "op") is heat_map(None, "op") is None


def test_the_page_has_the_maps_and_the_statistics_of_values_and_gradients(monkeypatch):
    x = mg.tensor([[1.0, 2.0], [3.0, -4.0]], requires_grad=True, name="x")
    y = mg.relu(x * x * 3.0)
    data = data_of(mg.viz.trace(y).html())
    last = data["nodes"][-1]
    assert last["maps"] == {"value": heat_map(y.data, "op"), "gradient": heat_map(np.ones((2, 2)), "op")}
    assert last["gradient"] == {"entries": "[[1, 1], [1, 1]]", "norm": 2.0}
    assert (data["mode"], data["gradients"], data["direction"]) == ("walk", True, "TB")
    assert data["caption"] == totals(read_tape([y.node]))
    assert data["title"] == "walk of 6 steps: multiply to relu"
    for most, is_mapped in ((3, True), (2, False)):  # ops
        monkeypatch.setattr(walk, "MAPPED", most)
        maps = [kind for node in data_of(mg.viz.trace(y).html())["nodes"] for kind in node.get("maps", ())]
        assert ("value" in maps, "gradient" in maps) == (is_mapped, is_mapped)


def test_depth_and_max_nodes_fold_the_page_as_they_fold_a_graph(programs):
    loss = programs["residual"]()
    for depth, most in ((0, 100), (1, None), (None, 5)):
        walked, drawn = (make(loss, depth=depth, max_nodes=most).html() for make in (mg.viz.trace, mg.graph))
        assert data_of(walked)["groups"] == data_of(drawn)["groups"]


def test_a_walk_keeps_no_array_alive():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    kept, product = mg.viz.trace(y), weakref.ref(y.node.parents[0].output)
    del x, y
    gc.collect()
    assert product() is None
    assert len(kept) == 4


def test_a_walk_is_saved_and_printed_step_by_step(programs, tmp_path):
    walked = mg.viz.trace(programs["square"]())
    path = walked.save(tmp_path / "walk.html")
    assert path.read_text("utf-8") == walked.html()
    assert walked._text().splitlines() == [
        "walk of 4 steps, forward and backward",
        "  1  forward   multiply (3,)",
        "  2  forward   sum ()",
        "  3  backward  sum ()",
        "  4  backward  multiply (3,)",
    ]
    assert walked._repr_html_() == frame(walked.html(), "<walk of 4 steps, forward and backward>")


@pytest.mark.parametrize(
    ("text", "forward", "backward"),
    [
        (None, "", ""),
        ("A = 2 X: dA/dX = 2.", "A = 2 X", "dA/dX = 2."),
        ("A is twice X.", "A is twice X.", "A is twice X."),
        ("A = 2 X: dA/dX = 2.\n\nMore of it.", "A = 2 X: dA/dX = 2.", "A = 2 X: dA/dX = 2."),
        ("Twice\nX.\n\nIts VJP\nis 2 g.\n\nExample.", "Twice X.", "Its VJP is 2 g."),
        ("Twice X. Raises an error.\n\nIts adjoint.\n\nRaises TypeError.", "Twice X.", "Its adjoint."),
        ("Twice.\n\nThe slope is 2.\n\ndA/dX = 2.", "Twice.", "The slope is 2.\n\ndA/dX = 2."),
    ],
)
def test_the_equation_of_an_op_of_yours(text, forward, backward):
    def twice(x):
        return 2 * x

    twice.__doc__ = text
    op = mg.op(twice)
    op.vjp("x")(lambda g, out, x: 2 * g)
    steps = mg.viz.trace(op(mg.tensor([1.0, 2.0], requires_grad=True)))
    assert [step.equation for step in steps] == [forward, backward]


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
