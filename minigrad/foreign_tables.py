"""The tables of `foreign_names`: what to write here, by the name that people look for.

What stands between backquotes is code, which tests run.
"""

OPERATORS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@", "mm": "@", "bmm": "@", "mv": "@",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
_DTYPES = {
    "float": "np.float32",
    "double": "np.float64",
    "half": "np.float16",
    "long": "np.int64",
    "short": "np.int16",
    "byte": "np.uint8",
    "int": "np.int32",
    "bool": "bool",
}
_FUNCTIONS = {
    "ELU": "elu", "LeakyReLU": "leaky_relu", "LogSoftmax": "log_softmax", "SiLU": "silu", "Softmax": "softmax",
    "Softplus": "softplus", "ConvTranspose2d": "conv_transpose2d", "Fold": "fold2d", "Unfold": "unfold2d",
    "MaxUnpool2d": "unpool2d",
}  # fmt: skip
# functions of one array, and of two, that NumPy calls as PyTorch calls its methods
_OF_ONE = (
    "absolute", "acos", "amax", "amin", "argwhere", "asin", "asinh", "atan", "atanh", "count_nonzero",
    "fix", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "logical_not", "nanmedian", "signbit",
    "unique",
)  # fmt: skip
_OF_TWO = (
    "allclose", "atan2", "greater", "greater_equal", "isclose", "less", "less_equal", "logical_and", "logical_or",
    "logical_xor", "not_equal", "true_divide",
)  # fmt: skip
_IN_SCIPY = {
    "digamma": "psi(t)", "erfc": "erfc(t)", "erfinv": "erfinv(t)", "igamma": "gammainc(3, t)",
    "igammac": "gammaincc(3, t)", "lgamma": "gammaln(t)", "logit": "logit(t)", "xlogy": "xlogy(u, t)",
}  # fmt: skip
# what is a method of PyTorch's tensors and a function in its module
_METHODS = {
    **{name: f"write `scipy.special.{call}`" for name, call in _IN_SCIPY.items()},
    **dict.fromkeys(("index_add", "scatter_add"), "write `mg.scatter(t, [0, 1, 2, 2], (5, 4))`"),
    **dict.fromkeys(("clamp_max", "clamp_min"), "write `np.minimum(t, 1)` or `np.maximum(t, 0)`"),
    "addcdiv": "write `t + t / u`",
    "addcmul": "write `t + t * u`",
    **dict.fromkeys(("addmm", "baddbmm"), "write `t + t @ u`"),
    **dict.fromkeys(("bernoulli", "multinomial"), "draw from NumPy's generator: write `rng.binomial(1, t.data)`"),
    "cdist": "write `mg.norm(np.expand_dims(t, 1) - u, axis=-1)`",
    "chunk": "write `np.split(t, 2)`",
    "clamp": "write `t.clip(0, 1)`",
    "cummax": "write `np.maximum.accumulate(t)`",
    "cummin": "write `np.minimum.accumulate(t)`",
    "dist": "write `mg.norm((t - u).ravel())`",
    "diag_embed": "write `np.expand_dims(t, -1) * np.eye(4)`",
    "equal": "write `np.array_equal(t, u)`",
    "frac": "write `t - np.trunc(t)`",
    "gather": "write `np.take_along_axis(t, indices, axis=0)`",
    "ger": "write `np.outer(t, u)`",
    "index_select": "write `np.take(t, [0, 1], axis=0)`",
    "inverse": "write `np.linalg.inv(t)`",
    "is_complex": "write `np.iscomplexobj(t)`",
    "is_floating_point": "write `t.dtype.kind == 'f'`",
    "kthvalue": "write `np.partition(t, 1)[..., 1]`",
    "lerp": "write `t + 0.5 * (u - t)`",
    "logcumsumexp": "write `np.logaddexp.accumulate(t)`",
    "logdet": "write `np.linalg.slogdet(t)[1]`",
    "masked_fill": "write `mg.where(mask, 0, t)`",
    "masked_select": "write `t[mask]`",
    "matrix_exp": "write `mg.scipy.linalg.expm(t)`",
    "movedim": "write `np.moveaxis(t, 0, 1)`",
    "msort": "write `np.sort(t, axis=0)`",
    "narrow": "write `t[1:3]`",
    "neg": "write `-t`",
    **dict.fromkeys(("nelement", "numel"), "write `t.size`"),
    "permute": "write `t.transpose(1, 0)`",
    "pinverse": "write `np.linalg.pinv(t)`",
    "polygamma": "write `mg.scipy.special.polygamma(1, t)`",
    "repeat_interleave": "write `np.repeat(t, 2, axis=0)`",
    "rsqrt": "write `1 / np.sqrt(t)`",
    "select_scatter": "write `mg.put(t, [0, 1], [1.0, 2.0])`",
    "prelu": "write `np.maximum(t, 0) + u * np.minimum(t, 0)`",
    "sgn": "write `np.sign(t)`",
    "split_with_sizes": "write `np.split(t, [1, 3])`, whose numbers are where the parts begin",
    "swapdims": "write `np.swapaxes(t, 0, 1)`",
    "take_along_dim": "write `np.take_along_axis(t, indices, axis=0)`",
    "tensor_split": "write `np.array_split(t, 2)`",
    "topk": "write `np.sort(t)[..., ::-1][..., :2]`",
    "unflatten": "write `t.reshape(2, 2, 4)`",
    "unsqueeze": "write `np.expand_dims(t, 0)`",
}
# PyTorch's functions for networks
_FOR_NETWORKS = {
    **dict.fromkeys(("cross_entropy", "nll_loss"), "write `mg.softmax_cross_entropy`, of the logits"),
    **dict.fromkeys(
        ("conv1d", "max_pool1d", "avg_pool1d"), "add an axis of size 1: write `mg.conv2d`, `mg.max_pool2d`"
    ),
    **dict.fromkeys(
        ("dropout1d", "dropout2d"), "write `t * mg.nn.Dropout(0.5, rng=rng)(np.ones((*t.shape[:2], 1, 1)))`"
    ),
    **dict.fromkeys(
        ("interpolate", "upsample"), "to the nearest, write `np.repeat(np.repeat(t, 2, axis=-2), 2, axis=-1)`"
    ),
    **dict.fromkeys(("swish",), "write `mg.silu(t)`"),
    **dict.fromkeys(("hardtanh", "hard_tanh"), "write `mg.clip(t, -1, 1)`"),
    **dict.fromkeys(("logsigmoid", "log_sigmoid"), "write `-mg.softplus(-t)`"),
    **dict.fromkeys(("softsign", "soft_sign"), "write `t / (1 + abs(t))`"),
    **dict.fromkeys(("smooth_l1_loss", "huber_loss"), "write `mg.mean(mg.where(abs(t) < 1, t**2 / 2, abs(t) - 0.5))`"),
    "adaptive_avg_pool2d": "for the size 1, write `mg.mean(t, axis=(-2, -1), keepdims=True)`",
    "adaptive_max_pool2d": "for the size 1, write `mg.max(t, axis=(-2, -1), keepdims=True)`",
    "batch_norm": "write `mg.nn.BatchNorm2d`",
    "binary_cross_entropy": "write `mg.binary_cross_entropy_with_logits`, of the logits",
    "cosine_similarity": "write `mg.sum(t * u, axis=-1) / (mg.norm(t, axis=-1) * mg.norm(u, axis=-1))`",
    "celu": "write `mg.elu(t)`",
    "dropout": "write `mg.nn.Dropout(0.5, rng=rng)(t)`",
    "embedding": "write `t[indices]`",
    "glu": "write `t[..., :2] * mg.sigmoid(t[..., 2:])`",
    "group_norm": "write `mg.layer_norm(t.reshape(4, 2, 2), (2,)).reshape(t.shape)`, of 2 groups",
    "gumbel_softmax": "write `mg.softmax(t - np.log(-np.log(rng.random(t.shape))))`",
    "hardsigmoid": "write `mg.clip(t / 6 + 0.5, 0, 1)`",
    "hardswish": "write `t * mg.clip(t / 6 + 0.5, 0, 1)`",
    "instance_norm": "write `mg.layer_norm(t[None], (4, 4))`, of the axes behind the channels",
    "kl_div": "write `mg.sum(scipy.special.xlogy(u, u) - u * t) / len(t)`, the mean over the batch",
    "l1_loss": "write `mg.mean(abs(t - u))`",
    "linear": "write `t @ u.T`, plus a bias",
    "mse_loss": "write `mg.mean_squared_error`",
    "mish": "write `t * mg.tanh(mg.softplus(t))`",
    "normalize": "write `t / mg.maximum(mg.norm(t, axis=-1, keepdims=True), 1e-12)`",
    "one_hot": "write `np.eye(10)[labels]`",
    "relu6": "write `mg.clip(t, 0, 6)`",
    "pairwise_distance": "write `mg.norm(t - u, axis=-1)`",
    "scaled_dot_product_attention": "write `mg.softmax(t @ u.mT / t.shape[-1] ** 0.5) @ u`",
    "selu": "write `1.0507009873554805 * mg.elu(t, 1.6732632423543772)`",
    "softmin": "write `mg.softmax(-t)`",
    "tanhshrink": "write `t - mg.tanh(t)`",
    "threshold": "write `mg.where(t > 0.1, t, 20)`",
    "unfold": "write `mg.unfold2d`",
}
_NO_DEVICES = "there are no devices, leave it out"
_ARRAYS = "NumPy makes arrays, and `mg.tensor(np.zeros(3), requires_grad=True)` a Tensor of one"
_RANDOM = "write `np.random.default_rng(0)`, and give it as rng= where something is random"
_NO_GRAD = "write `with mg.no_grad(): ...`"
_RECORDED = "ops are recorded outside of `mg.no_grad()`: `(t * 1).requires_grad` says whether"
_CLIP = "write `mg.optim.clip_grad_norm(net.parameters(), 1.0)`"
_BATCHES = "arrays are the data: write `mg.data.minibatches((x, labels), 32, rng=rng)`"
_ONE_GROUP = "parameters with options of their own take an optimiser of their own: write `mg.optim.SGD([t], lr=0.1)`"
_DENSITIES = "the densities are SciPy's: write `mg.scipy.stats.norm.logpdf(t)`"
_NO_LOOPS = "Python's own loops and branches will do"
_NESTS = "write `mg.ravel_nest({'w': t, 'b': u})`, which gives a vector, and the function from it to the nest"
_VECTOR = "write `mg.ravel_nest(dict(net.named_parameters()))`"
_OWN_OP = "write @f.vjp('x') above each VJP of a function f that `mg.op` decorates"
_BUFFER = "an array that is an attribute is a buffer: write `net.mean = np.zeros(3)`"
_IMAGES, _BORDER = "t[None, None]", "((0, 0), (0, 0), (1, 1), (1, 1))"
_NO_COMPILER = "there is no compiler, leave it out"
_TENSOR = "write `mg.tensor(array)`"
_NO_HOOKS = "`mg.vjp(f, t)` gives the gradient of any intermediate value"
SCHEDULES = "a schedule is a function: write `optimizer.lr = mg.optim.cosine_annealing(step, 0.1, T_max=100)`"

INSTEAD: dict[str, dict[str, str]] = {
    "a Tensor": {
        **_METHODS,
        **{name: f"write `np.{name}(t)`" for name in _OF_ONE},
        **{name: f"write `np.{name}(t, u)`" for name in _OF_TWO},
        **{name: f"write `t {sign} u`" for name, sign in OPERATORS.items()},
        **{name: f"write `t.astype({dtype})`" for name, dtype in _DTYPES.items()},
        **dict.fromkeys(("to", "type", "type_as"), "write `t.astype(np.float32)`; there are no devices"),
        **dict.fromkeys(("cpu", "cuda", "device", "get_device", "is_cuda", "pin_memory"), _NO_DEVICES),
        **dict.fromkeys(("contiguous", "block_until_ready", "realize"), "leave it out"),
        **dict.fromkeys(("dim", "ndimension"), "write `t.ndim`"),
        **dict.fromkeys(
            ("expand_as", "view_as", "reshape_as"), "write `t.reshape(u.shape)` or `np.broadcast_to(t, u.shape)`"
        ),
        **dict.fromkeys(
            ("index_put", "index_fill", "index_copy"), "write `mg.put(t, [0], [1.0])` or `mg.where(mask, 0, t)`"
        ),
        **dict.fromkeys(("new_zeros", "new_ones", "new_full", "new_tensor"), _ARRAYS),
        **dict.fromkeys(("register_hook", "retain_grad"), _NO_HOOKS),
        **dict.fromkeys(("storage", "untyped_storage"), "write `t.data`"),
        "assign": "write `t.data = np.zeros((4, 4))`",
        "at": "write `mg.put(t, [0], [1.0])` or `mg.where(mask, 0, t)`",
        "clone": "write `t.copy()`",
        "char": "write `t.astype(np.int8)`",
        "data_ptr": "write `t.data.ctypes.data`",
        "detach_": "write `t.detach()`",
        "element_size": "write `t.itemsize`",
        "expand": "write `np.broadcast_to(t, (5, *t.shape))`",
        "fill": "`np.full_like(t, 1)` returns a new one",
        "grad_fn": "write `t.node`",
        "indices": "write `t.argmax(axis=1)`",
        "is_nonzero": "write `bool(t.any())`",
        "norm": "write `mg.norm(t)`, and `mg.norm(t.ravel(), 1)` for other orders: those of a matrix are other norms",
        "is_contiguous": "write `t.data.flags.c_contiguous`",
        "partition": "`np.partition(t, 1)` returns a new one",
        "put": "`mg.put(t, [0], [1.0])` returns a new one",
        "requires_grad_": "write `t.requires_grad = True`",
        "resize": "`np.resize(t, (5,))` returns a new one",
        "sort": "`np.sort(t)` returns a new one",
        "split": "write `np.split(t, 2)` for two equal parts",
        "stride": "write `t.strides`, which counts bytes",
        "t": "write `t.T`",
        "unbind": "write `list(t)`",
        "unfold": "write `mg.ops.sliding_window_view(t, 2, axis=0)`",
        "values": "write `t.max(axis=1)`, which gives the values alone",
        "zero_": "write `t.grad = None` for a gradient",
    },
    "a Module": {
        **dict.fromkeys(("to", "type"), "write `net = net.astype(np.float64)`, a copy; there are no devices"),
        **{name: f"write `net = net.astype({_DTYPES[name]})`, a copy" for name in ("float", "double", "half")},
        **dict.fromkeys(("cpu", "cuda"), _NO_DEVICES),
        **dict.fromkeys(("buffers", "named_buffers"), "write `net.state_dict()`"),
        **dict.fromkeys(
            ("apply", "children", "modules", "named_children", "get_submodule"),
            "write `for name, module in net.named_modules(): print(name)`",
        ),
        **dict.fromkeys(("add_module", "register_module"), "write `net.head = mg.nn.ReLU()`"),
        **dict.fromkeys(
            ("register_forward_hook", "register_forward_pre_hook"), "write a class around it, with a method forward"
        ),
        **dict.fromkeys(("register_backward_hook", "register_full_backward_hook"), _NO_HOOKS),
        **dict.fromkeys(("append", "extend", "insert"), "write `mg.nn.Sequential(*net, mg.nn.ReLU())`"),
        "compile": _NO_COMPILER,
        "get_parameter": "write `dict(net.named_parameters())['0.weight']`",
        "register_buffer": _BUFFER,
        "register_parameter": "write `net.k = mg.tensor(np.zeros(3), requires_grad=True)`",
        "requires_grad_": "write `for p in net.parameters(): p.requires_grad = False`",
    },
    "minigrad": {
        **_METHODS,
        **_FOR_NETWORKS,
        **{name: f"write `t {sign} u`" for name, sign in OPERATORS.items() if name not in ("add", "matmul")},
        **dict.fromkeys(("binomial", "poisson"), _RANDOM),
        **dict.fromkeys(("checkify", "debug_nans", "detect_anomaly"), "write `with mg.debug(): t * 1`"),
        **dict.fromkeys(("distributions", "Normal", "Categorical", "Bernoulli"), _DENSITIES),
        **dict.fromkeys(("fori_loop", "scan", "switch", "while_loop"), _NO_LOOPS),
        **dict.fromkeys(("gradcheck", "gradgradcheck"), "write `mg.testing.check_grads(mg.tanh, np.ones(3))`"),
        **dict.fromkeys(("zeros", "ones", "full", "empty", "eye", "arange", "zeros_like", "ones_like"), _ARRAYS),
        **dict.fromkeys(("rand", "randn", "randint", "randperm", "manual_seed", "random", "PRNGKey", "seed"), _RANDOM),
        **dict.fromkeys(("rand_like", "randn_like", "normal", "bernoulli", "multinomial", "Generator"), _RANDOM),
        **dict.fromkeys(("set_grad_enabled", "inference_mode", "nograd"), _NO_GRAD),
        **dict.fromkeys(("enable_grad", "is_grad_enabled"), _RECORDED),
        **dict.fromkeys(("from_numpy", "as_tensor", "asarray", "Variable", "constant", "FloatTensor"), _TENSOR),
        **dict.fromkeys(
            ("float32", "float64", "float16", "int64", "int32", *_DTYPES), "dtypes are NumPy's: write `np.float32`"
        ),
        **dict.fromkeys(("device", "cuda", "device_put", "backends", "set_default_device"), _NO_DEVICES),
        **dict.fromkeys(("jit", "compile", "function"), _NO_COMPILER),
        **dict.fromkeys(("jacrev", "jacfwd"), "write `mg.jacobian(f)`"),
        **dict.fromkeys(("autograd", "backward", "GradientTape"), "write `mg.grad(f)` or `t.sum().backward()`"),
        **dict.fromkeys(("custom_vjp", "custom_jvp", "custom_gradient", "primitive", "defvjp", "Function"), _OWN_OP),
        **dict.fromkeys(("tree", "tree_flatten", "tree_leaves", "tree_map", "tree_util"), _NESTS),
        **dict.fromkeys(("flatten_util", "ravel_pytree"), _NESTS),
        **dict.fromkeys(("parameters_to_vector", "vector_to_parameters"), _VECTOR),
        **dict.fromkeys(("pmap", "shard_map", "pjit"), "see `mg.distributed`"),
        **dict.fromkeys(("amp", "autocast"), "write `net = net.astype(np.float32)`, a copy"),
        **dict.fromkeys(("enable_x64", "config", "set_default_dtype"), "a Tensor has the dtype of its array"),
        "bucketize": "write `np.searchsorted(np.arange(3), t)`",
        "cat": "write `np.concatenate([t, t])`",
        "clone": "write `t.copy()`",
        "detach": "write `t.detach()`",
        "func": "the transforms are `mg.grad`, `mg.vjp`, `mg.jvp`, `mg.jacobian` and `mg.hessian`",
        "is_tensor": "write `isinstance(t, mg.Tensor)`",
        "histc": "write `np.histogram(t, 10)[0]`",
        "lax": _NO_LOOPS,
        "linearize": "write `mg.jvp(f, (x0,), (x0,))`",
        "make_jaxpr": "write `mg.graph(f(t))`",
        "numpy": "NumPy's own functions take Tensors: write `np.exp(t)`",
        "special": "SciPy's own functions take Tensors: write `scipy.special.expit(t)`",
        "remat": "write `mg.checkpoint(f)`",
        "stop_gradient": "write `t.detach()`",
        "t": "write `t.T`",
        "trapz": "write `np.trapezoid(t)`",
        "unbind": "write `list(t)`",
        "utils": "see `mg.data`, `mg.checkpoint` and `mg.optim.clip_grad_norm`",
        "vmap": "write f for a batch: NumPy broadcasts",
    },
    "minigrad.nn": {
        "functional": "the ops are functions: write `mg.relu(t)`",
        **{name: f"the op is a function: write `mg.{function}`" for name, function in _FUNCTIONS.items()},
        **dict.fromkeys(("ModuleList", "ModuleDict"), "a list or a dict will do: a module finds the modules in it"),
        **dict.fromkeys(
            ("ParameterList", "ParameterDict"), "a list or a dict will do: a module finds the Tensors in it"
        ),
        **dict.fromkeys(("ZeroPad2d", "ConstantPad2d"), f"write `np.pad({_IMAGES}, {_BORDER})`"),
        "CircularPad2d": f"write `np.pad({_IMAGES}, {_BORDER}, mode='wrap')`",
        "ReflectionPad2d": f"write `np.pad({_IMAGES}, {_BORDER}, mode='reflect')`",
        "ReplicationPad2d": f"write `np.pad({_IMAGES}, {_BORDER}, mode='edge')`",
        **dict.fromkeys(("RNN", "GRUCell", "LSTMCell"), "write `mg.nn.GRU` or `mg.nn.LSTM`"),
        "AdaptiveAvgPool2d": _FOR_NETWORKS["adaptive_avg_pool2d"],
        "BCELoss": _FOR_NETWORKS["binary_cross_entropy"],
        "BCEWithLogitsLoss": "write `mg.binary_cross_entropy_with_logits`",
        "BatchNorm1d": "write `mg.nn.BatchNorm2d(4, dtype=float)(t[:, :, None, None])[:, :, 0, 0]`",
        "Buffer": _BUFFER,
        "Conv1d": "write `mg.nn.Conv2d`, of x[:, :, None]",
        "CrossEntropyLoss": "write `mg.softmax_cross_entropy`",
        "DataParallel": "see `mg.distributed`",
        "Identity": "write `mg.nn.Sequential()`",
        "KLDivLoss": _FOR_NETWORKS["kl_div"],
        "MSELoss": "write `mg.mean_squared_error`",
        "MultiheadAttention": "write `mg.nn.MultiHeadAttention`, whose arrays are (N, L, embed_dim)",
        "NLLLoss": _FOR_NETWORKS["nll_loss"],
        "Parameter": "write `mg.tensor(np.zeros(3), requires_grad=True)`",
        "Upsample": _FOR_NETWORKS["upsample"],
        "init": "write `mg.nn.he_normal` or `mg.nn.glorot_normal`",
        "utils": _CLIP,
    },
    "minigrad.optim": {
        **dict.fromkeys(("LBFGS", "minimize"), "SciPy's `minimize(mg.value_and_grad(f), x0, jac=True)` does it"),
        "clip_grad_norm_": _CLIP,
        "clip_grad_value_": "write `for p in net.parameters(): p.grad = np.clip(p.grad, -1, 1)`",
        "ExponentialLR": "write `optimizer.lr = mg.optim.exponential_decay(step, 0.1, gamma=0.9)`",
        "LinearLR": "write `optimizer.lr = mg.optim.linear_warmup(step, 0.1)`",
        "ReduceLROnPlateau": "write `optimizer.lr *= 0.1` where the loss no longer falls",
        "StepLR": "write `optimizer.lr = mg.optim.step_decay(step, 0.1, step_size=30)`",
        "lr_scheduler": SCHEDULES,
    },
    "an Optimizer": {
        "add_param_group": _ONE_GROUP,
        "betas": "write `optimizer.beta1 = 0.9` and `optimizer.beta2 = 0.999`",
        "learning_rate": "write `optimizer.lr = 0.1`",
        "param_groups": f"an option is an attribute: write `optimizer.lr = 0.01`; {_ONE_GROUP}",
        "state": "write `optimizer.state_dict()`",
    },
    "minigrad.data": {
        **dict.fromkeys(("DataLoader", "Dataset", "TensorDataset"), _BATCHES),
        **dict.fromkeys(("random_split", "Subset"), "write `mg.data.split((x, labels), 0.8, rng=rng)`"),
    },
}
CLASSES = {  # what is said of each class that these do not have
    "minigrad.nn": "a layer of your own is a class of `mg.nn.Module` with a method `forward`",
    "minigrad.optim": "an optimiser of your own is a class of `mg.optim.Optimizer`",
    "minigrad.data": _BATCHES,
}
OPTIONS = {
    **dict.fromkeys(("foreach", "fused", "capturable", "differentiable"), "one step updates all, leave it out"),
    **dict.fromkeys(("affine", "elementwise_affine"), "write `for p in net.parameters(): p.requires_grad = False`"),
    "ceil_mode": "for maxima, pad x before: `np.pad(t[None, None], ((0, 0), (0, 0), (0, 1), (0, 1)), mode='edge')`",
    "padding_mode": f"pad x before it, as `np.pad({_IMAGES}, {_BORDER}, mode='reflect')`",
    **dict.fromkeys(("holomorphic", "vectorize", "allow_int", "strict", "use_reentrant"), "leave it out"),
    "approximate": "it is exact, leave it out; `mg.gelu(t)` is the function",
    "assign": "values are copied, leave it out",
    "batch_first": "x is always (N, L, features), leave it out",
    "bidirectional": "write a second one for `np.flip(x, axis=-2)`",
    "count_include_pad": "the zeros of the padding count, leave it out",
    "create_graph": "write `mg.grad(mg.grad(f))`; the transforms compose to any order",
    "decoupled_weight_decay": "write `mg.optim.AdamW`",
    "descending": "flip what it returns, as `np.flip(np.sort(t), axis=-1)`",
    "device": _NO_DEVICES,
    "dropout": "write `mg.nn.Dropout(0.5, rng=rng)` after it",
    "has_aux": "return the scalar alone; what else f computes it can append to a list, as `t.data`",
    "ignore_index": "leave these rows out, as `t[labels[:4] != 1]`",
    "inplace": "it returns a new Tensor, leave it out",
    "inputs": "write `mg.grad(f)`, which differentiates in the arguments of f alone",
    "keep_vars": "write `dict(net.named_parameters())` for its Tensors",
    "label_smoothing": "write `0.9 * mg.softmax_cross_entropy(t, labels[:4]) - 0.1 * mg.mean(mg.log_softmax(t))`",
    "maximize": "minimise the negative: write `(-t.sum()).backward()`",
    **dict.fromkeys(("map_location", "weights_only"), "files hold arrays, leave it out"),
    "num_layers": "each is one layer: write `for layer in (net, net): layer(t)[0]`, since a layer returns (output, h)",
    "output_padding": "give output_size=, the rows and columns of the result",
    "padding_idx": "write `mg.where(mask, 0, t)` of what it returns",
    "params": "write `mg.optim.SGD(net.parameters(), lr=0.1)`",
    "recurse": "they are those of all modules inside, leave it out",
    "pos_weight": "write `mg.mean(3 * u * mg.softplus(-t) + (1 - u) * mg.softplus(t))`",
    "reduction": "it is the mean; times the number of examples it is the sum",
    "weight": "write `-np.average(mg.log_softmax(t)[np.arange(4), labels[:4]], weights=np.arange(1, 5)[labels[:4]])`",
    "return_indices": "write `np.argmax(t, axis=-1)` of windows by `mg.ops.sliding_window_view(t, (2, 2))`",
    "set_to_none": "each becomes None, leave it out",
    "start_dim": "write `t.reshape(*t.shape[:1], -1)`",
    "track_running_stats": "they are kept; only `net.eval()` uses them, leave it out",
}
KEYWORDS = {
    "beta1": ("betas",), "beta2": ("betas",), "bias": ("b",), "dim": ("axis", "axes"), "dims": ("axis", "axes"),
    "keepdim": ("keepdims",), "kernel_size": ("window",), "learning_rate": ("lr",), "negative_slope": ("slope",),
    "p": ("ord",), "steps": ("num",), "unbiased": ("ddof",),
}  # fmt: skip
