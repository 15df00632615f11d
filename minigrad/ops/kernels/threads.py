"""Threads: the rows of a large convolution shared out over the cores.

Each part is as many small products as OpenBLAS multiplies in the thread that asks, so its own threads
stay asleep and nothing oversubscribes. Below `FEWEST_PRODUCTS` a thread costs more than it saves; it does
so as well where the cores have other work, and so threads are off until `set_threads` asks for them.
"""

import contextvars
import os
import threading
from collections.abc import Callable
from typing import Any

from .blas import blocks

FEWEST_PRODUCTS = 25_000_000  # multiplications in a kernel, about a millisecond of them

_state: tuple[int, Any] = (1, None)  # the number of threads, and the pool of all but the calling one
_sharing = threading.local()  # whether this thread is inside of `share`: then a signal's handler does its work alone


def _default():
    """As many as the environment grants to OpenBLAS, or as there are cores for this process."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdecimal():
            return max(1, int(os.environ[name]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count=None):
    """Let the kernels use `count` threads, this one included: 1 for no others, None for as many as there are cores.

    OPENBLAS_NUM_THREADS or OMP_NUM_THREADS, where set, stands for the number of cores.

    Raises ValueError unless count is a positive int or None.
    """
    global _state
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise ValueError(f"set_threads: count must be a positive int or None, not {count!r}")
    count, pool = count or _default(), None
    if count > 1:
        from concurrent.futures import ThreadPoolExecutor  # slow to import, and never inside of a kernel

        pool = ThreadPoolExecutor(count - 1, "minigrad")
    _state = count, pool  # a pool that another thread still uses ends with its last use


def share(work: Callable[[slice], Any], rows: int, products: int) -> list[Any]:
    """Return [work(slice), ...] of slices that cover range(rows): in threads if there are products enough."""
    if products <= FEWEST_PRODUCTS or getattr(_sharing, "on", False):
        return [work(slice(0, rows))]
    _sharing.on = True
    try:
        return _shared(work, rows)
    finally:
        _sharing.on = False


def _shared(work: Callable[[slice], Any], rows: int) -> list[Any]:
    count, pool = _state
    first, *others = blocks(rows, -(-rows // count)) or (slice(0, 0),)
    futures = [pool.submit(contextvars.copy_context().run, work, part) for part in others]  # with np.errstate
    try:
        return [work(first), *(future.result() for future in futures)]
    finally:  # whoever catches an error may release what the threads write to
        for future in futures:
            future.exception()


def _forked():
    """A child has none of its parent's threads, and perhaps a lock that one of them holds."""
    global _state, _sharing
    _state, _sharing = (1, None), threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
