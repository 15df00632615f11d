"""Builds the API reference from the docstrings, with pdoc: `python docs/reference.py [FOLDER]`.

A warning is an error, and so is a public name without a docstring. The page minigrad.numpy_functions lists every
NumPy function that takes a Tensor. It is generated from the tables that dispatch them.
"""

import argparse
import inspect
import pkgutil
import re
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pdoc.doc
import pdoc.doc_pyi
import pdoc.render

import minigrad as mg
from minigrad import _numpy, operation, stand_ins

SUBMODULES = ("data", "distributed", "nn", "onnx", "optim", "testing", "viz")
PACKAGES = ("minigrad", *(f"minigrad.{name}" for name in SUBMODULES))


def pages():
    """Return {name: page} of the packages, the families of ops, and the list of NumPy's functions."""
    for package in (mg, *(getattr(mg, name) for name in SUBMODULES)):
        vars(package).update({name: getattr(package, name) for name in package.__all__})  # some load at their first use
    families = [pdoc.doc.Module.from_name(f"minigrad.ops.{m.name}") for m in pkgutil.iter_modules(mg.ops.__path__)]
    for family in families:
        family.members = {name: member for name, member in family.members.items() if name in mg.ops.__all__}
    families = [family for family in families if family.members]
    ops = pdoc.doc.Module.from_name("minigrad.ops")
    ops.members, ops.submodules = {}, families  # each op has its place in its family
    family_of = {name: family.fullname.rpartition(".")[2] for family in families for name in family.members}
    top, *packages = map(pdoc.doc.Module.from_name, PACKAGES)
    numpy = pdoc.doc.Module(numpy_functions(family_of))
    scipy = [pdoc.doc.Module.from_name(f"minigrad.scipy.{name}") for name in mg.scipy.__all__]
    top.members = {name: member for name, member in top.members.items() if name not in family_of}
    top.submodules = [ops, *packages, *scipy, numpy]
    found = [top, ops, *families, *packages, *scipy, numpy]
    for page in found:
        complete(page)
    return {page.fullname: page for page in found}


def complete(namespace):
    """Let ops be functions, with annotations as they are written. Raise ValueError where a docstring is missing."""
    for name, member in namespace.members.items():
        value = getattr(namespace.obj, name, None)
        if isinstance(value, operation.Op) or inspect.isfunction(value):
            function = pdoc.doc.Function(member.modulename, member.qualname, value, member.taken_from)
            function.obj, function.signature = value, as_written(inspect.signature(value))
            namespace.members[name] = function
        elif isinstance(member, pdoc.doc.Class):
            complete(member)
        documented = namespace.members[name].docstring or inspect.isclass(namespace.obj)
        if not documented and not name.startswith("_") and not inspect.ismodule(value):
            raise ValueError(f"{namespace.fullname}.{name} has no docstring")


class Written(str):
    """An annotation as it stands in the source. pdoc shows its repr."""

    __repr__ = str.__str__


def as_written(signature):
    """The signature with its annotations not evaluated, so `Array` and not `typing.Any`."""
    parameters = [
        p.replace(annotation=Written(p.annotation)) if isinstance(p.annotation, str) else p
        for p in signature.parameters.values()
    ]
    returned = signature.return_annotation
    return signature.replace(
        parameters=parameters, return_annotation=Written(returned) if isinstance(returned, str) else returned
    )


def numpy_functions(family_of):
    """Return a module without members, whose docstring is the list of the NumPy functions that take a Tensor."""
    for name in np.fft.__all__:
        _numpy._stand_in(getattr(np.fft, name))  # they are found at their first use
    differentiable = {name_in_numpy(f): link(op.__name__, family_of) for f, op in stand_ins.NUMPY.items()}
    plain = {name_in_numpy(f): "" for f in _numpy._PLAIN_UFUNCS | _numpy._PLAIN_FUNCTIONS}
    counted = ", ".join(f"{n} {kind}" for kind, n in counts().items())
    rows = [f"| `{name}` | {op} |" for name, op in sorted((plain | differentiable).items())]
    page = types.ModuleType("minigrad.numpy_functions")
    page.__doc__ = f"""The {len(rows)} NumPy functions that take a Tensor.

{len(differentiable)} are differentiable and call an op, which is named beside them. The others return plain values.
Any other NumPy function raises TypeError, which names it. Of the public functions of numpy, numpy.linalg and
numpy.fft there are: {counted}.

| NumPy | minigrad |
|---|---|
""" + "\n".join(rows)
    return page


def counts():
    """Return how many public functions of NumPy are differentiable, plain, refused, or see no Tensor."""
    found = dict.fromkeys(("differentiable", "plain", "refused", "that take no array"), 0)
    plain = _numpy._PLAIN_UFUNCS | _numpy._PLAIN_FUNCTIONS
    for module in (np, np.linalg, np.fft):
        for function in (getattr(module, name, None) for name in module.__all__):
            if callable(function) and not inspect.isclass(function):
                dispatches = isinstance(function, np.ufunc) or hasattr(function, "_implementation")
                kind = "refused" if dispatches else "that take no array"
                kind = "differentiable" if function in stand_ins.NUMPY else "plain" if function in plain else kind
                found[kind] += 1
    return found


def link(name, family_of):
    """Return a link to the op from the page beside the families' folder; np.fabs has one without a name here."""
    name = name.lstrip("_")  # np.linalg.cross is mg.cross with other defaults
    if name not in family_of:
        return "under NumPy's name alone"
    return f"[mg.{name}](ops/{family_of[name]}.html#{name})"


def name_in_numpy(function):
    """Return where a user of NumPy finds it, such as np.linalg.norm."""
    place = getattr(function, "__module__", "")
    return f"{place.replace('numpy', 'np') if place in ('numpy.linalg', 'numpy.fft') else 'np'}.{function.__name__}"


def to_markdown(docstring):
    """A docstring's plain text as Markdown: a list of arguments, fenced examples, and asterisks that are powers."""
    parts = re.split(r"(^[ ]*>>> (?:.+\n?)+)", docstring, flags=re.MULTILINE)
    return "".join(fenced(part) if i % 2 else prose(part) for i, part in enumerate(parts))


def fenced(example):
    """An interactive session as a block of code."""
    return f"```pycon\n{inspect.cleandoc(example)}\n```\n"


def prose(text):
    """A paragraph with its powers escaped, and `name: what it is` at the start of a line as an item of a list."""
    if text.lstrip().startswith("|") or "\n|---" in text:
        return text
    pieces = re.split(r"(`[^`]*`|^    .*$)", text, flags=re.MULTILINE)
    text = "".join(piece if i % 2 else piece.replace("*", r"\*") for i, piece in enumerate(pieces))
    return re.sub(r"(?<=\n)(\w+(?:, \w+)*): +", r"- **\1**: ", text)


def main(arguments=None):
    """Write the pages; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/reference"))
    folder = parser.parse_args(arguments).folder
    warnings.simplefilter("error")
    pdoc.doc_pyi.find_stub_file = lambda name: None  # pdoc imports stubs, but ours name types that only checkers see
    pdoc.render.configure(docformat="markdown", search=True)
    pdoc.render.env.filters["to_markdown"] = to_markdown
    found = pages()
    for name, page in found.items():
        file = folder / f"{name.replace('.', '/')}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(pdoc.render.html_module(page, found), "utf-8")
    (folder / "index.html").write_text(pdoc.render.html_index(found), "utf-8")
    (folder / "search.js").write_text(pdoc.render.search_index(found), "utf-8")
    print(f"{len(found)} pages in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
