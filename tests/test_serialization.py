"""save and load: what comes back equals what was saved, and a damaged file raises ValueError and does no more."""

import contextlib
import importlib.util
import io
import json
import math
import os
import re
import signal
import stat
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

import minigrad as mg
from minigrad.serialization import replacing

ROOT = Path(mg.__file__).parents[1]
SUFFIXES = ["npz", *(["safetensors"] if importlib.util.find_spec("safetensors") else [])]
PLAIN = [f"{order}{kind}" for kind in ("f2", "f4", "f8", "i2", "i8", "u4", "c8", "c16") for order in "<>"]
DTYPES = {
    "npz": ["?", "i1", "u1", np.longdouble, *PLAIN, "<U3", ">U3", "S3", "<M8[ns]", ">m8[25s]", "<M8"],
    "safetensors": ["?", "i1", "u1", "f2", "f4", "f8", "i2", "i8", "u4", "c8"],
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(
    ["conv1.k", "a/b", "..", "é", "\0"]
)


def layouts(array):
    """The same array in C's layout, in Fortran's, and in neither."""
    return [array, np.asfortranarray(array), np.repeat(array[..., np.newaxis], 2, axis=-1)[..., 0]]


@st.composite
def nests(draw, suffix):
    """Nested mappings of all that save takes."""
    arrays = st.sampled_from(DTYPES[suffix]).flatmap(
        lambda dtype: np_st.arrays(dtype, np_st.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    )
    arrays = arrays.flatmap(lambda array: st.sampled_from(layouts(array)))
    scalars = np_st.arrays(st.sampled_from(["?", "f4", "i8", "f8", "u1"]), ()).map(lambda array: array[()])
    numbers = st.integers() | st.floats() | st.integers(-(10**30), 10**30)
    numbers |= st.complex_numbers() if suffix == "npz" else st.nothing()
    leaves = arrays | scalars | numbers | TEXT | st.booleans() | st.none()

    def around(parts):
        return st.dictionaries(TEXT, parts, max_size=3) | st.lists(parts, max_size=3) | st.tuples(parts, parts)

    return draw(st.dictionaries(TEXT, st.recursive(leaves, around, max_leaves=8), max_size=4))


def same(a, b):
    """Whether two nests are equal in every respect, NaN being equal to itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        layout = a.flags.c_contiguous, a.flags.f_contiguous
        now = b.flags.c_contiguous, b.flags.f_contiguous
        keeps = isinstance(a, np.generic) or (layout == now if any(layout) else now[0])  # neither becomes C's
        return keeps and a.dtype.str == b.dtype.str and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, complex):
        return same([a.real, a.imag], [b.real, b.imag])
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    return a == b


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_what_comes_back_equals_what_was_saved(suffix, data, tmp_path_factory):
    nest = data.draw(nests(suffix))
    path = tmp_path_factory.mktemp("save") / f"file.{suffix}"
    mg.save(path, nest)
    loaded = mg.load(str(path))
    assert same(nest, loaded)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


TABLE = np.arange(6.0).reshape(2, 3)
EDGES = {  # what lies at the edge of a case
    "": [np.asfortranarray(TABLE), TABLE[:, ::2], np.array([False, True]), np.zeros(0, bool), -(2**63), 1 - 2**63],
    "__metadata__": np.zeros(2),
    "a": {".": np.zeros(1), "..": np.ones(1), "%2E": np.zeros(2), "./": np.zeros(3), "é": 2**63, "b/c": 10**5000},
    "x" * 60_000: np.zeros(1),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_edges_of_what_is_saved(suffix, tmp_path):
    nest = EDGES | ({"text": np.zeros((0, 2), "U3"), "i": 1 + 2j} if suffix == "npz" else {})
    mg.save(tmp_path / f"a.{suffix}", nest)
    assert same(nest, mg.load(tmp_path / f"a.{suffix}"))


def test_the_format_is_zip_and_json(tmp_path):
    """Numbers in the JSON fit into 64 bits, and no name of an entry leaves the folder it is unpacked in."""
    nest = {**EDGES, "a": {**EDGES["a"], "b/c": 2**64}, "n": [1, (2.5, True), None, 1j], "s": np.float32(1)}
    mg.save(tmp_path / "a.npz", nest)
    with zipfile.ZipFile(tmp_path / "a.npz") as file:
        names, content = file.namelist(), json.loads(file.read("nest.json"))
    array = ["array"]
    assert content["version"] == 1
    assert list(content["nest"].values()) == [
        ["list", [array, array, array, array, ["int", "-0x8000000000000000"], 1 - 2**63]],
        array,
        {".": array, "..": array, "%2E": array, "./": array, "é": ["int", hex(2**63)], "b/c": ["int", hex(2**64)]},
        array,
        ["list", [1, ["tuple", [2.5, True]], None, ["complex", 0.0, 1.0]]],
        ["scalar"],
    ]
    assert names[:6] == ["nest.json", "/0.npy", "/1.npy", "/2.npy", "/3.npy", "%5F_metadata__.npy"]
    assert names[6:10] == ["a/%2E.npy", "a/%2E%2E.npy", "a/%252E.npy", "a/.%2F.npy"]


def test_an_entry_larger_than_a_small_zip_file_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)  # 2 GiB in truth
    mg.save(tmp_path / "a.npz", {"a": np.arange(1000.0)})
    assert same({"a": np.arange(1000.0)}, mg.load(tmp_path / "a.npz"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_loaded_arrays_can_be_written_to(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    mg.save(path, {"c": np.zeros((2, 3)), "f": np.zeros((2, 3), order="F")})
    first = mg.load(path)
    for array in first.values():
        array += 1
    assert all(not array.any() for array in mg.load(path).values())


def test_numpy_reads_the_arrays_too(tmp_path):
    mg.save(tmp_path / "a.npz", {"conv1.k": np.eye(2), "nested": {"a/b": np.arange(3.0)}})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["conv1.k"], np.eye(2))
        np.testing.assert_array_equal(file["nested/a%2Fb"], np.arange(3.0))


def test_the_same_content_is_the_same_bytes(tmp_path):
    contents = []
    for name in ("a.npz", "b.npz"):
        mg.save(tmp_path / name, {"w": np.eye(2), "epoch": 3})
        contents.append((tmp_path / name).read_bytes())
        time.sleep(0.01)
    assert contents[0] == contents[1]


def deep(levels):
    nest = 1
    for _ in range(levels):
        nest = {"a": nest}
    return nest


def test_100_nests_in_one_another_are_saved(tmp_path):
    mg.save(tmp_path / "a.npz", deep(100))
    assert mg.load(tmp_path / "a.npz") == deep(100)


class Color(int):
    pass


REFUSED = [
    ([1], TypeError, r"save: mapping must be a mapping, not \[1\]"),
    ({"a": {1: 2}}, TypeError, "save: the keys of 'a' must be strings, not 1"),
    ({"w": mg.tensor([1.0])}, TypeError, "save: 'w' must be an array, .* not of type Tensor; save its .numpy"),
    ({"a": [{"b": {1}}]}, TypeError, "save: 'a/0/b' must be an array, a number, .* not of type set$"),
    ({"a": np.zeros(2, [("x", "U0")])["x"]}, TypeError, "save: 'a' must be .* not an array of <U0"),
    ({"a": np.array([None])}, TypeError, "save: 'a' must be an array, .* not an array of object"),
    ({"a": np.zeros(2, [("x", float)])}, TypeError, r"not an array of \[\('x', '<f8'\)\]"),
    ({"a": np.ma.masked_array([1.0], [True])}, TypeError, "save: 'a' must be .* not of type MaskedArray"),
    ({"a": np.str_("text")}, TypeError, "save: 'a' must be .* not of type str_"),
    ({"a": Color(3)}, TypeError, "save: 'a' must be .* not of type Color"),
    ({"a": b"bytes"}, TypeError, "save: 'a' must be .* not of type bytes"),
    ({"a": ["\ud800"]}, ValueError, r"'a/0' has a string that is not Unicode: '\\ud800'"),
    ({"\udfff": 1}, ValueError, "the mapping has a string that is not Unicode"),
    ({"x" * 60_001: np.ones(1)}, ValueError, "save: a key of the mapping is too long, 60001 characters"),
    (deep(101), ValueError, "is a nest in 100 others, which is too deep"),
]


@pytest.mark.parametrize(("nest", "kind", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_come_back_is_not_saved(nest, kind, message, tmp_path):
    with pytest.raises(kind, match=message):
        mg.save(tmp_path / "a.npz", nest)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["run.pickle", "run", "npz", "run.npz.gz"])
def test_other_suffixes_are_refused(name, tmp_path):
    for call in (lambda: mg.save(tmp_path / name, {}), lambda: mg.load(tmp_path / name)):
        with pytest.raises(ValueError, match=r"^(save|load): path must end in .npz or .safetensors, not "):
            call()
    with pytest.raises(TypeError, match=r"^save: path must be a path, not 3"):
        mg.save(3, {})


def test_without_safetensors_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"^save: a .safetensors file needs the package safetensors: pip install"):
        mg.save(tmp_path / "a.safetensors", {})


@pytest.mark.skipif("safetensors" not in SUFFIXES, reason="safetensors is not installed")
@pytest.mark.parametrize("dtype", [">f8", "<U3", "c16", "M8[s]"])
def test_a_dtype_that_safetensors_lacks_is_named(dtype, tmp_path):
    with pytest.raises(TypeError, match=r"save: 'a' has dtype .*, which .safetensors lacks; use .npz"):
        mg.save(tmp_path / "a.safetensors", {"a": np.zeros(2, dtype)})
    assert list(tmp_path.iterdir()) == []


# malformed files

ARRAY = np.arange(6.0).reshape(2, 3)


def npy(array=ARRAY, header=None):
    """An .npy file, with another header."""
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), version=(1, 0))
    content = file.getvalue()
    if header is None:
        return content
    length = int.from_bytes(content[8:10], "little")
    return content[:8] + struct.pack("<H", len(header)) + header.encode() + content[10 + length :]


def header(descr="<f8", fortran_order=False, shape="(2, 3)"):
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n"


def nest_of(nest, version=1):
    return json.dumps({"version": version, "nest": nest})


def archive(entries, **options):
    """A zip file of these entries, [(name, content)]."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as out:
        for name, content in entries:
            out.writestr(name, content)
    return file.getvalue()


def with_array(content, nest=None):
    return archive([("nest.json", nest_of({"a": ["array"]} if nest is None else nest)), ("a.npy", content)])


def with_nest(text):
    return archive([("nest.json", text)])


GOOD = with_array(npy())
MALFORMED = {
    "empty": (b"", "not a zip file"),
    "png": (b"\x89PNG\r\n\x1a\n" * 10, "not a zip file"),
    "truncated": (GOOD[:-30], "not a zip file"),
    "pickle": (b"\x80\x04N.", "not a zip file"),
    "a changed byte": (GOOD.replace(ARRAY.tobytes(), (ARRAY + 1).tobytes()), "entry 'a': Bad CRC-32"),
    "of np.savez": (archive([("a.npy", npy())]), "has no entry 'nest.json': it is no file that mg.save wrote"),
    "an entry more": (archive([("nest.json", nest_of({})), ("b.npy", npy())]), "entry 'b' is no part of nest.json"),
    "an entry less": (with_nest(nest_of({"a": ["array"]})), "entry 'a' is missing"),
    "another file": (archive([("nest.json", nest_of({})), ("b.txt", "")]), "entry 'b.txt': should end in .npy"),
    "compressed": (
        archive([("nest.json", nest_of({}))], compression=zipfile.ZIP_DEFLATED),
        "entry 'nest.json': is compressed",
    ),
    "no JSON": (with_nest("{"), "entry 'nest.json': Expecting property name"),
    "no ASCII": (with_nest(b"\xff"), "'ascii' codec can't decode"),
    "no mapping": (with_nest("[]"), r"entry 'nest.json': should be {'version': 1, 'nest': {...}}, begins '\[\]'"),
    "another version": (with_nest(nest_of({}, 2)), "should be {'version': 1, "),
    "no nest": (with_nest(nest_of([])), "should be {'version': 1, "),
    "a key twice": (with_nest('{"version": 1, "nest": {"a": 1, "a": 2}}'), "entry 'nest.json': has a key twice"),
    "deep JSON": (
        with_nest('{"version": 1, "nest": ' + '{"a":' * 9000 + "1" + "}" * 9001),
        "nest.json('|: .* is too deep)",
    ),
    "deep": (with_nest(nest_of(deep(101))), "is in 100 nests, which is too deep"),
    "many digits": (with_nest('{"version": 1, "nest": {"a": ' + "9" * 5000 + "}}"), "entry 'nest.json': "),
    "half a pair": (with_nest(nest_of({"a": "\ud800"})), "'a' has a string that is not Unicode"),
    "an array twice": (with_array(npy(), {"a": ["array"], "b": ["array"]}), "entry 'b' is missing"),
    "a scalar with axes": (with_array(npy(), {"a": ["scalar"]}), "nest.json: 'a' is .*, which save does not write"),
    "a scalar of text": (with_array(npy(np.array("a")), {"a": ["scalar"]}), "nest.json: 'a' is .*, which save does"),
    "version 2": (with_array(b"\x93NUMPY\2" + npy()[7:]), "entry 'a': is no .npy with the header that save writes"),
    "no npy": (with_array(b"hello"), "entry 'a': is no .npy with the header that save writes"),
    "a short header": (with_array(npy()[:40]), "entry 'a': is no .npy with the header that save writes"),
    "code as header": (with_array(npy(header="__import__('os')\n")), "entry 'a': is no .npy with the header"),
    "objects": (with_array(npy(header=header("|O8"))), "entry 'a': has dtype object, which save does not write"),
    "records": (with_array(npy(header=header("|V8"))), r"entry 'a': has dtype \|V8, which save does not write"),
    "no size": (with_array(npy(np.zeros(0), header("<U0"))), "entry 'a': has dtype <U0, which save does not write"),
    "no dtype": (with_array(npy(header=header("<f3"))), "entry 'a': "),
    "a huge shape": (
        with_array(npy(header=header(shape="(9000000000, 9)"))),
        r"entry 'a': has 48 bytes but shape \(9000000000, 9\) float64 takes 648000000000",
    ),
    "a shape too large for NumPy": (
        with_array(npy(np.zeros(0), header(shape="(0, 9223372036854775807, 9223372036854775807)"))),
        "entry 'a': ",
    ),
    "100 axes": (with_array(npy(header=header(shape=f"({'1, ' * 98}2, 3)"))), "entry 'a': "),
    "bytes too many": (with_array(npy() + b"\0"), r"entry 'a': has 49 bytes but shape \(2, 3\) float64 takes 48"),
    "bytes too few": (with_array(npy()[:-1]), "entry 'a': has 47 bytes but"),
    "no bool": (with_array(npy(header=header("|b1", shape="(48,)"))), "entry 'a': has a bool that is neither 0 nor 1"),
    "no character": (with_array(npy(header=header("<U1", shape="(12,)"))), "entry 'a': has the character 0x"),
} | {
    f"nest {value}": (with_nest(nest_of({"a": {"b": value}})), "nest.json: 'a/b' is .*, which save does not write")
    for value in ([], ["array", 1], ["list"], ["list", 3], ["complex", 1, 2], ["int", "3"], ["set", []], [["array"]])
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_named_with_its_entry(content, message, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        mg.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_every_changed_byte_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "a.npz"
    for i in range(len(GOOD)):
        path.write_bytes(GOOD[:i] + bytes([GOOD[i] ^ 0x11]) + GOOD[i + 1 :])
        with contextlib.suppress(ValueError):
            assert same(mg.load(path), {"a": ARRAY})


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    for length in range(len(GOOD)):
        path.write_bytes(GOOD[:length])
        with pytest.raises(ValueError, match=re.escape(f"{path}: ")):
            mg.load(path)


@pytest.mark.skipif("safetensors" not in SUFFIXES, reason="safetensors is not installed")
def test_malformed_safetensors_are_named(tmp_path):
    from safetensors.numpy import save

    path = tmp_path / "a.safetensors"
    mg.save(path, {"a": ARRAY})
    good = path.read_bytes()
    contents = dict.fromkeys([b"", b"{}", good[:-1], good[:20], b"\xff" * 8 + good[8:], good + b"\0"], "")
    contents |= dict.fromkeys([save({"a": ARRAY}), save({"a": ARRAY}, {"a": "b"})], "has no metadata 'nest.json'")
    nest = nest_of({"a": ["array"]})
    contents[save({"b": ARRAY}, {"nest.json": nest, "fortran_order": "[]"})] = "entry 'a' is missing"
    for order in ("3", '"a"'):
        contents[save({"a": ARRAY}, {"nest.json": nest, "fortran_order": order})] = (
            "metadata 'fortran_order' is no list"
        )
    for content, message in contents.items():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: {message}") as caught:
            mg.load(path)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif("safetensors" not in SUFFIXES, reason="safetensors is not installed")
def test_a_bool_in_safetensors_is_0_or_1(tmp_path):
    path = tmp_path / "a.safetensors"
    mg.save(path, {"a": np.array([True] * 5)})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\1" * 5, b"\2" * 5))
    with pytest.raises(ValueError, match="entry 'a': has a bool that is neither 0 nor 1"):
        mg.load(path)


def test_an_error_without_words_is_named_by_its_kind(tmp_path, monkeypatch):
    mg.save(tmp_path / "a.npz", {})

    def fail(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(json, "loads", fail)
    with pytest.raises(ValueError, match=r"entry 'nest.json': MemoryError"):
        mg.load(tmp_path / "a.npz")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        mg.load(tmp_path / "absent.npz")


def peak_while_loading(path):
    """Bytes at the peak of reading a malformed file."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=re.escape(str(path))):
            mg.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    entries = [("nest.json", nest_of({"a": ["array"]})), ("a.npy", npy(np.zeros(2_000_000)))]
    path.write_bytes(archive(entries, compression=zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 50_000
    assert peak_while_loading(path) < 500_000


def test_entries_that_share_their_bytes_are_not_read_often(tmp_path):
    """A central directory of many names for one entry."""
    path = tmp_path / "bomb.npz"
    content = with_array(npy(np.zeros(100_000)))
    end = content.rindex(b"PK\x05\x06")
    directory = content.index(b"PK\x01\x02")
    entry = content[content.rindex(b"PK\x01\x02") : end]
    copies = [entry.replace(b"a.npy", f"{i:05}".encode()) for i in range(1000)]
    copied = content[directory : content.rindex(b"PK\x01\x02")] + b"".join(copies)
    ending = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1001, 1001, len(copied), directory, 0)
    path.write_bytes(content[:directory] + copied + ending)
    assert peak_while_loading(path) < 3_000_000


def written_with(entries, change):
    """A zip file whose central directory was changed before it was written."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, content in entries:
            out.writestr(zipfile.ZipInfo(name), content)
        change(out)
    return file.getvalue()


def test_arrays_in_one_another_are_refused(tmp_path):
    """Each entry is whole, but the bytes of one are those of the other, too: many such would take much memory."""
    content = npy(np.zeros(1000))
    inner = written_with([("b.npy", content)], lambda out: None)
    inner = np.frombuffer(inner[: inner.index(b"PK\x01\x02")], np.uint8)

    def add(out):
        info = zipfile.ZipInfo("b.npy")
        info.file_size = info.compress_size = len(content)
        info.CRC, info.header_offset = zlib.crc32(content), out.fp.getvalue().index(inner.tobytes())
        out.filelist.append(info)

    path = tmp_path / "a.npz"
    entries = [("nest.json", nest_of({"a": ["array"], "b": ["array"]})), ("a.npy", npy(inner))]
    path.write_bytes(written_with(entries, add))
    with pytest.raises(ValueError, match=r"a.npz: has entries that share their bytes"):
        mg.load(path)


def test_an_entry_twice_is_refused(tmp_path):
    entries = [("nest.json", nest_of({"a": ["array"]})), ("a.npy", npy())]
    path = tmp_path / "a.npz"
    path.write_bytes(written_with(entries, lambda out: out.filelist.append(out.filelist[1])))
    with pytest.raises(ValueError, match=r"a.npz: has an entry twice"):
        mg.load(path)


def test_a_size_that_lies_is_refused_before_it_is_allocated(tmp_path):
    content = npy(header=header(shape=f"({2**28},)"))

    def promise(out):
        out.filelist[1].file_size = 2**31 + len(content) - 48

    path = tmp_path / "a.npz"
    path.write_bytes(written_with([("nest.json", nest_of({"a": ["array"]})), ("a.npy", content)], promise))
    assert peak_while_loading(path) < 300_000


def test_a_promise_is_refused_before_it_is_allocated(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(with_array(npy(header=header(shape=f"({2**31},)"))))
    assert peak_while_loading(path) < 300_000


@pytest.mark.parametrize("order", "<>")
def test_the_last_character_of_unicode_is_one(order, tmp_path):
    path = tmp_path / "a.npz"
    codes = np.array([0x10FFFF, 0x41], f"{order}u4")
    path.write_bytes(with_array(npy(codes, header(f"{order}U1", shape="(2,)"))))
    assert mg.load(path)["a"].tolist() == ["\U0010ffff", "A"]
    codes[0] += 1
    path.write_bytes(with_array(npy(codes, header(f"{order}U1", shape="(2,)"))))
    with pytest.raises(ValueError, match="entry 'a': has the character 0x110000"):
        mg.load(path)


# whole or not at all


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    mg.save(path, {"a": 1})

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            mg.save(path, {"a": 2})
    assert mg.load(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_writes_nothing(tmp_path):
    path = tmp_path / "notes.txt"

    def fail():
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_is_an_error(tmp_path):
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a.npz is a folder, should be a file"):
        mg.save(tmp_path / "a.npz", {})
    assert list((tmp_path / "a.npz").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="links and modes are POSIX's")
def test_a_link_stays_and_so_does_the_mode(tmp_path):
    target, link = tmp_path / "target.npz", tmp_path / "link.npz"
    mg.save(target, {"a": 1})
    target.chmod(0o600)
    link.symlink_to(target)
    mg.save(link, {"a": 2})
    assert link.is_symlink()
    assert mg.load(target) == {"a": 2}
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="a folder is synchronised on POSIX")
def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    path, done = tmp_path / "a.txt", []
    synchronise, replace = os.fsync, os.replace

    def fsync(file):
        synchronise(file)
        folder = stat.S_ISDIR(os.fstat(file).st_mode)
        done.append(("folder", file) if folder else os.fstat(file).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", lambda *paths: done.append("name") or replace(*paths))
    with replacing(path) as file:
        file.write(b"whole")
    assert done[:2] == [5, "name"]
    [(kind, number)] = done[2:]
    assert kind == "folder"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_kill_during_saves_leaves_a_complete_file(tmp_path):
    """A child saves all the time. Killed at any moment, it leaves a file of one save, as new as the last reported."""
    path = tmp_path / "a.npz"
    code = f"""
import itertools, numpy as np, minigrad as mg
for i in itertools.count():
    mg.save({str(path)!r}, {{"i": i, "a": np.full((100, 1000), i), "b": np.full(1000, i)}})
    print(i, flush=True)
"""
    for delay in np.random.default_rng(0).uniform(0, 0.02, 3):
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            while int(child.stdout.readline()) < 2:
                pass
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            reported = [int(line) for line in child.stdout.read().split()]
        loaded = mg.load(path)
        assert loaded["i"] >= max(reported, default=2)
        assert np.all(loaded["a"] == loaded["i"])
        assert np.all(loaded["b"] == loaded["i"])
