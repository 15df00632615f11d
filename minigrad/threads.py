"""Threads: one pool, and the rule by which large work is split for it.

The calling thread and the pool's workers take the parts of a task one after another, whoever is free. So a worker that
is late, busy for another caller, or was never started costs time and nothing else: the caller does its parts.
Where the parts lie depends on shapes and on the number of threads, never on who is free: the results are the same bits.
"""

import contextvars
import ctypes
import math
import os
import sys
from _thread import RLock, allocate_lock, start_new_thread
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .errors import brief

FEWEST_PRODUCTS = 22_000_000  # multiplications of matrices above which threads save more than they cost
ONE_THREAD = 262_144  # of two matrices, which OpenBLAS does in one thread
_BUDGETS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
_RANKS = ("OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_SIZE")  # set by launchers


def set_num_threads(n: int) -> None:
    """Let minigrad work on large arrays in n threads, the calling one included; 1 starts no others.

    By default they are as many as OPENBLAS_NUM_THREADS, MKL_NUM_THREADS or OMP_NUM_THREADS says, or else as the cores
    that the process may use (affinity, and the limits of its cgroup). Processes that others were started beside, which
    are ranks of MPI and children of multiprocessing, and forked ones, have one thread unless they call this.
    For one n results are the same bits each time; for different n they agree to rounding. Matrix products use no other
    threads. Decompositions, NumPy's own products, and a BLAS other than OpenBLAS do: OPENBLAS_NUM_THREADS or
    threadpoolctl limits them.

    Raises TypeError unless n is an int, ValueError if it is below 1.

    >>> before = mg.get_num_threads()
    >>> mg.set_num_threads(2)
    >>> mg.get_num_threads()
    2
    >>> mg.set_num_threads(before)
    """
    global _pool
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"set_num_threads: n must be an int, not {brief(n)}")
    if n < 1:
        raise ValueError(f"set_num_threads: n must be at least 1, not {n}")
    before, _pool = _pool, _Pool(int(n))
    if before:
        before.close()


def get_num_threads() -> int:
    """Return in how many threads minigrad works on large arrays: see `set_num_threads`.

    >>> mg.get_num_threads() >= 1
    True
    """
    return _current().size


def share(work: Callable[[Any], Any], parts: Sequence[Any], products: float = 0) -> list[Any]:
    """Return [work(part) for part in parts], of parts that may be worked on at the same time.

    products: how many multiplications of matrix products the parts make, if any: few are left to the calling thread.
        BLAS uses one thread for each product until all are finished, also for a single part: its own threads spin for
        a while after a product, on the cores that the next parts need. Of a BLAS that can't be told so the calling
        thread does all parts.
    An error is raised once no thread works on a part any more, so that what they write to can be released.
    """
    pool = _pool or _current()  # equivalent: without _pool or because it only saves a call
    # equivalent: any change because threads compute the same
    alone = products and (products <= FEWEST_PRODUCTS or not _blas.set)
    others = 0 if alone else min(pool.size, len(parts)) - 1
    # equivalent: any change because threads compute the same
    if others < 1 and not (products > ONE_THREAD and _blas.has_threads()):
        return [work(part) for part in parts]
    task = _Task(work, parts)
    places = [*map(_Place, [task] * others)]
    error = _run(task, places, pool, bool(products))
    if error or task.errors:
        raise error or task.errors[0]
    return task.results


def _run(task, places, pool, products):
    """Work on the task together with the pool, and return when all have stopped: an error of this thread, or None."""
    error = None
    while True:  # again after Ctrl-C, wherever it interrupts
        try:
            if error is None:
                if products:
                    _blas.limit(task)
                if places:
                    pool.offer(places)
                task.run()
            task.left.clear()
            for place in places:
                place.wait()
            _blas.release(task)
            return error
        except BaseException as raised:
            error = raised


class _Task:
    """The parts of a call of `share`: those that are left, last first, and what the others gave."""

    def __init__(self, work: Callable, parts: Sequence):
        self.work, self.parts, self.results = work, parts, [None] * len(parts)
        self.left = list(range(len(parts) - 1, -1, -1))
        self.errors: list[BaseException] = []

    def run(self) -> None:
        """Work on one part after another, until none is left."""
        while self.left:
            try:
                i = self.left.pop()
            except IndexError:  # another thread was faster
                return
            self.results[i] = self.work(self.parts[i])


class _Place:
    """A place in a task for one worker: its, or closed by the caller, whoever is first."""

    def __init__(self, task: _Task):
        self.task: Any = task
        self.context = contextvars.copy_context()  # with np.errstate
        self.taken: dict[str, str] = {}
        self.finished, self.ended = False, allocate_lock()
        self.ended.acquire()

    def run(self) -> None:
        """In a worker: help with the task."""
        if self.taken.setdefault("by", "worker") != "worker":
            return
        try:
            self.context.run(self.task.run)
        except BaseException as error:
            self.task.errors.append(error)
            self.task.left.clear()
        finally:
            self.finished = True
            self.ended.release()

    def wait(self) -> None:
        """In the caller: return when no worker is in this place, nor will be."""
        if self.taken.setdefault("by", "caller") != "caller":
            while not self.finished:
                # equivalent: any change because it only waits
                self.ended.acquire()
        self.task = None


class _Pool:
    """Workers that wait for places. They start when the first places are offered."""

    def __init__(self, size: int):
        self.size, self.workers = size, 0
        from queue import SimpleQueue  # which loads threading: a small program has no pool

        self.places: Any = SimpleQueue()
        self.starting = RLock()

    def offer(self, places: list[_Place]) -> None:
        """Let workers take the places."""
        # equivalent: any change because whether to start is asked again
        if self.workers < self.size - 1:
            self._start()
        for place in places:
            self.places.put(place)

    def _start(self):
        with self.starting:
            while self.workers < self.size - 1:
                try:  # a daemon, by the one way that waits for nothing: the handler of a signal may interrupt here
                    start_new_thread(_wait_for_places, (self.places,))
                except RuntimeError:  # no more threads may start: callers do the parts
                    return
                self.workers += 1

    def close(self) -> None:
        """Let the workers end, each after the place that it is in."""
        for _ in range(self.workers):
            self.places.put(None)


def _wait_for_places(places: Any) -> None:
    while place := places.get():
        place.run()
        del place  # what it refers to can be released


class _OpenBLAS:
    """The number of threads of NumPy's OpenBLAS, which is set to 1 while parts multiply matrices."""

    def __init__(self):
        self.get: Any = None
        self.set: Any = None
        self.tasks: set[_Task] = set()
        # equivalent: 0 -> any number because it is set before it is read
        self.before, self.changing = 0, RLock()
        try:  # the symbols of NumPy's own library, or of one that it was linked with; calls of a PyDLL keep the GIL
            library = ctypes.PyDLL(sys.modules["numpy._core._multiarray_umath"].__file__)
        except (KeyError, OSError):
            return
        for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
            if hasattr(library, name.format("set")):
                self.get, self.set = (getattr(library, name.format(verb)) for verb in ("get", "set"))

    def has_threads(self) -> bool:
        """Whether a product may use several: now, or once the tasks that work are released."""
        return bool(self.set and (self.tasks or self.get() != 1))

    def limit(self, task: _Task) -> None:
        """Use one thread until the task is released."""
        if self.set:
            with self.changing:
                first = not self.tasks
                self.tasks.add(task)
                if first:
                    self.before = self.get()
                    self.set(1)

    def release(self, task: _Task) -> None:
        """Use as many threads as before, once no task is left."""
        if task in self.tasks:
            with self.changing:
                if self.tasks == {task}:
                    self.set(self.before)
                self.tasks.discard(task)  # last, so that an interruption before it repeats this

    def forked(self) -> None:
        """In a forked child: no task is left."""
        limited, self.tasks, self.changing = self.tasks, set(), RLock()
        if limited:
            self.set(self.before)


_pool: _Pool | None = None
_blas = _OpenBLAS()


def _current() -> _Pool:
    global _pool
    if _pool is None:
        _pool = _Pool(_default())
    return _pool


def _default():
    """How many threads to use, unless `set_num_threads` says."""
    for name in _BUDGETS:
        said = os.environ.get(name, "").split(",")[0]  # OpenMP takes a list, for each level of nesting
        if said.isdecimal():
            return max(1, int(said))
    process: Any = sys.modules.get("multiprocessing.process")
    if any(name in os.environ for name in _RANKS) or (process and process.parent_process()):
        return 1
    return math.ceil(min(_cores(), _quota()))


def _cores():
    """The cores that the process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root="/sys/fs/cgroup", memberships="/proc/self/cgroup"):
    """How many cores' time the process may use: the least that its cgroup, or one around it, grants."""
    granted = math.inf
    for _, controllers, path in (line.strip().split(":", 2) for line in _lines(memberships)):
        if not controllers:  # version 2
            folder, files = root + path, ["cpu.max"]
        elif "cpu" in controllers.split(","):
            folder, files = f"{root}/{controllers}{path}", ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        while folder.startswith(root):
            quota, *period = " ".join(line for file in files for line in _lines(f"{folder}/{file}")).split() or ["max"]
            if quota.isdecimal() and period:
                granted = min(granted, int(quota) / int(period[0]))
            folder = os.path.dirname(folder)
    return granted


def _lines(file):
    """The lines of a file; none where it can't be read."""
    try:
        with open(file, encoding="utf-8") as text:
            return text.readlines()
    except OSError:
        return []


@lru_cache
def blocks(size, most, multiple=1):
    """Slices that cover range(size): as few as have at most `most` entries, made equal and rounded up to a multiple."""
    if size == 0:
        return ()
    count = math.ceil(size / max(most, 1))
    length = math.ceil(size / count / multiple) * multiple
    return tuple(slice(start, min(start + length, size)) for start in range(0, size, length))


def _forked():
    """A child has none of its parent's threads, and perhaps locks that one of them holds."""
    global _pool
    _pool = _Pool(1)
    _blas.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
