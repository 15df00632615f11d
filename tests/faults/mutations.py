"""The kinds of fault: what one node of a syntax tree may be changed to.

They are slips that people make in VJPs: a term, a transpose or a minus sign forgotten, gradients swapped,
an axis or an offset wrong by one, a mean for a sum, `=` for `+=`, a comparison turned, one part in a million.
"""

import ast

_OPERATORS = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult], ast.BitOr: [ast.BitAnd], ast.BitAnd: [ast.BitOr],
}  # fmt: skip
_COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt], ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is], ast.In: [ast.NotIn], ast.NotIn: [ast.In],
}  # fmt: skip
_NAMES = {
    "sum": "mean", "mean": "sum", "max": "min", "min": "max", "maximum": "minimum", "minimum": "maximum",
    "zeros": "ones", "ones": "zeros", "sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "exp": "expm1",
    "any": "all", "all": "any", "ceil": "floor", "floor": "ceil", "update": "copy",
}  # fmt: skip
_DROPPED = {
    "_t", "swapaxes", "transpose", "abs", "sqrt", "square", "sign", "conj", "broadcast_to", "reshape", "cumsum", "copy",
    "sum", "exp", "expand_dims", "flip", "moveaxis", "_kept", "astype", "array_of", "as_tuple", "sorted", "reversed",
}  # fmt: skip
_COMMUTATIVE = {
    "add", "multiply", "max", "min", "maximum", "minimum", "hypot", "logaddexp", "logaddexp2", "result_type",
    "broadcast_shapes", "fmin", "fmax", "equal", "gcd", "swapaxes", "vecdot", "array_equal", "shares_memory",
    "may_share_memory", "same", "_same", "common_dtype", "betaln", "sum_of_products", "convolve", "_convolve",
    "_orientation",
}  # fmt: skip
SLIGHTLY = 1 + 1e-6


def variants(node):
    """The nodes that this one may be replaced by; the list is the same every time."""
    rule = _RULES.get(type(node))
    return [_placed(new, node) for new in rule(node)] if rule else []


def _placed(new, node):
    return new if hasattr(new, "lineno") else ast.fix_missing_locations(ast.copy_location(new, node))


def _binary(node):
    for kind in _OPERATORS.get(type(node.op), ()):
        yield ast.BinOp(node.left, kind(), node.right)
    if not isinstance(node.left, ast.JoinedStr) and not isinstance(node.right, ast.JoinedStr):
        yield node.left
        yield node.right


def _unary(node):
    yield node.operand
    if is_negative_number(node):
        value = node.operand.value
        yield ast.UnaryOp(ast.USub(), ast.Constant(value + 1))
        yield ast.UnaryOp(ast.USub(), ast.Constant(value - 1)) if value > 1 else ast.Constant(0)


def is_negative_number(node):
    """Whether it is -1, say; the number in it is then not changed by itself."""
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and isinstance(node.operand.value, (int, float))
    )


def is_unknown_size(before, after):
    """Whether -1 becomes -2: for a size that is left to it NumPy takes any negative number."""
    return is_negative_number(before) and before.operand.value == 1 and ast.unparse(after) == "-2"


def _constant(node):
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1) if value else ast.Constant(2)
    elif value is None:
        return


def _comparison(node):
    for kind in _COMPARISONS[type(node.ops[0])]:
        yield ast.Compare(node.left, [kind(), *node.ops[1:]], node.comparators)


def _boolean(node):
    yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
    for i in range(len(node.values)):
        rest = node.values[:i] + node.values[i + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _call(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if name in _NAMES:
        other = _NAMES[name]
        func = ast.Attribute(node.func.value, other, ast.Load()) if isinstance(node.func, ast.Attribute) else None
        if func is not None:
            yield ast.Call(func, node.args, node.keywords)
    if name in _DROPPED:
        module = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", None) not in ("np", "math")
        if isinstance(node.func, ast.Attribute) and module:
            yield node.func.value
        elif node.args:
            yield node.args[0]
    for i in range(len(node.args) - 1 if name not in _COMMUTATIVE else 0):
        if not any(isinstance(a, (ast.Starred, ast.GeneratorExp)) for a in node.args[i : i + 2]):
            swapped = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
            yield ast.Call(node.func, swapped, node.keywords)
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in (
            "axis",
            "keepdims",
            "stride",
            "padding",
            "dilation",
            "groups",
            "output_size",
            "initial",
            "dtype",
        ):
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])


def _attribute(node):
    if node.attr == "T":
        yield node.value


def _subscript(node):
    if isinstance(node.slice, ast.Slice):
        yield node.value


def _augmented(node):
    yield ast.Assign([node.target], node.value)
    yield ast.Pass()


def _conditional(node):
    yield node.body
    yield node.orelse


def _if(node):
    yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    if isinstance(node.body[-1], (ast.Raise, ast.Return)) or not node.orelse:
        yield ast.If(ast.Constant(False), node.body, node.orelse)


def _return(node):
    if node.value is not None and isinstance(node.value, (ast.BinOp, ast.Call, ast.Name, ast.Subscript, ast.UnaryOp)):
        yield ast.Return(ast.BinOp(node.value, ast.Mult(), ast.Constant(SLIGHTLY)))


def _statement(node):
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


_RULES = {
    ast.BinOp: _binary, ast.UnaryOp: _unary, ast.Constant: _constant, ast.Compare: _comparison, ast.BoolOp: _boolean,
    ast.Call: _call, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.AugAssign: _augmented,
    ast.IfExp: _conditional, ast.If: _if, ast.Return: _return, ast.Expr: _statement,
}  # fmt: skip
