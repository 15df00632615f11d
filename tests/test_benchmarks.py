"""The comparison with the peers runs, whichever of them are installed, and refuses results that differ."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def compare(*options):
    command = [sys.executable, BENCHMARKS / "compare.py", "--rounds", "1", "--budget", "0", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


@pytest.mark.nightly
def test_the_table_and_its_json(tmp_path):
    table = compare("--only", "matmul", "tape", "--json", tmp_path / "lines.json").splitlines()
    lines = json.loads((tmp_path / "lines.json").read_text())
    assert table[0].startswith("| group | case |")
    assert len(table) == 2 + len(lines)
    assert all(line["of_minima"] > 0 for line in lines)


@pytest.mark.nightly
def test_the_libraries_defaults_each_in_a_process_of_its_own():
    rows = compare("--only", "matmul", "--threads", "0").splitlines()[2:]
    assert all(row.startswith("| matmul |") for row in rows)


def test_results_that_differ_are_refused(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from timing import Case, check

    case = Case("group", "name", {"minigrad": lambda: [np.ones(2)], "peer": lambda: [np.array([1, 1.1])]})
    with pytest.raises(ValueError, match="group, name: result 0 of minigrad"):
        check(case)
    check(case._replace(tolerance=0.2))


SOURCE = '''"""A module."""

# a comment
class C:
    """A class."""

    def method(self, x):
        """A method."""
        return 1 if x else 2


def function(x):
    return x
'''


def test_sizes_count_code_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import size

    (tmp_path / "module.py").write_text(SOURCE)
    assert size.main([str(tmp_path)]) == 0
    assert "| module.py | 5 | 13 | 2 | C.method |" in capsys.readouterr().out


@pytest.fixture
def scaling(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import scaling

    return scaling


@pytest.mark.parametrize("n", [1, 2, 4, 8, 1024])
@pytest.mark.parametrize("size", [4, 10**4, 10**8])
def test_a_simulated_all_reduce_takes_what_the_formula_says(scaling, n, size):
    network = scaling.Network(latency=1e-5, byte=1e-9, add=2e-10)
    rounds, part = np.log2(n), 1 - 1 / n
    doubling = rounds * (1e-5 + size * (1e-9 + 2e-10))
    halving = 2 * rounds * 1e-5 + size * part * (2 * 1e-9 + 2e-10)
    np.testing.assert_allclose(scaling.all_reduce(network, np.ones(n), size), 1 + min(doubling, halving))


def test_a_simulated_step_hides_what_it_can(scaling):
    network = scaling.Network(latency=0, byte=1.0, add=0)
    sent = [(0.5, 1), (0.75, 1), (1.0, 1)]  # a second each
    assert scaling.step([8.0, 8.0], sent, network) == 9  # the last one is left
    assert scaling.step([8.0, 8.0], sent, network, overlap=False) == 11
    assert scaling.step([8.0, 4.0], sent, network) == 9  # the slowest decides
    assert scaling.step([8.0], sent, network) == 8
    assert scaling.step([2.0, 2.0], sent, network) == 4  # the messages take longer than the computation


def test_ranks_that_share_a_core_end_together(scaling):
    free, instant = [(1.0, 0)], scaling.Network(0, 0, 0)
    found = scaling.steps([1.0, 3.0], 4, free, instant, cores=2)
    assert {*found} == {1.0, 2.0, 3.0}
    assert {*scaling.steps([1.0, 3.0], 4, free, instant)} == {1.0, 3.0}
    assert np.mean(found) < np.mean(scaling.steps([1.0, 3.0], 4, free, instant))


def test_rounds_are_compared_one_by_one(scaling):
    speed = np.repeat([1.0, 2.0, 4.0, 8.0], 2)  # of the machine, in four rounds of two steps
    found = {"rounds": 4, "steps": {"slow": [*1.5 * speed], "fast": [*speed]}}
    assert scaling.paired(found, "slow", "fast") == (0.5, 0)
    found["steps"]["slow"][0] = 2.5
    middle, error = scaling.paired(found, "slow", "fast")
    assert middle == 0.5
    assert 0 < error < 0.2


def test_constants_are_those_of_the_line(scaling):
    line = {str(size): 2e-6 + size * 3e-10 for size in (4, 1000, 10**6)}
    np.testing.assert_allclose(scaling.fitted(line), [2e-6, 3e-10, 0])


def test_the_prediction_is_a_table_for_each_network(scaling, capsys):
    assert scaling.main(["predict"]) == 0
    assert capsys.readouterr().out.count("\n| 1,024 |") == len(scaling.NETWORKS)
