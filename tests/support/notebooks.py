"""Notebooks of examples/: as they are stored, and run again from top to bottom."""

from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).parents[2]


def read(path):
    """The notebook as it is stored, checked."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def run(path, monkeypatch):
    """The notebook after a run in a new kernel, with this minigrad."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    fresh = nbformat.read(path, as_version=4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbclient.NotebookClient(fresh, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    return fresh


def printed(notebook):
    """What each cell printed, and nothing of its pictures: their bytes depend on the fonts."""
    return [
        "".join(o.text for o in cell.get("outputs", []) if o.output_type == "stream" and o.name == "stdout")
        for cell in notebook.cells
    ]


def pictures(cell):
    """The pictures that a cell shows."""
    return [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]


def check_stored_in_order(notebook):
    """Check that the stored outputs are those of one run without an error or a warning."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    assert not any(o.output_type == "error" or o.get("name") == "stderr" for o in outputs)
