"""Expressions in Python's syntax as MathML, which every browser shows without a library.

A name becomes what `names` says, so that an equation can be filled in with the tensors of a call.
"""

import ast
import html
from collections.abc import Callable, Mapping

TIMES = "\u2062"  # invisible
GREEK = {"alpha": "\u03b1", "beta": "\u03b2", "sigma": "\u03c3", "mu": "\u03bc", "pi": "\u03c0", "delta": "\u03b4"}
SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "\u2212", ast.USub: "\u2212", ast.UAdd: "+", ast.Gt: "&gt;", ast.GtE: "\u2265",
    ast.Lt: "&lt;", ast.LtE: "\u2264", ast.Eq: "=", ast.NotEq: "\u2260", ast.Mod: "mod", ast.Mult: "\u2299",
    ast.MatMult: TIMES,
}  # fmt: skip
SUM, TOTAL, PRODUCT, MATRIX, POWER, ATOM = range(1, 7)  # how tightly an operator binds
BINDS = {ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.MatMult: MATRIX, ast.Mod: TOTAL}


class UnreadableError(ValueError):
    """An expression that has no equation worth showing, such as one with a loop or a private function."""


def mathml(expression: str | ast.expr, names: Mapping[str, str]) -> str:
    """The expression as MathML without its <math> element. names: MathML for the names in it.

    Raises UnreadableError for syntax and functions that have no place in an equation.
    """
    tree = ast.parse(expression, mode="eval").body if isinstance(expression, str) else expression
    return _Writer(names).write(tree)


def identifier(name: str) -> str:
    """A name as MathML: one letter in italics, a word upright."""
    text = GREEK.get(name, name)
    return f'<mi mathvariant="normal">{html.escape(text)}</mi>' if len(text) > 1 else f"<mi>{html.escape(text)}</mi>"


def operator(sign: str) -> str:
    """An operator as MathML. The sign of a product that is not seen has room, since names may be words."""
    room = ' lspace="0.2em" rspace="0.2em"' if sign == TIMES else ""
    return f"<mo{room}>{sign}</mo>"


def fraction(upper: str, lower: str) -> str:
    """A fraction as MathML."""
    return f"<mfrac><mrow>{upper}</mrow><mrow>{lower}</mrow></mfrac>"


def text(words: str) -> str:
    """Words as MathML."""
    return f"<mtext>{html.escape(words)}</mtext>"


def _raised(base: str, exponent: str) -> str:
    return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"


def _fenced(content: str, left: str = "(", right: str = ")") -> str:
    return f"<mrow>{operator(left)}{content}{operator(right)}</mrow>"


class _Writer:
    def __init__(self, names: Mapping[str, str]):
        self.names = names

    def write(self, tree: ast.AST, least: int = 0) -> str:
        """MathML of an expression, in parentheses if it binds less tightly than `least`."""
        kind = type(tree).__name__.lower()
        handler: Callable | None = getattr(self, f"_{kind}", None)
        if handler is None:
            raise UnreadableError(kind)
        content, binds = handler(tree)
        return _fenced(content) if binds < least else content

    def _name(self, tree: ast.Name) -> tuple[str, int]:
        return self.names.get(tree.id) or identifier(tree.id), ATOM

    def _constant(self, tree: ast.Constant) -> tuple[str, int]:
        if isinstance(tree.value, str):
            return text(tree.value), ATOM
        if isinstance(tree.value, bool) or not isinstance(tree.value, (int, float)):
            raise UnreadableError(repr(tree.value))
        return f"<mn>{tree.value:g}</mn>", ATOM

    def _attribute(self, tree: ast.Attribute) -> tuple[str, int]:
        if tree.attr in ("T", "mT"):
            return f"<msup>{self.write(tree.value, ATOM)}<mi>T</mi></msup>", POWER
        if tree.attr == "pi":
            return "<mi>\u03c0</mi>", ATOM
        raise UnreadableError(tree.attr)

    def _unaryop(self, tree: ast.UnaryOp) -> tuple[str, int]:
        if type(tree.op) not in SIGNS:
            raise UnreadableError(type(tree.op).__name__)
        return f"{operator(SIGNS[type(tree.op)])}{self.write(tree.operand, TOTAL)}", SUM

    def _binop(self, tree: ast.BinOp) -> tuple[str, int]:
        kind = type(tree.op)
        if kind is ast.Div:
            return fraction(self.write(tree.left), self.write(tree.right)), POWER
        if kind is ast.Pow:
            return _raised(self.write(tree.left, ATOM), self.write(tree.right)), POWER
        if kind not in BINDS:
            raise UnreadableError(kind.__name__)
        binds = BINDS[kind]
        left = self.write(tree.left, binds)
        right = self.write(tree.right, binds + (kind is not ast.Add and kind is not ast.Mult))
        if isinstance(tree.right, ast.Name) and self.names.get(tree.right.id) == "":  # an argument that was left out
            return left, binds
        sign = TIMES if kind is ast.Mult and isinstance(tree.left, ast.Constant) else SIGNS[kind]
        return f"{left}{operator(sign)}{right}", binds

    def _compare(self, tree: ast.Compare) -> tuple[str, int]:
        parts = [self.write(tree.left, SUM)]
        for sign, side in zip(tree.ops, tree.comparators, strict=True):
            if type(sign) not in SIGNS:
                raise UnreadableError(type(sign).__name__)
            parts.append(operator(SIGNS[type(sign)]) + self.write(side, SUM))
        return "".join(parts), 0

    def _function(self, tree: ast.expr) -> str:
        """The name of a function, such as np.linalg.inv; neither an argument nor its method is one."""
        root = tree
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id in self.names:
            raise UnreadableError(ast.unparse(tree))
        return tree.attr if isinstance(tree, ast.Attribute) else root.id

    def _call(self, tree: ast.Call) -> tuple[str, int]:
        name, arguments = self._function(tree.func), tree.args
        if name.startswith("_") or tree.keywords:
            raise UnreadableError(name)
        if name in FUNCTIONS and len(arguments) == COUNTS.get(name, 1):
            return FUNCTIONS[name](self, arguments), BINDS_OF.get(name, ATOM)
        inner = operator(",").join(self.write(argument) for argument in arguments)
        return f"{identifier(name)}{operator('&#x2061;')}{_fenced(inner)}", POWER


def _exponential(writer: _Writer, arguments: list) -> str:
    return _raised("<mi>e</mi>", writer.write(arguments[0]))


def _root(writer: _Writer, arguments: list) -> str:
    return f"<msqrt><mrow>{writer.write(arguments[0])}</mrow></msqrt>"


def _square(writer: _Writer, arguments: list) -> str:
    return _raised(writer.write(arguments[0], ATOM), "<mn>2</mn>")


def _inverse(writer: _Writer, arguments: list) -> str:
    return _raised(writer.write(arguments[0], ATOM), f"{operator(SIGNS[ast.Sub])}<mn>1</mn>")


def _between(left: str, right: str) -> Callable[[_Writer, list], str]:
    return lambda writer, arguments: _fenced(writer.write(arguments[0]), left, right)


def _infix(sign: str) -> Callable[[_Writer, list], str]:
    return lambda writer, arguments: operator(sign).join(writer.write(argument, PRODUCT) for argument in arguments)


def _first(writer: _Writer, arguments: list) -> str:
    return writer.write(arguments[0], ATOM)


def _selected(writer: _Writer, arguments: list) -> str:
    """Iverson's bracket: 1 where the condition holds, else 0."""
    return writer.write(arguments[0], PRODUCT) + _fenced(writer.write(arguments[1]), "[", "]")


def _case(writer: _Writer, arguments: list) -> str:
    condition, yes, no = (writer.write(argument) for argument in arguments)
    rows = [(yes, text("where ") + condition), (no, text("elsewhere"))]
    table = "".join(f"<mtr><mtd>{value}</mtd><mtd>{where}</mtd></mtr>" for value, where in rows)
    return f"<mrow>{operator('{')}<mtable columnalign='left'>{table}</mtable></mrow>"


def _over(sign: str) -> Callable[[_Writer, list], str]:
    return lambda writer, arguments: f"{operator(sign)}{writer.write(arguments[0], PRODUCT)}"


FUNCTIONS: dict[str, Callable[[_Writer, list], str]] = {
    "exp": _exponential, "sqrt": _root, "square": _square, "inv": _inverse, "abs": _between("|", "|"), "where": _case,
    "floor": _between("\u230a", "\u230b"), "ceil": _between("\u2308", "\u2309"), "norm": _between("\u2016", "\u2016"),
    "selected": _selected, "widened": _first, "floating": _first, "broadcast_to": _first,
    "correlate": _infix("\u22c6"), "convolve": _infix("\u2217"), "total": _over("\u2211"), "product": _over("\u220f"),
}  # fmt: skip
COUNTS = {"where": 3, "selected": 2, "correlate": 2, "convolve": 2, "broadcast_to": 2}  # of arguments, else 1
BINDS_OF = dict.fromkeys(("exp", "square", "inv"), POWER) | dict.fromkeys(("total", "product"), TOTAL)
BINDS_OF |= {"correlate": TOTAL, "convolve": TOTAL, "selected": PRODUCT}
