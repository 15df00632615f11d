"""Where a picture shows itself: files, notebooks, terminals; with any engine or none; whatever things are called."""

import os
import random
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, get_type_hints

import graphviz
import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import explorer, render

EVIL = [
    '<b>"w"&amp;</b>',
    "a\nb\\N\\l\\",
    "</title><script>alert(1)</script>",
    "重み é",
    "\x00\x1b[0m\ud800",
    "{a|b}",
    "",
    " ",
    "\U0001f600 \U00020000\U0001d465",
]
BEGINNINGS = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF", ".dot": b"digraph"}


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_save_takes_the_format_from_the_suffix(programs, suffix, tmp_path):
    path = mg.graph(programs["cnn"](), gradients=True).save(tmp_path / f"g{suffix}")
    assert path.read_bytes().startswith(BEGINNINGS[suffix])


def test_save_names_the_formats_it_knows(programs, tmp_path):
    with pytest.raises(ValueError, match=r"save: '.*g\.jpeg' should end in \.html, \.svg, \.png, \.pdf, \.dot"):
        mg.graph(programs["square"]()).save(tmp_path / "g.jpeg")


def test_view_opens_a_file(programs, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    path = mg.graph(programs["square"]()).view()
    assert opened == [path.as_uri()]
    assert path.read_bytes().startswith(b"<svg")
    path.unlink()


def test_the_digraph_is_a_plain_one_to_edit(programs):
    graph = mg.graph(programs["square"]())
    assert type(graph.digraph) is graphviz.Digraph
    graph.digraph.attr(rankdir="LR")
    assert "rankdir=LR" in graph.source


def test_the_svg_is_accessible(programs):
    shown = mg.graph(programs["cnn"](), gradients=True).svg()
    root = ElementTree.fromstring(shown)
    assert root.get("role") == "img"
    assert root.get("aria-label").startswith("computational graph: 7 nodes, 4 parameters")
    assert "max-width:100%" in root.get("style")
    titles = [title.text for title in root.iter(f"{{{render.SVG}}}title")]
    assert any("conv2d(images, conv1.k, conv1.b" in title for title in titles)
    assert not any(re.fullmatch(r"n\d+|n\d+->n\d+|cluster_\d+", title) for title in titles)
    assert "".join(root.itertext()).count("avg_pool2d") > 0


def test_two_pictures_in_one_page_share_no_id(programs):
    ids = [re.findall(r' id="([^"]*)"', mg.graph(programs[name]()).svg()) for name in ("cnn", "square")]
    assert ids[0]
    assert set(ids[0]).isdisjoint(ids[1])


@pytest.fixture
def no_dot(monkeypatch):
    """No dot on PATH."""
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def no_engine(no_dot, monkeypatch):
    """Neither dot nor pygraphviz."""
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def test_pygraphviz_stands_in_for_dot(no_dot, programs):
    assert "<svg" in mg.graph(programs["cnn"]()).svg()


def test_the_warning_of_the_wheels_fontconfig_is_not_shown_and_other_lines_are(capfd):
    with render._filtered_stderr():
        os.write(2, b'before\nFontconfig warning: "/etc/fonts/x.conf", line 6: unknown element "reset-dirs"\nafter\n')
    assert capfd.readouterr().err == "before\nafter\n"
    code = "import minigrad as mg; mg.graph(mg.tensor(1.0, requires_grad=True) * 2).svg()"
    environment = {name: value for name, value in os.environ.items() if name != "PATH"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_pictures_are_drawn_by_several_threads(no_dot, programs):
    expected = mg.graph(programs["cnn"]()).svg()
    drawn = []
    threads = [threading.Thread(target=lambda: drawn.append(mg.graph(programs["cnn"]()).svg())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [expected] * 8


def test_without_an_engine_it_shows_the_page_and_says_what_to_install_for_the_rest(no_engine, programs, tmp_path):
    graph = mg.graph(programs["cnn"]())
    assert graph._repr_html_().startswith("<iframe srcdoc=")
    assert graph.save(tmp_path / "g.html").read_text("utf-8") == graph.html()
    with pytest.raises(RuntimeError, match=r"no Graphviz engine found: pip install 'pygraphviz>=2' brings one"):
        graph.save(tmp_path / "g.png")
    graph.save(tmp_path / "g.dot")


def test_display_says_what_went_wrong_and_does_not_raise(programs, monkeypatch):
    def broken(name):
        raise RuntimeError("<broken>")

    monkeypatch.setattr(explorer, "_asset", broken)
    shown = mg.graph(programs["square"]())._repr_html_()
    assert "could not be drawn: &lt;broken&gt;" in shown


def test_a_notebook_shows_the_page_in_a_frame(programs):
    graph = mg.graph(programs["square"]())
    assert graph._repr_html_() == explorer.frame(graph.html(), graph.title)


def test_a_walk_needs_no_engine(no_engine, programs, tmp_path):
    walk = mg.viz.trace(programs["square"]())
    assert walk._repr_html_().startswith("<iframe srcdoc=")
    assert walk.save(tmp_path / "walk.html").read_text("utf-8") == walk.html()


def test_a_walk_that_can_not_be_drawn_is_displayed_as_text(programs, monkeypatch):
    walk = mg.viz.trace(programs["square"]())
    monkeypatch.setattr(explorer, "_asset", None)
    shown = walk._repr_html_()
    assert shown.startswith("<pre>walk of 4 steps")
    assert "2  forward   sum ()" in shown
    assert "could not be drawn" in shown


def test_view_leaves_no_file_behind_if_it_cannot_draw(no_engine, programs, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match="no Graphviz engine found"):
        mg.graph(programs["square"]()).view()
    assert list(tmp_path.iterdir()) == []


def test_a_norm_is_called_a_norm(programs):
    graph = mg.graph(programs["square"](), gradients=True)
    lines = str(graph).splitlines()
    assert all("gradient norm" in line for line in lines[1:])
    assert "gradient norm" in graph.source


def test_text_is_a_tree_of_scopes(programs):
    lines = str(mg.graph(programs["cnn"](), gradients=True)).splitlines()
    assert lines[0] == "computational graph: 7 nodes, 4 parameters"
    assert "conv1" in lines
    assert next(line.split()[:4] for line in lines if "#2" in line) == ["|", "#2", "relu(#1)", "(2,"]
    assert lines[-1].startswith("#7 softmax_cross_entropy(#6, labels)")
    assert "loss" in lines[-1]
    assert str(mg.graph(programs["cnn"]())).isascii()
    assert repr(mg.graph(programs["cnn"]())) == "<computational graph: 7 nodes, 4 parameters>"


@pytest.mark.parametrize("name", EVIL)
def test_any_name_is_escaped(name, tmp_path):
    w = mg.tensor(np.ones((2, 2)), requires_grad=True, name=name)
    x = mg.tensor(np.ones((2, 2)), name=name)

    def evil(z):
        return z * z

    op = mg.op(evil, name=f"op{name}")
    op.vjp("z", lambda g, a, z: 2 * g * z)
    with mg.scope(name):
        graph = mg.graph(op(x @ w).sum(), gradients=True, names={name: w})
    assert not any(ord(c) < 32 for c in graph.source if c not in "\n\t")
    root = ElementTree.fromstring(graph.svg())
    assert sum(element.get("class") == "node" for element in root.iter()) == 5
    assert not list(root.iter(f"{{{render.SVG}}}script"))
    said = "".join("".join(element.itertext()) for element in root.iter(f"{{{render.SVG}}}text"))
    for word in re.findall(r"[\w&;<>\"\\{}|]+", name.replace("\ud800", "").replace("\x00", "").replace("\x1b", " ")):
        assert said.count(word) >= 4  # both leaves, the op and the scope
    graph.save(tmp_path / "g.png")
    with mg.scope(name):
        walk = mg.viz.trace(op(x @ w).sum())
    for picture in (graph, walk):
        page = picture.save(tmp_path / "g.html").read_text(encoding="utf-8")
        assert "<script>alert" not in page
        assert picture._repr_html_().encode()


def test_a_name_of_any_length_is_drawn():
    w = mg.tensor(np.ones((2, 2)), requires_grad=True, name="w" * 9000)
    op = mg.op(lambda z: z * z, name="é" * 9000)
    op.vjp("z", lambda g, a, z: 2 * g * z)
    with mg.scope("s" * 9000):
        graph = mg.graph(op(w).sum(), gradients=True, settings=True)
    assert ElementTree.fromstring(graph.svg()).tag.endswith("svg")


def test_every_plane_of_unicode_can_be_drawn():
    rng = random.Random(0)
    names = ["".join(chr(rng.randrange(plane << 16, (plane + 1) << 16)) for _ in range(60)) for plane in range(17)]
    names += ["\ufffe\uffff\ufeff", "\u202e\u2066\u200d", "&#128512;", "&amp;#128512;", "\\&#55357;"]
    for name in names:
        w = mg.tensor(np.ones(2), requires_grad=True, name=name)
        with mg.scope(name):
            graph = mg.graph((w * w).sum(), gradients=True)
        ElementTree.fromstring(graph.svg())
    assert "&amp;#128512;" in graph.source or "55357" in graph.source


def test_the_docs_code_runs_and_their_pictures_exist(capsys):
    docs = Path(mg.__file__).parents[1] / "docs"
    page = (docs / "graph.md").read_text(encoding="utf-8")
    first, *_ = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(first, {})
    assert capsys.readouterr().out.startswith("computational graph: 2 nodes, 1 parameter\nx [parameter]")
    pictures = re.findall(r'src="([^"]*)"', page)
    assert {path.name for path in docs.glob("*.png")} - {"growth.png", "training.png", "why.png"} == set(pictures)
    assert all((docs / name).stat().st_size < 200_000 for name in pictures)


def test_nothing_but_numpy_loads_until_it_is_used():
    code = """
import sys, minigrad as mg
assert not {"graphviz", "pygraphviz", "minigrad.viz"} & set(sys.modules)
x = mg.tensor(1.0, requires_grad=True)
with mg.debug():
    y = x * x
assert "minigrad.viz" in sys.modules and "graphviz" not in sys.modules
print(mg.graph(y))
assert "graphviz" in sys.modules and "pygraphviz" not in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("computational graph: 1 node, 1 parameter")


def test_unknown_names_of_the_package_are_still_errors():
    with pytest.raises(AttributeError, match="module 'minigrad' has no attribute 'grpah'"):
        mg.grpah  # noqa: B018


def test_completion_and_star_see_what_loads_late():
    assert {"debug", "graph", "testing", "viz", "relu", "grad", "__doc__"} <= set(dir(mg))
    assert {"TYPE_CHECKING", "operation", "transforms"}.isdisjoint(dir(mg))
    names = {}
    exec("from minigrad import *", names)
    assert set(mg.__all__) == set(names) - {"__builtins__"}
    assert set(mg.ops.__all__) < set(mg.__all__)
    assert names["graph"] is mg.viz.graph
    assert len(mg.__all__) == len(set(mg.__all__))


def test_op_is_typed_as_what_has_a_vjp():
    assert get_type_hints(mg.op)["return"] is Any  # a function, which is what it was taken for, has no `.vjp`


def test_the_name_of_a_scope_moves_out_of_the_way_of_an_edge():
    h = mg.tanh(mg.tensor([1.0, 2.0], requires_grad=True, name="x") * mg.tensor([3.0, -1.0], requires_grad=True))
    with mg.scope("heads"):
        graph = mg.graph((h * h).sum(), mg.exp(h * 3.0).mean(), gradients=True)

    def left(drawn):
        labels = [text for text in ElementTree.fromstring(drawn).iter(f"{{{render.SVG}}}text") if text.text == "heads"]
        return float(labels[0].get("x"))

    source = graph.source
    assert left(graph.svg()) > left(render._run_engine(graph.digraph, "svg")) + 50  # points
    assert graph.source == source
