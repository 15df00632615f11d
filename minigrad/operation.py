"""`Op` and `@op`: a NumPy function that knows its VJPs.

Called with arrays, an op is its NumPy function. Called with a Tensor, it unwraps the arrays,
computes, and records a node; every differentiable function of minigrad is made of these.
"""

from __future__ import annotations

import inspect
import itertools
from functools import partial, update_wrapper
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy import ndarray

from .tape import Node, changes, next_number, record, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Concatenate

    from .typing import Array, BinaryOp, P, UnaryOp

NUMPY: dict[Any, Any] = {}  # NumPy function -> what stands for it when it is called with a Tensor

_NUMBERS = (int, float, np.generic, type(None))  # what stands for itself among an op's arguments
_RENAMED = (np.exceptions.AxisError, np.linalg.LinAlgError, IndexError, ValueError, TypeError)


Tensor: Any
new: Any


def connect(tensor_class):
    """Called once by _tensor.py, so that ops recognise and make Tensors: the one hook that points up."""
    global Tensor, new
    Tensor, new = tensor_class, tensor_class.__new__


class Op:
    """A NumPy function, `forward`, plus one VJP for each differentiable argument.

    The positional parameters of `forward` are the op's arguments; those with a VJP are arrays.
    Its keyword-only parameters are the op's parameters and may not be Tensors. An op of any
    number of arrays takes `*arrays` and no other argument.

    `names` stands in for the signature of a ufunc, which has none.
    """

    __name__: str
    __qualname__: str
    __signature__: inspect.Signature
    parameters: dict[str, Any]
    vjps: Any

    def __init__(self, forward, names=None):
        update_wrapper(self, forward)
        self.forward = forward
        self.names, self.defaults, self.parameters, self.any_number = names or (), {}, {}, False
        if names is None:
            self._read(inspect.unwrap(forward))
        needed = any(default is inspect.Parameter.empty for default in self.parameters.values())
        self.arity = -1 if needed else len(self.names)  # of calls that need no binding
        self.vjps = _EachPosition(None) if self.any_number else [None] * len(self.names)

    def _read(self, function):
        """Take names and defaults from the code: signature would be a tenth of what importing minigrad itself takes."""
        code, defaults, given = function.__code__, function.__defaults__ or (), function.__kwdefaults__ or {}
        names, count = code.co_varnames, code.co_argcount
        last = count + code.co_kwonlyargcount
        self.any_number = bool(code.co_flags & inspect.CO_VARARGS)
        if code.co_flags & inspect.CO_VARKEYWORDS or (self.any_number and count):
            raise TypeError(f"{self._text()}: name each argument of an op, or take *arrays alone")
        self.names = (names[last],) if self.any_number else names[:count]
        self.defaults = dict(zip(names[count - len(defaults) : count], defaults, strict=True))
        self.parameters = {name: _as_it_is(given.get(name, inspect.Parameter.empty)) for name in names[count:last]}

    def vjp(self, name, function=None):
        """Register the VJP of the argument `name`: a decorator, or called with the function.

        The VJP is called as `vjp(g, out, *arguments, **parameters)` and returns dJ/d argument from
        g = dJ/d out, which has out's shape. It may leave a broadcast as it is: the sweep sums it away.
        With `*arrays` it is called as `vjp(i, g, out, *arrays, **parameters)`, i being the position.

        Raises ValueError if the op has no such argument, TypeError if the VJP can't be called so.
        """
        if callable(name):
            raise TypeError(f"{self.__name__}: name the argument, as in @{self.__name__}.vjp({self.argument(0)!r})")
        if name not in self.names:
            raise ValueError(f"{self.__name__} has no argument {name!r}; it has {', '.join(self.names)}")
        if function is None:
            return partial(self.vjp, name)
        leading = ("i", "g", "out") if self.any_number else ("g", "out")
        if not _takes_just(function, len(leading) + len(self.names), self.parameters):
            try:
                inspect.signature(function).bind(*leading, *self.names, **self.parameters)
            except TypeError as error:
                expected = ", ".join((*leading, *self.names, *self.parameters))
                raise TypeError(f"{self.__name__}: the VJP of {name!r} must take ({expected}): {error}") from None
        if self.any_number:
            self.vjps = _EachPosition(function)
        else:
            self.vjps[self.names.index(name)] = function
        return function

    def __call__(self, *arguments, **parameters):
        """Compute; record it if an argument leads to a leaf and this thread records."""
        if parameters or len(arguments) != self.arity:
            arguments, parameters = self._bind(arguments, parameters)
        else:
            parameters = self.parameters
        arrays, parents = [*arguments], [None] * len(arguments)
        tensors = 0
        for i, argument in enumerate(arguments):
            if isinstance(argument, Tensor):
                tensors += 1
                arrays[i] = argument._array
                parents[i] = argument.node
            elif type(argument) is not ndarray and not isinstance(argument, _NUMBERS):
                arrays[i] = self._plain(i, argument)
        recorded = any(parents) and (not changes or state.recording)
        if recorded and (self.any_number or None in self.vjps):
            self._check_differentiable(parents)
        try:
            output = self.forward(*arrays, **parameters)
        except _RENAMED as error:
            if self._speaks_for_itself(error):
                raise
            raise self._named(error) from error
        if not tensors:
            return output
        if type(output) is not ndarray:
            if isinstance(output, (tuple, list)):
                raise TypeError(f"{self.__name__}: an op returns one array, not a {type(output).__name__}")
            output = np.asarray(output)
        tensor = new(Tensor)
        tensor._array = output
        tensor.node = None
        if recorded:
            if output.dtype.kind != "f":
                raise TypeError(f"{self.__name__}: can't differentiate a result of dtype {output.dtype}")
            if tensors < len(arrays):
                pairs = zip(arrays, arguments, strict=True)
                arrays = [_as_it_is(a) if a is given else a for a, given in pairs]
            if parameters is not self.parameters:
                parameters = {name: _as_it_is(value) for name, value in parameters.items()}
            tensor.node = record(Node(), self, tuple(parents), tuple(arrays), parameters, output)
        return tensor

    def _plain(self, i, argument):
        """What is an array in some other form, such as a list or a memory map, as a plain array of its own."""
        if self.vjps[i] is None and not hasattr(type(argument), "__array__"):
            return argument
        if isinstance(argument, np.ma.MaskedArray):
            raise TypeError(f"{self.__name__}: a masked array would lose its mask; use mg.where(mask, ...)")
        return np.array(argument)

    def _bind(self, arguments, parameters):
        """The arguments in order and the parameters by name, with every default filled in."""
        arguments, given = list(arguments), self.parameters | parameters
        if not self.any_number:
            n = len(arguments)
            if n > len(self.names):
                raise TypeError(f"{self._text()} takes {len(self.names)} arguments, not {n}")
            if twice := [name for name in self.names[:n] if name in parameters]:
                raise TypeError(f"{self._text()} got {', '.join(twice)} twice")
            rest = self.names[n:]
            if missing := [name for name in rest if name not in parameters and name not in self.defaults]:
                raise TypeError(f"{self._text()} needs {', '.join(missing)}")
            arguments += [given.pop(name) if name in parameters else self.defaults[name] for name in rest]
        for name, value in given.items():
            if name not in self.parameters:
                raise TypeError(f"{self._text()} does not take {name}=")
            if value is inspect.Parameter.empty:
                raise TypeError(f"{self._text()} needs {name}=")
            if isinstance(value, Tensor):
                raise TypeError(f"{self._text()}: {name} may not be a Tensor; pass its .data or .item()")
        return arguments, given

    def _check_differentiable(self, parents):
        for i, (parent, vjp) in enumerate(zip(parents, self.vjps)):  # noqa: B905 (vjps may be endless)
            if parent is not None and vjp is None:
                raise TypeError(
                    f"{self.__name__} has no VJP for its argument {self.argument(i)!r}, which needs a gradient here: "
                    "detach() it if none should flow"
                )

    def argument(self, i):
        """The name of the argument in position i."""
        return f"arrays[{i}]" if self.any_number else self.names[i]

    def _speaks_for_itself(self, error):
        """Whether the error names the op already, or is a kind of the user's own."""
        numpys = type(error) in _RENAMED or type(error).__module__.startswith("numpy")
        return not numpys or str(error).startswith(f"{self.__name__}:")

    def _named(self, error):
        """The same error with the op's name."""
        kind = next(kind for kind in _RENAMED if isinstance(error, kind))
        return kind(f"{self.__name__}: {error}")

    def _text(self):
        """The call as its signature says it: `sum(a, axis=None, *, keepdims=False)`."""
        parameters = [p.replace(annotation=p.empty) for p in inspect.signature(self).parameters.values()]
        return f"{self.__name__}{inspect.Signature(parameters)}"

    def __get__(self, instance, owner=None):
        """An op put into a class is a method of it."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self):
        """An op is copied and pickled by its name, as a function is."""
        return self.__qualname__

    def __repr__(self):
        return f"<op {self._text()}>"


def operators(op):
    """`x + y` and `y + x` as methods of Tensor, for an op of two arguments and no parameter.

    The hot path of small programs: 0.8 us where the general call takes 1.8, NumPy's own share
    of both being 0.34. What is not a Tensor or a Python number takes the general call.
    """
    forward, parameters = op.forward, op.parameters

    def method(x, y):
        p = q = None
        if type(x) is Tensor:
            a, p = x._array, x.node
        elif type(x) is float or type(x) is int:
            a = x
        else:
            return op(x, y)
        if type(y) is Tensor:
            b, q = y._array, y.node
        elif type(y) is float or type(y) is int:
            b = y
        else:
            return op(x, y)
        try:
            output = forward(a, b)
        except _RENAMED as error:
            if op._speaks_for_itself(error):
                raise
            raise op._named(error) from error
        if type(output) is not ndarray:
            output = np.asarray(output)
        tensor = new(Tensor)
        tensor._array = output
        if (p is None and q is None) or (changes and not state.recording):
            tensor.node = None
        else:
            tensor.node = node = Node()  # filled in as `record` does, without the call: 0.97 of the time
            node.op, node.parents, node.arguments = op, (p, q), (a, b)
            node.parameters, node.output, node.number = parameters, output, next_number()
            node.scope = state.scope if changes else ()
        return tensor

    def reflected(y, x):
        return method(x, y)

    return method, reflected


def _takes_just(function, count, keywords):
    """Whether a function plainly takes so many arguments and these keywords: seen in a hundredth of signature's time.

    There are over a hundred VJPs to register at import.
    """
    if not isinstance(function, FunctionType):
        return False
    code = function.__code__
    named = set(code.co_varnames[count : code.co_argcount + code.co_kwonlyargcount])
    fits = named <= keywords.keys() if code.co_flags & inspect.CO_VARKEYWORDS else named == keywords.keys()
    return code.co_argcount >= count >= code.co_posonlyargcount and fits


class _EachPosition:
    """The VJPs of an op of any number of arrays: one function, told the position."""

    def __init__(self, function):
        self.function = function

    def __getitem__(self, i):
        return self.function and partial(self.function, i)

    def __iter__(self):
        return (self[i] for i in itertools.count())


def _as_it_is(argument):
    """A value that later writes by the caller don't reach: arrays that no Tensor holds are copied."""
    if isinstance(argument, ndarray):
        return argument.copy()
    return type(argument)(map(_as_it_is, argument)) if type(argument) in (list, tuple) else argument


@overload
def op(forward: Callable[Concatenate[ndarray, ndarray, P], Array], *, name: str | None = None) -> BinaryOp[P]: ...
@overload
def op(forward: Callable[Concatenate[ndarray, P], Array], *, name: str | None = None) -> UnaryOp[P]: ...
@overload
def op(*, name: str | None = None) -> Callable[[Callable[..., Array]], Op]: ...
def op(forward: Any = None, *, name: str | None = None) -> Any:
    """Make a NumPy function an op: `@op`, then `@f.vjp("argument")` for each derivative.

        @op
        def cube(x):
            return x * x * x

        @cube.vjp("x")
        def _(g, out, x):
            return g * 3 * x * x

    The function gets arrays and returns one array. Inside a VJP use NumPy functions, operators
    and ops only: then it can be differentiated again. `name` is what pictures and messages call
    the op, if not the function's own name.
    """
    if forward is None:
        return partial(op, name=name)
    if not inspect.isfunction(forward):
        raise TypeError(f"op: decorate a Python function, not {forward!r}")
    made = Op(forward)
    made.__name__ = name or made.__name__
    return made


def elementwise(ufunc, equation, *, name=None, **vjps):
    """A row of a table of ops: a ufunc, what its derivative is, and its VJPs by argument name."""
    made = Op(ufunc, tuple(vjps))
    made.__name__ = made.__qualname__ = name or ufunc.__name__
    made.__module__ = "minigrad.ops"
    made.__doc__ = equation
    made.__signature__ = inspect.Signature([_argument(name) for name in vjps], return_annotation="Array")
    for argument, vjp in vjps.items():
        made.vjp(argument, vjp)
    return implements(ufunc)(made)


def _argument(name):
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="Array")


def implements(*functions):
    """Let what is decorated stand for these NumPy functions where they meet a Tensor."""

    def register(stand_in):
        NUMPY.update(dict.fromkeys(functions, stand_in))
        return stand_in

    return register


def arraylike(x):
    """x with a shape and a dtype: a Tensor as it is, and anything else as an array."""
    return x if isinstance(x, Tensor) else np.asarray(x)


def array_of(x):
    """The array of a Tensor, or x itself: for what a VJP computes with plain NumPy, such as switches."""
    return x._array if isinstance(x, Tensor) else x
