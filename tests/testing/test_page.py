"""docs/testing.md and docs/checking.md: their code runs as it stands."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def run(page):
    """The names that the page's code has made."""
    names = {"__name__": "page"}
    for code in re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL):
        exec(code, names)
    return names


def test_the_page_for_users():
    run("testing.md")["test_my_formula"]()


def test_the_page_for_learners():
    names = run("checking.md")
    assert {"almost", "scales_g", "mean_for_sum"} <= names.keys()
