"""The equations of the walk: each row of the table against the op, and what is read from source."""

import ast
import inspect
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad.elementwise import elementwise
from minigrad.operation import Op
from minigrad.ops import activations, losses
from minigrad.viz.equations import MOVES, ROWS, _source, equations, filled
from minigrad.viz.mathml import UnreadableError, identifier, mathml
from minigrad.viz.parts import read_tape

OPS = {name: op for name in dir(mg.ops) if isinstance(op := getattr(mg.ops, name), Op)}
OPS["softmax_cross_entropy"] = losses._cross_entropy  # which mg.softmax_cross_entropy calls
OPS |= {"gelu": activations._gelu, "silu": activations._silu, "log_softmax": activations._log_softmax}
MATRICES = ("matmul", "inv", "det", "log_abs_det")


def correlate(x, k):
    """The two uses that the table makes of it: of an image and a kernel, and of an image and the gradient."""
    return mg.conv2d(x, k) if x.ndim == k.ndim and x.shape[1] == k.shape[1] else mg.ops.conv2d_kernel(x, k)


SPACE = {name: getattr(np, name) for name in dir(np) if callable(getattr(np, name))} | {
    "total": np.sum,
    "product": np.prod,
    "selected": lambda g, condition: np.where(condition, g, 0),
    "sigmoid": mg.sigmoid,
    "softmax": mg.softmax,
    "log_softmax": mg.log_softmax,
    "erf": mg.erf,
    "pi": np.pi,
    "onehot": lambda labels: np.eye(3)[labels],
    "inv": np.linalg.inv,
    "det": np.linalg.det,
}
POSITIVE = np.array([[0.3, 0.7, 0.55], [0.2, 0.45, 0.8], [0.6, 0.35, 0.15]])


def arguments_of(op):
    """Entries inside of the domain of every function of the table."""
    given = [POSITIVE + 0.05 * i for i, name in enumerate(op.names) if op.vjps[i] is not None]
    if op.__name__ == "softmax_cross_entropy":
        return [given[0], np.array([0, 2, 1])]
    return [POSITIVE > 0.4, *given] if op.__name__ == "where" else given


@pytest.mark.parametrize("name", [name for name in ROWS if "conv" not in name])
def test_each_row_is_what_the_op_computes(name):
    op, function, (forward, vjps) = OPS[name], getattr(mg.ops, name), ROWS[name]
    arguments = arguments_of(op)
    if name in ("softmax", "log_softmax"):
        arguments = [arguments[0][:1]]
    if name == "mean":
        arguments = [arguments[0]]
    parameters = {} if isinstance(op.forward, np.ufunc) else inspect.signature(op.forward).parameters
    defaults = {p.name: p.default for p in parameters.values()}
    count = {"mean_squared_error": 9, "binary_cross_entropy_with_logits": 9, "softmax_cross_entropy": 3}.get(name, 9)
    space = SPACE | defaults | dict(zip(op.names, arguments, strict=False)) | {"n": count}
    out = function(*arguments)
    assert np.allclose(eval(forward, space), out)
    g = np.asarray(np.cos(np.arange(np.size(out))).reshape(np.shape(out)))
    tensors = [mg.tensor(a, requires_grad=True) if a.dtype.kind == "f" else a for a in arguments]
    y = function(*tensors)
    y.backward(g)
    for argument, vjp in vjps.items():
        x = tensors[op.names.index(argument)]
        assert np.allclose(eval(vjp, space | {"g": g, "out": out}), x.grad), argument


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_the_rows_of_convolution_are_what_the_ops_compute(name):
    rng = np.random.default_rng(0)
    op, (forward, vjps) = OPS[name], ROWS[name]
    x, k = rng.normal(size=(1, 1, 5, 5)), rng.normal(size=(1, 1, 3, 3))
    space = {"correlate": mg.conv2d, "convolve": mg.conv_transpose2d, "total": np.sum, "b": np.zeros(1)}
    space |= dict(zip(op.names, (x, k), strict=False))
    tensors = [mg.tensor(a, requires_grad=True) for a in (x, k, np.zeros(1))]
    y = op(*tensors)
    assert np.allclose(eval(forward, space), y.data)
    g = rng.normal(size=y.shape)
    y.backward(g)
    for argument, tensor in zip(op.names, tensors, strict=False):
        got = eval(vjps[argument], space | {"g": g})
        assert np.allclose(got, tensor.grad), argument


def ops_of(y):
    return [part for part in read_tape([y.node]) if part.kind == "op"]


def text(markup):
    return re.sub(r"<[^>]+>", "", markup)


def test_every_op_has_an_equation_and_it_differs_from_its_derivative(all_calls):
    for name, y in all_calls.items():
        known = equations([part for part in read_tape([y.node]) if part.title == name and part.node is y.node])
        ((_, pair),) = known.items()
        assert pair["forward"].startswith("<math"), name
        assert any(pair["backward"]), name
        assert pair["forward"] not in pair["backward"], name


@pytest.fixture
def all_calls():
    """A recorded call of each op of the table."""
    found = {}
    for name in [*ROWS, "reshape", "getitem", "transpose", "max", "cumsum", "gelu", "arcsinh"]:
        op = OPS[name]
        if "conv" in name:
            arguments = [np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))]
        elif name in ("reshape", "getitem"):
            arguments = [POSITIVE, {"reshape": (9,), "getitem": 0}[name]]
        elif name in ("arcsinh", "gelu", "transpose", "max", "cumsum"):
            arguments = [POSITIVE]
        else:
            arguments = arguments_of(op)
        found[name] = getattr(mg.ops, name)(
            *[
                mg.tensor(a, requires_grad=True) if getattr(a, "dtype", np.dtype(int)).kind == "f" else a
                for a in arguments
            ]
        )
    return found


def test_an_equation_has_the_names_of_the_call():
    b, w = (mg.tensor(np.ones(shape), requires_grad=True, name=name) for name, shape in (("B", (4, 3)), ("W", (3, 2))))
    z = b @ w
    parts = read_tape([z.node], {"z": z})
    (known,) = equations([part for part in parts if part.kind == "op"]).values()
    assert text(filled(known["forward"], ["B", "W"], "z")) == "z=B\u2062W"
    backward = [text(filled(each, ["B", "W"], "z")) for each in known["backward"]]
    assert backward == ["\u2202J\u2202B=\u2202J\u2202z\u2062WT", "\u2202J\u2202W=BT\u2062\u2202J\u2202z"]


def test_the_gradient_of_what_is_repeated_is_a_sum():
    x, b = (mg.tensor(np.ones(shape), requires_grad=True) for shape in ((3, 2), (2,)))
    known = equations([*ops_of(x * b), *ops_of(x * x), *ops_of(mg.where(np.ones((3, 2), bool), b, x))])
    backward = [[text(each) for each in pair["backward"]] for pair in known.values()]
    assert backward[0] == [
        "\u2202J\u2202{0}=\u2202J\u2202{out}\u2299{1}",
        "\u2202J\u2202{1}=\u2211\u2202J\u2202{out}\u2299{0}",
    ]
    assert "\u2211" not in "".join(backward[1])
    assert [each.count("\u2211") for each in backward[2]] == [0, 1, 0]
    stack = mg.tensor(np.ones((4, 3, 2)), requires_grad=True)
    (known,) = equations(ops_of(stack @ mg.tensor(np.ones((2, 5)), requires_grad=True))).values()
    assert [text(each).count("\u2211") for each in known["backward"]] == [0, 1]


def test_a_bias_that_is_left_out_is_not_in_the_equation():
    x, k = (mg.tensor(np.ones(shape), requires_grad=True) for shape in ((1, 1, 4, 4), (1, 1, 2, 2)))
    (known,) = equations(ops_of(mg.conv2d(x, k))).values()
    assert text(known["forward"]) == "{out}={0}\u22c6{1}"
    assert len(known["backward"]) == 2


def test_the_equations_of_other_ops_are_read_from_their_source():
    @mg.op
    def cube(x):
        return x * x * x

    @cube.vjp("x")
    def _(g, out, x):
        return g * 3 * x**2

    (known,) = equations(
        [part for part in read_tape([cube(mg.tensor(2.0, requires_grad=True)).node]) if part.kind == "op"]
    ).values()
    assert text(known["forward"]) == "{out}={0}\u2299{0}\u2299{0}"
    assert text(known["backward"][0]) == "\u2202J\u2202{0}=\u2202J\u2202{out}\u22993\u2299{0}2"


def equation(op, *arguments):
    (known,) = equations(ops_of(op(*[mg.tensor(a, requires_grad=True) for a in arguments]))).values()
    return [text(known["forward"]), *map(text, known["backward"])]


def test_an_op_of_yours_is_not_taken_for_one_of_the_same_name():
    @mg.op
    def exp(x):
        return x * 2.0

    exp.vjp("x", lambda g, out, x: g * 2)

    @mg.op
    def transpose(x):
        return x + 1.0

    @transpose.vjp("x")
    def _(g, out, x):
        return g * 1.0

    assert equation(transpose, POSITIVE)[1] == "\u2202J\u2202{0}=\u2202J\u2202{out}\u22991"

    @mg.op
    def reshape(x):
        return x - 1.0

    @reshape.vjp("x")
    def _(g, out, x):
        y = g
        return y * 1.0

    assert equation(exp, POSITIVE)[0] == "{out}={0}\u22992"
    assert equation(reshape, POSITIVE) == [
        "{out}={0}\u22121",
        "\u2202J\u2202{0}=\u2202J\u2202{out}\xa0by the VJP of x",
    ]


def test_what_an_op_without_a_row_does_is_read_or_told():
    assert equation(mg.sin, POSITIVE)[1] == "\u2202J\u2202{0}=\u2202J\u2202{out}\u2299cos&#x2061;({0})"
    for op, said in ((mg.arcsinh, "by the VJP of x"), (mg.ops.cumsum, "summed from the end")):
        assert equation(op, POSITIVE)[1] == f"\u2202J\u2202{{0}}=\u2202J\u2202{{out}}\xa0{said}"


def test_each_argument_has_the_equation_of_its_own_vjp():
    @mg.op
    def scaled(x, w, k):
        return x * w * k

    scaled.vjp("x", lambda up, y, a, b, c: up * b * c)

    @scaled.vjp("k")
    def _(up, y, a, b, c):
        return up * y / c

    x, k = (mg.tensor(POSITIVE, requires_grad=True) for _ in range(2))
    (known,) = equations(ops_of(scaled(x, POSITIVE, k))).values()
    constant = [part.kind for _, part in ops_of(scaled(x, POSITIVE, k))[0].inputs].index("data")
    backward = [text(each) for each in known["backward"]]
    assert backward[constant] == ""
    assert backward[-1] == "\u2202J\u2202{2}=\u2202J\u2202{out}\u2299{out}{2}"


def test_what_moves_entries_says_so_in_each_of_its_calls():
    calls = {
        "max_pool2d": lambda a: mg.max_pool2d(a.reshape(1, 3, 3), 2),
        "avg_pool2d": lambda a: mg.avg_pool2d(a.reshape(1, 3, 3), 2),
        "getitem": lambda a: a[0], "copy": lambda a: a.copy(), "pad": lambda a: mg.pad(a, 1), "sum": mg.sum,
        "reshape": lambda a: a.reshape(9), "transpose": lambda a: a.T, "round": mg.round, "max": mg.max, "min": mg.min,
        "concatenate": lambda a: mg.concatenate([a, a]), "stack": lambda a: mg.stack([a, a]), "cumsum": mg.cumsum,
        "broadcast_to": lambda a: mg.broadcast_to(a, (2, 3, 3)), "astype": lambda a: a.astype(np.float32),
        "clip": lambda a: mg.clip(a, 0, 1),
    }  # fmt: skip
    for name, call in calls.items():
        *_, last = ops_of(call(mg.tensor(POSITIVE, requires_grad=True)))
        (known,) = equations([last]).values()
        assert text(known["backward"][0]) == f"\u2202J\u2202{{0}}=\u2202J\u2202{{out}}\xa0{MOVES[name]}"
        assert "{0}" in known["forward"]


def test_the_inputs_of_an_op_of_any_number_are_named_one_by_one():
    @mg.op
    def total(*arrays):
        return sum(arrays)

    @total.vjp("arrays")
    def _(i, g, out, *arrays):
        return g * i

    assert equation(lambda *arrays: mg.stack(arrays), POSITIVE, POSITIVE)[0] == "{out}=stack({0},{1})"
    assert equation(total, POSITIVE, POSITIVE) == [
        "{out}=total({0},{1})",
        *(f"\u2202J\u2202{{{i}}}=\u2202J\u2202{{out}}\xa0by the VJP of arrays" for i in (0, 1)),
    ]


def test_a_method_of_an_argument_is_not_taken_for_a_function_of_its_arguments():
    @mg.op
    def squares(x):
        return (x * x).sum()

    squares.vjp("x", lambda g, out, x: g * 2 * x)

    @mg.op
    def rows(x, kind):
        return kind.square(x)

    @rows.vjp("x")
    def _(g, out, x, kind):
        return np.linalg.inv(g.reshape(3, 3))

    assert equation(squares, POSITIVE)[0] == "{out}=squares({0})"
    x = mg.tensor(POSITIVE.ravel(), requires_grad=True)
    (known,) = equations(ops_of(rows(x, np))).values()
    assert [text(known["forward"]), text(known["backward"][0])] == [
        "{out}=rows({0})",
        "\u2202J\u2202{0}=\u2202J\u2202{out}\xa0by the VJP of x",
    ]


def test_an_argument_that_is_no_tensor_stands_by_its_name():
    x, y = (mg.tensor(POSITIVE, requires_grad=True) for _ in range(2))
    (known,) = equations(ops_of(mg.where(True, x, y))).values()
    assert [text(each).partition("=")[2] for each in known["backward"]] == [
        "{\u2202J\u2202{out}where condition0elsewhere",
        "{0where condition\u2202J\u2202{out}elsewhere",
    ]


def test_an_argument_without_a_vjp_stands_by_its_name_in_a_product():
    @mg.op
    def scaled(x, factor):
        return x * factor

    @scaled.vjp("x")
    def _(g, out, x, factor):
        return g * factor

    (known,) = equations(ops_of(scaled(mg.tensor(POSITIVE, requires_grad=True), 3.0))).values()
    assert text(known["forward"]) == "{out}={0}\u2299factor"
    assert text(known["backward"][0]) == "\u2202J\u2202{0}=\u2202J\u2202{out}\u2299factor"


def test_an_argument_that_is_called_is_no_function_of_an_equation():
    @mg.op
    def applied(x, exp):
        return exp(x)

    applied.vjp("x", lambda g, out, x, exp: g * out)
    (known,) = equations(ops_of(applied(mg.tensor(POSITIVE, requires_grad=True), np.exp))).values()
    assert text(known["forward"]) == "{out}=applied({0})"


def test_of_two_vjps_in_one_call_each_argument_has_its_own():
    product = elementwise(np.multiply, "", x1=lambda g, a, x1, x2: g * x2, x2=lambda g, a, x1, x2: x1 * g, table={})
    product.__module__ = __name__  # one that has no row
    assert equation(product, POSITIVE, POSITIVE)[1:] == [
        "\u2202J\u2202{0}=\u2202J\u2202{out}\u2299{1}",
        "\u2202J\u2202{1}={0}\u2299\u2202J\u2202{out}",
    ]


def test_a_keyword_of_the_name_of_an_argument_is_not_its_vjp():
    def times(g, x):
        return g * x

    @mg.op
    def halves(x):
        return x * x / 2.0

    halves.vjp("x", lambda g, out, x: times(g, x=x))
    assert equation(halves, POSITIVE)[1] == "\u2202J\u2202{0}=\u2202J\u2202{out}\xa0by the VJP of x"


def test_a_function_of_no_single_expression_has_no_equation():
    def with_a_block(x):
        with np.errstate(all="ignore"):
            return 1 / x

    def of_two_statements(x):
        y = x * 2
        return y * 2

    def empty(x): ...

    def documented(x):
        """Twice x."""
        return 2 * x

    assert [_source(function) for function in (with_a_block, of_two_statements, empty, np.sin, len)] == [None] * 5
    assert ast.unparse(_source(documented)) == "2 * x"


def test_the_gradient_of_what_is_repeated_is_told_where_it_cannot_be_read():
    for op in (mg.fmax, mg.fmod):
        assert equation(op, np.ones((3, 2)), np.full(2, 0.75))[2].endswith("by the VJP of x2")
    assert equation(mg.copysign, np.ones((3, 2)), np.ones(2))[1].endswith("by the VJP of x1")


@pytest.mark.parametrize("name", ["hypot", "power", "logaddexp", "copysign", "maximum"])
def test_the_gradient_of_what_an_op_repeats_is_a_sum(name):
    found = equation(getattr(mg, name), np.ones((3, 2)), np.ones(2))
    assert found[2].count("\u2211") == 1


def test_the_gradient_of_what_a_ufunc_repeats_is_a_sum_in_an_op_of_yours_too():
    op = Op(np.logaddexp2, ("x1", "x2"))

    @op.vjp("x2")
    @op.vjp("x1")
    def _(g, out, x1, x2):
        return g * x2

    assert [each.count("\u2211") for each in equation(op, np.ones((3, 2)), np.ones(2))] == [0, 0, 1]


def test_like_calls_have_one_equation():
    parts = read_tape([(mg.tensor(POSITIVE, requires_grad=True) * 2.0).node])
    assert len(equations([part for part in parts if part.kind == "op"] * 2)) == 1


def test_an_op_whose_source_is_no_expression_is_called_by_its_name():
    @mg.op
    def looped(x):
        for _ in range(2):
            x = x * 2.0
        return x

    looped.vjp("x", eval("lambda g, out, x: g * 4"))  # no source
    (known,) = equations(
        [part for part in read_tape([looped(mg.tensor(2.0, requires_grad=True)).node]) if part.kind == "op"]
    ).values()
    assert text(known["forward"]) == "{out}=looped({0})"
    assert text(known["backward"][0]) == "\u2202J\u2202{0}=\u2202J\u2202{out}\xa0by the VJP of x"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b * c", "a+b\u2299c"),
        ("(a + b) * c", "(a+b)\u2299c"),
        ("a - (b - c)", "a\u2212(b\u2212c)"),
        ("a - b + c", "a\u2212b+c"),
        ("-(a + b)", "\u2212(a+b)"),
        ("2 * x", "2\u2062x"),
        ("alpha * x", "\u03b1\u2299x"),
        ("(a @ b).T", "(a\u2062b)T"),
        ("abs(x)", "|x|"),
        ("where(x > 0, 1, y)", "{1where x&gt;0yelsewhere"),
        ("selected(g, x >= 0.5)", "g[x\u22650.5]"),
        ("total(a * b)", "\u2211a\u2299b"),
        ("x if c else y", None),
        ("f(x, axis=0)", None),
        ("_private(x)", None),
        ("a.shape", None),
        ("a is b", None),
        ("a // b", None),
        ("None", None),
        ("f(a)(b)", None),
        ("~a", None),
        ("not a", None),
        ("exp(a, where=b)", None),
        ("convolve(*a)", None),
        ("(a + b).f(c)", None),
    ],
)
def test_expressions(expression, expected):
    if expected is None:
        with pytest.raises(UnreadableError):
            mathml(expression, {})
    else:
        assert text(mathml(expression, {}).replace("&#x2061;", "")) == expected


def shown(element):
    """MathML in one line: ^[...] for an exponent, [.../...] for a fraction, sqrt[...]."""
    parts = [shown(child) for child in element]
    if element.tag == "msup":
        return f"{parts[0]}^[{parts[1]}]"
    if element.tag == "mfrac":
        return f"[{parts[0]}/{parts[1]}]"
    content = (element.text or "") + "".join(parts)
    return f"sqrt[{content}]" if element.tag == "msqrt" else content


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("exp(a + b)", "e^[a+b]"),
        ("exp(x)**2", "(e^[x])^[2]"),
        ("square(exp(x))", "(e^[x])^[2]"),
        ("square(a + b)", "(a+b)^[2]"),
        ("square(-a)", "(\u2212a)^[2]"),
        ("square(x**3)", "(x^[3])^[2]"),
        ("square(abs(a))", "|a|^[2]"),
        ("inv(a @ b)", "(a\u2062b)^[\u22121]"),
        ("inv(a**2)", "(a^[2])^[\u22121]"),
        ("inv(a).T", "(a^[\u22121])^[T]"),
        ("(a**2).T", "(a^[2])^[T]"),
        ("a.T", "a^[T]"),
        ("a.T**2", "(a^[T])^[2]"),
        ("2 + x", "2+x"),
        ("abs(a).T", "|a|^[T]"),
        ("np.pi.T", "\u03c0^[T]"),
        ("'s'.T", "s^[T]"),
        ("2 .T", "2^[T]"),
        ("(a / b).T", "([a/b])^[T]"),
        ("(a / b) ** 2", "([a/b])^[2]"),
        ("f(x).T", "(f\u2061(x))^[T]"),
        ("(2**x)**3", "(2^[x])^[3]"),
        ("2**x**3", "2^[x^[3]]"),
        ("1 / (a + b) * c", "[1/a+b]\u2299c"),
        ("sqrt(a + b)", "sqrt[a+b]"),
        ("floor(x) + ceil(y) + norm(z)", "\u230ax\u230b+\u2308y\u2309+\u2016z\u2016"),
        ("a * (b * c)", "a\u2299b\u2299c"),
        ("a + (b + c)", "a+b+c"),
        ("a @ (b @ c)", "a\u2062(b\u2062c)"),
        ("(a - b) % c", "(a\u2212b)modc"),
        ("a % (b % c)", "amod(bmodc)"),
        ("a + (b < c)", "a+(b&lt;c)"),
        ("(a < b) * c", "(a&lt;b)\u2299c"),
        ("-(a * b)", "\u2212a\u2299b"),
        ("widened(a + b) * c", "(a+b)\u2299c"),
        ("(a * b) @ c", "(a\u2299b)\u2062c"),
        ("a * (b @ c)", "a\u2299b\u2062c"),
        ("a @ b * c", "a\u2062b\u2299c"),
        ("a * (b % c)", "a\u2299(bmodc)"),
        ("a * b % c", "a\u2299bmodc"),
        ("a - b % c", "a\u2212bmodc"),
        ("total(a + b)", "\u2211(a+b)"),
        ("total(a * b)", "\u2211a\u2299b"),
        ("total(a) * b", "(\u2211a)\u2299b"),
        ("a * product(b)", "a\u2299(\u220fb)"),
        ("total(a)**2", "(\u2211a)^[2]"),
        ("a - total(b)", "a\u2212\u2211b"),
        ("-total(a)", "\u2212\u2211a"),
        ("correlate(a, b) + c", "a\u22c6b+c"),
        ("correlate(a, b) * c", "(a\u22c6b)\u2299c"),
        ("convolve(a, b)**2", "(a\u2217b)^[2]"),
        ("convolve(a, correlate(b, c))", "a\u2217(b\u22c6c)"),
        ("selected(a, b)**2", "(a[b])^[2]"),
        ("selected(a, b) * 2", "a[b]\u22992"),
        ("broadcast_to(a, b)**2", "a^[2]"),
        ("floating(a)**2", "a^[2]"),
        ("where(a)", "where\u2061(a)"),
        ("norm(a, b)", "norm\u2061(a,b)"),
        ("selected(a)", "selected\u2061(a)"),
        ("correlate(a + b, c)", "(a+b)\u22c6c"),
        ("selected(a + b, c)", "(a+b)[c]"),
        ("f(x, y)", "f\u2061(x,y)"),
        ("np.f(x)", "f\u2061(x)"),
        ("f(x) * 2", "f\u2061(x)\u22992"),
    ],
)
def test_exponents_fractions_and_parentheses(expression, expected):
    assert shown(ElementTree.fromstring(f"<mrow>{mathml(expression, {})}</mrow>")) == expected.replace("&lt;", "<")


def test_an_argument_that_was_left_out_leaves_its_operator_out():
    names = {"b": ""}
    assert text(mathml("(a * x + b) * y", names)) == "(a\u2299x)\u2299y"
    assert text(mathml("a * x + c", names)) == "a\u2299x+c"


def test_a_word_is_upright_and_a_letter_in_italics():
    assert identifier("a") == "<mi>a</mi>"
    assert "lspace" in mathml("a @ b", {})
    assert "lspace" not in mathml("a + b", {})
    assert identifier("ab") == '<mi mathvariant="normal">ab</mi>'
    for unreadable in ("True", "x[0]", "a.T + a.U", "f(*x)"):
        with pytest.raises(UnreadableError):
            mathml(unreadable, {})


def test_names_are_escaped():
    assert identifier("<b>") == '<mi mathvariant="normal">&lt;b&gt;</mi>'
    assert filled("<mi>{0}</mi>{out}", ["<b>"], "&") == "<mi>&lt;b&gt;</mi>&amp;"


def test_what_moves_entries_is_told_in_words():
    assert set(MOVES).isdisjoint(name for name, (_, vjps) in ROWS.items() if vjps)
