"""The specs of what combines entries: linear algebra, convolution, pooling, losses."""

import naive
import numpy as np
from hypothesis import strategies as st
from specification import called, drawn_from, of_list, spec

import minigrad as mg
from minigrad.ops.pooling import pick2d, unpool2d
from minigrad.testing import strategies as s
from minigrad.testing.strategies import Call
from minigrad.transforms import identity

small, vectors = s.tensors(max_dims=2), s.tensors(min_dims=1, max_dims=1)

# linear algebra

products = s.matmul_inputs()
spec(
    "matmul",
    products,
    lambda x, y: np.einsum(
        "...ij,...jk->...ik"
        if min(x.ndim, y.ndim) > 1
        else "i,i"
        if max(x.ndim, y.ndim) < 2
        else "i,...ij->...j"
        if x.ndim < 2
        else "...ij,j->...i",
        x,
        y,
    ),
    refused=(
        ((np.zeros((2, 3)), np.zeros((2, 3))), {}, ValueError, "3 columns but x2 has 2 rows"),
        ((np.zeros(()), np.zeros(3)), {}, ValueError, "at least one axis"),
        ((np.zeros(3), np.zeros(())), {}, ValueError, "at least one axis"),
        ((np.zeros((2, 3)), np.zeros(4)), {}, ValueError, "3 columns but x2 has 4 rows"),
    ),
)
spec("dot", products.filter(lambda d: max(d[0].ndim, d[1].ndim) < 4), np.dot)
spec("vdot", vectors.flatmap(lambda a: st.tuples(st.just(a), s.tensors(a.shape))), lambda a, b: np.sum(a * b))
spec(
    "vecdot",
    st.sampled_from([((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3))]).flatmap(
        lambda shapes: st.tuples(*map(s.tensors, shapes))
    ),
    np.vecdot,
)
spec(
    "inner",
    st.tuples(s.tensors((2, 3)), s.tensors((4, 3)) | s.tensors((3,))) | st.tuples(small, s.tensors(())),
    np.inner,
)
spec("outer", st.tuples(small, small), np.outer)
spec("kron", st.tuples(s.tensors((2, 1)), s.tensors((1, 3))) | st.tuples(s.tensors((2, 2)), s.tensors((2, 2))), np.kron)
spec(
    "tensordot",
    st.tuples(
        s.tensors((2, 3, 2)), s.tensors((3, 2, 2)), st.sampled_from([2, 0, ([1, 0], [0, 2]), ([1], [0]), (-1, -1)])
    ).filter(lambda d: d[2] != 2),
    np.tensordot,
)
spec(
    "multi_dot",
    st.tuples(s.tensors((2, 3)), s.tensors((3, 2)), s.tensors((2,))),
    of_list(np.linalg.multi_dot),
    fn=of_list(mg.ops.multi_dot),
)
spec(
    "matrix_power",
    called(s.tensors((2, 2)) | s.tensors((2, 1, 1)), st.integers(0, 5)),
    np.linalg.matrix_power,
    refused=(((np.eye(2), -1), {}, ValueError, "at least 0"), ((np.eye(2), 1.5), {}, ValueError, "must be an int")),
)
spec(
    "cross",
    st.tuples(s.tensors((3,)) | s.tensors((2, 3)), s.tensors((3,)) | s.tensors((2, 3))),
    np.cross,
    refused=(
        ((np.zeros(2), np.zeros(3)), {}, ValueError, "size 3"),
        ((np.zeros(3), np.zeros(2)), {}, ValueError, "size 3"),
    ),
)
spec(
    "einsum",
    s.einsum_inputs(),
    lambda subscripts, *arrays: np.einsum(subscripts, *arrays),
    refused=(
        (("ij", np.zeros(2)), {}, ValueError, "does not fit"),
        (("i,i", np.zeros(2)), {}, ValueError, "names 2 operands"),
        ((0, np.zeros(2)), {}, TypeError, "must be a string"),
    ),
)
square_matrices = s.shapes(max_dims=1, max_side=2).flatmap(
    lambda lead: st.integers(1, 3).flatmap(lambda n: s.tensors((*lead, n, n), domain=(-0.5, 0.5)))
)


def regular(a):
    """The matrix with a diagonal that makes it well conditioned."""
    return a + 2 * np.eye(a.shape[-1], dtype=a.dtype)


def symmetric(a):
    """The symmetric part, with a diagonal that keeps eigenvalues apart and positive."""
    return (a + np.swapaxes(a, -1, -2)) * 0.25 + np.diag(2 * np.arange(1.0, a.shape[-1] + 1).astype(a.dtype))


def projectors(decompose):
    """Eigenvalues and the projectors on the eigenvectors, which don't know their sign, as one array."""

    def packed(a):
        w, v = decompose(symmetric(a))
        n = a.shape[-1]
        outer = np.reshape(v[..., :, None, :] * v[..., None, :, :], (*a.shape[:-2], n * n, n))
        return np.concatenate([w[..., None, :], outer], axis=-2)

    return packed


def singular(decompose):
    """U, s and V without their signs, as one array: sum_k k u_k v_k^T, and below it sum_k k s_k in every place."""

    def packed(a):
        wide = a + np.diag(2 * np.arange(1.0, 4).astype(a.dtype))[: a.shape[-2], : a.shape[-1]]
        u, s, vt = decompose(wide, full_matrices=False)
        weights = np.arange(1.0, s.shape[-1] + 1).astype(a.dtype)
        below = np.sum(s * weights, axis=-1)[..., None, None] * np.ones((1, a.shape[-1]), a.dtype)
        return np.concatenate([np.matmul(u * weights, vt), below], axis=-2)

    return packed


spec(
    "inv",
    square_matrices,
    lambda a: np.linalg.solve(regular(a), np.broadcast_to(np.eye(a.shape[-1]), a.shape)),
    fn=lambda a: mg.inv(regular(a)),
)
spec(
    "solve",
    square_matrices.flatmap(lambda a: st.tuples(st.just(a), s.tensors((a.shape[-1], 2)) | s.tensors((a.shape[-1],)))),
    lambda a, b: np.linalg.inv(regular(a)) @ b,
    fn=lambda a, b: mg.solve(regular(a), b),
)
spec("det", square_matrices, lambda a: naive.det(regular(a)), fn=lambda a: mg.det(regular(a)))
spec(
    "log_abs_det",
    square_matrices,
    lambda a: np.log(np.abs(naive.det(-regular(a)))),
    fn=lambda a: mg.ops.log_abs_det(-regular(a)),
)
spec(
    "slogdet",
    square_matrices,
    lambda a: 2 * np.sign(naive.det(-regular(a))) + np.log(np.abs(naive.det(-regular(a)))),
    fn=lambda a: 2 * mg.slogdet(-regular(a))[0] + mg.slogdet(-regular(a))[1],
)
spec("cholesky", square_matrices, lambda a: np.linalg.cholesky(symmetric(a)), fn=lambda a: mg.cholesky(symmetric(a)))
spec("eigh", square_matrices, projectors(np.linalg.eigh), fn=projectors(mg.eigh))
spec("eigvalsh", square_matrices, lambda a: np.linalg.eigvalsh(symmetric(a)), fn=lambda a: mg.eigvalsh(symmetric(a)))
spec(
    "svd",
    st.sampled_from([(2, 2), (3, 2), (2, 3), (2, 2, 3), (3, 3)]).flatmap(
        lambda shape: s.tensors(shape, domain=(-0.5, 0.5))
    ),
    singular(np.linalg.svd),
    fn=singular(mg.svd),
    refused=tuple(
        ((np.zeros(shape),), {}, ValueError, "pass full_matrices=False for a matrix of {} x {}".format(*shape))
        for shape in ((2, 3), (3, 2))
    ),
)

# convolution and pooling


def conv_transpose(call):
    """The call of the adjoint for a call of conv2d: its output in place of its input."""
    (x, k, b), options = call
    z = naive.conv2d(x, k, **options)
    bias = None if b is None else np.arange(1.0, k.shape[1] * options["groups"] + 1)
    return Call((z, k, bias), {**options, "output_size": x.shape[-2:]})


def conv_kernel(call):
    (x, k, _), options = call
    return Call((x, naive.conv2d(x, k, **options)), {**options, "size": k.shape[2:]})


image, kernel = np.zeros((1, 2, 4, 4)), np.zeros((2, 2, 3, 3))
spec(
    "conv2d",
    s.conv2d_inputs(batches=((), (2,), (17,))),  # from 8 images on, another layout and way of computing
    naive.conv2d,
    refused=(
        ((np.zeros((1, 3, 4, 4)), kernel), {}, ValueError, r"x has 3 channels but k expects 2 \("),
        ((np.zeros((4, 4)), kernel), {}, ValueError, "must be"),
        ((image, kernel[0]), {}, ValueError, "must be"),
        ((image, np.zeros(3)), {}, ValueError, "must be"),
        ((image, kernel, np.zeros(3)), {}, ValueError, r"b must be \(2,\)"),
        ((image, kernel), {"groups": 3}, ValueError, "groups must"),
        ((image, kernel), {"groups": 0}, ValueError, "groups must"),
        ((image, kernel), {"groups": 1.0}, ValueError, "groups must"),
        ((image, kernel[:, :, :0]), {}, ValueError, "must not be empty"),
        ((image, kernel), {"stride": 0}, ValueError, "stride must be at least 1"),
        ((image, kernel), {"stride": (1, 1, 1)}, TypeError, "a pair"),
        ((image, kernel), {"stride": True}, TypeError, "an int or a pair"),
        ((image, kernel), {"padding": -1}, ValueError, "padding must be at least 0"),
        ((image, kernel), {"dilation": (1, 2)}, ValueError, "does not fit"),
        ((image, kernel), {"dilation": (2, 1)}, ValueError, "reaches over 5 x 3 does not fit"),
        ((image, kernel), {"dilation": 0}, ValueError, "at least 1"),
        ((image, np.zeros((2, 3, 3, 3))), {"groups": 2}, ValueError, "expects 6 = 3 x 2 groups"),
    ),
)
spec(
    "conv_transpose2d",
    s.conv2d_inputs().map(conv_transpose),
    naive.conv_transpose2d,
    refused=(
        ((image, np.zeros((3, 2, 3, 3))), {}, ValueError, "z has 2 channels but k expects 3"),
        ((image, np.zeros(())), {}, ValueError, "must be"),
        ((image, kernel[0]), {}, ValueError, "must be"),
        ((image, kernel, np.zeros(3)), {}, ValueError, r"b must be \(2,\)"),
        ((image, kernel), {"output_size": (7, 6)}, ValueError, "must be 6 x 6"),
        ((image, kernel), {"output_size": -1}, ValueError, "output_size must be at least 0, not -1"),
        ((image, kernel), {"output_size": 6.0}, TypeError, "output_size must be an int or a pair"),
        ((image, kernel), {"output_size": 6, "dilation": 0}, ValueError, "dilation must be at least 1"),
        ((image, kernel), {"stride": 2, "output_size": (11, 10)}, ValueError, "9 to 10"),
        ((image, kernel), {"stride": 2, "output_size": (10, 8)}, ValueError, "9 to 10"),
        ((np.zeros((1, 2, 0, 4)), kernel), {}, ValueError, "output size must be"),
    ),
)
spec(
    "conv2d_kernel",
    s.conv2d_inputs().map(conv_kernel),
    naive.conv2d_kernel,
    refused=(
        ((image, np.zeros((1, 2, 3, 3))), {"size": 3}, ValueError, r"which gives \(1, 2, 2, 2\)"),
        ((image, np.zeros((1, 2, 2, 2))), {"size": (3, 3), "groups": 3}, ValueError, "divides 2 and 2, not 3"),
        ((image, np.zeros((1, 3, 2, 2))), {"size": (3, 3), "groups": 2}, ValueError, "divides 2 and 3, not 2"),
        ((image, np.zeros((1, 3, 2, 2))), {"size": (3, 3), "groups": 3}, ValueError, "divides 2 and 3, not 3"),
        ((image, np.zeros((1, 2, 2, 2))), {"size": (3, 3), "groups": 0}, ValueError, "divides 2 and 2, not 0"),
        ((image, np.zeros((1, 2, 2, 2))), {"size": (0, 0)}, ValueError, "size must be at least 1"),
        ((image[0, 0], np.zeros((2, 2))), {"size": (3, 3)}, ValueError, r"or both without N, not \(4, 4\)"),
        ((image, np.zeros((2, 2, 2))), {"size": (3, 3)}, ValueError, r"or both without N, not .* \(2, 2, 2\)"),
    ),
)
leads = ((1,), (2, 2), (17, 2))
pools, apart_pools = s.pool2d_inputs(leads=leads), s.pool2d_inputs(gap=True, leads=leads)
few_pools = s.pool2d_inputs()
bad_pool = (
    ((np.zeros((4, 4)), 2), {}, ValueError, "must be"),
    ((np.zeros((1, 4, 4), int), 2), {}, TypeError, "floating-point"),
    ((np.zeros((1, 4, 4)), 5), {}, ValueError, "does not fit"),
    ((np.zeros((1, 4, 4)), (0, 1)), {}, ValueError, "at least 1"),
)
spec("avg_pool2d", pools, naive.avg_pool2d, refused=bad_pool)
plateau = np.array([[[0.5, 0.5, 0.25], [0.5, -1.0, 0.25], [0.25, 0.25, 0.25]]])
spec(
    "max_pool2d",
    apart_pools,
    naive.max_pool2d,
    refused=(*bad_pool, ((np.zeros((1, 4, 4)), 3), {"padding": 2}, ValueError, "padding")),
    kinks=((plateau, 2), Call((plateau, 2), {"stride": 1, "padding": 1})),
)
tips = np.array([[[0.0, 0.0, 0.25], [0.0, 0.0, 0.25], [0.25, 0.5, 0.25]]])
spec("l2_pool2d", apart_pools, naive.l2_pool2d, refused=bad_pool, kinks=((tips, 2), Call((tips, 2), {"stride": 1})))
spec("unfold2d", pools, naive.unfold2d, refused=bad_pool)
spec(
    "fold2d",
    few_pools.map(lambda c: Call((naive.unfold2d(*c[0], **c[1]), c[0][0].shape[-2:], c[0][1]), c[1])),
    naive.fold2d,
    refused=(
        ((np.zeros((1, 3, 3, 2, 2)), 4, 2), {}, ValueError, r"windows must end in \(2, 2, 2, 2\)"),
        ((np.zeros((1, 2, 2, 2, 2)), 4.0, 2), {}, TypeError, "image must be an int or a pair"),
    ),
)
spec(
    "spread2d",
    few_pools.map(lambda c: Call((naive.avg_pool2d(*c[0], **c[1]), c[0][0].shape[-2:], c[0][1]), c[1])),
    naive.spread2d,
    refused=(
        ((np.zeros((1, 1, 1)), 4, 2), {}, ValueError, r"g must end in \(2, 2\)"),
        ((np.zeros((1, 3, 3)), (4, 4), 2), {}, ValueError, r"g must end in \(2, 2\)"),
    ),
)


def switched(by_image):
    """Calls of unpool2d (or pick2d): something to route, x, a = its maxima, and the window."""

    def build(call):
        (x, window), options = call
        a = naive.max_pool2d(x, window, **options)
        return Call((np.sin(x if by_image else a), x, a, window), options)

    return apart_pools.map(build)


one, four, whole = np.zeros((1, 1, 1)), np.zeros((1, 2, 2)), np.zeros((1, 4, 4))
spec(
    "unpool2d",
    switched(by_image=False),
    naive.unpool2d,
    fn=unpool2d,
    options={"argnums": 0},
    refused=(
        ((one, whole, four, 2), {}, ValueError, r"g must end in \(1, 2, 2\)"),
        ((one, whole, one, 2), {}, ValueError, r"a must end in \(1, 2, 2\)"),
        ((four, whole, four, 2), {"padding": 2}, ValueError, "at most half"),
    ),
)
spec(
    "pick2d",
    switched(by_image=True),
    naive.pick2d,
    fn=pick2d,
    options={"argnums": 0},
    refused=(
        ((one, whole, four, 2), {}, ValueError, r"u must end in \(1, 4, 4\)"),
        ((whole, whole, one, 2), {}, ValueError, r"a must end in \(1, 2, 2\)"),
    ),
)

# losses

logits = s.shapes(min_dims=2, max_dims=2, min_side=1).flatmap(lambda shape: s.tensors(shape, domain=(-4, 4)))
spec(
    "softmax_cross_entropy",
    drawn_from(
        logits,
        lambda z: st.tuples(st.lists(st.integers(0, z.shape[1] - 1), min_size=len(z), max_size=len(z)).map(np.array)),
    ),
    naive.softmax_cross_entropy,
    refused=(
        ((np.zeros((2, 3)), np.zeros(3, int)), {}, ValueError, "labels"),
        ((np.zeros(2), np.zeros(2, int)), {}, ValueError, r"logits must be \(N, K\)"),
        ((np.zeros((0, 3)), np.zeros(0, int)), {}, ValueError, "neither empty"),
        ((np.zeros((1, 3)), np.zeros(1)), {}, TypeError, "must be integers"),
        ((np.zeros((1, 3)), np.array([3])), {}, ValueError, "reach from 3 to 3"),
        ((np.zeros((1, 3)), np.array([-1])), {}, ValueError, "reach from -1"),
    ),
)
same = s.shapes(min_side=1).flatmap(lambda shape: st.tuples(s.tensors(shape), s.tensors(shape, domain=(0.125, 0.875))))
unlike = (
    ((np.zeros(3), np.zeros((1, 3))), {}, ValueError, "one shape"),
    ((np.zeros(0), np.zeros(0)), {}, ValueError, "no entries"),
)
spec("mean_squared_error", same, lambda p, t: sum((p - t).ravel() ** 2) / p.size, refused=unlike)
spec("binary_cross_entropy_with_logits", same, naive.binary_cross_entropy_with_logits, refused=unlike)
spec("identity", s.tensors(), np.array, fn=identity)
