"""examples/derivation.ipynb runs from top to bottom, gives the stored text again, and leaves out no section."""

import re

import pytest

pytest.importorskip("nbclient")
from support.notebooks import ROOT, check_stored_in_order, pictures, printed, read, run

NOTEBOOK = ROOT / "examples" / "derivation.ipynb"
PICTURES = {
    "Figure 1": "Sections 1 and 2",
    "Figure 2": "Section 3.1.2",
    "Figure 3": "Section 3.1.3",
    "Figure 4": "Section 3.1.5",
}


@pytest.fixture(scope="module")
def stored():
    return read(NOTEBOOK)


@pytest.mark.filterwarnings("default")  # Jupyter's own, in its own process
def test_it_runs_and_prints_what_is_stored(stored, monkeypatch):
    fresh = run(NOTEBOOK, monkeypatch)
    assert printed(fresh) == printed(stored)
    assert sum(text.count("agree: ") for text in printed(fresh)) > 30
    assert [len(pictures(cell)) for cell in fresh.cells] == [len(pictures(cell)) for cell in stored.cells]


def test_its_outputs_are_stored_in_order(stored):
    check_stored_in_order(stored)


def test_each_section_of_the_document_is_there(stored):
    text = "\n".join(cell.source for cell in stored.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^##+ (Sections? [\d.]+)", text, re.MULTILINE)
    sections = ["1", "3.1", "3.1.1", "3.1.2", "3.1.3", "3.1.4", "3.1.5", "3.1.6", "3.2", "3", "4"]
    assert [heading.split()[1].rstrip(".") for heading in headings] == sections


@pytest.mark.parametrize("figure", PICTURES)
def test_each_figure_of_the_document_has_a_picture(stored, figure):
    position = next(n for n, cell in enumerate(stored.cells) if f"**{figure}**" in cell.source)
    headings = re.findall(
        r"^##+ (Sections? [^:,]+)", "\n".join(c.source for c in stored.cells[: position + 1]), re.MULTILINE
    )
    assert headings[-1] == PICTURES[figure]
    assert any(pictures(cell) for cell in stored.cells[position + 1 : position + 3])
