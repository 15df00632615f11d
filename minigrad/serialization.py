"""Files for what was computed: `save` writes nested arrays, numbers and strings whole or not at all; `load` reads it.

A file holds each array of the nest and, as JSON, the nest around them: as .npz, which np.load opens, too, or as
.safetensors, with the package of that name. Nothing is pickled, and no file is trusted.
"""

import json
import math
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import numpy as np
from numpy import ndarray

from .errors import brief
from .foreign_names import with_options_explained

__all__ = ["load", "replacing", "save"]

SUFFIXES = (".npz", ".safetensors")
NEST = "nest.json"  # the entry of an .npz, and the key in the metadata of a .safetensors
VERSION = 1
DEEPEST = 100  # nests in one another
LONGEST = 60_000  # characters in the name of an entry; a zip file allows 65,535
KINDS = "biufcSUmM"  # of the dtypes of arrays: no objects, which would be pickled, and no records
NUMBERS = "biufcmM"  # of those of NumPy's scalars
SAFETENSORS = {"bool", "float16", "float32", "float64", "complex64"}  # the dtypes that it has
SAFETENSORS |= {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
MAGIC = b"\x93NUMPY\x01\x00"  # and then the length of the header in two bytes
HEADER = re.compile(
    r"\{'descr': '([<>|][a-zA-Z]\d+(?:\[\w+\])?)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \} *\n"
)


def save(path: str | os.PathLike[str], mapping: Mapping[str, Any]) -> None:
    """Write a nested mapping to a file, which replaces the one at path when it is complete.

    mapping: its keys are strings. Its values are arrays, NumPy's scalars, Python's numbers, strings, bools and None,
    and dicts, lists and tuples of these. `load` returns the same: values, types, dtypes, shapes, layouts, order. Only a
    layout that is neither C's nor Fortran's becomes C's, and a mapping that is no dict a dict.

    path: ends in .npz or .safetensors. A temporary file beside it is written, synchronised with the disk and renamed.
    An interrupted save leaves the file that was there, and perhaps the temporary one.

    Raises TypeError that names the entry which is something else, such as a Tensor (save its `.data`); ValueError for
    another suffix, for a string that is not Unicode and for more than 100 nests in one another; ImportError without the
    package safetensors; OSError.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mg.save(f"{folder}/run.npz", {"epoch": 3, "fc": {"w": np.ones(2), "b": np.float32(0.5)}})
    ...     mg.load(f"{folder}/run.npz")
    {'epoch': 3, 'fc': {'w': array([1., 1.]), 'b': np.float32(0.5)}}
    """
    suffix = _suffix("save", path)
    if not isinstance(mapping, Mapping):
        raise TypeError(f"save: mapping must be a mapping, not {brief(mapping)}")
    arrays: dict[str, ndarray] = {}
    nest = json.dumps({"version": VERSION, "nest": _encode(mapping, (), arrays)})
    write = _write_npz if suffix == ".npz" else _write_safetensors
    with replacing(path) as file:
        write(file, nest, arrays)


@with_options_explained
def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the nested mapping in a file that `save` wrote. It takes no more memory than a few times the file's size.

    Raises ValueError that begins with the path, and names the entry, if the file is damaged or something else
    (.safetensors has no checksum, so other numbers in it are not noticed);
    ValueError for another suffix; ImportError without the package safetensors; OSError.

    >>> mg.load("run.pickle")
    Traceback (most recent call last):
    ValueError: load: path must end in .npz or .safetensors, not 'run.pickle'
    """
    read = _read_npz if _suffix("load", path) == ".npz" else _read_safetensors
    with _malformed(str(path)):
        nest, arrays = read(Path(os.fsdecode(path)))
        loaded = _decode(_mapping_of(nest), (), arrays)
        if arrays:
            raise ValueError(f"entry {next(iter(arrays))!r} is no part of {NEST}")
    return loaded


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Give a binary file to write to, and put it at path when the block ends; after an exception path is as it was.

    The bytes are on the disk before the name is: a program that is killed at any moment leaves a complete file, the
    old one or the new one.

    Raises OSError.
    """
    target = Path(os.path.realpath(os.fsdecode(path)))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder, should be a file")
    temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}")
    try:
        with open(temporary, "xb") as file:
            if target.exists():
                shutil.copymode(target, temporary)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":  # the new name is on the disk, too
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def path_of(name: str, path: Any) -> Path:
    """The path that a function was given; TypeError, in its name, for what is none."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"{name}: path must be a path, not {brief(path)}")
    return Path(os.fsdecode(path))


def _suffix(name: str, path: Any) -> str:
    suffix = path_of(name, path).suffix
    if suffix not in SUFFIXES:
        raise ValueError(f"{name}: path must end in {' or '.join(SUFFIXES)}, not {brief(os.fsdecode(path))}")
    if suffix == ".safetensors":
        try:
            import safetensors.numpy  # noqa: F401
        except ImportError:
            said = "a .safetensors file needs the package safetensors: pip install safetensors"
            raise ImportError(f"{name}: {said}") from None
    return suffix


# the nest


def _entry(where: tuple[str, ...]) -> str:
    """The name of the array at this place: keys joined by "/", with what is special in a name escaped."""
    keys = (key.replace(".", "%2E") if not key.strip(".") else quote(key, safe=" ") for key in where)
    return "/".join(keys).replace("__metadata__", "%5F_metadata__")  # a name that safetensors reserves


def _encode(value: Any, where: tuple[str, ...], arrays: dict[str, ndarray]) -> Any:
    """A nest as JSON's values; its arrays are added to `arrays`. What is no mapping there is [tag, ...] or itself."""
    kind = type(value)
    if value is None or kind in (bool, float):
        return value
    if kind is int:
        return value if abs(value) < 2**63 else ["int", hex(value)]
    if kind is str:
        return _unicode(value, where)
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind in (ndarray, np.memmap) and value.dtype.kind in KINDS and value.dtype.itemsize:
        arrays[_entry(where)] = value
        return ["array"]
    if isinstance(value, np.generic) and value.dtype.kind in NUMBERS:
        arrays[_entry(where)] = np.asarray(value)
        return ["scalar"]
    return _encode_nest(value, where, arrays)


def _encode_nest(value: Any, where: tuple[str, ...], arrays: dict[str, ndarray]) -> Any:
    if len(where) >= DEEPEST:
        raise ValueError(f"save: {_shown(where)} is a nest in {DEEPEST} others, which is too deep")
    if isinstance(value, Mapping):
        for key in value:
            if type(key) is not str:
                raise TypeError(f"save: the keys of {_shown(where)} must be strings, not {brief(key)}")
            if len(_entry((*where, _unicode(key, where)))) > LONGEST:
                raise ValueError(f"save: a key of {_shown(where)} is too long, {len(key)} characters")
        return {key: _encode(part, (*where, key), arrays) for key, part in value.items()}
    if type(value) in (list, tuple):
        parts = [_encode(part, (*where, str(i)), arrays) for i, part in enumerate(value)]
        return [type(value).__name__, parts]
    given = f"an array of {value.dtype}" if type(value) is ndarray else f"of type {type(value).__name__}"
    hint = "; save its .numpy()" if hasattr(value, "requires_grad") else ""
    kinds = "an array, a number, a string, None, a dict, a list or a tuple"
    raise TypeError(f"save: {_shown(where)} must be {kinds}, not {given}{hint}")


def _unicode(text: str, where: tuple[str, ...]) -> str:
    """The text; ValueError if it has half of a surrogate pair, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"save: {_shown(where)} has a string that is not Unicode: {text[:20]!a}") from None
    return text


def _shown(where: tuple[str, ...]) -> str:
    return repr(_entry(where)) if where else "the mapping"


def _mapping_of(text: str) -> dict:
    """The nest in the JSON of a file, as `_encode` made it."""
    with _malformed(f"entry {NEST!r}"):
        whole = json.loads(text, object_pairs_hook=_unique)
        if not isinstance(whole, dict) or whole.get("version") != VERSION or not isinstance(whole.get("nest"), dict):
            raise ValueError(f"should be {{'version': {VERSION}, 'nest': {{...}}}}, begins {text[:40]!r}")
    return whole["nest"]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("has a key twice")
    return found


def _decode(value: Any, where: tuple[str, ...], arrays: dict[str, ndarray]) -> Any:
    """The inverse of `_encode`. What is used of `arrays` is taken out."""
    if len(where) > DEEPEST:
        raise ValueError(f"{NEST}: {_shown(where)} is in {DEEPEST} nests, which is too deep")
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _unicode(value, where)
        case dict():
            return {_unicode(key, where): _decode(part, (*where, key), arrays) for key, part in value.items()}
        case ["list" | "tuple" as tag, [*parts]]:
            decoded = [_decode(part, (*where, str(i)), arrays) for i, part in enumerate(parts)]
            return decoded if tag == "list" else tuple(decoded)
    return _decode_leaf(value, where, arrays)


def _decode_leaf(value: Any, where: tuple[str, ...], arrays: dict[str, ndarray]) -> Any:
    match value:
        case ["complex", float(real), float(imaginary)]:
            return complex(real, imaginary)
        case ["int", str(digits)] if re.fullmatch("-?0x[0-9a-f]+", digits):
            return int(digits, 16)
        case ["array" | "scalar" as tag]:
            if (name := _entry(where)) not in arrays:
                raise ValueError(f"entry {name!r} is missing")
            array = arrays.pop(name)
            if tag == "array":
                return array
            if array.ndim == 0 and array.dtype.kind in NUMBERS:
                return array[()]
    raise ValueError(f"{NEST}: {_shown(where)} is {brief(value)}, which save does not write")


@contextmanager
def _malformed(what: str) -> Iterator[None]:
    """Turn whatever a damaged file raises into a ValueError of one line that begins with what was read."""
    try:
        yield
    except (OSError, ImportError):
        raise
    except Exception as error:  # zipfile, JSON, NumPy and safetensors raise a dozen kinds
        said = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{what}: {said}") from error


# .npz


def _write_npz(file: BinaryIO, nest: str, arrays: dict[str, ndarray]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(NEST), nest)  # dated 1980: the same content is the same bytes
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                # equivalent: False -> True because `_encode` takes no array of objects
                np.lib.format.write_array(entry, array, version=(1, 0), allow_pickle=False)


def _read_npz(path: Path) -> tuple[str, dict[str, ndarray]]:
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        named = {entry.filename: entry for entry in entries}
        if len(named) < len(entries):
            raise ValueError("has an entry twice")
        # equivalent: > -> >= because the headers of entries take bytes, too
        if sum(entry.compress_size for entry in entries) > os.fstat(file.fileno()).st_size:
            raise ValueError("has entries that share their bytes")
        if NEST not in named:
            raise ValueError(f"has no entry {NEST!r}: it is no file that mg.save wrote")
        nest = _read_entry(archive, named.pop(NEST), "").decode("ascii")
        return nest, {name.removesuffix(".npy"): _read_entry(archive, named[name], ".npy") for name in named}


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, suffix: str) -> Any:
    """The bytes of an entry, or the array if it is an .npy."""
    with _malformed(f"entry {entry.filename.removesuffix('.npy')!r}"):
        if not entry.filename.endswith(suffix):
            raise ValueError(f"should end in {suffix}")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError("is compressed, which save does not do")
        try:
            with archive.open(entry) as content:
                return _read_npy(content, entry.file_size) if suffix else content.read()
        except OSError as error:  # a wrong offset
            raise ValueError(str(error)) from error


def _read_npy(content: Any, size: int) -> ndarray:
    """The array in an .npy of this many bytes, which is refused before it is read unless it has what it promises."""
    start = content.read(10)
    header = HEADER.fullmatch(content.read(int.from_bytes(start[8:], "little")).decode("latin-1"))
    if start[:8] != MAGIC or not header:
        raise ValueError("is no .npy with the header that save writes")
    dtype = np.dtype(header[1])
    if dtype.kind not in KINDS or not dtype.itemsize:
        raise ValueError(f"has dtype {dtype}, which save does not write")
    shape = tuple(int(n) for n in header[3].split(",") if n.strip())
    needed, has = math.prod(shape) * dtype.itemsize, size - 10 - len(header[0])
    if needed != has:
        raise ValueError(f"has {has} bytes but shape {shape} {dtype} takes {needed}")
    array = np.frombuffer(content.read(), dtype).copy()  # reading to the end checks the sum, too
    _check_entries(array)
    return array.reshape(shape, order="F" if header[2] == "True" else "C")


def _check_entries(array: ndarray) -> None:
    """Raise ValueError for bytes that are no bool or no character."""
    if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        raise ValueError("has a bool that is neither 0 nor 1")
    if array.dtype.kind == "U" and array.size:
        codes = array.view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if codes.max() > 0x10FFFF:
            raise ValueError(f"has the character {codes.max():#x}")


# .safetensors


def _write_safetensors(file: BinaryIO, nest: str, arrays: dict[str, ndarray]) -> None:
    from safetensors.numpy import save as serialised

    for name, array in arrays.items():
        if array.dtype.name not in SAFETENSORS or not array.dtype.isnative:
            raise TypeError(f"save: {name!r} has dtype {array.dtype.str}, which .safetensors lacks; use .npz")
    fortran = [name for name, array in arrays.items() if array.flags.fnc]  # Fortran's layout and not C's
    metadata = {NEST: nest, "fortran_order": json.dumps(fortran)}
    file.write(serialised({name: np.array(array, order="C") for name, array in arrays.items()}, metadata))


def _read_safetensors(path: Path) -> tuple[str, dict[str, ndarray]]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        metadata = file.metadata() or {}
        if not {NEST, "fortran_order"} <= metadata.keys():
            raise ValueError(f"has no metadata {NEST!r}: it is no file that mg.save wrote")
        arrays = {}
        fortran = json.loads(metadata["fortran_order"])
        if not isinstance(fortran, list):
            raise ValueError("metadata 'fortran_order' is no list")
        for name in file.keys():  # noqa: SIM118
            with _malformed(f"entry {name!r}"):
                arrays[name] = np.array(file.get_tensor(name), order="F" if name in fortran else "C")
                _check_entries(arrays[name])
    return metadata[NEST], arrays
