"""The families of ops, and the ops of each: so that a family is imported when it is first used.

And what people look for on a Tensor that it does not have: the tables that say what to write are imported by errors.
Written by tests/typed/stub.py from the `__all__` of each family; a new family gets a line by hand first.
"""

FAMILIES: dict[str, list[str]] = {
    "arithmetic": [
        "add", "subtract", "multiply", "divide", "negative", "positive", "exp", "log", "sqrt", "tanh", "square",
        "reciprocal", "cbrt", "exp2", "expm1", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
        "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "deg2rad", "rad2deg", "arctan2", "hypot",
        "remainder", "abs", "sign", "floor", "ceil", "trunc", "rint", "floor_divide", "power", "where", "maximum",
        "minimum", "clip", "round", "erf",
    ],
    "elementary": [
        "fmax", "fmin", "fmod", "copysign", "heaviside", "ldexp", "float_power", "logaddexp2", "divmod", "modf",
        "frexp", "nextafter", "sinc", "i0", "nan_to_num",
    ],
    "casting": [
        "copy", "astype",
    ],
    "complex_numbers": [
        "real", "imag", "conjugate", "angle", "real_if_close",
    ],
    "reductions": [
        "sum", "mean", "max", "min", "var", "prod", "diff", "average", "median", "trapezoid", "ptp",
    ],
    "masked": [
        "std", "nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin",
    ],
    "cumulative": [
        "cumsum", "cumprod", "cumulative_sum", "cumulative_prod", "nancumsum", "nancumprod",
    ],
    "statistics": [
        "quantile", "percentile", "nanquantile", "nanpercentile", "nanmedian", "cov", "corrcoef", "bincount",
        "histogram_bin_edges", "histogram", "histogramdd", "histogram2d",
    ],
    "shaping": [
        "reshape", "ravel", "flatten", "transpose", "swapaxes", "matrix_transpose", "moveaxis", "expand_dims",
        "squeeze", "broadcast_to", "full_like", "atleast_1d", "atleast_2d", "meshgrid", "broadcast_arrays", "tile",
        "rollaxis", "atleast_3d", "sliding_window_view",
    ],
    "indexing": [
        "getitem", "scatter", "repeat", "flip", "fliplr", "flipud", "rot90", "diagonal", "take", "delete",
        "take_along_axis", "trace", "diag", "triu", "tril", "diagflat",
    ],
    "sorting": [
        "sort", "partition", "sort_complex",
    ],
    "joining": [
        "concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "append", "array_split", "split",
        "hsplit", "vsplit", "dsplit", "roll", "unstack",
    ],
    "arranging": [
        "array", "block", "insert", "compress", "extract", "select", "piecewise", "choose", "put_along_axis", "put",
        "place", "fill_diagonal", "apply_along_axis", "apply_over_axes", "vectorize",
    ],
    "padding": [
        "pad", "resize", "trim_zeros",
    ],
    "linalg": [
        "matmul", "dot", "vdot", "vecdot", "inner", "outer", "kron", "multi_dot", "matrix_power", "cross", "tensordot",
    ],
    "einsums": [
        "einsum",
    ],
    "inverses": [
        "inv", "solve", "det", "log_abs_det", "slogdet",
    ],
    "decompositions": [
        "cholesky", "eigh", "eigvalsh", "eig", "eigvals",
    ],
    "singular_values": [
        "svd", "svdvals",
    ],
    "systems": [
        "norm", "vector_norm", "matrix_norm", "cond", "pinv", "qr", "lstsq", "polyfit", "tensorinv", "tensorsolve",
        "matvec", "vecmat",
    ],
    "curves": [
        "linspace", "logspace", "geomspace", "interp", "gradient", "ediff1d", "unwrap", "convolve", "correlate",
    ],
    "polynomials": [
        "polyval", "polyadd", "polysub", "polymul", "polydiv", "polyder", "polyint", "poly", "roots", "vander",
    ],
    "fourier": [
        "fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn",
        "irfftn", "fftshift", "ifftshift",
    ],
    "activations": [
        "relu", "leaky_relu", "elu", "sigmoid", "softplus", "softmax", "log_softmax", "logaddexp", "logsumexp", "silu",
        "gelu",
    ],
    "normalization": [
        "layer_norm",
    ],
    "losses": [
        "softmax_cross_entropy", "mean_squared_error", "binary_cross_entropy_with_logits",
    ],
    "convolution": [
        "conv2d", "conv_transpose2d", "conv2d_kernel",
    ],
    "pooling": [
        "avg_pool2d", "spread2d", "max_pool2d", "unpool2d", "pick2d", "l2_pool2d", "unfold2d", "fold2d",
    ],
}  # fmt: skip
FAMILY_OF = {name: family for family, names in FAMILIES.items() for name in names}
LOOKED_FOR = [
    "digamma", "erfc", "erfinv", "igamma", "igammac", "lgamma", "logit", "xlogy", "index_add", "scatter_add",
    "clamp_max", "clamp_min", "addcdiv", "addcmul", "addmm", "baddbmm", "bernoulli", "multinomial", "cdist", "chunk",
    "clamp", "cummax", "cummin", "dist", "diag_embed", "equal", "frac", "gather", "ger", "index_select", "inverse",
    "is_complex", "is_floating_point", "kthvalue", "lerp", "logcumsumexp", "logdet", "masked_fill", "masked_select",
    "matrix_exp", "movedim", "msort", "narrow", "neg", "nelement", "numel", "permute", "pinverse", "polygamma",
    "repeat_interleave", "rsqrt", "select_scatter", "prelu", "sgn", "split_with_sizes", "swapdims", "take_along_dim",
    "tensor_split", "topk", "unflatten", "unsqueeze", "absolute", "acos", "amax", "amin", "argwhere", "asin", "asinh",
    "atan", "atanh", "count_nonzero", "fix", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal",
    "logical_not", "nanmedian", "signbit", "unique", "allclose", "atan2", "greater", "greater_equal", "isclose",
    "less", "less_equal", "logical_and", "logical_or", "logical_xor", "not_equal", "true_divide", "add", "sub", "mul",
    "div", "pow", "matmul", "mm", "bmm", "mv", "eq", "ne", "lt", "le", "gt", "ge", "float", "double", "half", "long",
    "short", "byte", "int", "bool", "to", "type", "type_as", "cpu", "cuda", "device", "get_device", "is_cuda",
    "pin_memory", "contiguous", "block_until_ready", "realize", "dim", "ndimension", "expand_as", "view_as",
    "reshape_as", "index_put", "index_fill", "index_copy", "new_zeros", "new_ones", "new_full", "new_tensor",
    "register_hook", "retain_grad", "storage", "untyped_storage", "assign", "at", "clone", "char", "data_ptr",
    "detach_", "element_size", "expand", "fill", "grad_fn", "indices", "is_nonzero", "norm", "is_contiguous",
    "partition", "put", "requires_grad_", "resize", "sort", "split", "stride", "t", "unbind", "unfold", "values",
    "zero_",
]  # fmt: skip
