"""CONTRIBUTING.md: the op that it adds step by step is right, and its paths and README's exist."""

import doctest
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from support.specification import SPECS, Specs, at_kink, compare, prove

import minigrad as mg
from minigrad.ops import activations

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")}
CODE = re.findall(r"```python\n(.*?)```", PAGES["CONTRIBUTING.md"], re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page):
    text = re.sub(r"```python.*?```", "", PAGES[page], flags=re.DOTALL)
    mentioned = re.findall(r"(?<![\w/.])(?:\.?[a-zA-Z][\w-]*/)+[\w.-]*|(?<![\w/.-])[\w-]+\.(?:py|md)\b", text)
    paths = {path for path in mentioned if not path.startswith((".venv/", "build/"))}
    assert len(paths) > 5
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_no_file_at_the_top_has_a_name_by_accident():
    assert [path.name for path in ROOT.iterdir() if not re.fullmatch(r"[\w.-]+", path.name)] == []


def test_the_map_is_complete():
    package = ROOT / "minigrad"
    modules = [f"minigrad/{path.relative_to(package)}" for path in (*package.glob("*.py"), *package.glob("ops/*.py"))]
    assert [module for module in modules if f"`{module}`" not in PAGES["CONTRIBUTING.md"]] == [
        "minigrad/ops/__init__.py"
    ]
    folders = [path.name for path in package.iterdir() if path.is_dir() and (path / "__init__.py").exists()]
    assert [folder for folder in folders if f"`minigrad/{folder}/`" not in PAGES["CONTRIBUTING.md"]] == []


def test_the_example_adds_a_right_op(monkeypatch):
    op_of_step_1, spec_of_step_4 = CODE
    module = vars(activations) | {"__name__": "minigrad.ops.activations"}
    exec(op_of_step_1, module)
    monkeypatch.setattr(mg, "relu6", module["relu6"], raising=False)
    monkeypatch.setattr(mg.ops, "relu6", module["relu6"], raising=False)
    test_file = runpy.run_path(str(ROOT / "tests" / "ops" / "test_activations.py"))
    exec(spec_of_step_4, test_file | {"spec": Specs().add})
    spec = SPECS.pop("relu6")

    @settings(max_examples=10)
    @given(spec.inputs)
    def proofs(call):
        compare(spec, call)
        prove(spec, call, order=3)

    proofs()
    for case in spec.kinks:
        at_kink(spec, case)
    example = doctest.DocTestParser().get_doctest(mg.relu6.__doc__, {"mg": mg, "np": np}, "relu6", None, None)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0
