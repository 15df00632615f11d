"""The layers of the package: imports point down only, no name hides another, and importing loads nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad as mg

PACKAGE = Path(mg.__file__).parent
LAYERS = [
    ["catalogue", "foreign_names", "foreign_tables"],
    ["settings", "allocator", "threads", "blockwise", "products", "typing", "writes", "names", "summation", "errors"],
    ["signature", "tape", "gradients"],
    ["operation"],
    ["stand_ins"],
    ["argnums", "elementwise", "nest"],
    ["ops"],
    ["_exits", "_methods", "_numpy", "_tensor"],
    ["nesting", "transforms", "implicit", "recompute", "derivation"],
    ["data", "distributed", "nn", "onnx", "optim", "scipy", "serialization"],
    ["compat", "testing", "viz"],
    ["__init__"],
]


def modules():
    """(dotted name in the package, file) of each module."""
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts), file


def imported(file):
    """The dotted names, in the package, that a file imports while it is loaded or later, but not for checkers alone."""
    here = file.relative_to(PACKAGE).parent.parts
    pending = [ast.parse(file.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            start = here[: len(here) - node.level + 1]
            for alias in node.names:
                target = (*start, *(node.module or "").split(".")) if node.module else (*start, alias.name)
                inside = ".".join((*target, alias.name))
                yield inside if inside in NAMES else ".".join(target)
        pending += ast.iter_child_nodes(node)


NAMES = dict(modules())


def rank(name):
    """The layer of a module, the lowest being 0."""
    (found,) = [i for i, layer in enumerate(LAYERS) if name.split(".")[0] in layer]
    return found


def test_imports_point_down_only():
    up = [(name, other) for name, file in NAMES.items() for other in imported(file) if rank(other) > rank(name)]
    assert up == []


def test_no_import_leads_back_to_where_it_began():
    below = {name: {other for other in imported(file) if other in NAMES} for name, file in NAMES.items()}
    while free := {name for name, others in below.items() if not others}:
        below = {name: others - free for name, others in below.items() if name not in free}
    assert below == {}


def test_no_module_has_the_name_of_a_public_function():
    public = {name for name in mg.__all__ if callable(getattr(mg, name))}
    assert public & {name.split(".")[0] for name in NAMES} == set()


def test_importing_loads_numpy_and_the_core_alone():
    code = "import sys, numpy.random; before = set(sys.modules); import minigrad; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    strangers = {name.split(".")[0] for name in loaded} - {"minigrad", "numpy"} - set(sys.stdlib_module_names)
    assert strangers == set()
    late = {"viz", "testing", "nn", "ops.convolution", "ops.fourier", "ops.padding", "implicit"}
    assert not {f"minigrad.{name}" for name in late} & set(loaded)


@pytest.mark.parametrize(
    ("first", "result"),
    [
        ("np.sum(t, where=[True, False])", 1.0),
        ("np.pad(t, 1)[1]", 1.0),
        ("np.fft.fft(t)[0].real", 3.0),
        ("np.fmax.reduce(t)", 2.0),
        ("mg.log_softmax(t - t).sum() / np.log(2)", -2.0),
        ("divmod(t, 2)[1].sum()", 1.0),
    ],
)
def test_what_is_imported_late_is_there_at_the_first_call(first, result):
    code = f"import numpy as np, minigrad as mg; t = mg.tensor([1.0, 2.0]); print(({first}).item())"
    run = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert float(run.stdout) == pytest.approx(result)


def test_importing_leaves_numpys_late_modules_alone():
    """NumPy loads numpy.random at its first use, which is slow."""
    code = "import sys, numpy; before = set(sys.modules); import minigrad; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert [name for name in run.stdout.split() if not name.startswith(("minigrad", "importlib")) and "." in name] == []


def test_no_input_is_checked_by_an_assert():
    """Python leaves asserts out under -O; a user's wrong input is an exception with a sentence."""
    found = [
        name
        for name, file in NAMES.items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []
