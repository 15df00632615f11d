"""Threads: results are right and repeatable, errors and interruptions leave nothing running, forks don't hang."""

import _thread
import linecache
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import minigrad as mg
from minigrad import blockwise, products, threads
from minigrad.ops.kernels import im2row

BUDGETS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    """Three threads, and work that is shared out however small."""
    for module in (im2row, products, threads):
        monkeypatch.setattr(module, "FEWEST_PRODUCTS", 0)
    for module in (products, threads):
        monkeypatch.setattr(module, "ONE_THREAD", 0)
    for name in ("LARGE", "BLOCK", "BEYOND_CACHE"):
        monkeypatch.setattr(blockwise, name, 1024)
    before = mg.get_num_threads()
    mg.set_num_threads(3)
    yield
    mg.set_num_threads(before)


def run(code, **environment):
    """Run a program in a process of its own, which must end."""
    root = str(Path(mg.__file__).parent.parent)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    clean = {name: value for name, value in os.environ.items() if name not in BUDGETS}
    return subprocess.run(
        command, timeout=300, env=clean | {"PYTHONPATH": root} | environment, capture_output=True, text=True
    )


@given(st.integers(0, 60), st.integers(0, 70), st.integers(1, 9))
@example(5, 1, 1)
@example(5, 0, 1)
@example(20, 7, 4)
def test_blocks_cover_everything_once(size, most, multiple):
    found = threads.blocks(size, most, multiple)
    assert [i for part in found for i in range(size)[part]] == list(range(size))
    assert all(part.stop - part.start <= -(-max(most, 1) // multiple) * multiple for part in found)
    assert all((part.stop - part.start) % multiple == 0 for part in found[:-1])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_each_part_is_worked_on_once(size, count):
    mg.set_num_threads(count)
    seen = []
    assert threads.share(lambda i: seen.append(i) or i * i, range(size)) == [i * i for i in range(size)]
    assert sorted(seen) == list(range(size))


@pytest.mark.parametrize("count", [2, 3])
def test_parts_run_at_the_same_time(count):
    mg.set_num_threads(count)
    together = threading.Barrier(count, timeout=30)
    threads.share(lambda _: together.wait(), range(count))


def test_workers_end_with_their_pool():
    before = _thread._count()
    mg.set_num_threads(6)
    together = threading.Barrier(6, timeout=30)
    threads.share(lambda _: together.wait(), range(6))
    mg.set_num_threads(1)
    for _ in range(1000):
        if _thread._count() <= before:
            return
        time.sleep(0.01)
    pytest.fail("the workers live on")


@pytest.fixture
def blas():
    """BLAS with two threads."""
    if not threads._blas.set:
        pytest.skip("this BLAS can't be told how many threads to use")
    before = threads._blas.get()
    threads._blas.set(2)
    yield threads._blas
    threads._blas.set(before)


def test_blas_has_one_thread_until_the_outermost_products_are_finished(blas):
    def inner_and_after(_):
        inner = threads.share(lambda _: blas.get(), range(2), products=1)
        return [*inner, blas.get()]

    assert threads.share(inner_and_after, range(4), products=1) == [[1, 1, 1]] * 4
    assert blas.get() == 2
    assert threads.share(lambda _: blas.get(), range(4)) == [2] * 4


def test_a_forked_child_has_one_thread_and_a_blas_as_before(blas, monkeypatch):
    monkeypatch.setattr(threads, "_pool", threads._pool)
    threads._forked()
    assert mg.get_num_threads() == 1
    assert blas.get() == 2
    blas.limit(threads._Task(len, []))
    assert blas.get() == 1
    threads._forked()
    assert blas.get() == 2


def test_the_blas_of_numpy_is_found_where_it_was():
    found = threads._OpenBLAS()
    assert (found.get is None, found.set is None) == (threads._blas.get is None, threads._blas.set is None)


def test_threads_are_counted_before_any_has_started(monkeypatch):
    for found in (mg.get_num_threads, lambda: len(threads.share(id, range(threads._default())))):
        monkeypatch.setattr(threads, "_pool", None)
        assert found() == threads._default()


def test_callers_finish_while_all_workers_are_busy():
    entered, free = threading.Semaphore(0), threading.Event()

    def hold(_):
        entered.release()
        assert free.wait(30)

    busy = threading.Thread(target=lambda: threads.share(hold, range(3)))
    busy.start()
    for _ in range(3):
        assert entered.acquire(timeout=30)
    here = threading.get_ident()
    assert threads.share(lambda _: threading.get_ident(), range(5)) == [here] * 5
    free.set()
    busy.join(30)


def test_many_callers_start_no_more_workers():
    seen = set()

    def work(_):
        time.sleep(0.001)
        seen.add(threading.get_ident())

    callers = [threading.Thread(target=lambda: threads.share(work, range(8))) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(seen) <= 6 + 2


def test_parts_of_parts():
    assert threads.share(lambda i: sum(threads.share(lambda j: i * j, range(4))), range(4)) == [0, 6, 12, 18]


def test_parts_compute_under_the_callers_errstate():
    with np.errstate(over="raise"):
        assert threads.share(lambda _: np.geterr()["over"], range(9)) == ["raise"] * 9


@pytest.mark.parametrize("wrong", [0, 1, 5])
def test_an_error_is_raised_after_all_have_stopped(wrong):
    working = []

    def work(i):
        if i == wrong:
            raise ZeroDivisionError
        working.append(i)
        time.sleep(0.01)
        working.remove(i)

    with pytest.raises(ZeroDivisionError):
        threads.share(work, range(6))
    assert working == []
    assert threads.share(lambda i: i, range(3)) == [0, 1, 2]


@pytest.mark.parametrize("fails_here", [False, True])
def test_after_an_error_no_other_part_is_begun(fails_here):
    mg.set_num_threads(2)
    here, both, begun = threading.get_ident(), threading.Barrier(2, timeout=30), []

    def work(part):
        begun.append(part)
        if len(begun) <= 2:
            both.wait()
        if (threading.get_ident() == here) == fails_here:
            raise ZeroDivisionError
        time.sleep(0.05)

    with pytest.raises(ZeroDivisionError):
        threads.share(work, range(50))
    assert len(begun) < 10


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_is_not_lost_behind_an_error():
    mg.set_num_threads(2)
    here, both = threading.get_ident(), threading.Barrier(2, timeout=30)

    def work(_):
        both.wait()
        if threading.get_ident() == here:
            raise ZeroDivisionError
        time.sleep(0.05)
        _thread.interrupt_main()

    with pytest.raises(KeyboardInterrupt):
        threads.share(work, range(2))


def test_an_interruption_at_any_place_leaves_nothing_running():
    """Ctrl-C arrives at each line of `share` in turn: parts stop, the pool works, and BLAS has its threads back."""
    before = threads._blas.get and threads._blas.get()
    at = 1
    while interrupted_at(at):
        if before:
            assert threads._blas.get() == before, at
        assert threads.share(lambda i: i, range(3), products=1) == [0, 1, 2], at
        at += 1
    assert at > 20


def interrupted_at(at):
    """Whether `share` has so many lines to be interrupted at. Fails if a worker still works then."""
    count, working = 0, set()

    def work(i):
        working.add(i)
        time.sleep(0.002)
        working.discard(i)

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename != threads.__file__:
            return None
        # Python looks for signals after calls and at jumps, and so never between the body of a `with` and its exit
        counts = not linecache.getline(threads.__file__, frame.f_lineno).lstrip().startswith("with ")
        count += counts
        if counts and count == at:
            raise KeyboardInterrupt
        return trace

    interrupted, before = False, sys.gettrace()  # of a coverage tool
    sys.settrace(trace)
    try:
        threads.share(work, range(3), products=1)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        sys.settrace(before)
    assert not working - {0}, at  # the caller's own part was cut short
    return interrupted


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no timer here")
def test_a_handler_that_shares_while_its_thread_does():
    given = []
    before = signal.signal(signal.SIGALRM, lambda *_: given.append(threads.share(lambda i: i, range(4))))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.005)
        for _ in range(10):
            assert threads.share(lambda i: time.sleep(0.002) or i, range(4)) == [0, 1, 2, 3]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert given
    assert all(results == [0, 1, 2, 3] for results in given)


def step():
    """What a training step computes, of sizes that are shared out."""
    rng = np.random.default_rng(0)
    x, k = (mg.tensor(rng.normal(size=s), requires_grad=True) for s in ((16, 4, 12, 12), (8, 4, 3, 3)))
    b = mg.tensor(rng.normal(size=(8, 1, 1)), requires_grad=True)
    y = mg.avg_pool2d(mg.relu(mg.conv2d(x, k) + b), 2) + mg.tanh(mg.max_pool2d(mg.sigmoid(mg.conv2d(x, k)), 2))
    mg.sum(y * y).backward()
    return [y.data, x.grad, k.grad, b.grad]


def test_bits_are_the_same_from_run_to_run_and_close_for_other_numbers_of_threads():
    of_three = step()
    for _ in range(5):
        for before, after in zip(of_three, step(), strict=True):
            assert_array_equal(before, after)
    for n in (1, 2, 5):
        mg.set_num_threads(n)
        for before, after in zip(of_three, step(), strict=True):
            np.testing.assert_allclose(before, after, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "multiply",
    [lambda a: mg.matmul(a, a.T), lambda a: mg.einsum("ij,kj->ik", a, a), lambda a: mg.tensordot(a, a, (1, 1))],
)
def test_a_product_has_the_same_bits_while_another_thread_multiplies(multiply):
    """Which takes BLAS's own threads away, and with them the bits that they give."""
    mg.set_num_threads(2)
    a = np.random.default_rng(0).normal(size=(700, 900))
    (beside,) = threads.share(lambda _: multiply(a), [0], products=1e9)
    assert_array_equal(multiply(a), beside)


def test_the_number_changes_while_others_compute():
    expected, errors = step(), []

    def compute():
        try:
            for _ in range(10):
                for before, after in zip(expected, step(), strict=True):
                    np.testing.assert_allclose(before, after, rtol=1e-10, atol=1e-10)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=compute) for _ in range(8)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        for n in (1, 3, 2):
            mg.set_num_threads(n)
            time.sleep(0.001)
    assert errors == []


FORKING = """if True:
    import os, sys, threading, time, numpy as np, minigrad as mg
    from minigrad import products, threads
    from minigrad.ops.kernels import im2row
    im2row.FEWEST_PRODUCTS = 0
    for module in (products, threads):
        module.FEWEST_PRODUCTS = module.ONE_THREAD = 0
    mg.set_num_threads(3)
    x, k = np.ones((8, 4, 20, 20)), np.ones((8, 4, 3, 3))
    ended = threading.Event()

    def compute():
        while not ended.is_set():
            mg.conv2d(x, k)

    computing = threading.Thread(target=compute)
    computing.start()
    children = []
    for i in range({children}):
        time.sleep(0.0003 * (i % 11))
        child = os.fork()
        if child == 0:
            os._exit(0 if mg.get_num_threads() == 1 and mg.conv2d(x, k)[0, 0, 0, 0] == 36 else 1)
        children.append(child)
    codes = [os.waitpid(child, 0)[1] for child in children]
    ended.set()
    computing.join()
    sys.exit(any(codes))
"""


@has_fork
@pytest.mark.parametrize("children", [12, pytest.param(200, marks=pytest.mark.nightly)])
def test_children_forked_in_the_middle_of_work_compute_in_one_thread(children):
    done = run(FORKING.format(children=children))
    assert done.returncode == 0, done.stderr


FIRST_USE = """if True:
    import os, threading, numpy as np, minigrad as mg
    first = lambda: mg.grad(lambda x: np.sum(np.pad(x, 1)))(np.ones(3)).sum() + mg.conv2d(*[np.ones((1, 1, 3, 3))] * 2)
    importing = threading.Thread(target=first)
    importing.start()
    child = os.fork()
    if child == 0:
        os._exit(first().item() != 12)
    importing.join()
    os._exit(os.waitpid(child, 0)[1] != 0)
"""


@has_fork
@pytest.mark.parametrize("_", [1, 2, *[pytest.param(n, marks=pytest.mark.nightly) for n in range(3, 20)]])
def test_a_child_forked_while_another_thread_imports_does_not_wait_for_it(_):
    done = run(FIRST_USE)
    assert done.returncode == 0, done.stderr


def test_importing_starts_no_thread_and_allocates_nothing_and_the_interpreter_exits_with_idle_workers():
    code = """if True:
        import atexit, threading, numpy as np, minigrad as mg
        from minigrad.allocator import keep_freed_memory
        print(keep_freed_memory.cache_info().currsize)
        mg.set_num_threads(4)
        print(threading.active_count())
        atexit.register(lambda: print(mg.tanh(np.zeros(10**6)).sum()))
        print(mg.tanh(np.zeros(10**6)).sum())
    """
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n1\n0.0\n0.0\n", "")


@pytest.mark.parametrize("n", [0, -1])
def test_no_threads_are_refused(n):
    with pytest.raises(ValueError, match=f"set_num_threads: n must be at least 1, not {n}"):
        mg.set_num_threads(n)
    assert mg.get_num_threads() == 3


@pytest.mark.parametrize("n", [1.5, "2", None, True, np.ones(2), np.array([]), np.array(None), np.array("2")])
def test_what_is_no_int_is_refused(n):
    with pytest.raises(TypeError, match="set_num_threads: n must be an int, not"):
        mg.set_num_threads(n)
