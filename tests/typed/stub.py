"""Write minigrad/catalogue.py, and the stubs from which editors and checkers know what an op returns.

    python tests/typed/stub.py

The stubs are minigrad/ops/__init__.pyi and those of minigrad/scipy. Each family of ops, and each module there, says by
its `__all__` what it has.

The source of an op says which parameters are arrays (`Array`). Arrays alone give arrays, and a Tensor in any of
these places gives Tensors: an overload for each.
"""

import inspect
import re
import textwrap
from pathlib import Path

import scipy.special
from numpy import ufunc

import minigrad
from minigrad import ops
from minigrad.catalogue import FAMILIES
from minigrad.foreign_tables import INSTEAD

PACKAGE = Path(minigrad.__file__).parent
CATALOGUE = PACKAGE / "catalogue.py"
SCIPY = ("special", "stats", "linalg", "signal", "integrate")  # the modules of minigrad.scipy that have a stub

WRITTEN = """# Written by tests/typed/stub.py from the signatures; not to be edited.
# mypy: disable-error-code="overload-overlap"
# pyright: reportOverlappingOverload=false
# (A list of arrays is a list that may hold Tensors, too: the first overload that fits is meant.)

"""

HEAD = """from collections.abc import Sequence
from typing import Any, Literal, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import {aliases}
from . import {families}

CONTENTS: str

def import_families() -> None: ...

__all__: list[str] = []
"""

# op -> the parameter that decides between two kinds of result, and its values for each
BY_CHOICE = {
    "svd": ("compute_uv", "True", "False"),
    "qr": ("mode", '"reduced", "complete"', '"r"'),
    "logsumexp": ("return_sign", "True", "False"),
}


def overloads(function):
    """Yield (parameters, what is returned) for each overload."""
    signature = inspect.signature(function)
    for parameters, returned in choices(signature, *BY_CHOICE.get(function.__name__, ("", "", ""))):
        if nests := [i for i, p in enumerate(parameters) if p.annotation == "Nest"]:
            yield from of_lists(parameters, returned, nests[0])
            continue
        arrays = [i for i, parameter in enumerate(parameters) if mentions_array(parameter)]
        yield [said(p, "ArrayLike") for p in parameters], said_of_result(returned, "ndarray")
        for i in arrays:
            for given in required(parameters, i):
                one = "TensorLike" if is_many(given[i]) else "Tensor"
                yield (
                    [said(p, one if j == i else "TensorLike") for j, p in enumerate(given)],
                    said_of_result(returned, "Tensor"),
                )


def of_lists(parameters, returned, i):
    """The overloads of a function of nested lists. Not a union of them: pyright finds no type for some lists then."""
    nested = ["{}", "Sequence[{}]", "Sequence[Sequence[{}]]", "Sequence[Sequence[Sequence[{}]]]"]
    kinds = [(kind.format("Tensor"), "Tensor") for kind in nested] + [
        (kind.format("Entry"), "ndarray") for kind in nested
    ]
    for kind, array in (*kinds, ("Any", "Tensor")):
        given = [p.replace(annotation=kind) if j == i else p for j, p in enumerate(parameters)]
        yield given, said_of_result(returned, array)


def of_nests(function):
    """The overload of a function whose arguments may be nests, of which the others do not say what they hold."""
    signature = inspect.signature(function)
    return [p.replace(annotation=re.sub(r"\bArray\b", "Any", p.annotation)) for p in signature.parameters.values()]


def choices(signature, parameter, first, second):
    """The signature, or one for the values of a parameter that decides what is returned."""
    parameters, returned = [*signature.parameters.values()], signature.return_annotation
    if parameter not in signature.parameters:
        yield parameters, returned
        return

    def choice(parameters, values):
        return [p.replace(annotation=f"Literal[{values}]") if p.name == parameter else p for p in parameters]

    i, results = [p.name for p in parameters].index(parameter), returned.split(" | ")
    by_default, other = (first, second) if repr(parameters[i].default).strip("'") in first else (second, first)
    yield choice(parameters, by_default), results[by_default is second]
    for given in required(parameters, i):
        yield choice(given, other), results[other is second]


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
    return parameter.kind is parameter.VAR_POSITIONAL or parameter.annotation.startswith(
        ("Sequence[", "tuple[Array, ...")
    )


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
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        parts.append(f"{stars}{p.name}: {p.annotation}{default}")
    return ", ".join(parts)


def lines_of(name, function):
    """The overloads of a function."""
    lines, found = [], [*overloads(function)]
    found += [(of_nests(function), "Any")] * (name == "odeint")
    for parameters, returned in found:
        lines += ["@overload"] * (len(found) > 1)
        lines += [f"def {name}({text_of(parameters)}) -> {returned}: ..."]
    if isinstance(getattr(function, "forward", None), ufunc):  # a row of a table: editors find no def with a docstring
        lines[-1] = lines[-1].removesuffix(" ...") + f'\n    """{function.__doc__}"""'
    return lines


def stub_of_ops():
    """The text of minigrad/ops/__init__.pyi."""
    lines = []
    for family in FAMILIES:
        module = getattr(ops, family)
        lines += ["", f"# {family}", f"__all__ += {listed(module.__all__)}", ""]
        for name in module.__all__:
            lines += lines_of(name, getattr(module, name))
    body = "\n".join(lines) + "\n"
    return WRITTEN + HEAD.format(aliases=aliases(body), families=", ".join(FAMILIES)) + body


def listed(names):
    """A list of names in double quotes."""
    return repr(names).replace("'", '"')


def aliases(body):
    """The names of minigrad/typing.py in a stub."""
    pattern = r"\b(\w+Like|Axis|Entry|Shape|Pair|Order|DType|Integers|\w+Result)\b"
    return ", ".join(sorted(set(re.findall(pattern, body)), key=str.lower))


SCIPY_HEAD = """from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar, overload

from numpy import ndarray

from .._tensor import Tensor
from ..typing import {aliases}

__all__ = {names}

def __getattr__(name: str) -> Any: ...  # any other function is SciPy's own
"""


def stub_of_scipy(name):
    """The text of the stub of a module of minigrad.scipy."""
    module = getattr(minigrad.scipy, name)
    if name == "stats":
        lines = lines_of_distributions(module)
    else:
        lines = [line for function in module.__all__ for line in lines_of(function, getattr(module, function))]
        for numpys, op in module.UFUNCS.items() if name == "special" else ():
            if isinstance(op, minigrad.operation.Op) and getattr(scipy.special, numpys.__name__, None) is numpys:
                lines += lines_of(numpys.__name__, op)
    body = "\n".join(lines) + "\n"
    return WRITTEN + SCIPY_HEAD.format(aliases=aliases(body), names=listed(module.__all__)) + body


FROZEN = """
T = TypeVar("T", covariant=True)

class _Function(Protocol[T]):
    @overload
    def __call__(self, x: ArrayLike) -> T: ...
    @overload
    def __call__(self, x: Tensor) -> Tensor: ...

class Frozen(Protocol[T]):
    \"\"\"A distribution with its parameters.\"\"\"

{functions}
    def __getattr__(self, name: str) -> Any: ...
"""
OF_DISTRIBUTIONS = ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf")
MADE_OF = {"pdf": "logpdf", "pmf": "logpmf", "logcdf": "cdf", "logsf": "cdf"}  # those that `Distribution` has for all


def lines_of_distributions(module):
    """Each distribution as an object. Its functions are of a type that is named after their parameters."""
    properties = [f"    @property\n    def {function}(self) -> _Function[T]: ..." for function in OF_DISTRIBUTIONS]
    lines, types, distributions = FROZEN.format(functions="\n".join(properties)).splitlines(), {}, []
    for name in module.__all__:
        distribution = getattr(module, name)
        distributions += [f"class _{name}:", f'    """{distribution.__doc__}"""', ""]
        for function in (*OF_DISTRIBUTIONS, "entropy"):
            if parameters := parameters_of(distribution, function, MADE_OF.get(function)):
                kind = "_Of" + "".join(p.name.title().replace("_", "") for p in parameters)
                types[kind] = parameters
                distributions += [f"    {function}: {kind}"]
        _, *parameters = parameters_of(distribution, "logpdf", "logpmf")
        distributions += two_overloads(parameters, "Frozen[ndarray]", "Frozen[Tensor]")
        distributions += ["    def __getattr__(self, name: str) -> Any: ...", "", f"{name}: _{name}"]
    for kind, parameters in types.items():
        lines += [f"class {kind}(Protocol):", *two_overloads(parameters, "ndarray", "Tensor")]
    return lines + distributions


def parameters_of(distribution, *functions):
    """The parameters of the first of these functions that a distribution defines; none if it has none of them."""
    own = next((vars(distribution)[name] for name in functions if name in vars(distribution)), None)
    return own and [*inspect.signature(own.__func__).parameters.values()]


def two_overloads(parameters, of_arrays, of_tensors):
    """A `__call__` of arrays, and one of arrays and Tensors."""
    lines = []
    for array, returned in (("ArrayLike", of_arrays), ("TensorLike", of_tensors)):
        given = text_of([said(p, array) for p in parameters])
        lines += ["    @overload", f"    def __call__(self, {given}) -> {returned}: ..."]
    return lines


CATALOGUE_HEAD = '''"""The families of ops, and the ops of each: so that a family is imported when it is first used.

And what people look for on a Tensor that it does not have: the tables that say what to write are imported by errors.
Written by tests/typed/stub.py from the `__all__` of each family; a new family gets a line by hand first.
"""

FAMILIES: dict[str, list[str]] = {
'''


def catalogue():
    """The text of the catalogue."""
    parts = []
    for family in FAMILIES:
        parts += [f'    "{family}": [', quoted(getattr(ops, family).__all__, 8), "    ],"]
    family_of = "FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}\n"
    looked_for = f"LOOKED_FOR = [\n{quoted(INSTEAD['a Tensor'], 4)}\n]  # fmt: skip\n"
    return CATALOGUE_HEAD + "\n".join(parts) + "\n}  # fmt: skip\n" + family_of + looked_for


def quoted(names, indent):
    """The names as lines of a list."""
    lines = textwrap.fill(", ".join(f'"{name}"' for name in names), 119 - indent)
    return textwrap.indent(lines, " " * indent) + ","


def stubs():
    """The text of each stub by its path."""
    scipy = {PACKAGE / "scipy" / f"{name}.pyi": stub_of_scipy(name) for name in SCIPY}
    return {PACKAGE / "ops" / "__init__.pyi": stub_of_ops()} | scipy


if __name__ == "__main__":
    CATALOGUE.write_text(catalogue())
    for path, text in stubs().items():
        path.write_text(text)
