"""examples/cnn.ipynb runs from top to bottom, and shows what it promises."""

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("onnxruntime")
from support.notebooks import ROOT, check_stored_in_order, pictures, printed, read, run

NOTEBOOK = ROOT / "examples" / "cnn.ipynb"
STAGES = ["Data", "Build", "Draw", "Train", "Kernels and feature maps", "Why this answer?", "Stop and resume", "Export"]


@pytest.mark.filterwarnings("default")  # Jupyter's own, in its own process
def test_it_runs_and_prints_what_is_stored(monkeypatch):
    stored, fresh = read(NOTEBOOK), run(NOTEBOOK, monkeypatch)
    assert printed(fresh) == printed(stored)
    assert "the same bits: True" in "".join(printed(fresh))
    assert [len(pictures(cell)) for cell in fresh.cells] == [len(pictures(cell)) for cell in stored.cells]


def test_its_outputs_are_stored_in_order():
    check_stored_in_order(read(NOTEBOOK))


def test_each_stage_has_a_heading_and_the_graph_is_drawn():
    cells = read(NOTEBOOK).cells
    headings = [cell.source.splitlines()[0].removeprefix("## ") for cell in cells if cell.source.startswith("## ")]
    assert headings == STAGES
    drawn = [o for cell in cells for o in cell.get("outputs", []) if "text/html" in o.get("data", {})]
    assert len(drawn) == 1
    assert "avg_pool2d" in drawn[0]["data"]["text/html"]
