"""einsum: sums of products by Einstein's notation.

Its VJP is such a sum, too, so every order of derivative follows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..operation import arraylike, op
from ..products import product
from ..stand_ins import implements
from ..summation import blocked_sum
from ..typing import Array, DType
from .casting import astype, narrowed

__all__ = ["einsum"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # as string.ascii_letters, without the import
_LARGE = 2**16  # entries from which on the products of two arrays are summed by matmul where that is possible


@op(name="einsum", complex=True)
def _einsum(*arrays, inputs, output):
    """The sum of products that the subscripts name; see `einsum`."""
    inputs, terms = [*inputs], [np.asarray(a) for a in arrays]
    half = [a.dtype.char == "e" for a in terms]
    terms = [a.astype(np.float32) if is_half else a for a, is_half in zip(terms, half, strict=True)]
    terms = _with_wide_integers(terms)
    for i, letters in enumerate(inputs):
        terms[i], inputs[i] = _summed_alone(terms[i], letters, output + "".join(inputs[:i] + inputs[i + 1 :]))
    # equivalent: any change because what has no order NumPy sums, slower
    order = _order(terms, inputs, output) if len(terms) == 2 else None
    if order is not None:
        out = _product(terms, inputs, order, output)
    else:
        # equivalent: any change because either way gives the same sums
        optimize = len(terms) > 2 or any(a.size > _LARGE for a in terms)
        out = np.einsum(",".join(inputs) + "->" + output, *terms, optimize=optimize)
    return narrowed(out, *arrays) if any(half) else out


def _with_wide_integers(terms):
    """The terms with integers cast before anything is summed, as NumPy does."""
    if not any(a.dtype.kind in "biu" for a in terms):
        return terms
    dtype = np.result_type(*terms)
    return [a.astype(dtype, copy=False) if a.dtype.kind in "biu" else a for a in terms]


@_einsum.vjp("arrays")
def _(i, g, out, *arrays, inputs, output):
    """The sum is linear in array i, so its VJP is a sum of products too: g and the other arrays, to i's subscripts.

    An index that only array i has, or has alone at its full size, was summed over: a factor of ones
    broadcasts g along it. An index that stands twice in array i picks a diagonal: the second gets a
    letter of its own, and a factor eye(n) puts g on the diagonal.
    """
    factors, subscripts, target = [g], [output], ""
    for j, array in enumerate(arrays):
        if j != i:
            factors.append(array)
            subscripts.append(inputs[j])
    used = "".join(inputs)
    unused = (letter for letter in _LETTERS if letter not in used)
    for letter, size in zip(inputs[i], arrays[i].shape, strict=True):
        if letter in target:
            twin = next(unused)
            factors.append(np.eye(size, dtype=g.dtype))
            subscripts.append(letter + twin)
            letter = twin
        elif not any(
            letter in s and f.shape[s.index(letter)] == size for s, f in zip(subscripts, factors, strict=True)
        ):
            factors.append(np.ones(size, g.dtype))
            subscripts.append(letter)
        target += letter
    return _einsum(*factors, inputs=tuple(subscripts), output=target)


# equivalent: any change because what it leaves out NumPy sums, slower
def _order(terms, inputs, output):
    """(batch, rows, summed, columns): the letters of a sum that is one stack of matrix products, else None."""
    (a, b), (of_a, of_b) = terms, inputs
    sizes = dict(zip(of_a, a.shape, strict=True))
    rows, columns = _without(of_a, of_b), _without(of_b, of_a)
    batch = _without(of_a, [*rows, *_without(of_a, output)])
    summed = _without(of_a, rows + batch)
    stretched = any(sizes.get(c, n) != n for c, n in zip(of_b, b.shape, strict=True))
    integers = {a.dtype.kind, b.dtype.kind}.isdisjoint("fc")  # for which matmul has no BLAS
    if stretched or integers or not (rows and summed and columns) or {*output} != {*batch, *rows, *columns}:
        return None
    return batch, rows, summed, columns


def _without(letters, others):
    return [c for c in letters if c not in others]


def _product(terms, inputs, order, output):
    """The sum as matrices (*batch, rows, summed) @ (*batch, summed, columns)."""
    (a, b), (of_a, of_b), (batch, rows, summed, columns) = terms, inputs, order
    sizes = dict(zip(of_a + of_b, a.shape + b.shape, strict=True))
    shape = [sizes[c] for c in batch]
    m, k, n = (math.prod(sizes[c] for c in letters) for letters in (rows, summed, columns))
    a = a.transpose([of_a.index(c) for c in batch + rows + summed]).reshape(*shape, m, k)
    b = b.transpose([of_b.index(c) for c in batch + summed + columns]).reshape(*shape, k, n)
    named = batch + rows + columns
    return product(a, b).reshape([sizes[c] for c in named]).transpose([named.index(c) for c in output])


def _summed_alone(array, letters, others):
    """Take the diagonal of letters that stand twice, and sum the axes whose letter no one else has, precisely.

    Return the array and its letters, for NumPy's own loop adds one product after another.
    """
    once = "".join(dict.fromkeys(letters))
    # equivalent: < -> <= because the diagonal of no letters is the array
    if len(once) < len(letters):
        array, letters = np.einsum(f"{letters}->{once}", array), once
    alone = tuple(i for i, letter in enumerate(letters) if letter not in others)
    # equivalent: never because a sum over no axes is the array
    if not alone:
        return array, letters
    summed = blocked_sum(array, alone, dtype=array.dtype)  # integers wrap around, as in NumPy's loop
    return summed, "".join(letter for letter in letters if letter in others)


@implements(np.einsum)
def einsum(
    subscripts: Any, *operands: Array, dtype: DType = None, casting: Any = "safe", optimize: Any = False
) -> Array:
    """Einstein's summation: `einsum("ij,jk->ik", a, b)`; with "...", implicit outputs and repeated indices.

    Lists of numbers will do for letters: `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    Raises TypeError unless the subscripts are a string and `casting` allows the cast, ValueError if they don't fit the
    operands.
    The operands are cast to `dtype` first. `optimize` is taken for compatibility: more than two operands are always
    ordered well.

    >>> a = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> mg.einsum("ij,ij->i", a, a)
    array([ 5., 25.])
    >>> mg.grad(lambda a: mg.einsum("ii->", a))(a)
    array([[1., 0.],
           [0., 1.]])
    """
    if not isinstance(subscripts, str) and operands and isinstance(operands[0], (list, tuple)):
        subscripts, operands = _as_letters(subscripts, *operands)
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts must be a string such as 'ij,jk->ik', not {type(subscripts).__name__}")
    if not isinstance(optimize, bool):
        _check_optimize(optimize, subscripts, operands)
    operands = _in_dtype(operands, dtype, casting)
    inputs, output = _named(subscripts, operands)
    return _einsum(*operands, inputs=inputs, output=output)


def _named(subscripts, operands):
    """The letters of each input and of the output, with letters for "..."."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(operands):
        raise ValueError(f"einsum: {subscripts!r} names {len(inputs)} operands, but {len(operands)} are given")
    unused = "".join(letter for letter in _LETTERS if letter not in subscripts)
    extra = _axes_of_ellipses(subscripts, inputs, operands)
    letters = unused[: max(extra)]
    if not arrow:
        output = _implicit_output("".join(inputs))
    elif letters and "..." not in output:
        raise ValueError(f"einsum: {subscripts!r} has axes of '...' that its output leaves out: write '...' there, too")
    named = tuple(s.replace("...", letters[len(letters) - n :]) for s, n in zip(inputs, extra, strict=True))
    return named, output.replace("...", letters)


def _check_optimize(optimize, subscripts, operands):
    if not isinstance(optimize, (str, list, tuple)):
        raise TypeError(f"einsum: optimize must be a bool, 'greedy', 'optimal' or a path, not {optimize!r}")
    np.einsum_path(subscripts, *operands, optimize=optimize)  # which names what is wrong with it


def _in_dtype(operands, dtype, casting):
    """The operands in this dtype, or in their common dtype. Raises TypeError for a cast that is not allowed."""
    # equivalent: never because operands of several dtypes are multiplied in that of them all
    if dtype is None and casting == "safe":
        return operands
    operands = [*map(arraylike, operands)]
    dtype = np.result_type(*[a.dtype for a in operands]) if dtype is None else np.dtype(dtype)
    for a in operands:
        if not np.can_cast(a.dtype, dtype, casting):
            raise TypeError(f"einsum: a cast of {a.dtype} to {dtype} is not {casting!r}")
    return [astype(a, dtype) for a in operands]


def _as_letters(*given):
    """The subscripts as a string, and the operands, of a call that has lists of numbers for letters."""
    lists = [*given[1::2], *([given[-1]] if len(given) % 2 else [])]
    if not all(isinstance(numbers, (list, tuple)) for numbers in lists):
        raise TypeError("einsum: each operand must be followed by a list of the numbers of its axes")
    names = ["".join("..." if i is ... else _LETTERS[i] for i in numbers) for numbers in lists]
    inputs = len(given) // 2
    return ",".join(names[:inputs]) + "".join(f"->{output}" for output in names[inputs:]), given[0 : 2 * inputs : 2]


def _axes_of_ellipses(subscripts, inputs, operands):
    """How many axes "..." stands for in each operand."""
    extra = [_axes_of_ellipsis(s, np.ndim(a)) for s, a in zip(inputs, operands, strict=True)]
    if min(extra) < 0:
        raise ValueError(f"einsum: {subscripts!r} does not fit operands of shape {[np.shape(a) for a in operands]}")
    return extra


def _axes_of_ellipsis(letters, ndim):
    """How many axes "..." stands for; negative where the letters don't fit so many axes."""
    if "..." in letters:
        return ndim - len(letters) + 3
    return -abs(ndim - len(letters))


def _implicit_output(letters):
    """The axes of "...", and then in alphabetical order the letters that stand once."""
    return "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
