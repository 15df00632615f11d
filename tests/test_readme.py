"""The README's promises: its code runs and prints what it says, and CI runs its two commands.

The commands themselves are run by .ci/run, each in a fresh environment.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason=".ci/run is a bash script")


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_code_prints_what_its_comments_say(code):
    expected = re.findall(r"^print\(.*?\)  # (.*)$", code, re.MULTILINE)
    assert expected, "each block should print something, else nothing is checked"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout.splitlines() == expected


def test_pictures_and_linked_files_exist():
    targets = re.findall(r"\]\(([^):]+)\)", README)
    assert "docs/training.png" in targets
    assert [target for target in targets if not (ROOT / target).is_file()] == []


def test_there_are_two_commands():
    assert [command.split(" && ")[-1] for command in COMMANDS] == [
        ".venv/bin/python examples/train_cnn.py",
        ".venv/bin/python -m pytest",
    ]


@needs_bash
def test_ci_runs_the_two_commands_tests_first():
    training, tests = COMMANDS
    assert ci_list(ROOT).stdout.splitlines() == [tests, training]


@needs_bash
@pytest.mark.parametrize("times", [0, 2])
@pytest.mark.parametrize("which", [0, 1])
def test_ci_stops_without_exactly_the_two_commands(times, which, tmp_path):
    command = COMMANDS[which]
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "README.md").write_text(README.replace(command, "\n".join([command] * times)), encoding="utf-8")
    run = ci_list(tmp_path)
    assert run.returncode != 0
    assert "README.md should have exactly one line" in run.stderr


@needs_bash
@pytest.mark.parametrize("succeeds", [True, False])
def test_ci_leaves_the_tree_and_its_environment_alone(succeeds, tmp_path):
    tree, temporary, programs = (tmp_path / name for name in ("tree", "temporary", "programs"))
    for folder in (tree / ".ci", tree / ".venv", temporary, programs):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", tree / ".ci" / "run")
    (tree / ".venv" / "mine").touch()
    (tree / "README.md").write_text(
        f"python3 -m venv .venv && {'true' if succeeds else 'false'} -m pytest\n"
        "python3 -m venv .venv && true examples/train_cnn.py\n"
    )
    (programs / "python3").write_text("#!/bin/sh\n[ ! -e .venv/mine ] && mkdir -p .venv\n")
    (programs / "python3").chmod(0o755)
    before = sorted(tree.rglob("*"))
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(temporary)}
    run = subprocess.run(["bash", tree / ".ci" / "run", "--tests"], env=environment, capture_output=True, text=True)
    assert (run.returncode == 0) == succeeds
    assert sorted(tree.rglob("*")) == before
    assert list(temporary.iterdir()) == []


def ci_list(root):
    return subprocess.run(["bash", root / ".ci" / "run", "--list"], cwd=root, capture_output=True, text=True)
