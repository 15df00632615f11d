"""The names of Tensors that no node holds: a picture finds them by the array, which is all that the tape sees."""

import weakref

from numpy import ndarray

_names: dict[int, tuple[str | None, "weakref.ref[ndarray]"]] = {}  # id(array) -> (name, the array, weakly)


def name_array(array: ndarray, name: str | None) -> None:
    """Remember the name of the Tensor around this array."""
    key = id(array)
    _names[key] = name, weakref.ref(array, lambda _: _names.pop(key, None))


def name_of(array: ndarray) -> str | None:
    """Return the name of the Tensor around this very array, or None."""
    return _names[id(array)][0] if id(array) in _names else None
