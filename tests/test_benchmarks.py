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


def test_the_table_and_its_json(tmp_path):
    table = compare("--only", "matmul", "tape", "--json", tmp_path / "lines.json").splitlines()
    lines = json.loads((tmp_path / "lines.json").read_text())
    assert table[0].startswith("| group | case |")
    assert len(table) == 2 + len(lines)
    assert all(line["of_minima"] > 0 for line in lines)


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
