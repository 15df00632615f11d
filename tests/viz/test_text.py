"""The graph as text for a terminal, and the text of labels and tooltips."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz.labels import label, link, plain, tooltip, width


def test_scopes_are_a_tree_and_each_op_has_a_number():
    x = mg.tensor(np.ones((2, 2)), requires_grad=True, name="x")
    with mg.scope("a"):
        y = x @ x
        with mg.scope("b"):
            y = mg.tanh(y) * 2.0
        y = y + x
    with mg.scope("c"):
        y = (y * mg.tensor(np.ones((2, 2)), name="data")).sum()
    assert str(mg.graph(y)).splitlines() == [
        "computational graph: 6 nodes, 1 parameter",
        "a",
        "|  x [parameter]          (2, 2)",
        "|  #1 matmul(x, x)        (2, 2)",
        "|  b",
        "|  |  #2 tanh(#1)         (2, 2)",
        "|  |  #3 multiply(#2, 2)  (2, 2)",
        "|  #4 add(#3, x)          (2, 2)",
        "c",
        "|  data [data]            (2, 2)",
        "|  #5 multiply(#4, data)  (2, 2)",
        "|  #6 sum(#5)             ()      value 11.71",
    ]


def test_a_tensor_that_needs_no_line_has_none(programs):
    drawn = mg.graph(programs["recurrent"](), depth=0)
    assert {"mark", "constant"} & {part.kind for part in drawn.parts}
    lines = str(drawn).splitlines()
    assert sum("[" in line for line in lines) == sum(part.kind in ("parameter", "data") for part in drawn.parts)
    assert "gradient" not in str(drawn)


def test_a_call_shows_six_arguments():
    x = mg.tensor([1.0], requires_grad=True, name="x")
    for count, last in ((6, "#6)"), (7, "#6, ...)")):
        stack = str(mg.graph(mg.stack([x * float(i + 2) for i in range(count)]))).splitlines()[-1]
        assert stack.split("  ")[0] == f"#{count + 1} stack(#1, #2, #3, #4, #5, {last}"


def test_a_long_name_is_cut_in_each_place():
    x = mg.tensor([1.0], requires_grad=True, name="x" * 40)
    z = mg.tensor([1.0], requires_grad=True, name="z" * 41)
    lines = str(mg.graph(x * z)).splitlines()
    cut = "z" * 37 + "..."
    assert [line.split("  ")[0] for line in lines[1:]] == [
        f"{x.name} [parameter]", f"{cut} [parameter]", f"#1 multiply({x.name}, {cut})"
    ]  # fmt: skip


def test_gradients_and_faults_are_in_the_last_column():
    x = mg.tensor([0.0, 4.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        lines = str(mg.graph(mg.sqrt(x)[0], gradients=True)).splitlines()
    assert lines[2].split("  ")[-2:] == ["gradient norm 1", "! sqrt's derivative gave inf at [0]"]
    assert lines[3].endswith("gradient norm 1")


@pytest.mark.parametrize(
    ("name", "longest", "expected"),
    [
        ("a b", None, "a b"),
        ("a \n\t b", None, "a b"),
        ("a\x00b\ud800c\ue000d", None, "a b c d"),
        ("", None, " "),
        ("\n", None, " "),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abc..."),
        (12, None, "12"),
    ],
)
def test_a_line_is_printable_and_has_an_end(name, longest, expected):
    assert plain(name, longest) == expected


def test_backslashes_and_other_alphabets_survive_graphviz():
    assert label("a\\b<é>") == "a\\\\b&lt;&#233;&gt;"
    assert label("x" * 41) == "x" * 37 + "..."
    assert label("x" * 41, 50) == "x" * 41
    assert tooltip(["a\\b", "", None, "<é>"]) == "a\\\\\\\\b&#10;&lt;&#233;&gt;"
    assert tooltip(["\u3042"]) == "&#12354;"
    assert tooltip(["\U0001f600 \U00010000 \uffee"]) == "\U0001f600 \U00010000 &#65518;"
    assert label("\U0001f600") == "&#128512;"


def test_wide_characters_take_two_places():
    assert width("abcd", 10) == round(4 * 10 * 0.62) == 25
    assert width("abcd", 100) == 248
    assert width("\u3042", 100) == width("\uff21", 100) == 124
    assert width("\u3042a", 100) == 186
    assert type(width("a", 10)) is int


def test_a_link_is_relative_below_the_working_directory(tmp_path, monkeypatch):
    below, beside = tmp_path / "work" / "a b.py", tmp_path / "beside.py"
    below.parent.mkdir()
    for path in (below, beside):
        path.write_text("")
    monkeypatch.chdir(below.parent)
    assert link((str(below), 3)) == "a%20b.py#L3"
    assert link((str(beside), 4)) == f"{beside.resolve().as_uri()}#L4"
    assert link((str(tmp_path), 1)) is link(("<stdin>", 1)) is None


def test_many_leaves_stand_once_in_their_call():
    leaves = [mg.tensor([float(i)], requires_grad=True, name=f"x{i}") for i in range(120)]
    y = mg.sin(leaves[0])
    text = str(mg.graph(mg.stack([y, *leaves[1:]]).sum()))
    assert "stack(#1, x1 to x119)" in text
    square = str(mg.graph(y * y))
    assert "multiply(#1, #1)" in square


def test_columns_begin_below_each_other():
    x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    assert str(mg.graph(mg.reshape(x * 2.0, (1, 1, 2)).sum(), gradients=True)).splitlines()[1:] == [
        "x [parameter]      (2,)       gradient norm 2.8",
        "#1 multiply(x, 2)  (2,)       gradient norm 1.4",
        "#2 reshape(#1)     (1, 1, 2)  gradient norm 1.4",
        "#3 sum(#2)         ()         value 6  gradient norm 1",
    ]
