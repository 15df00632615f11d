"""The memory that the kernels of convolution borrow."""

import threading
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad.ops.kernels import memory, release_scratch


@pytest.fixture(autouse=True)
def no_scratch():
    before = mg.get_num_threads()
    mg.set_num_threads(1)
    yield
    mg.set_num_threads(before)
    memory.release_scratch()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scratch_begins_at_a_line_of_the_cache_and_is_as_large_as_asked(dtype):
    dtype, held = np.dtype(dtype), []
    for n in range(1, 60):  # what NumPy allocates begins at multiples of 16 bytes
        with memory.Scratch() as take:
            a, b = take("a", (n, 3), dtype), take("b", (n,), dtype)
            assert a.shape == (n, 3)
            assert a.ctypes.data % 64 == b.ctypes.data % 64 == 0
            assert not np.shares_memory(a, b)
            a[...], b[...] = 1, 2
            assert a.sum() == 3 * n
        held.append(np.empty(n + 1, np.uint8))
        held.append(memory._kept.free)
        memory.release_scratch()


def test_as_much_scratch_as_the_limit_is_kept():
    memory.release_scratch()
    for limit, kept in ((800, True), (799, False)):
        with patch.object(memory, "SCRATCH_LIMIT", limit), memory.Scratch() as take:
            take("a", (60,), np.dtype(float))
            take("b", (40,), np.dtype(float))
        assert bool(memory._kept.free) == kept
        assert memory._kept.nbytes == 800 * kept
        memory.release_scratch()


def test_scratch_within_scratch_is_kept_too():
    for limit, kept in ((800, 2), (799, 1)):
        memory.release_scratch()
        lent = []
        for _ in range(2):
            with patch.object(memory, "SCRATCH_LIMIT", limit), memory.Scratch() as outer:
                lent.append(outer("a", (60,), np.dtype(float)))
                with memory.Scratch() as inner:
                    lent.append(inner("a", (40,), np.dtype(float)))
        assert len(memory._kept.free) == kept
        assert memory._kept.nbytes == {2: 800, 1: 480}[kept]
        assert np.shares_memory(lent[0], lent[2])
        assert np.shares_memory(lent[1], lent[3]) == (kept == 2)


def test_a_thread_begins_without_scratch():
    counted = []
    thread = threading.Thread(target=lambda: counted.append((memory._kept.nbytes, memory._kept.free)))
    thread.start()
    thread.join()
    assert counted == [(0, [])]


def test_the_same_size_is_lent_again():
    with memory.Scratch() as take:
        before = take("a", (8,), np.dtype(float))
        assert np.shares_memory(before, take("a", (4, 2), np.dtype(float)))
    with memory.Scratch() as take:
        assert np.shares_memory(before, take("a", (8,), np.dtype(float)))
        assert not np.shares_memory(before, take("a", (9,), np.dtype(float)))


def kept_buffers():
    """(id, bytes) of each."""
    return {(id(buffer), buffer.nbytes) for buffers in memory._kept.free for buffer in buffers.values()}


def test_scratch_is_kept_and_released():
    release_scratch()
    x, k = np.ones((16, 2, 8, 8)), np.ones((3, 2, 3, 3))
    mg.conv2d(x, k, padding=1)
    before = kept_buffers()
    mg.conv2d(x, k, padding=1)
    assert before
    assert before == kept_buffers()
    assert memory._kept.nbytes == sum(nbytes for _, nbytes in before)
    release_scratch()
    assert not kept_buffers()
    assert memory._kept.nbytes == 0


def test_scratch_is_bounded():
    release_scratch()
    with patch.object(memory, "SCRATCH_LIMIT", 1000):
        mg.conv2d(np.ones((16, 2, 8, 8)), np.ones((3, 2, 3, 3)), padding=1)
    assert not kept_buffers()
    assert memory._kept.nbytes == 0


def test_scratch_survives_an_interruption():
    with memory.Scratch() as outer:
        mine = outer("windows", (4,), np.dtype(float))
        mine[...] = 1
        with memory.Scratch() as inner:
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
