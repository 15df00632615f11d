"""The specs of what works on entries: elementwise ops, reductions, shaping."""

import math

import naive
import numpy as np
from hypothesis import strategies as st
from naive import scalar
from specification import called, drawn_from, of_list, spec

import minigrad as mg
from minigrad.ops.arithmetic import selected
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call

tensors, small = s.tensors, s.tensors(max_dims=2)
vectors, matrices = s.tensors(min_dims=1, max_dims=1), s.tensors(min_dims=2, max_dims=2, min_side=1)
filled = s.tensors(min_dims=1, min_side=1)  # no 0-d array, no empty one
KINK = (np.array([0.0, 0.5, -0.5]),)

# elementwise

for name, reference, domain in [
    ("exp", math.exp, (-2, 2)), ("exp2", lambda x: 2**x, (-2, 2)), ("expm1", math.expm1, (-2, 2)),
    ("log", math.log, (0.25, 4)), ("log2", math.log2, (0.25, 4)), ("log10", math.log10, (0.25, 4)),
    ("log1p", math.log1p, (-0.75, 4)), ("sqrt", math.sqrt, (0.25, 4)), ("cbrt", lambda x: x ** (1 / 3), (0.25, 4)),
    ("square", lambda x: x * x, (-2, 2)), ("reciprocal", lambda x: 1 / x, (0.25, 4)),
    ("negative", lambda x: -x, (-2, 2)), ("positive", float, (-2, 2)), ("copy", float, (-2, 2)),
    ("sin", math.sin, (-4, 4)), ("cos", math.cos, (-4, 4)), ("tan", math.tan, (-1.25, 1.25)),
    ("arcsin", math.asin, (-0.875, 0.875)), ("arccos", math.acos, (-0.875, 0.875)), ("arctan", math.atan, (-2, 2)),
    ("sinh", math.sinh, (-2, 2)), ("cosh", math.cosh, (-2, 2)), ("tanh", math.tanh, (-2, 2)),
    ("arcsinh", math.asinh, (-2, 2)), ("arccosh", math.acosh, (1.25, 4)), ("arctanh", math.atanh, (-0.875, 0.875)),
    ("deg2rad", math.radians, (-4, 4)), ("rad2deg", math.degrees, (-4, 4)), ("erf", math.erf, (-2, 2)),
    ("sigmoid", lambda z: 1 / (1 + math.exp(-z)), (-4, 4)), ("softplus", lambda z: math.log(1 + math.exp(z)), (-4, 4)),
    ("silu", lambda z: z / (1 + math.exp(-z)), (-4, 4)),
    ("gelu", lambda z: z * math.erfc(-z / math.sqrt(2)) / 2, (-3, 3)),
]:  # fmt: skip
    spec(name, tensors(domain=domain), scalar(reference))

apart = tensors(gap=True)
between = tensors(gap=True, domain=(0.125, 0.875)) | tensors(gap=True, domain=(-1.375, -0.625))
spec("abs", apart, scalar(lambda x: x if x > 0 else -x), kinks=(KINK,))
spec("relu", apart, scalar(lambda z: max(z, 0.0)), kinks=(KINK,))
spec("sign", apart, scalar(lambda x: math.copysign(1, x)))
spec("floor", between, scalar(math.floor))
spec("ceil", between, scalar(math.ceil))
spec("trunc", between.filter(lambda x: not np.any(np.abs(np.abs(x) - 1) < 0.05)), scalar(math.trunc))
spec("rint", tensors(domain=(0.625, 1.375)) | tensors(domain=(-1.375, -0.625)), scalar(round))
spec(
    "round",
    called(tensors(domain=(0.6, 1.4)), st.just(0)) | called(tensors(domain=(0.26, 0.34)), st.just(1)),
    lambda a, n: scalar(lambda x: round(x, n))(a),
)
spec(
    "leaky_relu",
    called(apart, st.sampled_from([0.01, 0.25])),
    lambda z, slope: np.where(z > 0, z, z * slope),
    kinks=(KINK, (*KINK, 0.25)),
    options={"argnums": 0},
)
spec(
    "elu",
    called(apart, st.sampled_from([1.0, 0.5])),
    lambda z, alpha: np.where(z > 0, z, alpha * (np.exp(z) - 1)),
    kinks=(KINK, (*KINK, 0.5)),
    options={"argnums": 0},
)
spec(
    "clip",
    called(tensors(gap=True, domain=(-3, 3)), st.sampled_from([None, -0.5, -1.25]), st.sampled_from([None, 0.75])),
    lambda a, low, high: scalar(lambda x: min(max(x, -9 if low is None else low), 9 if high is None else high))(a),
    kinks=((np.array([-1.0, 0.5, 1.0, 2.0]), -1.0, 1.0),),
    options={"argnums": 0},
)
spec(
    "astype",
    called(tensors(), st.just(np.float64)),
    lambda x, dtype: x,
    opt_outs={"float32": "its result has the dtype that was asked for"},
)

two = s.broadcastable(2)
for name, reference in [
    ("add", lambda x, y: x + y),
    ("subtract", lambda x, y: x - y),
    ("multiply", lambda x, y: x * y),
    ("logaddexp", lambda x, y: math.log(math.exp(x) + math.exp(y))),
]:
    spec(name, two, scalar(reference))
spec("divide", s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]), scalar(lambda x, y: x / y))
spec("power", s.broadcastable(2, domain=[(0.25, 2), (-2, 3)]), scalar(math.pow))
spec("arctan2", s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]), scalar(math.atan2))
spec(
    "hypot",
    s.broadcastable(2, domain=[(-2, 2), (0.25, 2)]),
    scalar(math.hypot),
    kinks=((np.array([0.0, 3.0]), np.array([0.0, 4.0])),),
)
quotients = s.broadcastable(2, domain=[(2.25, 2.625), (0.9375, 1.0625)]) | s.broadcastable(
    2, domain=[(-2.625, -2.25), (0.9375, 1.0625)]
)
spec("remainder", quotients, scalar(lambda x, y: x - y * math.floor(x / y)))
spec("floor_divide", quotients, scalar(lambda x, y: math.floor(x / y)))
ties = (np.array([0.5, -1.0, 0.25]), np.array([0.5, 1.0, 0.25]))
spec("maximum", s.broadcastable(2, gap=True), scalar(lambda x, y: max(x, y)), kinks=(ties,))
spec("minimum", s.broadcastable(2, gap=True), scalar(lambda x, y: min(x, y)), kinks=(ties,))
spec(
    "where",
    st.tuples(st.booleans(), two).map(lambda d: Call((d[0], *d[1]), {}))
    | two.map(lambda d: Call((np.add(*d) > 0, *d), {})),
    lambda c, x, y: scalar(lambda c, x, y: x if c else y)(c, x, y),
)
spec(
    "selected",
    two.map(lambda d: Call((np.add(*d), d[0] > 0), {})),
    scalar(lambda g, chosen: g if chosen else 0),
    fn=selected,
    options={"argnums": 0},
)

# reductions

spec("sum", s.reductions(min_side=0), np.sum)
spec(
    "mean",
    s.reductions(),
    lambda a, axis, keepdims: np.sum(a, axis, keepdims=keepdims) / (a.size / max(1, np.sum(a, axis).size)),
)
spec(
    "max",
    s.reductions(gap=True),
    lambda a, axis, keepdims: -np.min(-a, axis, keepdims=keepdims),
    kinks=((np.array([[0.5, 0.5, -1.0], [0.25, 0.25, 0.25]]),), (np.array([[0.5, 0.5, -1.0], [0.25, 0.125, 0.25]]), 1)),
)
spec(
    "min",
    s.reductions(gap=True),
    lambda a, axis, keepdims: -np.max(-a, axis, keepdims=keepdims),
    kinks=((np.array([[0.5, 0.5, -1.0], [-1.0, 0.25, 0.25]]),), (np.array([[0.5, 0.5, 1.0], [0.25, 0.25, 0.25]]), -1)),
)
spec("ptp", s.reductions(gap=True).filter(lambda c: c[0][0].size > 1), np.ptp)
spec("prod", s.reductions(), lambda a, axis, keepdims: np.multiply.reduce(a, axis, keepdims=keepdims))
spec(
    "var",
    s.reductions(several=True)
    .flatmap(lambda c: st.integers(0, 1).map(lambda ddof: Call(c.arguments, {**c.parameters, "ddof": ddof})))
    .filter(lambda c: c[0][0].size / max(1, np.sum(*c[0]).size) > 1),
    lambda a, axis, ddof, keepdims: (
        np.sum(np.square(a - np.mean(a, axis, keepdims=True)), axis, keepdims=keepdims)
        / (a.size / np.sum(a, axis).size - ddof)
    ),
)
spec("std", s.reductions(gap=True).filter(lambda c: c[0][0].size / max(1, np.sum(*c[0]).size) > 1), np.std)
spec(
    "norm",
    called(
        s.tensors(min_side=1, max_dims=2, min_dims=2, gap=True),
        st.none() | st.just("fro"),
        st.sampled_from([None, (0, 1), (-1, 0)]),
        st.booleans(),
    )
    | called(s.tensors((3, 2), gap=True), st.none() | st.just(2), st.sampled_from([0, -1]), st.booleans())
    | called(
        s.tensors(min_side=1, max_dims=1, min_dims=1, gap=True, domain=(0.25, 2)).map(
            lambda a: a * (-1) ** np.arange(a.size)
        ),
        st.sampled_from([1, 2, np.inf, -np.inf]),
        st.none(),
        st.booleans(),
    ),
    np.linalg.norm,
    exact=(
        ((np.array([-3e200, -4e200]),), np.hypot(3e200, 4e200), np.array([-3e200, -4e200]) / np.hypot(3e200, 4e200)),
    ),
    options={"argnums": 0},
    kinks=((np.zeros(3),), (np.zeros((2, 2)), None, 0)),
)
spec("cumsum", filled.flatmap(lambda a: s.axes(a.ndim, several=False).map(lambda axis: (a, axis))), np.cumsum)
spec(
    "diff",
    filled.flatmap(lambda a: st.tuples(st.just(a), st.integers(1, 2), s.axes(a.ndim, none=False, several=False))),
    np.diff,
    refused=(((np.zeros(2), -1), {}, ValueError, "n must be at least 0, not -1"),),
)
spec(
    "average",
    st.tuples(filled, st.none())
    | s.tensors((2, 3)).map(lambda a: Call((a, 1), {"weights": np.array([1.0, 2.0, 0.5])}))
    | s.tensors((3, 2, 2)).map(lambda a: Call((a, 0), {"weights": np.array([1.0, 2.0, 0.5])}))
    | st.tuples(s.tensors((2, 3)), s.tensors((2, 3), domain=(0.5, 2))).map(lambda d: Call((d[0], 0, d[1]), {})),
    np.average,
    fn=lambda a, axis, weights=None: mg.ops.average(a, axis, weights),
    options={"argnums": 0},
    refused=(
        ((np.zeros((2, 3)), 1, np.ones(2)), {}, ValueError, r"weights \(2,\) fit neither a \(2, 3\) nor its axis 1"),
        ((np.zeros((2, 3)), None, np.ones(3)), {}, ValueError, r"weights \(3,\) fit neither a .* nor its axis None"),
        ((np.zeros((2, 3)), (0, 1), np.ones((3, 2))), {}, ValueError, r"weights \(3, 2\) fit neither a \(2, 3\)"),
    ),
)
far = np.array([[1e3, 0.0], [-1e3, -2e3], [0.0, -1e3]])  # e**Z overflows, or underflows in a whole row
spec(
    "logsumexp",
    s.reductions(keepdims=False).flatmap(lambda c: st.booleans().map(lambda keep: Call((*c.arguments, keep), {}))),
    naive.logsumexp,
    exact=(((far, 1), [1e3, -1e3, 0], [[1, 0]] * 3),),
)
along = s.tensors(min_dims=1, min_side=1).flatmap(
    lambda a: s.axes(a.ndim, none=False, several=False).map(lambda axis: (a, axis))
)
spec("softmax", along, naive.softmax, exact=(((far, 1), [[1, 0]] * 3, np.zeros((3, 2))),))
spec(
    "log_softmax",
    along,
    lambda z, axis: np.log(naive.softmax(z, axis)),
    exact=(((far, 1), [[0, -1e3]] * 3, [[-1, 1]] * 3),),
)

# shaping


def reshapes(a):
    shapes = [(-1,), (a.size,), a.shape[::-1], (1, *a.shape)] if a.size else [a.shape[::-1], (1, *a.shape)]
    return st.tuples(st.sampled_from(shapes), st.sampled_from("CF"))


spec(
    "reshape",
    drawn_from(tensors(), reshapes),
    lambda a, shape, order: np.array(a).ravel(order).reshape(shape, order=order),
    refused=(
        ((np.zeros(2), 2, "A"), {}, ValueError, "order must be"),
        ((np.zeros(3), (2,)), {}, ValueError, "reshape"),
    ),
)
spec("ravel", called(tensors(), st.sampled_from("CF")), lambda a, order: np.array(a.T if order == "F" else a).flatten())
spec("flatten", tensors(), np.ravel)
spec(
    "transpose",
    drawn_from(tensors(), lambda a: st.tuples(st.none() | st.permutations(range(-a.ndim, 0)).map(tuple))),
    np.transpose,
)
spec("swapaxes", drawn_from(filled, lambda a: st.tuples(*2 * [st.integers(-a.ndim, a.ndim - 1)])), np.swapaxes)
spec("matrix_transpose", called(tensors(min_dims=2)), np.matrix_transpose)
spec("moveaxis", drawn_from(filled, lambda a: st.tuples(*2 * [st.integers(-a.ndim, a.ndim - 1)])), np.moveaxis)
spec(
    "rollaxis",
    drawn_from(filled, lambda a: st.tuples(st.integers(-a.ndim, a.ndim - 1), st.integers(0, a.ndim))),
    np.rollaxis,
)
spec("expand_dims", drawn_from(tensors(), lambda a: st.tuples(st.integers(-a.ndim - 1, a.ndim))), np.expand_dims)
spec("squeeze", tensors().map(lambda a: (a[None],)) | tensors().map(lambda a: (a[None], 0)), np.squeeze)
spec("atleast_1d", tensors(), np.atleast_1d)
spec("atleast_2d", tensors(), np.atleast_2d)
spec(
    "broadcast_to",
    drawn_from(tensors(), lambda a: st.sampled_from([((2, *a.shape),), ((1, 3, *a.shape),), (a.shape,)]))
    | s.tensors((3, 1)).map(lambda a: (a, (2, 3, 4))),
    np.broadcast_to,
)
spec(
    "broadcast_arrays",
    two,
    lambda x, y: np.stack([x + 0 * y, y + 0 * x]),
    fn=lambda x, y: mg.stack(mg.broadcast_arrays(x, y)),
)
indexed = tensors(min_dims=1).flatmap(lambda a: s.indices(a.shape).map(lambda index: (a, index)))
spec("getitem", indexed, lambda a, index: np.array(a)[index], kinks=((np.array([1.0, 2.0]), [0, 0]),))
spec(
    "scatter",
    s.shapes(min_dims=1, min_side=1).flatmap(
        lambda shape: s.indices(shape).flatmap(
            lambda index: s.tensors(np.zeros(shape)[index].shape).map(lambda a: (a, index, shape))
        )
    ),
    naive.scatter,
)
spec(
    "concatenate",
    st.tuples(s.tensors((2, 3)), s.tensors((1, 3)), s.tensors((0, 3))).map(lambda d: Call(d, {"axis": 0}))
    | st.tuples(s.tensors((2, 3)), s.tensors((2, 1))).map(lambda d: Call(d, {"axis": -1}))
    | st.tuples(s.tensors((2, 3)), s.tensors(())).map(lambda d: Call(d, {"axis": None})),
    lambda *arrays, axis: np.concatenate(arrays, axis),
    fn=lambda *arrays, axis: mg.concatenate(arrays, axis),
)
several = s.shapes(min_dims=1, max_dims=2).flatmap(lambda shape: st.tuples(s.tensors(shape), s.tensors(shape)))
for name in ["stack", "hstack", "vstack", "column_stack"]:
    spec(name, several, of_list(getattr(np, name)), fn=of_list(getattr(mg.ops, name)))
spec("append", several, np.append)


def joined(split):
    """The pieces as one array, each scaled by its own factor, so that none can stand for another."""
    return lambda a, *arguments: sum((i + 1) * np.sum(piece * piece) for i, piece in enumerate(split(a, *arguments)))


rows = st.sampled_from([2, [1, 3], [0, 2]])
for name in ["split", "array_split", "vsplit", "hsplit"]:
    spec(name, called(s.tensors((4, 2)), rows), joined(getattr(np, name)), fn=joined(getattr(mg.ops, name)))
spec("dsplit", called(s.tensors((2, 1, 4)), rows), joined(np.dsplit), fn=joined(mg.ops.dsplit))
spec("tile", called(tensors(max_side=3), st.sampled_from([2, (2, 1), (1, 3), (2, 1, 2)])), np.tile)
spec(
    "repeat",
    called(tensors(max_side=3), st.integers(0, 3)) | s.tensors((2, 3)).map(lambda a: (a, [1, 2], 0)),
    np.repeat,
)
spec("roll", called(filled, st.integers(-3, 3), st.sampled_from([None, 0, -1])), np.roll)
spec("flip", filled.flatmap(lambda a: s.axes(a.ndim).map(lambda axis: (a, axis))), np.flip)
spec("fliplr", matrices, np.fliplr)
spec("flipud", matrices, np.flipud)
spec("rot90", called(matrices, st.integers(-1, 4)), np.rot90)
spec("diagonal", called(matrices, st.integers(-1, 1)), np.diagonal)
spec("diag", called(matrices, st.integers(-1, 1)) | called(filled.map(np.ravel), st.integers(-2, 2)), np.diag)
spec("trace", called(matrices, st.integers(-1, 1)), np.trace)
spec("triu", called(matrices, st.integers(-2, 2)), np.triu)
spec("tril", called(matrices, st.integers(-2, 2)), np.tril)
spec(
    "take",
    called(s.tensors((3, 2)), st.sampled_from([1, [0, 2, 2], [[0, 1], [1, 1]]]), st.sampled_from([None, 0, -2])),
    np.take,
)
spec("delete", called(s.tensors((3, 2)), st.sampled_from([0, [0, 2]]), st.sampled_from([None, 0])), np.delete)
spec(
    "take_along_axis",
    called(s.tensors((3, 2)), st.sampled_from([[[0, 2]], [[1, 1], [2, 0]]]).map(np.array), st.just(0)),
    np.take_along_axis,
)
spec("sort", called(s.tensors(min_dims=1, min_side=1, gap=True), st.sampled_from([None, 0, -1])), np.sort)
spec(
    "pad",
    called(tensors(max_dims=2), st.sampled_from([0, 1, (1, 2)]))
    | s.tensors((2, 3)).map(lambda a: Call((a, ((1, 0), (0, 2))), {"constant_values": 1.5})),
    np.pad,
    refused=(((np.zeros(2), 1, "edge"), {}, ValueError, "mode must be 'constant'"),),
)
spec("dstack", several, of_list(np.dstack), fn=of_list(mg.ops.dstack))
grids = st.sampled_from(["xy", "ij"]).flatmap(
    lambda indexing: st.tuples(s.tensors((2,)), s.tensors((3,))).map(lambda d: Call(d, {"indexing": indexing}))
)
spec(
    "meshgrid",
    grids | s.tensors((2,)).map(lambda x: Call((x,), {"indexing": "xy"})),
    lambda *x, indexing: np.stack(np.meshgrid(*x, indexing=indexing)),
    fn=lambda *x, indexing: mg.stack(mg.ops.meshgrid(*x, indexing=indexing)),
    refused=(((np.zeros(2),), {"indexing": "yx"}, ValueError, "must be 'xy' or 'ij'"),),
)
one_axis = s.reductions(gap=True, several=False)
spec("median", one_axis.filter(lambda c: c[0][0].ndim > 0), np.median)
spec(
    "trapezoid",
    st.tuples(filled, st.none(), st.sampled_from([1.0, 0.5])).map(lambda d: Call(d[:2], {"dx": d[2], "axis": 0}))
    | st.tuples(s.tensors((2, 3)), s.tensors((3,), gap=True)).map(lambda d: Call(d, {})),
    np.trapezoid,
)
spec("full_like", s.tensors(()).map(lambda v: (np.zeros((2, 3)), v)), np.full_like, options={"argnums": 1})
