"""What the whole suite starts with: a process for each core; and the options of its own."""

import gc
import os
import random
import signal

import pytest


def _is_whole(config):
    """Whether this process starts every test: the command names no file, and chooses by nothing else."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return False
    chosen = ("keyword", "markexpr", "deselect", "lf", "failedfirst", "collectonly", "usepdb", "stepwise")
    return config.args == config.getini("testpaths") and not any(config.getoption(name, None) for name in chosen)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Give the whole suite a process for each core, where pytest-xdist is there and `-n` says nothing else."""
    if _is_whole(config) and getattr(config.option, "numprocesses", 0) is None:
        config.option.numprocesses = (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        )
        config.option.dist = "worksteal"


def pytest_addoption(parser):
    """Add `--shuffle` and `--nightly`."""
    parser.addoption("--nightly", action="store_true", help="run the long tests too, which are marked nightly")
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in a random order, by this seed")


def pytest_collection_modifyitems(config, items):
    """Leave the long tests to the night, and shuffle if that is asked for."""
    if not config.option.nightly:
        for item in items:
            if item.get_closest_marker("nightly"):
                item.add_marker(pytest.mark.skip(reason="runs every night, by --nightly"))
    if config.option.shuffle is not None:
        random.Random(config.option.shuffle).shuffle(items)


def pytest_collection_finish():
    """Leave what has been imported and collected alone in every later collection of garbage: many tests start one."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)  # many arrays of few entries: what is no cycle needs no collection


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """After each file, leave what it has left behind alone, too."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


@pytest.fixture
def interruptible():
    """Ctrl-C raises KeyboardInterrupt: a shell lets its background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
