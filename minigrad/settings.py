"""Settings of a task: `no_grad`, `scope`, and whatever else a `with` block puts in force.

They live in a context variable, so each thread and each task of asyncio has its own. The variable refers
to a setting weakly: once its `with` block is gone, however it ended, the setting is out of force.
"""

import weakref
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from contextvars import ContextVar
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar

_Function = TypeVar("_Function")
BACKWARD = "backward of "  # begins the name of a scope in which a sweep records a VJP


class _Entry:
    """What one `with` block puts in force."""

    __slots__ = ("__weakref__", "kind", "value")

    def __init__(self, kind: str, value: Any):
        self.kind = kind
        self.value = value


_entries: ContextVar[tuple["weakref.ref[_Entry]", ...]] = ContextVar("minigrad_settings", default=())

in_force = _entries.get  # empty where the task is in no block: then every setting has its default


def setting(kind: str, default: Any) -> Any:
    """Return the value that the innermost block of this kind put in force, or the default."""
    for reference in reversed(in_force()):
        entry = reference()
        if entry is not None and entry.kind == kind:
            return entry.value
    return default


def recording() -> bool:
    """Whether ops record themselves in this task."""
    return setting("recording", True)


def debugger() -> Any:
    """What `mg.debug()` has put in force in this task to look at each op, or None."""
    return setting("debug", None)


class Setting(ContextDecorator):
    """A `with` block that puts a value in force in its task. An instance can be nested, reused and shared."""

    kind: str

    def __init__(self) -> None:
        self._open: list[_Entry] = []

    def _enter(self, value: Any) -> None:
        entry = _Entry(self.kind, value)
        try:
            self._open.append(entry)
            living = [reference for reference in in_force() if reference() is not None]
            _entries.set((*living, weakref.ref(entry)))
        except BaseException:  # Ctrl-C, here of all places
            self._close(entry)
            raise

    def __exit__(self, *exception: object) -> None:
        here = [entry for reference in in_force() if (entry := reference()) in self._open]
        if self._open:
            self._close((here or self._open)[-1])  # a generator may be closed by another task than the one that entered

    def _close(self, entry: _Entry | None) -> None:
        self._open[:] = [other for other in self._open if other is not entry]
        _entries.set(tuple(reference for reference in in_force() if reference() is not entry))

    def __call__(self, function: _Function) -> _Function:
        if isgeneratorfunction(function) or iscoroutinefunction(function) or isasyncgenfunction(function):
            kind = type(self).__name__
            raise TypeError(
                f"{kind} can't decorate {function.__name__}, whose body runs later: use `with {kind}` in it"
            )
        return super().__call__(function)  # type: ignore[type-var]


class no_grad(Setting):
    """Record nothing in this task: `with no_grad():`, or `@no_grad()` on a function.

    In-place operators then update a leaf where it is: `w -= step`.

    Raises TypeError where it decorates a generator or a coroutine, whose body runs later.

    >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> with mg.no_grad():
    ...     w -= 0.5
    >>> w
    tensor([0.5, 1.5], requires_grad=True)
    """

    kind = "recording"

    def __init__(self, function: None = None):
        if function is not None:
            raise TypeError("no_grad: write `@no_grad()`, with parentheses")
        super().__init__()

    def __enter__(self) -> "no_grad":
        self._enter(False)
        return self

    def _recreate_cm(self) -> "no_grad":
        return no_grad()


class scope(Setting):
    """Name a part of the graph: ops inside `with scope("conv1"):` are drawn in a box of that name.

    Scopes nest. Raises TypeError if the name is not a string.

    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> with mg.scope("outer"), mg.scope("inner"):
    ...     y = x * x
    >>> y.node.scope
    ('outer', 'inner')
    """

    kind = "scope"

    def __init__(self, name: str):
        if not isinstance(name, str):
            raise TypeError(f"scope: the name must be a string, not {type(name).__name__}")
        super().__init__()
        self.name = name

    def __enter__(self) -> "scope":
        self._enter((*setting("scope", ()), self.name))
        return self

    def _recreate_cm(self) -> "scope":
        return scope(self.name)


# equivalent: around[-1]() if around else None -> None; around[:-1] -> around because `setting`, which is slower, finds
# the innermost scope, too
def call_in_scope(name: str, function: Callable, arguments: tuple, options: dict[str, Any]) -> Any:
    """Return `function(*arguments, **options)`, called in `scope(name)`; cheaper, as nothing else can close it."""
    around = in_force()
    outer = around[-1]() if around else None
    if outer is not None and outer.kind == "scope":
        # the new scope replaces it: a short tuple is searched faster
        around, names = around[:-1], outer.value
    else:
        names = setting("scope", ())
    entry = _Entry("scope", (*names, name))
    token = _entries.set((*around, weakref.ref(entry)))
    try:
        return function(*arguments, **options)
    finally:
        _entries.reset(token)


# equivalent: and entry -> or entry; without and entry.kind not in values; without [] if in_force() is inside else;
# without and r not in around because the innermost is found first, and what is in force at the end was so inside, or
# has been opened there
def call_with(function: Callable, arguments: Iterable, **values: Any) -> Any:
    """Return `function(*arguments)`, called with these settings in force: {kind: value}."""
    around, entries = in_force(), [_Entry(kind, value) for kind, value in values.items()]
    # without those of the same kinds, which are overridden: a short tuple is searched faster
    others = [reference for reference in around if (entry := reference()) and entry.kind not in values]
    inside = (*others, *map(weakref.ref, entries))
    try:
        _entries.set(inside)  # Ctrl-C may come between any two lines
        return function(*arguments)
    finally:  # what the function has opened and not closed stays in force
        opened = [] if in_force() is inside else [r for r in in_force() if r not in inside and r not in around]
        _entries.set((*around, *opened))
