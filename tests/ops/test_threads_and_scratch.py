"""How the kernels share work out over threads, and the memory that they borrow."""

import os
import threading
from unittest.mock import patch

import numpy as np
import pytest

from minigrad.ops.kernels import scratch, set_threads, threads


@pytest.fixture(autouse=True)
def one_thread_and_no_scratch():
    yield
    set_threads(1)
    scratch.release_scratch()


@pytest.mark.parametrize(
    ("rows", "count", "expected"),
    [
        (64, 2, [(0, 32), (32, 64)]),
        (15, 3, [(0, 5), (5, 10), (10, 15)]),
        (7, 3, [(0, 3), (3, 6), (6, 7)]),
        (2, 4, [(0, 1), (1, 2)]),
        (0, 2, [(0, 0)]),
    ],
)
def test_rows_are_shared_out_evenly(rows, count, expected):
    set_threads(count)
    with patch.object(threads, "FEWEST_PRODUCTS", 0):
        assert threads.share(lambda part: (part.start, part.stop), rows, 1) == expected


def test_only_large_convolutions_are_shared_out():
    set_threads(3)
    here = [threading.get_ident()]
    assert threads.share(lambda part: threading.get_ident(), 64, threads.FEWEST_PRODUCTS) == here
    assert len(set(threads.share(lambda part: threading.get_ident(), 64, threads.FEWEST_PRODUCTS + 1))) > 1


def test_the_pool_lacks_the_calling_thread_and_is_kept():
    set_threads(3)
    count, pool = threads._ready()
    assert (count, pool._max_workers) == (3, 2)
    assert threads._ready() == (3, pool)
    set_threads(2)
    assert threads._ready()[1]._max_workers == 1
    with pytest.raises(RuntimeError):
        pool.submit(print)  # it has ended


def test_a_child_starts_without_threads(monkeypatch):
    set_threads(3)
    _, pool = threads._ready()
    for name in ("_lock", "_count", "_pool"):
        monkeypatch.setattr(threads, name, getattr(threads, name))
    with threads._lock:  # as another thread of the parent may have
        threads._forked()
        assert threads._ready() == (1, None)
    pool.shutdown()


def test_as_many_threads_as_the_environment_grants(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", {0: {3, 4, 5}}.get, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "many")
    assert threads._default() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert threads._default() == 2
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "0")
    assert threads._default() == 1
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name)
    monkeypatch.delattr(os, "sched_getaffinity")
    assert threads._default() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads._default() == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scratch_begins_at_a_line_of_the_cache_and_is_as_large_as_asked(dtype):
    dtype, held = np.dtype(dtype), []
    for n in range(1, 60):  # what NumPy allocates begins at multiples of 16 bytes
        with scratch.Scratch() as take:
            a, b = take("a", (n, 3), dtype), take("b", (n,), dtype)
            assert a.shape == (n, 3)
            assert a.ctypes.data % 64 == b.ctypes.data % 64 == 0
            assert not np.shares_memory(a, b)
            a[...], b[...] = 1, 2
            assert a.sum() == 3 * n
        held.append(np.empty(n + 1, np.uint8))
        held.append(scratch._kept.free)
        scratch.release_scratch()


def test_as_much_scratch_as_the_limit_is_kept():
    scratch.release_scratch()
    for limit, kept in ((800, True), (799, False)):
        with patch.object(scratch, "LIMIT", limit), scratch.Scratch() as take:
            take("a", (60,), np.dtype(float))
            take("b", (40,), np.dtype(float))
        assert bool(scratch._kept.free) == kept
        assert scratch._kept.nbytes == 800 * kept
        scratch.release_scratch()


def test_scratch_within_scratch_is_kept_too():
    for limit, kept in ((800, 2), (799, 1)):
        scratch.release_scratch()
        lent = []
        for _ in range(2):
            with patch.object(scratch, "LIMIT", limit), scratch.Scratch() as outer:
                lent.append(outer("a", (60,), np.dtype(float)))
                with scratch.Scratch() as inner:
                    lent.append(inner("a", (40,), np.dtype(float)))
        assert len(scratch._kept.free) == kept
        assert scratch._kept.nbytes == {2: 800, 1: 480}[kept]
        assert np.shares_memory(lent[0], lent[2])
        assert np.shares_memory(lent[1], lent[3]) == (kept == 2)


def test_a_thread_begins_without_scratch():
    counted = []
    thread = threading.Thread(target=lambda: counted.append((scratch._kept.nbytes, scratch._kept.free)))
    thread.start()
    thread.join()
    assert counted == [(0, [])]


def test_the_same_size_is_lent_again():
    with scratch.Scratch() as take:
        before = take("a", (8,), np.dtype(float))
        assert np.shares_memory(before, take("a", (4, 2), np.dtype(float)))
    with scratch.Scratch() as take:
        assert np.shares_memory(before, take("a", (8,), np.dtype(float)))
        assert not np.shares_memory(before, take("a", (9,), np.dtype(float)))
