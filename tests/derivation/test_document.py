"""docs/derivation.md names only what exists, and leaves out no section, equation, erratum or test."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "derivation.md").read_text(encoding="utf-8")
TESTS = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("test_*.py")}
CODE = re.findall(r"^- Code: \[`(\S+)`\]\(\.\./(\S+)\), `([^`]+)`: `([^`]+)`$", DOCUMENT, re.MULTILINE)
PROOFS = re.findall(r"^- Proof: \[`(\S+)`\]\(\.\./(\S+)\): (.*)$", DOCUMENT, re.MULTILINE)
SECTIONS = ["2", "3", "3.1", "3.1.1", "3.1.2", "3.1.3", "3.1.4", "3.1.5", "3.1.6", "3.2", "4"]
NUMBERED = ["rep.1", "rep.2", "rep.3", "eq.a1-1", "eq.a1-2", "eq.a1-3", "eq.a2-1", "eq.a2-2", "eq.a2-3"]


def functions(name):
    """The tests of one file of this folder, by name."""
    return {f.name: f for f in TESTS[name].body if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")}


def source_of(path, symbol):
    """The text of the function, VJP or row of a table that the symbol names."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        names = [ast.unparse(d).replace("'", '"') for d in getattr(node, "decorator_list", [])]
        if isinstance(node, ast.FunctionDef) and not any(".vjp(" in name for name in names):
            names.append(node.name)
        if isinstance(node, ast.Assign):
            row = ast.unparse(node.targets[0])
            names += [row, *(f'{row}.vjp("{k.arg}")' for k in getattr(node.value, "keywords", []))]
        if symbol in names:
            return ast.get_source_segment(text, node)
    raise AssertionError(f"{path} has no {symbol}")


@pytest.mark.parametrize(("label", "path", "symbol", "line"), CODE)
def test_quoted_code_stands_in_the_named_symbol(label, path, symbol, line):
    assert label == path
    assert line in source_of(path, symbol)


@pytest.mark.parametrize(("label", "path", "names"), PROOFS)
def test_named_tests_exist(label, path, names):
    assert label == path
    assert set(re.findall(r"`(\w+)`", names)) <= functions(Path(path).name).keys()


def test_each_statement_has_its_code_and_its_proof():
    statements = re.split(r"^\*\*\(", DOCUMENT, flags=re.MULTILINE)[1:]
    assert len(statements) > 40
    for statement in statements:
        assert "\n- Code: " in statement, statement
        assert "\n- Proof: " in statement, statement


def test_each_test_is_named():
    named = {(Path(path).name, name) for _, path, names in PROOFS for name in re.findall(r"`(\w+)`", names)}
    own = {"test_document.py", "test_errata.py"}
    assert {(file, name) for file in TESTS.keys() - own for name in functions(file)} == named


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_has_a_test_that_names_it(section):
    assert re.search(rf"^#+ Section {re.escape(section)}[:,]", DOCUMENT, re.MULTILINE)
    words = [ast.get_docstring(f) for file in TESTS for f in functions(file).values()]
    assert any(re.match(rf"Sections? (\S+ and )?{re.escape(section)}(?![\w.]*\d)", text or "") for text in words)


@pytest.mark.parametrize("equation", NUMBERED)
def test_each_numbered_equation_has_a_test_that_names_it(equation):
    assert f"**({equation})**" in DOCUMENT
    name = re.sub(r"[.-]", "_", equation)
    tests = [f for f in functions("test_appendix.py") if re.match(rf"test_{name}(_|$)", f)]
    assert tests
    for test in tests:
        assert equation in ast.get_docstring(functions("test_appendix.py")[test])


def test_each_erratum_is_computed():
    rows = re.findall(r"^\| (E\d+) \|", DOCUMENT, re.MULTILINE)
    assert rows == [f"E{n + 1}" for n in range(len(rows))]
    assert sorted(rows) == sorted(name.split("_")[1] for name in functions("test_errata.py"))
    assert set(re.findall(r"\[(E\d+)\]\(#errata\)", DOCUMENT)) <= set(rows)


def test_links_lead_somewhere():
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", DOCUMENT) if "://" not in t]
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []
