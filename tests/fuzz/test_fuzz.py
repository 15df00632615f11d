"""The readers of files: against a corpus, and against what a coverage-guided fuzzer makes of it."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import targets

HERE = Path(__file__).parent
RUNS = 1000


@pytest.mark.parametrize("path", sorted(HERE.glob("corpus/*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus_is_read_or_refused_by_name(path, tmp_path):
    targets.run(targets.TARGETS[path.parent.name], path.read_bytes(), tmp_path / "input.npz")


@pytest.mark.parametrize("name", targets.TARGETS)
def test_a_fuzzer_finds_no_crash(name, tmp_path):
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed")
    found = tmp_path / "found"
    found.mkdir()
    command = [sys.executable, str(HERE / "targets.py"), name, str(found), str(HERE / "corpus" / name)]
    command += [f"-runs={RUNS}", "-seed=1", "-max_len=4096", "-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-2000:]
    done = re.search(r"Done (\d+) runs", run.stderr)
    assert done, run.stderr[-2000:]
    assert int(done[1]) >= RUNS
