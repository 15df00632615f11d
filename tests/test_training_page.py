"""docs/training.md and docs/scaling.md: their code runs and prints what it says, and what they link to exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("training.md", "scaling.md"))
CODE = re.findall(r"```python\n(.*?)```", PAGES, re.DOTALL)


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_code_prints_what_its_comments_say(code, capsys):
    if "scipy" in code:
        pytest.importorskip("scipy")
    expected = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert expected
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == expected


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^):]+)\)|src=\"([^\"]+)\"", PAGES)
    assert [target for pair in targets for target in pair if target and not (ROOT / "docs" / target).exists()] == []


def test_each_option_of_the_example_is_one():
    from train_cnn import option_parser

    known = {option for action in option_parser()._actions for option in action.option_strings}
    assert set(re.findall(r"`(--[\w-]+)", PAGES)) <= known
