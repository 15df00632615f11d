"""Faults that survive because they change nothing that can be observed: {argument: the faults}."""
# ruff: noqa: E501 (a fault's name is a line of code, twice)

_ARGUED: dict[str, list[str]] = {
    "b has one axis, and the sweep sums away the axis of the batch, as of every broadcast": [
        "ops/convolution.py _per_channel: np.sum(each, axis=0) if each.ndim == 2 else each -> each",
        "ops/convolution.py _per_channel: np.sum(each, axis=0) -> each",
        "ops/convolution.py _per_channel: 2 -> 3",
        "ops/convolution.py _per_channel: (rows @ np.ones(w * n, g.dtype)).reshape(h, c).sum(axis=0) -> (rows @ np.ones(w * n, g.dtype)).reshape(h, c)",
    ],
    "the general way sums over a turned g as well, only slower": [
        "ops/convolution.py _per_channel: if g.ndim == 4 and images_innermost(array_of(g)): n, c, h, w = g.shape rows = g.transpose(2, 1, 3, 0).reshape(h * c, w * n) return (rows @ np.ones(w * n, g.dtype)).reshape(h, c).sum(axis=0) -> if False: n, c, h, w = g.shape rows = g.transpose(2, 1, 3, 0).reshape(h * c, w * n) return (rows @ np.ones(w * n, g.dtype)).reshape(h, c).sum(axis=0)",
    ],
    "columns and images are summed together, in either order; only slower": [
        "ops/convolution.py _per_channel: g.transpose(2, 1, 3, 0) -> g.transpose(2, 1, 0, 3)",
    ],
    "a function of which it is not seen at a glance is asked for its signature, which takes longer": [
        "operation.py _takes_just: code.co_varnames[count:code.co_argcount + code.co_kwonlyargcount] -> code.co_varnames",
        "operation.py _takes_just: named <= keywords.keys() -> named < keywords.keys()",
        "operation.py _takes_just: named <= keywords.keys() if code.co_flags & inspect.CO_VARKEYWORDS else named == keywords.keys() -> named == keywords.keys()",
        "operation.py _takes_just: code.co_argcount >= count >= code.co_posonlyargcount -> code.co_argcount > count >= code.co_posonlyargcount",
        "operation.py vjp: _takes_just(function, len(leading) + len(self.names), self.parameters) -> _takes_just(len(leading) + len(self.names), function, self.parameters)",
    ],
    "the array of a Tensor is copied where the node could refer to it: the same entries, only slower": [
        "operation.py __call__: _as_it_is(a) if a is given else a -> _as_it_is(a)",
        "operation.py __call__: tensors < len(arrays) -> tensors <= len(arrays)",
        "operation.py __call__: tensors += 1 -> tensors = 1",
    ],
    "a b of a narrower dtype: z + b is the same sum in a new array, and only slower": [
        "ops/convolution.py _plus_bias: b.dtype != z.dtype and np.result_type(z, b) != z.dtype -> b.dtype != z.dtype or np.result_type(z, b) != z.dtype",
        "ops/convolution.py _plus_bias: b.dtype != z.dtype and np.result_type(z, b) != z.dtype -> b.dtype != z.dtype",
    ],
    "equal dtypes have themselves as the common one: asking first only saves time": [
        "ops/convolution.py _plus_bias: b.dtype != z.dtype and np.result_type(z, b) != z.dtype -> np.result_type(z, b) != z.dtype",
    ],
    "only the fast way: the other one sums or writes the same, slower": [
        "ops/convolution.py _per_channel: 4 -> 5",
    ],
    "a g in C order is then copied into rows first: the same sum, slower": [
        "ops/convolution.py _per_channel: g.ndim == 4 and images_innermost(array_of(g)) -> g.ndim == 4",
    ],
    "only slower: what the cache would have known is worked out again": [
        "ops/convolution.py _remembered.lambda: cached if type(groups) is int else cached.__wrapped__ -> cached.__wrapped__",
    ],
    "only its truth is used, and False times anything is 0": [
        "ops/windows.py overlap: return any((d * (k - 1) >= s for d, k, s in zip(geometry.dilation, geometry.window, geometry.stride, strict=True))) -> return any((d * (k - 1) >= s for d, k, s in zip(geometry.dilation, geometry.window, geometry.stride, strict=True))) * 1.000001",
    ],
    "more room than is padded, which no window reaches and the last line cuts off": [
        "ops/windows.py folded: 2 -> 3",
        "ops/windows.py folded (1): 2 -> 3",
    ],
    "what is a plain number then takes the general call, which gives the same, slower": [
        "operation.py operators.method: type(y) is float or type(y) is int -> type(y) is float and type(y) is int",
        "operation.py operators.method: type(y) is float or type(y) is int -> type(y) is int",
        "operation.py operators.method: type(y) is float or type(y) is int -> type(y) is float",
        "operation.py operators.method: if type(x) is float or type(x) is int: a = x else: return op(x, y) -> if not (type(x) is float or type(x) is int): a = x else: return op(x, y)",
        "operation.py operators.method: type(x) is float or type(x) is int -> type(x) is float and type(x) is int",
        "operation.py operators.method: type(x) is float or type(x) is int -> type(x) is int",
        "operation.py operators.method: type(x) is float or type(x) is int -> type(x) is float",
        "operation.py operators.method: type(x) is int -> type(x) is not int",
        "operation.py operators.method: type(x) is float -> type(x) is not float",
    ],
    "only the time in which a plain array is found to be one": [
        "operation.py __call__: type(argument) is not ndarray and (not isinstance(argument, _NUMBERS)) -> not isinstance(argument, _NUMBERS)",
    ],
    "every call is then bound, which changes nothing but its time": [
        "operation.py __init__: -1 if needed else len(self.names) -> -1",
    ],
    "no call has -2 arguments, nor -1": [
        "operation.py __init__: 1 -> 2",
    ],
    "where every argument has a VJP, looking for one without finds none: only time": [
        "operation.py __call__: recorded and (self.any_number or None in self.vjps) -> recorded",
    ],
    "while no thread has changed anything each state is as it starts: asking first only saves time": [
        "operation.py operators.method: state.scope if changes else () -> state.scope",
        "operation.py operators.method: changes and (not state.recording) -> not state.recording",
        "operation.py __call__: not changes or state.recording -> state.recording",
        "tape.py record: state.scope if changes else () -> state.scope",
        "tape.py __exit__: changes.pop() -> pass",
    ],
    "which axis is summed first only tunes": [
        "tape.py _sum_outermost.lambda.key: 0 -> 1",
        "tape.py _sum_outermost.lambda.key: 0 -> 2",
    ],
    "a copy of what has the dtype already": [
        "tape.py _fit: contribution if contribution.dtype == argument.dtype else contribution.astype(argument.dtype) -> contribution.astype(argument.dtype)",
    ],
    "a trace takes a number of its own, which no node has": [
        "tape.py boundary: parent.number < since -> parent.number <= since",
        "tape.py leads_older: node.number < since -> node.number <= since",
        "tape.py _leading_older: p.number < since -> p.number <= since",
        "tape.py _reached: parent.number >= since -> parent.number > since",
        "tape.py _reached: root.number >= since -> root.number > since",
    ],
    "each further sum then goes to a new buffer, with the same result": [
        "tape.py sweep: summed.add(parent) -> pass",
    ],
    "arrays then go to a new buffer, and += on a Tensor makes a new one": [
        "tape.py sweep: type(gradients[parent]) is type(contribution) is ndarray -> type(gradients[parent]) is not type(contribution) is ndarray",
    ],
}
EQUIVALENT = {fault: argument for argument, faults in _ARGUED.items() for fault in faults}
