"""Faults and how they get into running code: one change of the syntax tree of one function of minigrad.

The changed function's code is put into the functions that are alive (`__code__`), so nothing is imported again.
"""

import ast
import copy
import functools
import gc
import importlib
import types
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from faults.equivalence import ANY_CHANGE, argued, arguments, source
from faults.mutations import is_negative_number, is_unknown_size, variants

import minigrad

ROOT = Path(minigrad.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
for _file in FILES:  # also what minigrad imports at its first use
    _parts = ("minigrad", *_file.relative_to(ROOT).with_suffix("").parts)
    importlib.import_module(".".join(_parts).removesuffix(".__init__"))


@dataclass(frozen=True)
class Fault:
    """One change: `before` -> `after` in a function. `path` leads to the syntax node from the module's."""

    file: Path
    function: str
    line: int
    before: str
    after: str
    path: tuple
    variant: int
    nth: int

    @property
    def key(self):
        """A name that other lines of the file don't change."""
        repeated = f" ({self.nth})" if self.nth else ""
        return f"{self.file.relative_to(ROOT)} {self.function}{repeated}: {self.before} -> {self.after}"

    @functools.cached_property
    def _statements(self):
        """(node, path from it) of each statement, or lambda, that it is in: the innermost last."""
        node, found = tree(self.file), []
        for depth, (name, i) in enumerate(self.path, 1):
            node = getattr(node, name) if i is None else getattr(node, name)[i]
            if isinstance(node, (ast.stmt, ast.Lambda)):
                found.append((node, self.path[depth:]))
        return found

    @property
    def lines(self):
        """The lines of its statement; of a compound one, those of the header; of a lambda, those of what it returns."""
        node, _ = self._statements[-1]
        if isinstance(node, ast.Lambda):
            return range(node.body.lineno, node.body.end_lineno + 1)
        body = getattr(node, "body", None)
        return range(node.lineno, (max(node.lineno, body[0].lineno - 1) if body else node.end_lineno) + 1)

    @functools.cached_property
    def arguments(self):
        """The (argument, change) pairs, at its statement or about all of its function, why it changes nothing."""
        functions = {_first_line(node) for node, _ in self._statements if isinstance(node, ast.FunctionDef)}
        near = [argument for argument in arguments(self.file) if argument.line in {*self.lines, *functions}]
        node, path = self._statements[-1]
        return argued(near, node, replaced(node, path, self.variant), self.file) if near else []

    @property
    def is_said_to_survive(self):
        """Whether one of the arguments names it; `any change` does not say which are caught."""
        return any(change != ANY_CHANGE for _, change in self.arguments)


def _first_line(function):
    return min(node.lineno for node in (function, *function.decorator_list))


@functools.cache
def tree(file):
    """The syntax tree of a file."""
    return ast.parse(source(file))


def faults():
    """Every fault, file by file."""
    return [fault for file in FILES for fault in faults_of(file)]


def faults_of(file):
    """Every fault of a file."""
    found, seen = [], Counter()
    for path, node, function, is_size in _sites(tree(file)):
        before = ""
        for variant, new in enumerate(variants(node)):
            if is_size and is_unknown_size(node, new):
                continue
            before = before or " ".join(ast.unparse(node).split())
            what = (function, before, " ".join(ast.unparse(new).split()))
            if what[1] != what[2]:
                found.append(Fault(file, function, node.lineno, *what[1:], path, variant, seen[what]))
                seen[what] += 1
    return found


def _sites(tree):
    """(path, node, name of the function, whether it is a size for reshape) of every node of what functions run.

    Messages of errors are left out.
    """
    pending = [((), tree, "", False)]
    while pending:
        path, node, function, is_size = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            name = _name(node, tree, path)
            function = f"{function}.{name}" if function else name
            fields = ["body"]
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            fields = []
        elif isinstance(node, (ast.AnnAssign, ast.arguments, ast.JoinedStr)):
            fields = ["value"] if isinstance(node, ast.AnnAssign) else []
        elif _is_assertion(node) or is_negative_number(node):
            fields = []
        else:
            fields = [name for name, _ in ast.iter_fields(node)]
        if function and not isinstance(node, (ast.FunctionDef, ast.Lambda)) and hasattr(node, "lineno"):
            yield path, node, function, is_size
        for name in fields:
            value = getattr(node, name)
            children = enumerate(value) if isinstance(value, list) else [(None, value)]
            sizes = _reshapes(node) if isinstance(node, (ast.Call, ast.Subscript)) else is_size
            pending += [
                ((*path, (name, i)), child, function, sizes) for i, child in children if isinstance(child, ast.AST)
            ]


def _is_assertion(node):
    """Whether it is a `strict=`, which changes no result."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _reshapes(node):
    """Whether the arguments of a call are sizes."""
    return isinstance(node, ast.Call) and "reshape" in (getattr(node.func, "attr", ""), getattr(node.func, "id", ""))


def _name(node, tree, path):
    """A function's name; that of a VJP tells its op and argument."""
    decorators = [d for d in getattr(node, "decorator_list", ()) if isinstance(d, ast.Call) and "vjp" in ast.unparse(d)]
    if decorators:
        return ast.unparse(decorators[0])
    if isinstance(node, ast.FunctionDef):
        return node.name
    statement = tree.body[path[0][1]]
    target = ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else "lambda"
    keywords = [k.arg for k in ast.walk(statement) if isinstance(k, ast.keyword) and k.value is node]
    return f"{target}.{keywords[0]}" if keywords and keywords[0] else target


def codes(statement, file):
    """Every code object of a statement of a module, by (name, line, count)."""
    imports = [node for node in tree(file).body if isinstance(node, (ast.Import, ast.ImportFrom))]  # they change code
    module = ast.Module([*imports, statement], type_ignores=[])
    found, count, pending = {}, Counter(), [compile(module, str(file), "exec")]
    while pending:
        code = pending.pop(0)
        place = (code.co_name, code.co_firstlineno)
        found[(*place, count[place])] = code
        count[place] += 1
        pending += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return found


def replaced(node, path, variant):
    """A copy of a syntax node with one of the nodes below it changed."""
    if not path:
        return variants(node)[variant]
    (name, i), *rest = path
    node, value = copy.copy(node), getattr(node, name)
    if i is None:
        setattr(node, name, replaced(value, rest, variant))
    else:
        setattr(node, name, [*value[:i], replaced(value[i], rest, variant), *value[i + 1 :]])
    return node


def broken(fault):
    """The statement of the module that the fault is in, with it and without."""
    (_, i), *rest = fault.path
    sound = tree(fault.file).body[i]
    return replaced(sound, rest, fault.variant), sound


class Live:
    """The functions of the files that are alive, by (file, code), and what keeps results of theirs."""

    def __init__(self):
        names, self.functions, self.caches = {str(file) for file in FILES}, {}, []
        gc.unfreeze()  # what is frozen is not among the objects
        for found in gc.get_objects():
            kind = type(found)  # isinstance would ask the object, and lazy ones of PyTorch answer with a warning
            if kind is types.FunctionType and found.__code__.co_filename in names:
                self.functions.setdefault((found.__code__.co_filename, found.__code__), []).append(found)
            elif kind is functools._lru_cache_wrapper and found.__module__.startswith("minigrad."):
                self.caches.append(found)

    def take(self, fault):
        """Put the fault into the running functions; whether any took it."""
        changed, original = (codes(statement, fault.file) for statement in broken(fault))
        taken = []
        for key, old in original.items():
            new = changed.get(key)
            if new is not None and new != old:
                for function in self.functions.get((str(fault.file), old), ()):
                    try:
                        function.__code__ = new
                        taken.append(True)
                    except ValueError:  # another number of closed-over names
                        taken.append(False)
        self.forget()
        return bool(taken) and all(taken)

    def forget(self):
        """Empty the caches: what sound code computed earlier would hide a fault."""
        for cached in self.caches:
            cached.cache_clear()
