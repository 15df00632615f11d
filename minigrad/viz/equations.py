"""The equations of a call, for the walk: what an op computes, and dJ/d argument for each of its arguments.

Ops of the catalogue have a row each, an expression in Python's syntax that a test compares with the op itself.
Other ops show the expression that their forward and their VJPs return, read from their source.
"""

import ast
import html
import inspect
import textwrap
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

import numpy as np

from .mathml import UnreadableError, fraction, identifier, mathml, operator, text
from .parts import Part, argument_name

# op -> what it computes, and dJ/d argument by argument, from g = dJ/d out; "" where the function's name says it
ROWS: dict[str, tuple[str, dict[str, str]]] = {
    "add": ("x1 + x2", {"x1": "g", "x2": "g"}),
    "subtract": ("x1 - x2", {"x1": "g", "x2": "-g"}),
    "multiply": ("x1 * x2", {"x1": "g * x2", "x2": "g * x1"}),
    "divide": ("x1 / x2", {"x1": "g / x2", "x2": "-g * (x1 / x2**2)"}),
    "negative": ("-x", {"x": "-g"}),
    "positive": ("x", {"x": "g"}),
    "exp": ("exp(x)", {"x": "g * out"}),
    "log": ("log(x)", {"x": "g / x"}),
    "sqrt": ("sqrt(x)", {"x": "g / (2 * out)"}),
    "tanh": ("tanh(x)", {"x": "g * (1 - out**2)"}),
    "square": ("x**2", {"x": "g * (2 * x)"}),
    "reciprocal": ("1 / x", {"x": "-g * out**2"}),
    "cbrt": ("x**(1 / 3)", {"x": "g / (3 * out**2)"}),
    "exp2": ("2**x", {"x": "g * out * log(2)"}),
    "expm1": ("exp(x) - 1", {"x": "g * exp(x)"}),
    "arctan": ("arctan(x)", {"x": "g / (1 + x**2)"}),
    "hypot": ("sqrt(x1**2 + x2**2)", {"x1": "g * (x1 / out)", "x2": "g * (x2 / out)"}),
    "arctan2": ("arctan2(x1, x2)", {"x1": "g * (x2 / (x1**2 + x2**2))", "x2": "-g * (x1 / (x1**2 + x2**2))"}),
    "arcsin": ("arcsin(x)", {"x": "g / sqrt(1 - x**2)"}),
    "arccos": ("arccos(x)", {"x": "-g / sqrt(1 - x**2)"}),
    "remainder": ("x1 - x2 * floor(x1 / x2)", {"x1": "g", "x2": "-g * floor(x1 / x2)"}),
    "floor_divide": ("floor(x1 / x2)", {"x1": "0 * g", "x2": "0 * g"}),
    "abs": ("abs(x)", {"x": "g * sign(x)"}),
    "sign": ("sign(x)", {"x": "0 * g"}),
    "floor": ("floor(x)", {"x": "0 * g"}),
    "ceil": ("ceil(x)", {"x": "0 * g"}),
    "trunc": ("trunc(x)", {"x": "0 * g"}),
    "rint": ("rint(x)", {"x": "0 * g"}),
    "power": ("x1**x2", {"x1": "g * (x2 * x1**(x2 - 1))", "x2": "g * (out * log(x1))"}),
    "maximum": ("maximum(x1, x2)", {"x1": "selected(g, x1 > x2)", "x2": "selected(g, x2 > x1)"}),
    "minimum": ("minimum(x1, x2)", {"x1": "selected(g, x1 < x2)", "x2": "selected(g, x2 < x1)"}),
    "where": ("where(condition, x, y)", {"x": "where(condition, g, 0)", "y": "where(condition, 0, g)"}),
    "erf": ("erf(x)", {"x": "g * (2 / sqrt(pi) * exp(-x**2))"}),
    "relu": ("maximum(z, 0)", {"z": "selected(g, z > 0)"}),
    "leaky_relu": ("where(z > 0, z, slope * z)", {"z": "where(z > 0, g, slope * g)"}),
    "elu": ("where(z > 0, z, alpha * (exp(z) - 1))", {"z": "where(z > 0, g, g * (alpha * exp(z)))"}),
    "sigmoid": ("1 / (1 + exp(-z))", {"z": "g * out * (1 - out)"}),
    "softplus": ("log(1 + exp(z))", {"z": "g * (1 / (1 + exp(-z)))"}),
    "silu": ("z * sigmoid(z)", {"z": "g * (sigmoid(z) + out * (1 - sigmoid(z)))"}),
    "softmax": ("exp(z) / total(exp(z))", {"z": "out * (g - total(g * out))"}),
    "log_softmax": ("z - log(total(exp(z)))", {"z": "g - exp(out) * total(g)"}),
    "logsumexp": ("log(total(exp(z)))", {"z": "g * exp(z - out)"}),
    "logaddexp": ("log(exp(x1) + exp(x2))", {"x1": "g * exp(x1 - out)", "x2": "g * exp(x2 - out)"}),
    "sum": ("total(a)", {}),
    "mean": ("total(a) / n", {"a": "g / n"}),
    "prod": ("product(a)", {"a": "g * (out / a)"}),
    "var": ("total((a - mean(a))**2) / n", {"a": "g * (2 * (a - mean(a)) / n)"}),
    "matmul": ("x1 @ x2", {"x1": "g @ x2.T", "x2": "x1.T @ g"}),
    "inv": ("inv(a)", {"a": "-(out.T @ g @ out.T)"}),
    "det": ("det(a)", {"a": "g * out * inv(a).T"}),
    "log_abs_det": ("log(abs(det(a)))", {"a": "g * inv(a).T"}),
    "conv2d": ("correlate(x, k) + b", {"x": "convolve(g, k)", "k": "correlate(x, g)", "b": "total(g)"}),
    "conv_transpose2d": ("convolve(z, k) + b", {"z": "correlate(g, k)", "k": "correlate(g, z)", "b": "total(g)"}),
    "mean_squared_error": (
        "total((prediction - target)**2) / n",
        {"prediction": "g * (2 * (prediction - target) / n)", "target": "-g * (2 * (prediction - target) / n)"},
    ),
    "binary_cross_entropy_with_logits": (
        "total(log(1 + exp(logits)) - targets * logits) / n",
        {"logits": "g * ((sigmoid(logits) - targets) / n)", "targets": "-g * (logits / n)"},
    ),
    "softmax_cross_entropy": (
        "-total(onehot(labels) * log_softmax(logits)) / n",
        {"logits": "g * ((softmax(logits) - onehot(labels)) / n)"},
    ),
}  # fmt: skip
# what a VJP does that moves entries and changes none
MOVES = {
    "sum": "to each entry", "reshape": "in the shape of its argument", "transpose": "with the axes back in their order",
    "getitem": "put back at the index, 0 elsewhere", "scatter": "taken from the index", "copy": "as it is",
    "concatenate": "the part of this array", "stack": "the part of this array", "pad": "without the padding",
    "pieces": "each piece added to where it is from",
    "broadcast_to": "summed over the repeated axes", "cumsum": "summed from the end", "round": "times 0",
    "astype": "as it is, in the dtype of the argument",
    "max": "to the greatest entries", "min": "to the smallest entries", "clip": "where the entry is inside the bounds",
    "max_pool2d": "to the greatest entry of each window", "avg_pool2d": "shared equally by the entries of each window",
}  # fmt: skip


def equation_key(part: Part) -> str:
    """What the equations of like calls have in common: the op, and which arguments are tensors, or repeat."""
    repeated = _repeated(part)
    places = [f"{position}{'+' * (i in repeated)}" for i, position in enumerate(part.positions)]
    return " ".join([part.title, *places])


def _repeated(part: Part) -> set[int]:
    """The inputs that broadcasting repeats, so that their gradients are sums over the copies."""
    op, inputs = part.node.op, [tensor for _, tensor in part.inputs]
    if isinstance(op.forward, np.ufunc) or op.elementwise:
        return {i for i, tensor in enumerate(inputs) if tensor.shape != part.shape}
    if op.__name__ == "matmul":
        return {i for i, tensor in enumerate(inputs) if len(tensor.shape) == 2 < len(part.shape)}
    return set()


def equations(ops: Sequence[Part]) -> dict[str, dict[str, Any]]:
    """Templates of MathML by `equation_key`: {"forward": text, "backward": [text or "" for each input]}.

    Where a tensor's name belongs stands its number among the inputs in braces, or "{out}".
    """
    found: dict[str, dict[str, Any]] = {}
    for part in ops:
        key = equation_key(part)
        if key not in found:
            found[key] = _templates(part.node.op, part.positions, _repeated(part))
    return found


def _templates(op: Any, positions: Sequence[int], repeated: Collection[int]) -> dict[str, Any]:
    arguments = [argument_name(op, position) for position in positions]
    names = _names(op, arguments)
    returned = _row(op)[0] or (None if op.any_number else _source(op.forward))
    gave = _math(names["out"], returned, names) or _call(op, names, len(positions))
    backward = [
        _backward(op, position, i, names, i in repeated) if op.vjps[position] is not None else ""
        for i, position in enumerate(positions)
    ]
    return {"forward": gave, "backward": backward}


def _names(op: Any, arguments: Sequence[str]) -> dict[str, str]:
    """What stands for each name in the equations; "" for an argument that was left out."""
    names = {}
    if not op.any_number:
        pairs = zip(op.names, op.vjps, strict=True)
        names = {name: identifier(name) if vjp is None else "" for name, vjp in pairs}
    names |= {name: f"<mi>{{{i}}}</mi>" for i, name in enumerate(arguments)}
    return names | {"out": "<mi>{out}</mi>", "g": _derivative("out")}


def _backward(op: Any, position: int, i: int, names: dict[str, str], is_repeated: bool) -> str:
    """The equation of dJ/d the i-th input, which is the argument at a position."""
    name = argument_name(op, position)
    row = _row(op)[1].get(name) or _vjp_source(op, op.vjps[position], name)
    # equivalent: without row and because a sum of None can't be read, either
    row = _summed(row) if row and is_repeated else row
    derivative = _derivative(str(i))
    fallback = _equal(derivative, f"{names['g']}{text(chr(160) + _said(op, name))}")
    return _math(derivative, row, names) or fallback


def _row(op: Any) -> tuple[str, dict[str, str]]:
    """The row of an op, if it is in the catalogue."""
    return ROWS.get(op.__name__, ("", {})) if op.__module__.startswith("minigrad.") else ("", {})


def _said(op: Any, name: str) -> str:
    """What the VJP of an argument does, in words."""
    said = f"by the VJP of {name}"
    return MOVES.get(op.__name__, said) if op.__module__.startswith("minigrad.") else said


def _summed(expression: str | ast.expr) -> ast.expr:
    """The sum of an expression."""
    tree = ast.parse(expression, mode="eval").body if isinstance(expression, str) else expression
    return ast.Call(ast.Name("total"), [tree], [])


def _derivative(place: str) -> str:
    """The derivative of J by a tensor."""
    sign = "<mi>\u2202</mi>"
    return fraction(f"{sign}<mi>J</mi>", f"{sign}<mi>{{{place}}}</mi>")


def _equal(left: str, right: str) -> str:
    return f"<math display='block'><mrow>{left}{operator('=')}{right}</mrow></math>"


def _math(left: str, expression: str | ast.expr | None, names: dict[str, str]) -> str:
    """`left` = the expression, or "" if there is none that can be read."""
    # equivalent: never because None can't be read either
    if expression is None:
        return ""
    try:
        return _equal(left, mathml(expression, names))
    except UnreadableError:
        return ""


def _call(op: Any, names: dict[str, str], count: int) -> str:
    inner = operator(",").join(f"<mi>{{{i}}}</mi>" for i in range(count))
    return _equal(names["out"], f"{identifier(op.__name__)}{operator('(')}{inner}{operator(')')}")


def _parsed(function: Callable) -> ast.Module:
    """The tree of a function's source; empty where there is none."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ast.Module([], [])


@cache
def _source(function: Callable) -> ast.expr | None:
    """What a function of one statement returns, or None."""
    definition = next(iter(_parsed(function).body), None)
    if not isinstance(definition, ast.FunctionDef):
        return None
    statements = [each for each in definition.body if not isinstance(each, ast.Expr)]
    return statements[0].value if len(statements) == 1 and isinstance(statements[0], ast.Return) else None


def _vjp_source(op: Any, vjp: Any, name: str) -> ast.expr | None:
    """What a VJP returns, with g and out by those names; None where it is more than an expression."""
    moves = op.__name__ in MOVES and op.__module__.startswith("minigrad.")
    returned = None if moves else _source(vjp) or _lambda(vjp, name)
    if returned is None:
        return None
    places = dict(zip(inspect.signature(vjp).parameters, ["g", "out", *op.names], strict=False))
    return _Renamed(places).visit(ast.parse(ast.unparse(returned), mode="eval").body)


def _lambda(vjp: Callable, name: str) -> ast.expr | None:
    """The body of a lambda that stands in a call as the argument `name`."""
    for each in ast.walk(_parsed(vjp)):
        if isinstance(each, ast.keyword) and each.arg == name and isinstance(each.value, ast.Lambda):
            return each.value.body
    return None


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]):
        self.names = names

    def visit_Name(self, tree: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(tree.id, tree.id), tree.ctx)


def filled(template: str, inputs: Sequence[str], out: str) -> str:
    """A template with the names of a call."""
    for i, name in enumerate(inputs):
        template = template.replace(f"{{{i}}}", html.escape(name))
    return template.replace("{out}", html.escape(out))
