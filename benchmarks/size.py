"""How long and how branched is the code? `python benchmarks/size.py [FOLDER]` counts each file, with radon.

Code lines hold more than docstrings, comments and blanks. The complexity is the greatest cyclomatic complexity of a
function or method in the file (radon's), beside its name.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from radon.complexity import cc_visit
from radon.raw import analyze
from radon.visitors import Class

ROOT = Path(__file__).parents[1]


class Size(NamedTuple):
    """What is counted of one file."""

    code_lines: int
    lines: int
    complexity: int
    function: str


def size_of(source):
    """Count one file's source text."""
    counts = analyze(source)
    functions = [(block.complexity, block.fullname) for block in cc_visit(source) if not isinstance(block, Class)]
    return Size(counts.sloc, counts.loc, *max(functions, default=(0, "")))


def main(arguments=None):
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "minigrad")
    folder = parser.parse_args(arguments).folder
    sizes = {path.relative_to(folder): size_of(path.read_text("utf-8")) for path in sorted(folder.rglob("*.py"))}
    print("| file | code lines | lines | complexity | of |\n|---|---|---|---|---|")
    for parent in sorted({path.parent for path in sizes}):
        inside = {path: size for path, size in sizes.items() if path.parent == parent}
        for path, size in inside.items():
            print(f"| {path} | {size.code_lines} | {size.lines} | {size.complexity} | {size.function} |")
        print(f"| **{parent}/** | **{sum(size.code_lines for size in inside.values())}** | | | |")
    print(f"| **all** | **{sum(size.code_lines for size in sizes.values())}** | | | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
