"""How an op is called: its arguments, its parameters and their defaults, and how a call is matched with them.

Read from the code object, since inspect.signature would slow the import down.
"""

import importlib
import inspect
from collections.abc import Callable, Collection, Iterable, MutableSequence
from functools import WRAPPER_ASSIGNMENTS, partial
from types import FunctionType
from typing import Any

import numpy as np
from numpy import ndarray

from .errors import keyword_instead, kind_of, text_of
from .foreign_names import instead_of_keyword
from .writes import copied

_OF_UFUNCS = {
    "out": None, "where": True, "dtype": None, "casting": "same_kind", "order": "K", "subok": True, "keepdims": False,
}  # fmt: skip


class Signature:
    """The names that a function takes.

    names:      of the positional arguments, in order; of `*arrays` the one name
    defaults:   {name: value} of the arguments that have one
    parameters: {name: default} of the keyword-only parameters; Parameter.empty where it must be given
    any_number: whether it takes `*arrays`
    arity:      how many arguments a call has that needs no binding; -1 if every call does
    fitting:    (number of arguments, *keywords) of calls that are known to fit
    rest:       {number of arguments: the defaults of those that are missing}, of calls without parameters
    """

    __name__: str
    vjps: Any
    defaults: dict[str, Any]
    parameters: dict[str, Any]

    # equivalent: any change because `arity` and `rest` only save time: `bind` gives the same
    def __init__(self, function: Callable, names: tuple[str, ...] | None = None):
        self._take_names(function)
        self.names, self.defaults, self.parameters, self.any_number = names or (), {}, {}, False
        if names is None:
            self._read(inspect.unwrap(function))
        needed = any(default is inspect.Parameter.empty for default in self.parameters.values())
        self.arity = -1 if needed else len(self.names)
        self.fitting: set[tuple] = set()
        values = () if needed else tuple(self.defaults.values())
        self.rest = {self.arity - n: values[-n:] for n in range(1, len(values) + 1)}

    def _take_names(self, function: Any) -> None:
        """As functools.update_wrapper, but without `__dict__`: asking for it makes attributes slower to read."""
        for name in (*WRAPPER_ASSIGNMENTS, *getattr(function, "__dict__", ())):
            if hasattr(function, name):
                setattr(self, name, getattr(function, name))
        self.__wrapped__ = function

    def _read(self, function: Any) -> None:
        code, defaults, given = function.__code__, function.__defaults__ or (), function.__kwdefaults__ or {}
        names, count = code.co_varnames, code.co_argcount
        last = count + code.co_kwonlyargcount
        self.any_number = bool(code.co_flags & inspect.CO_VARARGS)
        if code.co_flags & inspect.CO_VARKEYWORDS or (self.any_number and count):
            raise TypeError(f"{self.text()}: name each argument of an op, or take *arrays alone")
        self.names = (names[last],) if self.any_number else names[:count]
        self.defaults = dict(zip(names[count - len(defaults) : count], defaults, strict=True))
        self.parameters = {name: snapshot(given.get(name, inspect.Parameter.empty)) for name in names[count:last]}

    def bind(self, arguments: tuple, parameters: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """Return the arguments in order and the parameters by name, with every default filled in.

        Raises TypeError for a call that does not fit.
        """
        call = len(arguments), *parameters
        if call not in self.fitting:
            self._check_keywords(parameters)
            if not self.any_number:
                self._check_arguments(len(arguments), parameters)
            self._check_parameters(parameters)
            self.fitting.add(call)  # equivalent: any change because it is then checked again
        given = self.defaults | self.parameters | parameters
        missing = () if self.any_number else self.names[len(arguments) :]
        return (*arguments, *[given[name] for name in missing]), {name: given[name] for name in self.parameters}

    def names_all(self, arguments: tuple, parameters: dict[str, Any]) -> bool:
        """Whether there is a name for every argument and parameter of a call."""
        known = {*self.names, *self.parameters}
        return len(arguments) <= len(self.names) and known.issuperset(parameters)

    def _check_arguments(self, count: int, keywords: Iterable[str]) -> None:
        """Raise TypeError unless each argument is given once, with so many of them by position, or has a default."""
        if count > len(self.names):
            said = f"takes {len(self.names)} argument{'s' * (len(self.names) > 1)}, not {count}"
            options = ", ".join(f"{name}=" for name in self.parameters)
            raise TypeError(f"{self.text()} {said}{f': give options by name: {options}' if options else ''}")
        if twice := [name for name in self.names[:count] if name in keywords]:
            raise TypeError(f"{self.text()} got {', '.join(twice)} twice")
        if missing := [name for name in self.names[count:] if name not in {*keywords, *self.defaults}]:
            raise TypeError(f"{self.text()} needs {', '.join(missing)}")

    def _check_keywords(self, keywords: Iterable[str]) -> None:
        """Raise TypeError unless each keyword is a name."""
        known = {*self.parameters} if self.any_number else {*self.parameters, *self.names}
        if unknown := [name for name in keywords if name not in known]:
            raise TypeError(f"{self.text()} does not take {unknown[0]}={instead_of_keyword(unknown[0], known)}")

    def _check_parameters(self, keywords: Iterable[str]) -> None:
        """Raise TypeError unless each parameter without a default is given."""
        for name, default in self.parameters.items():
            if default is inspect.Parameter.empty and name not in keywords:
                raise TypeError(f"{self.text()} needs {name}=")

    def check_vjp(self, name: str, vjp: Callable) -> None:
        """Raise TypeError unless the VJP of the argument `name` can be called as the sweep will call it."""
        leading = ("i", "g", "out") if self.any_number else ("g", "out")
        # equivalent: never; vjp, len(leading) + len(self.names) -> len(leading) + len(self.names), vjp because
        # inspect.signature says the same, slower
        if _takes_just(vjp, len(leading) + len(self.names), self.parameters):
            return
        try:
            inspect.signature(vjp).bind(*leading, *self.names, **self.parameters)
        except TypeError as error:
            expected = ", ".join((*leading, *self.names, *self.parameters))
            raise TypeError(f"{self.__name__}: the VJP of {name!r} must take ({expected}): {error}") from None

    def argument(self, i: int) -> str:
        """The name of the argument in position i."""
        return f"arrays[{i}]" if self.any_number else self.names[i]

    def given(self, arguments: Any, parameters: dict) -> dict[str, Any]:
        """What a call was given, by name; defaults are left out."""
        given = {self.argument(i): argument for i, argument in enumerate(arguments)} | parameters
        defaults = self.defaults | self.parameters
        hidden = defaults | {"saved": given.get("saved")}
        return {name: value for name, value in given.items() if value is not hidden.get(name, hidden)}

    def kinds(self, count: int) -> dict[str, str]:
        """What each argument and parameter must be, by its annotation; "Array" if it has a VJP."""
        annotations = getattr(self.__wrapped__, "__annotations__", {})
        arrays = {self.argument(i): "Array" for i in range(count) if self.vjps[i] is not None}
        return arrays | {name: kind_of(kind) for name, kind in annotations.items()}

    def text(self) -> str:
        """The call without annotations: `sum(a, axis=None, *, keepdims=False)`."""
        return text_of(self)  # type: ignore[arg-type]


def from_numpy(function: Any, stand_in: Any, arguments: tuple, options: dict[str, Any]) -> Any:
    """What stands for a NumPy function, called as that is: in its order, and with options at their own defaults.

    Raises TypeError for a call that is not NumPy's either.
    """
    signature = inspect.signature(stand_in)
    given = _given(function, signature.parameters, arguments, options)
    taken, options = given or (arguments, options)
    if isinstance(function, np.ufunc) and options.get("dtype") is not None:
        return function(*arguments, **options)  # NumPy says in which dtypes it computes
    cast = {}
    if given and "dtype" not in signature.parameters and options.get("dtype") is not None:
        cast = {name: options.pop(name) for name in ("dtype", "casting") if name in options}
    try:
        signature.bind(*taken, **options)
    except TypeError as error:
        raise TypeError(f"{text_of(stand_in)}: {error}{keyword_instead(error, signature.parameters)}") from None
    result = stand_in(*taken, **options)
    if not cast:
        return result
    dtype, casting = np.dtype(cast["dtype"]), cast.get("casting", "same_kind")
    if not np.can_cast(result.dtype, dtype, casting):
        raise TypeError(f"{stand_in.__name__}: a cast of {result.dtype} to {dtype} is not {casting!r}")
    return result.astype(dtype)


def _given(function: Any, names: Collection[str], arguments: tuple, options: dict[str, Any]) -> tuple | None:
    """A NumPy function's arguments as a stand-in with these names takes them: without options at NumPy's defaults.

    None if they do not fit the NumPy function.
    """
    signature = _of_numpys(function)
    if signature is None:
        return arguments, {k: v for k, v in options.items() if k in names or not _is_default_of_ufuncs(k, v)}
    try:
        bound = signature.bind(*arguments, **options)
    except TypeError:
        return None
    return _without_defaults(bound, names)


def _of_numpys(function: Any) -> inspect.Signature | None:
    """The signature; None where it is not known, as before NumPy 2.4 of what is written in C."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return None
    anything = isinstance(function, np.ufunc) and "kwargs" in signature.parameters  # (*args, **kwargs)
    return None if anything else signature


def _without_defaults(bound: inspect.BoundArguments, names: Collection[str]) -> tuple | None:
    taken: list = []
    given: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        if parameter.kind is parameter.VAR_KEYWORD:
            # equivalent: <= -> < because the names of the other arguments are among them
            if not value.keys() <= {*names}:  # NumPy has no such option, or the stand-in would have it
                return None
            given |= value
        elif parameter.kind is parameter.VAR_POSITIONAL:
            taken, given = [*taken, *given.values(), *value], {}
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            taken.append(value)
        elif name in names or not _is_default(value, parameter.default):
            given[name] = value
    return taken, given


def _is_default_of_ufuncs(name: str, value: Any) -> bool:
    return name in _OF_UFUNCS and _is_default(value, _OF_UFUNCS[name])


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, (str, bool, int, float)) and value == default)


class EachPosition:
    """The VJPs of an op of any number of arrays: one function, told the position."""

    def __init__(self, function: Callable | None):
        self.function = function

    def __getitem__(self, i: int) -> Callable | None:
        return self.function and partial(self.function, i)

    def __contains__(self, function: object) -> bool:
        return self.function is function  # equivalent: is -> is not because each argument is then looked at


# equivalent: any change because what is not recognised is left to inspect.signature, which is slower
def _takes_just(function: Any, count: int, keywords: dict) -> bool:
    """Whether a function takes so many arguments and these keywords, by its code alone."""
    if not isinstance(function, FunctionType):
        return False
    code = function.__code__
    named = set(code.co_varnames[count : code.co_argcount + code.co_kwonlyargcount])
    fits = named <= keywords.keys() if code.co_flags & inspect.CO_VARKEYWORDS else named == keywords.keys()
    return code.co_argcount >= count >= code.co_posonlyargcount and fits


def snapshot(value: Any) -> Any:
    """Return a copy, so that later writes by the caller do not change what was recorded."""
    # equivalent: any change because the value is returned as it is in any case
    if value is None or isinstance(value, (int, float, str, np.generic)):
        return value
    if isinstance(value, ndarray):
        return copied(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(snapshot, value))
    if type(value) in (list, tuple):
        return type(value)(map(snapshot, value))
    if type(value) is dict:
        return {name: snapshot(part) for name, part in value.items()}
    if type(value) is slice:
        return slice(snapshot(value.start), snapshot(value.stop), snapshot(value.step))
    return _copied(value)


def _copied(value: Any) -> Any:
    """A copy of what stands for a list, an array or an integer, as an index may; anything else as it is."""
    if isinstance(value, memoryview):
        return np.array(value)
    stands = (
        isinstance(value, MutableSequence) or hasattr(type(value), "__array__") or hasattr(type(value), "__index__")
    )
    return importlib.import_module("copy").deepcopy(value) if stands else value
