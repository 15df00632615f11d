"""The public surface for editors and checkers: signatures, and types that mypy and pyright see."""

import inspect

import pytest
from typed import stub

import minigrad as mg
from minigrad.operation import Op

FUNCTIONS = [(name, getattr(mg, name)) for name in mg.ops.__all__]


def test_the_stub_of_the_ops_is_up_to_date():
    assert stub.PATH.read_text() == stub.stub(), "run python tests/typed/stub.py"


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_each_op_has_a_typed_signature(name, function):
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not p.empty for p in signature.parameters.values())
    if isinstance(function, Op):
        assert tuple(signature.parameters) == (*function.names, *function.parameters)


def test_each_public_op_is_in_one_family():
    names = [name for family in mg.ops.FAMILIES for name in family.__all__]
    assert len(set(names)) == len(names)
    assert all(name in mg.__doc__ and name in mg.ops.__doc__ for name in names)
