"""Threads: the rows of a large convolution shared out over the cores.

Each part is as many small products as OpenBLAS multiplies in the thread that asks, so its own threads
stay asleep and nothing oversubscribes. Below `FEWEST_PRODUCTS` a thread costs more than it saves; it does
so as well where the cores have other work, and so threads are off until `set_threads` asks for them.
"""

import contextvars
import os
import threading
from typing import Any

from .blas import blocks

FEWEST_PRODUCTS = 25_000_000  # multiplications in a kernel, about a millisecond of them

_lock = threading.Lock()
_count: int | None = 1  # of threads; None: as many as the environment grants
_pool: Any = None


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
    global _count, _pool
    if count is not None and (not isinstance(count, int) or count < 1):
        raise ValueError(f"set_threads: count must be a positive int or None, not {count!r}")
    with _lock:
        old, _pool, _count = _pool, None, count
    if old is not None:
        old.shutdown()


def _ready():
    """The number of threads, and the pool of all but the calling one."""
    global _count, _pool
    with _lock:
        if _count is None:
            _count = _default()
        if _pool is None and _count > 1:
            from concurrent.futures import ThreadPoolExecutor  # only where it is used: importing it takes 5 ms

            _pool = ThreadPoolExecutor(_count - 1, "minigrad")
        return _count, _pool


def share(work, rows, products):
    """Return [work(slice), ...] of slices that cover range(rows): in threads if there are products enough."""
    if products <= FEWEST_PRODUCTS:
        return [work(slice(0, rows))]
    count, pool = _ready()
    first, *others = blocks(rows, -(-rows // count)) or (slice(0, 0),)
    futures = [pool.submit(contextvars.copy_context().run, work, part) for part in others]  # with np.errstate
    try:
        return [work(first), *(future.result() for future in futures)]
    finally:  # whoever catches an error may release what the threads write to
        for future in futures:
            future.exception()


def _forked():
    """A child has none of its parent's threads, and perhaps a lock that one of them holds."""
    global _lock, _count, _pool
    _lock, _count, _pool = threading.Lock(), 1, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
