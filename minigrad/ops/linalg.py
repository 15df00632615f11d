"""Linear algebra: matmul."""

import numpy as np

from ..operation import implements, op


@implements(np.matmul)
@op
def matmul(x1, x2):
    """Z = X1 @ X2, with NumPy's rules for batches and for operands of one axis.

    dJ = tr(G^T dZ) with dZ = dX1 X2 + X1 dX2, so dJ/dX1 = G X2^T and dJ/dX2 = X1^T G
    (derivation, section 3.1.1). An operand of one axis is a row (x1) or a column (x2).
    Raises ValueError unless the columns of x1 are as many as the rows of x2.
    """
    if not x1.ndim or not x2.ndim:
        raise ValueError(f"matmul: operands need at least one axis: x1 {x1.shape}, x2 {x2.shape}")
    rows = x2.shape[-2] if x2.ndim > 1 else x2.shape[0]
    if x1.shape[-1] != rows:
        raise ValueError(f"matmul: x1 has {x1.shape[-1]} columns but x2 has {rows} rows (x1 {x1.shape}, x2 {x2.shape})")
    return np.matmul(x1, x2)


def _matrices(g, x1, x2):
    """The three as matrices: axes that matmul dropped are put back with size 1."""
    if x1.ndim == 1:
        g = np.expand_dims(g, -1 if x2.ndim == 1 else -2)
    if x2.ndim == 1:
        g = np.expand_dims(g, -1)
    return g, x1[None, :] if x1.ndim == 1 else x1, x2[:, None] if x2.ndim == 1 else x2


@matmul.vjp("x1")
def _(g, z, x1, x2):
    g, _, columns = _matrices(g, x1, x2)
    dx1 = np.matmul(g, np.swapaxes(columns, -1, -2))
    return dx1[..., 0, :] if x1.ndim == 1 else dx1


@matmul.vjp("x2")
def _(g, z, x1, x2):
    g, rows, columns = _matrices(g, x1, x2)
    if columns.ndim == 2 and rows.ndim > 2:  # one product over the whole batch, not a sum of products
        rows, g = np.reshape(rows, (-1, rows.shape[-1])), np.reshape(g, (-1, g.shape[-1]))
    dx2 = np.matmul(np.swapaxes(rows, -1, -2), g)
    return dx2[..., 0] if x2.ndim == 1 else dx2
