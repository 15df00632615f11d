"""Errors that help: one sentence that begins with the public name of what was called.

NumPy and Python say what went wrong somewhere inside. Here it is said of the function that was called, with what
it was called with; where one function of minigrad is made of others, the outermost name replaces theirs.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from .foreign_names import instead_of_keyword
from .writes import copied

if TYPE_CHECKING:
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")


class LostGradientError(TypeError):
    """What would drop a gradient in silence: a Tensor that needs one was turned into a number or an array."""


# the last one in the innermost transform of this task: elsewhere it would keep the Tensor in memory
last_lost: ContextVar[list[LostGradientError] | None] = ContextVar("minigrad_last_lost", default=None)


def noted(lost: LostGradientError) -> LostGradientError:
    """The error, after it has become the last one."""
    if (last := last_lost.get()) is not None:
        last[:] = [lost]
    return lost


def lost_behind(error: Exception) -> BaseException | None:
    """The LostGradientError that an error was raised from, or the last one, if C code hid it and went on; or None."""
    cause: BaseException | None = error if isinstance(error, (ValueError, TypeError, SystemError)) else None
    while cause is not None and not isinstance(cause, LostGradientError):
        cause = cause.__cause__
    if cause is None:
        for lost in last_lost.get() or []:
            frames: Any = lost.__traceback__  # those of the Tensor's two methods that raised it, and no other
            if not (frames and frames.tb_next and frames.tb_next.tb_next):
                lost.__cause__ = error
                return lost
    return cause


# what NumPy and Python raise for a wrong input; the first that fits is raised again
NUMPY_ERRORS = (
    *(np.exceptions.AxisError, np.linalg.LinAlgError, IndexError, ValueError),
    *(FloatingPointError, OverflowError, ZeroDivisionError, LostGradientError),
    *(TypeError, AttributeError, NotImplementedError),
)
_RAISED: dict[type, type] = {AttributeError: TypeError, NotImplementedError: TypeError}
# how NumPy says it, as a pattern -> what it means
_PLAINLY = {
    "tuple index out of range": "an array has too few axes",
    "object too deep for desired array": "an array has too many axes",
    "input operand has more dimensions than allowed by the axis remapping": "the array has more axes than the shape",
    r"operands could not be broadcast together with remapped shapes \[original->remapped\]: ": "shapes do not fit: ",
    r"(\w+: )?Input operand \d has a mismatch .* \((size \d+ is different from \d+)\)": r"sizes do not fit: \2",
}
_NUMPYS = "|".join([*_PLAINLY, "is out of bounds for array of dimension"])  # NumPy begins some with a name of its own
COMPLEX = "complex numbers have no derivative here: pass np.real(z), np.imag(z) or np.abs(z)"
_LONGEST = 40  # characters of a value in a message
_MOST = 8  # values in a message


def named(function: Callable[P, R], otherwise: Callable | None = None, name: str = "") -> Callable[P, R]:
    """Decorate a public function that is made of ops: an error that comes out of it is about this function.

    otherwise: called with the arguments, and the options, of a call that does not fit the function's signature
    name:      what messages call it, if not by its own name
    """

    @wraps(function)
    def call(*arguments: P.args, **parameters: P.kwargs) -> R:
        try:
            return function(*arguments, **parameters)
        except NUMPY_ERRORS as error:
            try:
                bound = _bound(function, arguments, parameters, name)
            except TypeError:
                if otherwise is None:
                    raise
            else:
                explain(error, name or function.__name__, *bound)
                raise
        try:
            return otherwise(arguments, parameters)
        except NUMPY_ERRORS as error:
            explain(error, function.__name__, {}, {})
            raise

    return call


def explain(
    error: Exception, name: str, given: dict[str, Any], kinds: dict[str, str], *, where: str = "", hint: str = ""
) -> None:
    """Raise the error again as a sentence about the function `name`; return if it is one, or of a kind of its own.

    given: what the function was called with, by argument
    kinds: the annotations of the arguments, where there are any
    where: what follows the name; hint: what ends the sentence
    """
    if not type(error).__module__.startswith(("builtins", "numpy", "minigrad")):
        return
    said, own = getattr(error, "said", None) or (" ".join(str(error).split()) or type(error).__name__, False)
    if not own and said.startswith((f"{name}: ", f"np.{name}: ", f"{name}(", f"{name} has no ")):
        said, own = said.removeprefix(f"{name}: "), not re.search(_NUMPYS, said)
        if own and "\n" not in str(error):
            error.said = said, True  # type: ignore[attr-defined]
            return
    kind, said, own = _cause(error, said, own, given, kinds)
    ending = "" if own else _described(given)
    again: Any = kind(f"{name}: {where}{said}{ending}{hint}")
    again.said = said, own
    try:
        raise again from error.__cause__ if hasattr(error, "said") and error.__cause__ else error
    finally:
        del again, error  # their tracebacks hold this frame


def _cause(error: Exception, said: str, own: bool, given: dict, kinds: dict) -> tuple[Any, str, bool]:
    """The kind of error to raise, what it says, and whether that is a sentence of our own."""
    if problem := unfit(given, kinds, isinstance(error, AttributeError) or "not subscriptable" in said):
        return (*problem, True)
    kind: Any = next(kind for kind in NUMPY_ERRORS if isinstance(error, kind))
    for pattern, plainly in _PLAINLY.items():
        said = re.sub(pattern, plainly, said)
    if said.startswith("ufunc "):  # NumPy's text is about its table of loops
        dtypes = dict.fromkeys(value.dtype for value in given.values() if _is_array(value))
        said = f"not defined for dtype {', '.join(map(str, dtypes))}"
        said += ": pass t.astype(float)" if np.dtype(np.longdouble) in dtypes else ""
    if said.endswith("is read-only"):
        said += ", since the graph keeps it: write to a copy"
    return _RAISED.get(kind, kind), said, own


# equivalent: or -> and; without isinstance(value, (float, np.number)) or; without or (type(value) is ndarray and
# value.dtype.kind in "biufc"); without None if numeric else because to look at a number, too, is only slower
def plain_array(value: Any, name: str, argument: str, dtype: Any = None) -> ndarray:
    """Return a new plain array of what stands for one, such as a list.

    Raises TypeError or ValueError about this argument of the function `name` if nothing stands for an array there.
    """
    numeric = isinstance(value, (float, np.number)) or (type(value) is ndarray and value.dtype.kind in "biufc")
    problem = None if numeric else _problem_of(value)
    if problem is None:
        try:
            return copied(np.asarray(value), dtype)  # PyTorch's tensors take no `copy`
        except (ValueError, TypeError):
            problem = TypeError, f"can't be an array of dtype {brief(dtype)}: {brief(value)}"
    raise refusal(problem[0], name, f"{argument} {problem[1]}")


def refusal(kind: type, name: str, said: str) -> Any:
    """Return an error that begins with the name of a function; inside another one, that one's name replaces it."""
    error = kind(f"{name}: {said}")
    error.said = said, True
    return error


def _bound(
    function: Callable, arguments: tuple, parameters: dict, called: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the function was called with, by name, and the annotations.

    Raises TypeError for a call that does not fit the signature.
    """
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*arguments, **parameters).arguments
    except TypeError as error:
        said = f"{error}{keyword_instead(error, signature.parameters)}"
        raise TypeError(f"{text_of(function, called)}: {said}") from None
    given, kinds = {}, {}
    for name, value in bound.items():
        kind = kind_of(signature.parameters[name].annotation)
        many = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        if many or (kind == "Sequence[Array]" and isinstance(value, (list, tuple))):
            some, kind = {f"{name}[{i}]": v for i, v in enumerate(value)}, "Array" if "Array" in kind else kind
        else:
            some = {name: value}
        given.update(some)
        kinds.update(dict.fromkeys(some, kind))
    return given, kinds


def keyword_instead(error: Exception, taken: Collection[str] = ()) -> str:
    """What to write instead of the keyword that an error of Python's is about, of a function that takes these."""
    *_, keyword = str(error).split("unexpected keyword argument ")
    return instead_of_keyword(keyword.strip("'"), taken)


def kind_of(annotation: Any) -> str:
    """An annotation as it is written."""
    return getattr(annotation, "__name__", str(annotation))


def text_of(function: Callable, name: str = "") -> str:
    """The call without annotations: `sum(a, axis=None, *, keepdims=False)`."""
    known = inspect.signature(function).parameters.values()
    parameters = [p.replace(annotation=p.empty) for p in known if p.name != "saved"]
    return f"{name or function.__name__}{inspect.Signature(parameters)}"


def _described(given: dict[str, Any]) -> str:
    """The call in short: the shapes of arrays, the values of what else there is."""
    parts = [f"{name} {brief(value)}" for name, value in given.items()]
    return f" ({', '.join(parts[:_MOST])}{', ...' if len(parts) > _MOST else ''})" if parts else ""


def brief(value: Any) -> str:
    """The value in one short line: of an array its shape."""
    if _is_array(value):
        return f"{value.shape}" if value.dtype.kind == "f" else f"{value.shape} {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def check_sizes(owner: str, **sizes: Any) -> None:
    """Raise TypeError unless each size is an int, ValueError unless it is positive."""
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool):
            raise TypeError(f"{owner}: {name} must be an int, not {brief(size)}")
        if size < 1:
            raise ValueError(f"{owner}: {name} must be at least 1, not {size}")


def kind_of_array(value: Any) -> str:
    """What is not what was wanted: the dtype and shape of an array, anything else in one short line."""
    return f"{value.dtype} of shape {value.shape}" if _is_array(value) else brief(value)


def _is_array(value: Any) -> bool:
    """Whether it is an array or a Tensor, of NumPy's dtypes: not a tensor of another framework."""
    return isinstance(getattr(value, "dtype", None), np.dtype) and (
        isinstance(value, ndarray) or hasattr(value, "requires_grad")
    )


def unfit(given: dict[str, Any], kinds: dict[str, str], needs_axes: bool = False) -> tuple[type, str] | None:
    """The kind of error, and the sentence, for the first argument that is none of what its annotation says."""
    for name, value in given.items():
        kind = kinds.get(name, "")
        if kind.endswith(" | None") and value is None:
            continue
        if problem := _misfit(name, value, kind.removesuffix(" | None"), needs_axes):
            return problem
    return None


def _misfit(name: str, value: Any, kind: str, needs_axes: bool) -> tuple[type, str] | None:
    """The same for one argument."""
    if name in ("dtype", "out") and isinstance(value, bool):  # where PyTorch has keepdim
        return TypeError, f"{name} can't be {value}: give keepdims= by name"
    if kind in ("Array", "ArrayLike"):
        if problem := _problem_of(value):
            return problem[0], f"{name} {problem[1]}"
        if needs_axes and not _is_array(value):
            return TypeError, f"{name} must be an array, not {brief(value)}"
    elif kind in _KINDS and not _KINDS[kind][0](value):
        hint = instead_of_keyword("start_dim") if kind == "Order" and _is_int(value) else ""
        return TypeError, f"{name} must be {_KINDS[kind][1]}, not {kind_of_array(value)}{hint}"
    return None


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) or (_is_array(value) and value.ndim == 0 and value.dtype.kind in "iu")


def _is_ints(value: Any) -> bool:
    return _is_int(value) or _is_sequence_of_ints(value)


def _is_sequence_of_ints(value: Any) -> bool:
    if _is_array(value):
        return value.ndim == 1 and value.dtype.kind in "iu"
    return isinstance(value, (list, tuple)) and all(map(_is_int, value))


def _is_dtype(value: Any) -> bool:
    try:
        return np.dtype(value) is not None
    except TypeError:
        return False


def _is_indices(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return False not in map(_is_indices, value)
    return _is_int(value) or (_is_array(value) and value.dtype.kind in "iub")


def _is_axes_of_two(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_ints, value)))


def _is_index(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return False not in map(_is_index, value)
    return _is_indices(value) or isinstance(value, (slice, np.bool)) or value is ... or value is None


# annotation -> whether a value is such, and what to call it
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "int": (_is_int, "an int"),
    "float": (lambda value: isinstance(value, (int, float, np.integer, np.floating)), "a number"),
    "bool": (lambda value: isinstance(value, (bool, np.bool, int)), "True or False"),
    "str": (lambda value: isinstance(value, str), "a string"),
    "Order": (lambda value: isinstance(value, str), "'C' or 'F'"),
    "Axis": (
        lambda value: value is None or (_is_ints(value) and not isinstance(value, list)),
        "an int, a tuple of ints or None",
    ),
    "int | tuple[int, ...]": (_is_ints, "an int or a tuple of ints"),
    "Shape": (_is_ints, "an int or a tuple of ints"),
    "Pair": (_is_ints, "an int or a pair of ints"),
    "Sequence[int]": (_is_sequence_of_ints, "a tuple of ints"),
    "Sequence[Array]": (lambda value: _is_array(value) and value.ndim > 0, "a list of arrays"),
    "DType": (_is_dtype, "a dtype"),
    "int | tuple[Shape, Shape]": (_is_axes_of_two, "an int or a pair of tuples of ints"),
    "IndicesLike": (_is_indices, "an int or an array of ints"),
    "IndicesLike | slice": (
        lambda value: isinstance(value, slice) or _is_indices(value),
        "an int, a slice or an array of ints",
    ),
    "Index": (_is_index, "made of integers, slices and arrays of integers"),
}


def _problem_of(value: Any) -> tuple[type, str] | None:
    if isinstance(value, np.ma.MaskedArray):
        return TypeError, "is a masked array, which would lose its mask: use mg.where(mask, ...)"
    if isinstance(value, np.matrix):
        return TypeError, "is a np.matrix, whose * is a matrix product: pass np.asarray(...) and write @ for products"
    if type(value).__module__.startswith("scipy.sparse"):
        return TypeError, "is a sparse matrix of SciPy: pass its .toarray()"
    if isinstance(value, (list, tuple)) and any(hasattr(leaf, "requires_grad") for leaf in _leaves(value)):
        return TypeError, f"is a {type(value).__name__} of Tensors: write mg.array(...) of it"
    try:
        array = value if _is_array(value) else np.asarray(value)
    except ValueError:
        return ValueError, f"is ragged, its rows differ in length: {brief(value)}"
    if array.dtype.kind in "biufc":
        return None
    return TypeError, f"must hold numbers, not {f'dtype {array.dtype}' if _is_array(value) else brief(value)}"


def _leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, (list, tuple)) else [value]
