"""Coverage-guided fuzzing of what reads files: `python tests/fuzz/targets.py read_idx tests/fuzz/corpus/read_idx`.

Needs atheris. Options are libFuzzer's, such as -runs=100000; new inputs are written to the first folder that is named.
A reader may return what it promises or raise ValueError that begins with the path; anything else is a crash.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def read_idx(path):
    """An IDX file holds at most what its size allows."""
    from minigrad.data.idx import EXPANSION, read_idx

    array = read_idx(path)
    assert array.dtype.isnative
    assert array.nbytes <= path.stat().st_size * EXPANSION


def load(path):
    """What was loaded can be saved, and loads again as the same."""
    import minigrad as mg

    loaded = mg.load(path)
    mg.save(path, loaded)
    assert repr(mg.load(path)) == repr(loaded)


TARGETS = {"read_idx": read_idx, "load": load}


def run(target, content, path):
    """Give a file of this content to a reader; raise AssertionError if it does anything but what it may."""
    path.write_bytes(content)
    try:
        target(path)
    except ValueError as error:
        said = str(error)
        assert said.startswith(f"{path}: "), said
        assert "\n" not in said, said


def main(name, arguments):
    """Fuzz one reader."""
    import atheris

    with atheris.instrument_imports(include=["minigrad.data.idx", "minigrad.serialization"]):
        import minigrad.data.idx
        import minigrad.serialization  # noqa: F401
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.npz"
        atheris.Setup([sys.argv[0], *arguments], lambda content: run(TARGETS[name], content, path))
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
