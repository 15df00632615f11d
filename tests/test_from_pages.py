"""The pages from-*.md: the code of each row of their tables runs, and does the same as the other library's."""

import ast
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"
LIBRARIES = {"from-hips-autograd.md": "autograd", "from-pytorch.md": "torch", "from-jax.md": "jax"}


def rows(page):
    """Yield (the other library's code, minigrad's) of each row of the tables that has code."""
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            theirs, ours, differs = cells
            assert ours.startswith("`")
            assert differs
            yield theirs.strip("`"), ours.strip("`")


def setup(page, *kinds):
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.search(rf"```python {kind}\n(.*?)```", text, re.DOTALL)[1] for kind in kinds)


def value(code, before):
    """The value of the last expression of the code, after the statements before it."""
    namespace = {}
    exec(before, namespace)
    *statements, last = ast.parse(code).body
    exec(compile(ast.Module(statements, []), "row", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "row", "eval"), namespace)


def plain(result):
    """The numbers of a result as nested tuples of arrays."""
    if isinstance(result, (tuple, list)):
        return tuple(map(plain, result))
    if isinstance(getattr(result, "data", None), np.ndarray):
        return result.data
    return np.asarray(result.detach() if hasattr(result, "detach") else result)


ROWS = [(page, *row) for page in LIBRARIES for row in rows(page)]


@pytest.mark.parametrize(("page", "theirs", "ours"), ROWS, ids=[f"{row[0]}-{row[1][:40]}" for row in ROWS])
def test_each_row_does_the_same(page, theirs, ours):
    if "scipy" in ours:
        pytest.importorskip("scipy")
    found = plain(value(ours, setup(page, "minigrad", "both")))
    pytest.importorskip(LIBRARIES[page])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = plain(value(theirs, setup(page, "original", "both")))
    compare(found, expected)


def compare(found, expected):
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for part, whole in zip(found, expected, strict=True):
            compare(part, whole)
    elif expected.dtype == object:  # a check that returns nothing
        assert expected.item() is None
    else:
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_every_page_has_its_rows():
    counted = {page: sum(row[0] == page for row in ROWS) for page in LIBRARIES}
    assert all(count >= 25 for count in counted.values()), counted
