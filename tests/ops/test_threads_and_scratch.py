"""How the kernels share work out over threads, and the memory that they borrow."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad.ops.kernels import release_scratch, scratch, set_threads, threads


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
    count, pool = threads._state
    assert (count, pool._max_workers) == (3, 2)
    assert threads._state == (3, pool)
    set_threads(2)
    assert threads._state[1]._max_workers == 1
    assert pool.submit(lambda: 3).result() == 3  # another thread may still be using it


def test_the_pool_changes_while_others_compute():
    x, k, errors = np.ones((8, 16, 40, 40)), np.ones((16, 16, 3, 3)), []
    set_threads(2)
    expected = mg.conv2d(x, k)

    def convolve():
        try:
            for _ in range(2):
                assert np.array_equal(mg.conv2d(x, k), expected)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=convolve) for _ in range(4)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        set_threads(3)
        set_threads(2)
    assert errors == []


def test_a_handler_that_shares_while_its_thread_does_works_alone():
    set_threads(2)
    here = threading.get_ident()

    def work(part):
        return threads.share(lambda part: threading.get_ident(), 64, 10**9) if threading.get_ident() == here else [0]

    assert [here] in threads.share(work, 64, 10**9)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_forked_during_the_first_convolution_of_a_thread_convolves():
    code = """if True:
        import os, sys, threading, time, numpy as np, minigrad as mg
        from minigrad.ops.kernels import set_threads
        set_threads(2)
        x, k = np.ones((8, 16, 40, 40)), np.ones((16, 16, 3, 3))
        started = threading.Thread(target=lambda: [mg.conv2d(x, k) for _ in range(20)])
        started.start()
        children = []
        for i in range(12):
            time.sleep(0.0005 * i)
            child = os.fork()
            if child == 0:
                mg.conv2d(x, k)
                os._exit(0)
            children.append(child)
        codes = [os.waitpid(child, 0)[1] for child in children]
        started.join()
        sys.exit(any(codes))
    """
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    # a fork in the middle of one of OpenBLAS's own threaded products hangs without minigrad, too
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    assert subprocess.run(command, timeout=300, env=environment).returncode == 0


def test_a_child_starts_without_threads(monkeypatch):
    set_threads(3)
    _, pool = threads._state
    monkeypatch.setattr(threads, "_state", threads._state)
    monkeypatch.setattr(threads, "_sharing", threads._sharing)
    threads._forked()
    assert threads._state == (1, None)
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


def kept_buffers():
    """(id, bytes) of each."""
    return {(id(buffer), buffer.nbytes) for buffers in scratch._kept.free for buffer in buffers.values()}


def test_scratch_is_kept_and_released():
    release_scratch()
    x, k = np.ones((16, 2, 8, 8)), np.ones((3, 2, 3, 3))
    mg.conv2d(x, k, padding=1)
    before = kept_buffers()
    mg.conv2d(x, k, padding=1)
    assert before
    assert before == kept_buffers()
    assert scratch._kept.nbytes == sum(nbytes for _, nbytes in before)
    release_scratch()
    assert not kept_buffers()
    assert scratch._kept.nbytes == 0


def test_scratch_is_bounded():
    release_scratch()
    with patch.object(scratch, "LIMIT", 1000):
        mg.conv2d(np.ones((16, 2, 8, 8)), np.ones((3, 2, 3, 3)), padding=1)
    assert not kept_buffers()
    assert scratch._kept.nbytes == 0


def test_scratch_survives_an_interruption():
    with scratch.Scratch() as outer:
        mine = outer("windows", (4,), np.dtype(float))
        mine[...] = 1
        with scratch.Scratch() as inner:
            inner("windows", (4,), np.dtype(float))[...] = 2
        assert_array_equal(mine, 1)


def test_threads_have_scratch_of_their_own():
    rng = np.random.default_rng(0)
    inputs = [(rng.normal(size=(16, 3, 12, 12)), rng.normal(size=(4, 3, 3, 3))) for _ in range(4)]
    expected = [mg.conv2d(x, k, padding=1) for x, k in inputs]
    wrong = []

    def work(i):
        for _ in range(50):
            if not np.array_equal(mg.conv2d(*inputs[i], padding=1), expected[i]):
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


@pytest.fixture
def three_threads():
    """Share out every convolution, however small."""
    set_threads(3)
    with patch.object(threads, "FEWEST_PRODUCTS", 0):
        yield
    set_threads(1)


def test_an_error_in_a_thread_is_raised_after_all_have_stopped(three_threads):
    finished = []

    def work(part):
        if part.start == 0:
            raise ZeroDivisionError
        time.sleep(0.05)
        finished.append(part)

    with pytest.raises(ZeroDivisionError):
        threads.share(work, 3, 1)
    assert len(finished) == 2


def test_threads_compute_under_the_callers_errstate(three_threads):
    def work(part):
        return np.geterr()["over"]

    with np.errstate(over="raise"):
        assert threads.share(work, 3, 1) == ["raise"] * 3


def test_small_convolutions_stay_in_the_calling_thread():
    set_threads(3)
    assert threads.share(lambda part: threading.get_ident(), 64, 1000) == [threading.get_ident()]
    set_threads(1)


def test_the_environment_bounds_the_threads(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    set_threads(None)
    assert threads._state[0] == 3
    set_threads(1)
    assert threads._state == (1, None)


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_a_wrong_number_of_threads_is_refused(count):
    with pytest.raises(ValueError, match="positive int"):
        set_threads(count)


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="there is no fork here")
def test_a_forked_child_computes_in_one_thread():
    code = """if True:
        import os, numpy as np, minigrad as mg
        from minigrad.ops.kernels import set_threads, threads
        set_threads(2)
        threads.FEWEST_PRODUCTS = 0
        x, k = np.ones((32, 1, 4, 4)), np.ones((1, 1, 3, 3))
        mg.conv2d(x, k)
        child = os.fork()
        if child == 0:
            os._exit(0 if mg.conv2d(x, k).sum() == 32 * 4 * 9 and threads._state == (1, None) else 1)
        assert os.waitpid(child, 0)[1] == 0
    """
    root = str(Path(mg.__file__).parent.parent)
    options = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    subprocess.run(options, check=True, timeout=300, env=os.environ | {"PYTHONPATH": root})
