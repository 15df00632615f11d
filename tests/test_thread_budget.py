"""How many threads are used by default: what the environment, the machine and its cgroups grant."""

import multiprocessing.process
import os
import sys

import pytest

from minigrad import threads

BUDGETS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


@pytest.fixture
def bare(monkeypatch):
    """An environment that says nothing of threads, eight cores, and no process that started this one."""
    monkeypatch.setattr(multiprocessing.process, "parent_process", lambda: None)
    for name in (*BUDGETS, *threads._RANKS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "_quota", lambda: float("inf"))
    return monkeypatch


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 8),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "3,2"}, 3),
        ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "2"}, 2),
        ({"MKL_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "many"}, 8),
        ({"OMP_NUM_THREADS": "0"}, 1),
        ({"OMPI_COMM_WORLD_SIZE": "4"}, 1),
        ({"PMI_RANK": "0"}, 1),
        ({"PMI_RANK": "0", "OMP_NUM_THREADS": "4"}, 4),
    ],
)
def test_the_default_is_what_the_environment_grants(bare, environment, expected):
    for name, value in environment.items():
        bare.setenv(name, value)
    assert threads._default() == expected


@pytest.mark.parametrize(("quota", "expected"), [(0.5, 1), (1.0, 1), (1.5, 2), (4.0, 4), (20.0, 8)])
def test_the_default_is_at_most_the_quota(bare, quota, expected):
    bare.setattr(threads, "_quota", lambda: quota)
    assert threads._default() == expected


def test_the_cores_are_those_of_this_process(bare):
    bare.setattr(os, "sched_getaffinity", {0: {2, 5, 7}}.get, raising=False)
    assert threads._default() == 3


def test_the_default_is_found_where_multiprocessing_was_never_imported(bare):
    bare.delitem(sys.modules, "multiprocessing.process")
    assert threads._default() == 8


def test_the_default_without_affinity_is_the_number_of_cores(bare):
    bare.delattr(os, "sched_getaffinity")
    bare.setattr(os, "cpu_count", lambda: 7)
    assert threads._default() == 7
    bare.setattr(os, "cpu_count", lambda: None)
    assert threads._default() == 1


def test_a_child_of_multiprocessing_has_one_thread(bare):
    bare.setattr(multiprocessing.process, "parent_process", object)
    assert threads._default() == 1


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/a/b", {"a/b/cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
        ("0::/a/b", {"cpu.max": "200000 100000"}, 2),  # in a container, whose own folder is the root
        ("0::/", {}, float("inf")),
        ("0::/a:b", {"a:b/cpu.max": "150000 100000"}, 1.5),
        ("0::/a", {"a/cpu.max": "150000"}, float("inf")),
        ("4:cpu,cpuacct:/a", {"cpu,cpuacct/a/cpu.cfs_quota_us": "50000",
                              "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, 0.5),
        ("4:cpu,cpuacct:/a", {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1",
                              "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, float("inf")),
        ("3:memory:/a", {"memory/a/cpu.cfs_quota_us": "1"}, float("inf")),
    ],
)  # fmt: skip
def test_the_quota_of_a_cgroup(tmp_path, membership, files, expected):
    (tmp_path / "cgroup").write_text(f"{membership}\n")
    for name, text in files.items():
        file = tmp_path / "fs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert threads._quota(str(tmp_path / "fs"), str(tmp_path / "cgroup")) == expected


def test_a_quota_that_cannot_be_read_grants_everything(tmp_path):
    assert threads._quota(str(tmp_path), str(tmp_path / "missing")) == float("inf")
