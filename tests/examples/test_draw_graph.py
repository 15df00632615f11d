"""The program that draws the pictures of the README and the docs."""

from pathlib import Path

import draw_graph
import pytest

DOCS = Path(draw_graph.__file__).parents[1] / "docs"


def test_it_writes_pictures_and_the_walk(tmp_path, capsys):
    draw_graph.main([str(tmp_path / "pictures")])
    written = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    assert all(content.startswith(b"\x89PNG") for name, content in written.items() if name.endswith(".png"))
    assert len(written["graph.html"]) < 150_000
    assert len(written["walk.html"]) < 200_000
    assert {path.name for path in DOCS.glob("graph*.png")} < set(written)
    output = capsys.readouterr().out
    assert "#11 softmax_cross_entropy(#10, labels)" in output
    assert all(name in output for name in written)


def test_without_graphviz_what_brings_it_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(draw_graph, "has_graphviz", lambda: False)
    with pytest.raises(SystemExit):
        draw_graph.main([str(tmp_path / "pictures")])
    assert "the pictures need Graphviz, which pip install -e '.[viz]' brings" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_cnn_is_the_training_examples():
    assert draw_graph.cnn().node.op.__name__ == "softmax_cross_entropy"
    assert [part.title for part in draw_graph.mg.graph(draw_graph.cnn(), depth=0).parts if part.kind == "fold"] == [
        "conv1",
        "conv2",
        "fc",
    ]
