"""The public surface for editors and checkers: signatures, and types that mypy and pyright see."""

import ast
import inspect
import runpy
import types
from pathlib import Path
from typing import Any, get_args, get_origin

import numpy as np
import pytest
from typed import stub

import minigrad as mg
from minigrad.catalogue import FAMILIES
from minigrad.operation import Op

FUNCTIONS = [(name, getattr(mg, name)) for name in mg.ops.__all__]


def test_the_stub_of_the_ops_is_up_to_date():
    for path, text in stub.stubs().items():
        assert path.read_text() == text, "run python tests/typed/stub.py"
    assert stub.CATALOGUE.read_text() == stub.catalogue(), "run python tests/typed/stub.py"


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_the_signature_of_each_op_is_that_of_its_arguments(name, function):
    if isinstance(function, Op):
        assert tuple(inspect.signature(function).parameters) == (*function.names, *function.parameters)


@pytest.mark.parametrize("module", [mg, mg.viz, mg.testing, mg.data, mg.nn, mg.optim])
def test_each_public_function_has_a_typed_signature(module):
    public = {name: getattr(module, name) for name in module.__all__}
    assert [name for name, value in public.items() if callable(value) and not is_typed(value)] == []


def test_each_public_method_of_a_tensor_has_a_typed_signature():
    methods = {name: getattr(mg.Tensor, name) for name in dir(mg.tensor(1.0)) if not name.startswith("_")}
    assert [name for name, value in methods.items() if callable(value) and not is_typed(value)] == []


def is_typed(function):
    signature = inspect.signature(function)
    returned = inspect.isclass(function) or signature.return_annotation is not signature.empty
    return returned and all(p.annotation is not p.empty for p in signature.parameters.values() if p.name != "self")


def test_each_public_op_is_in_one_family():
    names = [name for family in FAMILIES.values() for name in family]
    assert len(set(names)) == len(names)
    assert all(name in mg.__doc__ and name in mg.ops.__doc__ for name in names)


STUB = ast.parse(Path(mg.__file__).with_suffix(".pyi").read_text())
DECLARED: dict[str, list] = {}
for node in STUB.body:
    if isinstance(node, ast.FunctionDef):
        DECLARED.setdefault(node.name, []).append(node)


def test_the_stub_of_minigrad_has_its_public_names():
    lists = [n.value for n in STUB.body if isinstance(n, (ast.Assign, ast.AugAssign)) and isinstance(n.value, ast.List)]
    assert [name for names in lists for name in ast.literal_eval(names)] + mg.ops.__all__ == mg.__all__
    imported = [a.asname for n in STUB.body if isinstance(n, ast.ImportFrom) for a in n.names if a.asname]
    annotated = [n.target.id for n in STUB.body if isinstance(n, ast.AnnAssign) and n.target.id != "__version__"]
    assert set(mg.__all__) == {*imported, *annotated, *DECLARED, *mg.ops.__all__}


@pytest.mark.parametrize("name", DECLARED)
def test_the_stub_of_minigrad_declares_the_parameters_that_there_are(name):
    """Each overload has the function's parameters, in its order; and its defaults, where it has one."""
    parameters = inspect.signature(getattr(mg, name)).parameters
    for overload in DECLARED[name]:
        a = overload.args
        positional = [p.arg for p in a.args]
        declared = [*positional, *([a.vararg.arg] if a.vararg else []), *(p.arg for p in a.kwonlyargs)]
        assert declared == [p for p in parameters if p in declared]
        assert all(p in declared for p, parameter in parameters.items() if parameter.default is parameter.empty)
        of_position = zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True)
        by_name = zip((p.arg for p in a.kwonlyargs), a.kw_defaults, strict=True)
        for parameter, default in (*of_position, *by_name):
            if default is not None:
                assert ast.literal_eval(default) == parameters[parameter].default


def is_of(value, kind):
    """Whether a value is what an annotation says. For checkers, what NumPy returns as a scalar is an array, too."""
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if kind is None:
        return value is None
    if kind is np.ndarray:
        return isinstance(value, (np.ndarray, np.generic))
    if origin is np.ndarray:
        return is_of(value, np.ndarray) and np.issubdtype(value.dtype, get_args(parts[1])[0])
    if origin is types.UnionType:
        return any(is_of(value, part) for part in parts)
    if origin is dict:
        return type(value) is dict and all(is_of(k, parts[0]) and is_of(v, parts[1]) for k, v in value.items())
    if origin is list:
        return type(value) is list and all(is_of(part, parts[0]) for part in value)
    if origin is tuple:
        parts = parts[:1] * len(value) if parts[1:] == (...,) else parts
        return type(value) is tuple and len(value) == len(parts) and all(map(is_of, value, parts))
    return isinstance(value, origin or kind)


def test_typed_user_code_computes_what_its_types_say(monkeypatch):
    """What the checkers read in user_code.py, which check.py holds against them, is also true when it runs."""
    extensions = pytest.importorskip("typing_extensions")
    asserted = []

    def assert_type(value, kind):
        assert is_of(value, kind), f"{value!r} is not {kind}"
        asserted.append(kind)

    monkeypatch.setattr(extensions, "assert_type", assert_type)
    runpy.run_path(str(Path(__file__).with_name("user_code.py")))
    assert len(asserted) > 80
