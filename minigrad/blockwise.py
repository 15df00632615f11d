"""Functions of large arrays, block by block: what they compute on the way stays in the cache.

Blocks lie along the axis that is outermost in memory, and threads take one after another (threads.py).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from .threads import blocks, get_num_threads, share

BLOCK = 2 * 1024 * 1024  # bytes of a block
LARGE = 2 * BLOCK  # bytes of an array from which threads save more than they cost
BEYOND_CACHE = 4 * BLOCK  # bytes of an array from which blocks save time in one thread, too
_SCALARS = (int, float, complex, np.generic, type(None))  # arguments that no block cuts
_FEWEST = 8  # entries along the axis, of which one is computed twice: first to learn the dtype of the result


# equivalent: any change because any blocks, and the whole, give the same
def blockwise(f: Callable, arguments: Sequence, parameters: Mapping[str, Any], core: int = 0, weight: float = 1) -> Any:
    """Return f(*arguments, **parameters), computed in blocks where that is faster.

    f must be elementwise; or, as a pool is along images and channels, along all axes but the last `core` ones, and
    then the arrays have these axes in common. Of Tensors, f is computed as a whole.
    weight: the size of what is worked on, as a multiple of the largest argument.
    """
    views, axis = _cuttable(arguments, core, weight) if _is_large(arguments, weight) else ([], 0)
    if not views:
        return f(*arguments, **parameters)
    leading = (slice(None),) * axis

    def pieces(part):
        return [v[(*leading, part)] if _is_array(v) else v for v in views]

    probe = pieces(slice(0, 1))
    first = f(*probe, **parameters)
    if type(first) is not ndarray or any(first is piece for piece in probe):  # as the VJP of a sum returns g
        return f(*arguments, **parameters)
    like, shape = max(arguments, key=_size), max(views, key=_size).shape
    if core == 0:
        result = np.empty_like(like, first.dtype)
        out = result.transpose(_memory_order(like)).reshape(shape)
    else:
        result = out = np.empty_like(
            like, first.dtype, shape=(*first.shape[:axis], shape[axis], *first.shape[axis + 1 :])
        )

    def work(part):
        if isinstance(f, np.ufunc):
            f(*pieces(part), out=out[part])
        else:
            out[(*leading, part)] = f(*pieces(part), **parameters)

    share(work, parts(shape[axis], int(like.nbytes * weight)))
    return result


# equivalent: any change because any blocks, and the whole, give the same
def filled(f: Callable, *arrays: ndarray, weight: float = 1, out: ndarray | None = None) -> ndarray:
    """Return an array like the first one, which f(out, *arrays) writes to: elementwise, in threads if it is large.

    weight: the size of what is worked on, as a multiple of the first array; out: the array to write to.
    """
    out = np.empty_like(arrays[0]) if out is None else out
    if out.nbytes * weight >= LARGE and get_num_threads() > 1:
        order = _memory_order(out)
        views = [a.transpose(order) for a in (out, *arrays) if a.shape == out.shape]
        if len(views) > len(arrays) and all(v.flags.c_contiguous for v in views):
            flat = [v.reshape(-1) for v in views]
            share(lambda part: f(*[v[part] for v in flat]), parts(out.size, int(out.nbytes * weight)))
            return out
    f(out, *arrays)
    return out


# equivalent: any change because any blocks give the same
def parts(n: int, nbytes: int) -> Sequence[slice]:
    """Blocks of range(n) for `share`, as many for each thread; one if the nbytes that they hold are few."""
    threads = get_num_threads()
    if nbytes < (LARGE if threads > 1 else BEYOND_CACHE):
        return [slice(0, n)]
    count = -(-nbytes // (BLOCK * threads)) * threads
    return blocks(n, -(-n // count))


# equivalent: any change because any blocks, and the whole, give the same
def _is_large(arguments, weight):
    """Whether one of the arguments is so large that threads save more than they cost."""
    for a in arguments:  # noqa: SIM110 (a generator takes longer)
        if type(a) is ndarray and a.nbytes * weight >= LARGE:
            return True
    return False


# equivalent: any change because any blocks, and the whole, give the same
def _cuttable(arguments, core, weight):
    """Views of the arguments that can be cut along an axis, and the axis; none if that saves nothing."""
    like = max(arguments, key=_size)
    if get_num_threads() == 1 and like.nbytes * weight < BEYOND_CACHE:
        return [], 0
    if not all(type(a) is ndarray or isinstance(a, _SCALARS) for a in arguments):
        return [], 0
    views, axis = (arguments, _memory_order(like[(..., *[0] * core)])[0]) if core else (_ordered(arguments, like), 0)
    return (views if views and max(views, key=_size).shape[axis] >= _FEWEST else []), axis


# equivalent: any change because any blocks, and the whole, give the same
def _ordered(arguments, like):
    """The arguments with the axes of `like` as they lie in memory, or all as one axis; none if they are larger.

    Also none if an array has negative strides: NumPy reverses a whole array, and then its last bits may differ.
    """
    arrays = [a for a in arguments if type(a) is ndarray]
    if _lies_backwards(arrays) or np.broadcast_shapes(*[a.shape for a in arrays]) != like.shape:
        return []
    order = _memory_order(like)
    return _flat([np.broadcast_to(a, like.shape).transpose(order) if _is_array(a) else a for a in arguments])


# equivalent: any change because any blocks give the same
def _flat(views):
    """The views with one axis, whose blocks may be of any size, or as they are if one is not contiguous."""
    if all(v.flags.c_contiguous for v in views if _is_array(v)):
        return [v.reshape(-1) if _is_array(v) else v for v in views]
    return views


def _lies_backwards(arrays):
    """Whether one of the arrays has an axis whose entries lie in reverse."""
    # equivalent: any factor; < -> <=; 0 -> any number because what repeats an entry may be computed as a whole, too
    return any(stride < 0 for a in arrays for stride in a.strides)


# equivalent: any change because a number that is stretched gives the same
def _is_array(a):
    return type(a) is ndarray and a.ndim > 0


# equivalent: any change because blocks along any axis, in any order, give the same
def _memory_order(a):
    """The axes of an array, outermost in memory first."""
    return sorted(range(a.ndim), key=lambda i: -(a.shape[i] > 1) * abs(a.strides[i]))


def _size(a):
    """The bytes of an array; of two with as many, one that is not stretched is larger."""
    # equivalent: -1 -> -2 because any number below that of an empty array does
    return (a.nbytes, 0 not in a.strides) if type(a) is ndarray else (-1, False)
