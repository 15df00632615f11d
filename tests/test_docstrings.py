"""The examples in the docstrings of everything public run, and print what they say; np and mg are imported for them."""

import doctest
import inspect

import numpy as np
import pytest

import minigrad as mg


def public_docstrings(holder, name):
    """Yield (name, docstring) of a public module or class and of what it holds, however deep."""
    yield name, inspect.getdoc(holder)
    own = (member for member, value in vars(holder).items() if getattr(value, "__module__", "") == holder.__name__)
    for member in list(vars(holder)) if inspect.isclass(holder) else getattr(holder, "__all__", own):
        value = getattr(holder, member)
        if inspect.ismodule(value) or (inspect.isclass(value) and value.__module__.startswith("minigrad")):
            yield from public_docstrings(value, f"{name}.{member}")
        elif callable(value) and not member.startswith("_"):
            yield f"{name}.{member}", inspect.getdoc(value)


DOCSTRINGS = dict(public_docstrings(mg, "mg"))
BY_LENGTH = sorted(DOCSTRINGS.items(), key=lambda item: -len(item[0]))
EXAMPLES = {text: name for name, text in BY_LENGTH if text and ">>>" in text}  # once each: as mg.sum, not mg.ops.sum


@pytest.mark.parametrize("text", EXAMPLES, ids=EXAMPLES.values())
def test_examples_print_what_they_say(text):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(text, {"np": np, "mg": mg}, EXAMPLES[text], None, None)
    report = []
    doctest.DocTestRunner(optionflags=flags).run(test, out=report.append)
    assert not report, "".join(report)


def test_each_transform_and_structured_op_has_an_example():
    elementwise = {name for name in mg.ops.__all__ if isinstance(getattr(getattr(mg, name), "forward", None), np.ufunc)}
    needed = {name for name in mg.__all__ if not inspect.ismodule(getattr(mg, name))} - elementwise
    assert len(elementwise) < 60 < len(needed)
    assert {name for name in needed if f"mg.{name}" not in EXAMPLES.values()} == set()


@pytest.mark.parametrize("module", ["nn", "optim"])
def test_each_layer_and_optimiser_has_an_example(module):
    names = {name for name in getattr(mg, module).__all__ if name != "Optimizer"}  # of which others are made
    assert {name for name in names if ">>>" not in (DOCSTRINGS.get(f"mg.{module}.{name}") or "")} == {
        "IncompatibleKeys"
    } & names


def test_everything_public_has_a_docstring():
    assert [name for name, text in DOCSTRINGS.items() if not text] == []
