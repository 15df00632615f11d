"""docs/training.md: its code runs and prints what it says, and what it links to exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_code_prints_what_its_comments_say(code, capsys):
    if "scipy" in code:
        pytest.importorskip("scipy")
    expected = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert expected
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == expected


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^):]+)\)|src=\"([^\"]+)\"", PAGE)
    assert [target for pair in targets for target in pair if target and not (ROOT / "docs" / target).exists()] == []


def test_each_option_of_the_example_is_one():
    from train_cnn import option_parser

    known = {option for action in option_parser()._actions for option in action.option_strings}
    assert set(re.findall(r"`(--[\w-]+)", PAGE)) <= known
