"""Products of matrices and tensors: matmul, tensordot, and what is made of them.

Both VJPs of a product are products again, so every order of derivative follows.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..operation import arraylike, op
from ..products import product
from ..stand_ins import implements
from ..summation import normalized_axis
from ..typing import Array, Shape
from .casting import in_dtype
from .complex_numbers import conj
from .shaping import moveaxis, ravel, reshape, transpose

__all__ = [
    "matmul", "dot", "vdot", "vecdot", "inner", "outer", "kron", "multi_dot", "matrix_power", "cross", "tensordot",
]  # fmt: skip


@implements(np.matmul, np.linalg.matmul)
@op(complex=True)
def matmul(x1: Array, x2: Array) -> Array:
    """Z = X1 @ X2, with NumPy's rules for batches and for operands of one axis.

    dJ = tr(G^T dZ) with dZ = dX1 X2 + X1 dX2, so dJ/dX1 = G X2^T and dJ/dX2 = X1^T G
    (derivation, section 3.1.1). An operand of one axis is a row (x1) or a column (x2).
    Raises ValueError unless the columns of x1 are as many as the rows of x2.

    >>> a, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    >>> mg.matmul(a, x)
    array([-1., -1.])
    >>> mg.grad(lambda x: mg.matmul(a, x).sum())(x)
    array([4., 6.])
    """
    if not np.ndim(x1) or not np.ndim(x2):
        raise ValueError(f"matmul: operands need at least one axis: x1 {np.shape(x1)}, x2 {np.shape(x2)}")
    rows = x2.shape[-2:][0]
    if x1.shape[-1] != rows:
        raise ValueError(f"matmul: x1 has {x1.shape[-1]} columns but x2 has {rows} rows (x1 {x1.shape}, x2 {x2.shape})")
    return product(x1, x2)


@matmul.vjp("x1")
def _(g, z, x1, x2):
    if x2.ndim == 1:
        return np.multiply(np.expand_dims(g, -1), x2)
    # equivalent: 2 -> 1; > -> >=; without and x2.ndim > 2 because the sweep drops the 1 there, too
    if x1.ndim == 1 and x2.ndim > 2:  # a row for each matrix of the batch: the sweep drops the 1
        g = np.expand_dims(g, -2)
    return _times(g, np.swapaxes(x2, -1, -2))


@matmul.vjp("x2")
def _(g, z, x1, x2):
    if x1.ndim == 1:
        return np.multiply(x1, g) if x2.ndim == 1 else np.multiply(x1[:, None], np.expand_dims(g, -2))
    if x2.ndim <= 2 < x1.ndim:  # one product over the whole batch, not a sum of products
        many = math.prod(x1.shape[:-1])  # -1 would not do for an empty batch
        x1, g = np.reshape(x1, (many, x1.shape[-1])), np.reshape(g, (many, *g.shape[x1.ndim - 1 :]))
    # equivalent: never; 1 -> 0 because X1^T G is the same
    if x2.ndim == 1:  # G^T X1 is a row, too
        return _times(g, x1)
    return _times(np.swapaxes(x1, -1, -2), g)


# equivalent: any change because np.matmul has the same product
def _times(a, b):
    """A @ B; where that is the product of a column and a row, BLAS takes longer than NumPy's own multiplication."""
    if type(a) is np.ndarray is type(b):
        return np.multiply(a, b) if a.shape[-1] == 1 else product(a, b)
    return np.matmul(a, b)


@implements(np.dot)
def dot(a: Array, b: Array) -> Array:
    """NumPy's dot: the product of a scalar, of vectors or matrices, or over a's last and b's last but one axis.

    >>> mg.grad(mg.dot)(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)
    return matmul(a, b) if np.ndim(b) <= 2 else tensordot(a, b, (-1, -2))


@implements(np.vdot)
def vdot(a: Array, b: Array) -> Array:
    """The scalar product of the flattened arrays, of a complex a its conjugate.

    >>> mg.grad(mg.vdot)(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[3., 4.]])
    """
    return matmul(ravel(conj(arraylike(a))), ravel(b))


@implements(np.vecdot, np.linalg.vecdot)
def vecdot(x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """The scalar product along one axis, broadcast over the others; of a complex x1 its conjugate.

    Raises ValueError if the axis differs in size.

    >>> mg.vecdot(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
    array([21., 43.])
    """
    x1, x2 = (x if axis == -1 else moveaxis(x, normalized_axis(axis, np.ndim(x), "vecdot"), -1) for x in (x1, x2))
    if not np.shape(x1)[-1:] == np.shape(x2)[-1:] != ():
        raise ValueError(f"vecdot: the axis must be of one size in both, not x1 {np.shape(x1)} and x2 {np.shape(x2)}")
    products = np.multiply(conj(arraylike(x1)), x2)
    return in_dtype(np.sum(products, axis=-1), products.dtype)


@implements(np.inner)
def inner(a: Array, b: Array) -> Array:
    """The sum of products over the last axis of both.

    >>> mg.inner(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 10.0]))
    array([21., 43.])
    """
    return np.multiply(a, b) if not np.ndim(a) or not np.ndim(b) else tensordot(a, b, (-1, -1))


@implements(np.outer)
def outer(a: Array, b: Array) -> Array:
    """Every product of an entry of a with an entry of b, both flattened.

    >>> mg.outer(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    return np.multiply(reshape(a, (-1, 1)), ravel(b))


@implements(np.linalg.outer)
def _outer(x1: Array, x2: Array) -> Array:
    """np.linalg.outer: of vectors alone."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"outer: x1 and x2 must be vectors, not {np.shape(x1)} and {np.shape(x2)}: see np.outer")
    return outer(x1, x2)


@implements(np.kron)
def kron(a: Array, b: Array) -> Array:
    """The Kronecker product: b once for each entry of a. The one of fewer axes gets more of size 1 in front.

    >>> mg.kron(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 1., 10.,  2., 20.])
    """
    many = max(np.ndim(a), np.ndim(b))
    a, b = (reshape(x, (1,) * (many - np.ndim(x)) + np.shape(x)) for x in (a, b))
    left = [size for n in a.shape for size in (n, 1)]
    right = [size for n in b.shape for size in (1, n)]
    # equivalent: a.shape, b.shape -> b.shape, a.shape because they are multiplied
    shape = tuple(m * n for m, n in zip(a.shape, b.shape, strict=True))
    return reshape(np.multiply(reshape(a, left), reshape(b, right)), shape)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Array]) -> Array:
    """The product of a chain of matrices, in the order of the fewest multiplications (vectors may stand at its ends).

    Raises ValueError unless there are two or more, and LinAlgError for one within that is no matrix.

    >>> a = np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> mg.multi_dot([a, a, a])
    array([[1., 3.],
           [0., 1.]])
    """
    if len(arrays) < 2:
        raise ValueError(f"multi_dot: a chain has at least two matrices, not {len(arrays)}")
    shapes = [np.shape(a) for a in arrays]
    for i, shape in enumerate(shapes):
        if len(shape) != 2 and not (len(shape) == 1 and i in (0, len(shapes) - 1)):
            raise np.linalg.LinAlgError(f"multi_dot: arrays[{i}] must be a matrix, not of shape {shape}")
    return _chained(arrays, (*(1, *shapes[0])[-2:], *[shape[1] for shape in shapes[1:-1]], (*shapes[-1], 1)[1]))


def _chained(arrays, sizes):
    """The product of matrices between whose numbers of rows, and of the last one's columns, the sizes stand."""
    if len(arrays) == 1:
        return arrays[0]
    _, i = _cheapest(sizes)
    return matmul(_chained(arrays[:i], sizes[: i + 1]), _chained(arrays[i:], sizes[i:]))


@functools.lru_cache(4096)
def _cheapest(sizes):
    """How many multiplications a chain of matrices takes, and how many stand to the left of the last product."""
    if len(sizes) < 3:
        return 0, 0  # equivalent: any change because all orders have as many of these
    ends = sizes[0] * sizes[-1]
    return min(
        (_cheapest(sizes[: i + 1])[0] + _cheapest(sizes[i:])[0] + ends * sizes[i], i) for i in range(1, len(sizes) - 1)
    )


@implements(np.linalg.matrix_power)
def matrix_power(a: Array, n: int) -> Array:
    """A multiplied by itself n times, by repeated squaring; of a negative n the power of the inverse.

    >>> mg.matrix_power(np.array([[1.0, 1.0], [0.0, 1.0]]), 5)
    array([[1., 5.],
           [0., 1.]])
    """
    if not hasattr(type(n), "__index__") or np.ndim(n):
        raise TypeError(f"matrix_power: n must be an int, not {n!r}")
    if np.ndim(a) < 2 or np.shape(a)[-1] != np.shape(a)[-2]:
        raise ValueError(f"matrix_power: a must be a square matrix, not {np.shape(a)}")
    a = arraylike(a)
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        # equivalent: -1 -> -2 because the matrix is square
        return np.where(False, a, np.eye(a.shape[-1], dtype=a.dtype))
    power = np.copy(a)
    for bit in f"{n:b}"[1:]:  # from the highest: each squares, and a 1 multiplies by A once more
        power = matmul(power, power)
        # equivalent: power, a -> a, power because powers of one matrix commute
        power = matmul(power, a) if bit == "1" else power
    return power


@implements(np.cross)
def cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """The vector product of vectors of size 3, or of 2 (the third entry being 0; of two such only the third is left).

    The vectors lie along axisa and axisb, and their products along axisc; `axis` stands for all three.

    >>> mg.cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    array([0., 0., 1.])
    """
    axisa, axisb, axisc = map(operator.index, (axisa, axisb, axisc) if axis is None else (axis, axis, axis))
    a, b = arraylike(moveaxis(a, axisa, -1)), arraylike(moveaxis(b, axisb, -1))
    sizes = a.shape[-1], b.shape[-1]
    if not {2, 3}.issuperset(sizes):
        raise ValueError(f"cross: the vectors must have size 2 or 3, not {sizes[0]} and {sizes[1]}")
    if sizes == (2, 2):
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (x if x.shape[-1] == 3 else np.concatenate([x, np.zeros((*x.shape[:-1], 1), x.dtype)], -1) for x in (a, b))
    return moveaxis(_cross_of_three(a, b), -1, axisc)


@op(name="cross", complex=True)
def _cross_of_three(a, b):
    """A x B along the last axis, which is linear in both: g . (dA x B) = dA . (B x g), and alike for B."""
    return np.cross(a, b)


@_cross_of_three.vjp("a")
def _(g, out, a, b):
    return _cross_of_three(b, g)


@_cross_of_three.vjp("b")
def _(g, out, a, b):
    return _cross_of_three(g, a)


@implements(np.linalg.cross)
def _cross(x1: Array, x2: Array, *, axis: int = -1) -> Array:
    """np.linalg.cross: of vectors of size 3 alone."""
    if 2 in (np.shape(x)[normalized_axis(axis, np.ndim(x), "cross")] for x in (x1, x2)):
        raise ValueError(f"cross: the vectors must have size 3, not x1 {np.shape(x1)} and x2 {np.shape(x2)}")
    return cross(x1, x2, axis=axis)


@implements(np.tensordot, np.linalg.tensordot)
def tensordot(a: Array, b: Array, axes: int | tuple[Shape, Shape] = 2) -> Array:
    """The sum of products over pairs of axes: the last `axes` of a with the first of b, or the axes named for each.

    Raises ValueError if two paired axes differ in size.

    >>> mg.tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    >>> mg.tensordot(np.ones((2, 3)), np.ones((4, 3)), ((1,), (1,))).shape
    (2, 4)
    """
    a, b = arraylike(a), arraylike(b)
    if not np.iterable(axes):
        axes = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    left, right = axes
    of_a, of_b = normalize_axis_tuple(left, a.ndim), normalize_axis_tuple(right, b.ndim)
    summed = [a.shape[x] for x in of_a]
    if summed != [b.shape[x] for x in of_b]:
        raise ValueError(f"tensordot: axes {of_a} of {a.shape} and {of_b} of {b.shape} differ in size")
    free_a = [x for x in range(a.ndim) if x not in of_a]
    free_b = [x for x in range(b.ndim) if x not in of_b]
    shape_a, shape_b = [a.shape[x] for x in free_a], [b.shape[x] for x in free_b]
    # without free axes it is a product of vectors, whose VJPs are faster
    # equivalent: without * bool(free_a) because a matrix of one row is only slower
    rows = _in_order(a, (*free_a, *of_a), (*[math.prod(shape_a)] * bool(free_a), math.prod(summed)))
    # equivalent: without * bool(free_b) because a matrix of one column is only slower
    columns = _in_order(b, (*of_b, *free_b), (math.prod(summed), *[math.prod(shape_b)] * bool(free_b)))
    z = matmul(rows, columns)
    return _in_order(z, range(z.ndim), (*shape_a, *shape_b))


# equivalent: any change because it is the same array then, too
def _in_order(x, axes, shape):
    """X with its axes in this order, in this shape."""
    x = x if (*axes,) == (*range(x.ndim),) else transpose(x, axes)
    return x if x.shape == shape else reshape(x, shape)
