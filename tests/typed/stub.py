"""Write minigrad/catalogue.py, and minigrad/ops/__init__.pyi, from which editors and checkers know what an op returns.

    python tests/typed/stub.py

Each family of ops says by its `__all__` which ops it has.

The source of an op says which parameters are arrays (`Array`). Arrays alone give arrays, and a Tensor in any of
these places gives Tensors: an overload for each.
"""

import inspect
import re
import textwrap
from pathlib import Path

from numpy import ufunc

from minigrad import ops
from minigrad.catalogue import FAMILIES

CATALOGUE = Path(__file__).parents[2] / "minigrad" / "catalogue.py"
PATH = Path(__file__).parents[2] / "minigrad" / "ops" / "__init__.pyi"

HEAD = """# Written by tests/typed/stub.py from the signatures of the ops; not to be edited.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false
# (A list of arrays is a list that may hold Tensors, too: the first overload that fits is meant.)

from collections.abc import Sequence
from typing import Any, Literal, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import {aliases}
from . import {families}

CONTENTS: str

def import_families() -> None: ...

__all__: list[str] = []
"""

BY_CHOICE = {"svd": "compute_uv"}  # op -> the parameter whose truth decides between two kinds of result


def overloads(function):
    """Yield (parameters, what is returned) for each overload."""
    signature = inspect.signature(function)
    for parameters, returned in choices(signature, BY_CHOICE.get(function.__name__)):
        arrays = [i for i, parameter in enumerate(parameters) if mentions_array(parameter)]
        yield [said(p, "ArrayLike") for p in parameters], said_of_result(returned, "ndarray")
        for i in arrays:
            for given in required(parameters, i):
                one = "TensorLike" if is_many(given[i]) else "Tensor"
                yield (
                    [said(p, one if j == i else "TensorLike") for j, p in enumerate(given)],
                    said_of_result(returned, "Tensor"),
                )


def choices(signature, parameter):
    """The signature, or one for each value of a parameter that decides what is returned."""
    parameters, returned = [*signature.parameters.values()], signature.return_annotation
    if parameter is None:
        yield parameters, returned
        return
    i = [p.name for p in parameters].index(parameter)
    if_true, if_false = returned.split(" | ")
    yield [p.replace(annotation="Literal[True]") if p.name == parameter else p for p in parameters], if_true
    for given in required(parameters, i):
        yield [p.replace(annotation="Literal[False]") if p.name == parameter else p for p in given], if_false


def required(parameters, i):
    """Yield the parameters with number i required: by name, and by position after all the others before it."""
    here = parameters[i].replace(
        default=inspect.Parameter.empty, annotation=parameters[i].annotation.removesuffix(" | None")
    )
    before, after = parameters[:i], parameters[i + 1 :]
    if here.kind is here.KEYWORD_ONLY:
        yield [*before, here, *after]
        return
    if any(p.default is not p.empty for p in before):
        yield [*before, *(p.replace(kind=p.KEYWORD_ONLY) for p in (here, *after))]
    yield [*(p.replace(default=p.empty) for p in before), here, *after]


def mentions_array(parameter):
    return re.search(r"\bArray\b", parameter.annotation)


def is_many(parameter):
    """Whether a parameter stands for any number of arrays, of which some may be Tensors."""
    return parameter.kind is parameter.VAR_POSITIONAL or parameter.annotation.startswith("Sequence[")


def said(parameter, array):
    """The parameter for checkers, with `array` in the place of Array."""
    annotation = re.sub(r"\bIndex\b", "IndexLike", re.sub(r"\bArray\b", array, parameter.annotation))
    return parameter.replace(annotation=annotation)


def said_of_result(annotation, array):
    return re.sub(r"\bArray\b", array, annotation)


def text_of(parameters):
    """What stands between the parentheses of a def."""
    parts, starred = [], False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        starred |= p.kind is p.VAR_POSITIONAL
        default = "" if p.default is p.empty else f" = {p.default!r}".replace("'", '"')
        parts.append(f"{'*' if p.kind is p.VAR_POSITIONAL else ''}{p.name}: {p.annotation}{default}")
    return ", ".join(parts)


def stub():
    """The text of the stub."""
    lines = []
    for family in FAMILIES:
        module = getattr(ops, family)
        names = repr(module.__all__).replace("'", '"')
        lines += ["", f"# {family}", f"__all__ += {names}", ""]
        for name in module.__all__:
            function = getattr(module, name)
            found = [*overloads(function)]
            for parameters, returned in found:
                lines += ["@overload"] * (len(found) > 1)
                lines += [f"def {name}({text_of(parameters)}) -> {returned}: ..."]
            if isinstance(
                getattr(function, "forward", None), ufunc
            ):  # a row of a table has no def whose docstring editors find
                lines[-1] = lines[-1].removesuffix(" ...") + f'\n    """{function.__doc__}"""'
    body = "\n".join(lines) + "\n"
    aliases = sorted(set(re.findall(r"\b(\w+Like|Axis|Shape|Pair|Order|DType|\w+Result)\b", body)), key=str.lower)
    return HEAD.format(aliases=", ".join(aliases), families=", ".join(FAMILIES)) + body


CATALOGUE_HEAD = '''"""The families of ops, and the ops of each: so that a family is imported when it is first used.

Written by tests/typed/stub.py from the `__all__` of each family; a new family gets a line by hand first.
"""

FAMILIES: dict[str, list[str]] = {
'''


def catalogue():
    """The text of the catalogue."""
    parts = []
    for family in FAMILIES:
        names = textwrap.fill(", ".join(f'"{name}"' for name in getattr(ops, family).__all__), 111)
        parts += [f'    "{family}": [', textwrap.indent(names, " " * 8) + ",", "    ],"]
    family_of = "FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}\n"
    return CATALOGUE_HEAD + "\n".join(parts) + "\n}  # fmt: skip\n" + family_of


if __name__ == "__main__":
    CATALOGUE.write_text(catalogue())
    PATH.write_text(stub())
