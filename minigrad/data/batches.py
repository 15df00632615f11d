"""Parts of data: mini-batches for the steps of an epoch, and a split into two parts."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from ..errors import brief

T = TypeVar("T")


class Batches(Generic[T]):
    """Mini-batches: each loop over them is an epoch, and `len` says how many it has."""

    def __init__(self, arrays: T, draw: Callable[[], list[ndarray]]):
        self._take, self._draw = partial(taken, arrays), draw
        self._drawn: list[ndarray] | None = draw()  # the rows of each batch of the epoch to come
        self._count = len(self._drawn)

    def __iter__(self) -> Iterator[T]:
        rows, self._drawn = self._drawn, None
        return map(self._take, self._draw() if rows is None else rows)

    def __len__(self) -> int:
        return self._count


def minibatches(
    arrays: T, batch_size: int, *, rng: Generator | None = None, shuffle: bool = True, drop_last: bool = False
) -> Batches[T]:
    """Return mini-batches to loop over, each like `arrays` with at most batch_size rows; a loop is an epoch.

    arrays: an array, or a tuple, list or dict of arrays with the same number of rows (the length of the first axis).
    rng: draws the order, at this call, and at each loop after the first; needed to shuffle. Without shuffle the rows
        keep their order.
    drop_last: leave out the rows that would make a smaller last batch; others in each epoch, if shuffled.

    Each batch is a copy; `len` gives the number of batches. Raises ValueError for arrays of different lengths and for a
    batch_size below 1, or with drop_last above the number of rows, so that there would be no batch; TypeError for
    another kind.

    >>> x, labels = np.arange(10).reshape(5, 2), np.array([0, 1, 0, 1, 0])
    >>> for a, b in mg.data.minibatches((x, labels), 2, shuffle=False):
    ...     print(a.tolist(), b)
    [[0, 1], [2, 3]] [0 1]
    [[4, 5], [6, 7]] [0 1]
    [[8, 9]] [0]
    """
    rows = count_rows("minibatches", arrays)
    for name, value in (("shuffle", shuffle), ("drop_last", drop_last)):
        if not isinstance(value, (bool, np.bool)):
            raise TypeError(f"minibatches: {name} must be True or False, not {brief(value)}")
    if not isinstance(batch_size, (int, np.integer)) or isinstance(batch_size, bool):
        raise TypeError(f"minibatches: batch_size must be an int, not {brief(batch_size)}")
    if batch_size < 1 or (drop_last and batch_size > rows):
        bounds = f"from 1 to the {rows} rows" if drop_last else "at least 1"
        raise ValueError(f"minibatches: batch_size must be {bounds}, not {batch_size}")
    batch_size = int(batch_size)  # NumPy's integers wrap around
    end = rows - rows % batch_size if drop_last else rows
    draw = partial(_generator("minibatches", rng).permutation, rows) if shuffle else partial(np.arange, rows)

    def drawn() -> list[ndarray]:
        order = draw()
        return [order[start : start + batch_size] for start in range(0, end, batch_size)]

    return Batches(arrays, drawn)


def split(arrays: T, fraction: float, *, rng: Generator) -> tuple[T, T]:
    """Return two parts of `arrays`, each in a random order: the first has this fraction of the rows, rounded down.

    arrays: as for `minibatches`. Raises ValueError unless each part has a row; TypeError for another kind.

    >>> a, b = mg.data.split(np.arange(10), 0.8, rng=np.random.default_rng(0))
    >>> len(a), len(b), sorted([*a, *b]) == list(range(10))
    (8, 2, True)
    """
    rows = count_rows("split", arrays)
    if isinstance(fraction, (bool, np.bool)) or not isinstance(fraction, (int, float, np.integer, np.floating)):
        raise TypeError(f"split: fraction must be a number, not {brief(fraction)}")
    if not 1 <= rows * fraction < rows:
        raise ValueError(f"split: fraction must leave a row to each part, not {fraction} of {rows} rows")
    order = _generator("split", rng).permutation(rows)
    return taken(arrays, order[: int(rows * fraction)]), taken(arrays, order[int(rows * fraction) :])


def count_rows(name: str, arrays: Any) -> int:
    """The number of rows that all the arrays have."""
    named = _named(arrays)
    if not named:
        raise ValueError(f"{name}: arrays is empty")
    for what, array in named.items():
        if not isinstance(array, ndarray):
            hint = "; pass its .numpy()" if hasattr(array, "requires_grad") else ""
            raise TypeError(f"{name}: {what} must be an array, not {brief(array)}{hint}")
        if array.ndim == 0:
            raise ValueError(f"{name}: {what} has no rows: its shape is ()")
    lengths = {what: len(array) for what, array in named.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{what} has {length}" for what, length in lengths.items())
        raise ValueError(f"{name}: the arrays must have the same number of rows; {said}")
    return next(iter(lengths.values()))


def _named(arrays: Any) -> dict[str, Any]:
    """What messages call each of the arrays."""
    if isinstance(arrays, Mapping):
        return {f"arrays[{key!r}]": part for key, part in arrays.items()}
    if isinstance(arrays, (list, tuple)):
        return {f"arrays[{i}]": part for i, part in enumerate(arrays)}
    return {"arrays": arrays}


def _generator(name: str, rng: Any) -> Generator:
    if not isinstance(rng, Generator):
        raise TypeError(f"{name}: rng must be a numpy.random.Generator, not {brief(rng)}")
    return rng


def taken(arrays: Any, rows: ndarray) -> Any:
    """These rows of each array, in the same structure."""
    if isinstance(arrays, Mapping):
        return {key: array[rows] for key, array in arrays.items()}
    if isinstance(arrays, (list, tuple)):
        parts = [array[rows] for array in arrays]
        return type(arrays)(*parts) if hasattr(arrays, "_fields") else type(arrays)(parts)
    return arrays[rows]
