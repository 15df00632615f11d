"""Names that PyTorch, JAX and NumPy's arrays have and minigrad has not, each with what to write here.

Only errors read it: who arrives with the habits of another framework is told what to change.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Collection
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, ParamSpec, TypeVar

import numpy as np
from numpy import ndarray

from .catalogue import FAMILY_OF, LOOKED_FOR

P = ParamSpec("P")
R = TypeVar("R")


def tables() -> Any:
    """The module of the tables, which only errors need."""
    return importlib.import_module(".foreign_tables", __package__)


def instead(of: str, name: str) -> str:
    """What to write instead of a name that `of` does not have, after a colon; "" if that is not known.

    >>> minigrad.foreign_names.instead("a Tensor", "unsqueeze")
    ': write np.expand_dims(t, 0)'
    """
    found = tables().INSTEAD.get(of, {}).get(name) or _of_its_kind(of, name)
    return f": {found.replace('`', '')}" if found else ""


def _of_its_kind(of: str, name: str) -> str:
    """What is said of many names."""
    if of == "a Tensor":
        return "only operators write in place, as `t += u` under `mg.no_grad()`" if name.endswith("_") else ""
    if of == "minigrad" and name in dir(np) and not name.startswith("_"):
        return f"write `np.{name}`"
    if of.startswith("minigrad") and (home := _home(name)):
        return home
    if of == "minigrad":
        return ""
    if name.endswith("LR"):
        return tables().SCHEDULES
    return (_of_function(name) or tables().CLASSES.get(of, "")) if name[:1].isupper() else ""


def _of_function(name: str) -> str:
    """What is said of the function that a layer calls: of `group_norm` for `GroupNorm`; "" if nothing is."""
    functions = tables().INSTEAD["minigrad"].items()
    return next((said for other, said in functions if other.replace("_", "") == name.lower()), "")


def _home(name: str) -> str:
    """What is said of a name that another module of minigrad has, or says what to write instead of; "" if none."""
    if name.startswith("_"):
        return ""
    modules = [f"minigrad{part}" for part in ("", ".nn", ".optim", ".data", ".viz", ".testing")]
    for module in modules:
        if name in importlib.import_module(module).__all__:
            return f"write `{module.replace('minigrad', 'mg')}.{name}`"
    instead_of = tables().INSTEAD
    return next((instead_of[module][name] for module in modules if name in instead_of.get(module, {})), "")


def instead_of_keyword(name: str, taken: Collection[str] = ()) -> str:
    """What to write instead of a keyword of another framework, after a semicolon; "" if that is not known.

    taken: the names that the function takes, if they are known
    """
    here = next((other for other in tables().KEYWORDS.get(name, ()) if other in taken or not taken), None)
    found = f"here it is {here}=" if here else tables().OPTIONS.get(name, "").replace("`", "")
    return f"; {found}" if found else ""


def explained(init: Callable) -> Callable:
    """An `__init__` whose error says what to write instead of an option of PyTorch that it does not take, or needs."""

    @wraps(init)
    def checked(self: Any, *parts: Any, **options: Any) -> None:
        refuse_foreign(type(self).__name__, init, options)
        try:
            init(self, *parts, **options)
        except TypeError as error:
            _refuse_positions(init, len(parts) + 1, type(self).__name__)
            if str(error).endswith("missing 1 required keyword-only argument: 'rng'"):
                said = (
                    "needs 'rng', the generator of its random numbers: give all layers one, as np.random.default_rng(0)"
                )
                raise TypeError(f"{type(self).__name__} {said}") from None
            said = str(error).removeprefix(f"{init.__qualname__}()")
            if said != str(error):  # of a base that the class does not name
                raise TypeError(f"{type(self).__name__}.__init__(){said}") from None
            raise

    return checked


class Explained:
    """The base of classes whose errors say what to write instead of another framework's options and attributes."""

    _called: ClassVar[str]  # what `INSTEAD` calls such an object

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = explained(cls.__init__)  # type: ignore[method-assign]

    if not TYPE_CHECKING:  # for which it would have every attribute

        def __getattr__(self, name):
            if name in dir(type(self)):  # a property has raised AttributeError: about another name
                # equivalent: name) -> name) * 1.000001 because it raises, as it did before
                return object.__getattribute__(self, name)
            raise missing(f"{type(self).__name__!r} object has no attribute {name!r}", self._called, name, self)


def with_options_explained(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function: the error about an option of another framework says what to write instead."""

    @wraps(function)
    def checked(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return function(*arguments, **options)
        except TypeError:
            refuse_foreign(function.__name__, function, options)
            _refuse_positions(function, len(arguments))
            raise

    return checked  # equivalent: any factor because it runs at import alone


def _refuse_positions(function: Callable, count: int, layer: str = "") -> None:
    """Raise TypeError that says so, if a call has more arguments by position than the function takes."""
    taken = inspect.signature(function).parameters.values()
    positional = [p.name for p in taken if p.kind is p.POSITIONAL_OR_KEYWORD]
    others = [f"{p.name}=" for p in taken if p.kind is p.KEYWORD_ONLY]
    if count <= len(positional) or any(p.kind is p.VAR_POSITIONAL for p in taken):
        return
    if layer:
        options = f", and {', '.join(others)} by name" if others else ""
        raise TypeError(f"{layer} takes ({', '.join(positional[1:])}){options}, not {count - 1} arguments") from None
    if others:
        raise TypeError(f"{function.__name__}: give options by name: {', '.join(others)}") from None


def refuse_foreign(name: str, function: Callable, options: dict[str, Any]) -> None:
    """Raise TypeError that says what to write instead, if an option is another framework's and not the function's."""
    if not options:  # equivalent: never because none of none is foreign
        return
    keywords, known_options = tables().KEYWORDS, tables().OPTIONS
    foreign = [option for option in options if option in known_options or option in keywords]
    taken = inspect.signature(function).parameters if foreign else {}
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return
    for option in foreign:
        said = instead_of_keyword(option, taken).replace(";", ":", 1)
        if option not in taken and said:
            raise TypeError(f"{name} does not take {option}={said}") from None


def missing(said: str, of: str, name: str, obj: object = None) -> AttributeError:
    """The error that says what is missing, and what to write instead."""
    hint = instead(of, name)
    if not hint and of == "a Tensor":
        hint = f": write mg.{name}(t)" if name in FAMILY_OF else ": .data, its array, has it"
    return AttributeError(said + hint, name=name, obj=sys.modules.get(of, obj))


class NotHere:
    """An attribute that a Tensor does not have: reading it raises the AttributeError of `missing`.

    A `__getattr__` would do it for all names at once, and make every other attribute slower to read.
    """

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        return str(self.error(None))

    def error(self, tensor: object) -> AttributeError:
        return missing(f"a Tensor has no {self.name}", "a Tensor", self.name, tensor)

    def __get__(self, tensor: object, owner: object = None) -> NoReturn:
        raise self.error(tensor)


def _looked_for() -> set[str]:
    """The names that people look for on a Tensor: most it has itself."""
    known = {*LOOKED_FOR, *FAMILY_OF}
    in_place = {f"{name}_" for name in {"normal", "uniform", *known}}
    return known | in_place | {name for name in vars(ndarray) if not name.startswith("_")}


class ForeignNames:
    """The last base of Tensor: what people look for on a Tensor and it does not have. `dir` does not list it."""

    __slots__ = ()
    locals().update((name, NotHere(name)) for name in _looked_for())

    def __dir__(self) -> list[str]:
        found = {name: value for kind in reversed(type(self).__mro__) for name, value in vars(kind).items()}
        return [name for name in super().__dir__() if type(found.get(name)) is not NotHere]
