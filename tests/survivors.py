"""Faults that survive because they change nothing: each with its argument. See docs/testing.md."""

EQUIVALENT: dict[str, str] = {
    "ops/activations.py logsumexp: np.max(z, axis=axis) -> np.min(z, axis=axis)": "only its shape is used",
    "ops/activations.py logsumexp: 0 -> 1": "in place of an infinite maximum any finite one gives the same limit",
    "ops/activations.py logsumexp: 0 -> 2": "in place of an infinite maximum any finite one gives the same limit",
    "ops/decompositions.py cholesky.vjp('a'): _t(half) -> half": "gives the transpose of s, and s is made symmetric",
    "ops/pooling.py _blank: zip(where.out, where.window, strict=True) -> zip(where.window, where.out, strict=True)": (
        "the pairs are multiplied"
    ),
    (
        "ops/pooling.py l2_pool2d: np.where((greatest > 0) & np.isfinite(greatest), greatest, 1).astype(x.dtype) -> "
        "np.where((greatest > 0) & np.isfinite(greatest), greatest, 1)"
    ): "a Python 1 is weak, so np.where already has the dtype of x",
    "ops/shaping.py flatten: 1 -> 2": "reshape(a, -2): NumPy takes any negative size as the unknown one",
}
