"""What a VJP owes besides the right number.

Shape, dtype and finiteness of each gradient; nothing written to; no memory shared; nothing kept; the
same bits twice; sums that add; any memory layout; and float32 that stays float32.
"""

import contextlib
from functools import partial

import numpy as np

from .._tensor import Tensor
from ..operation import Op, array_of
from ..transforms import vjp as transform_vjp
from .differences import EPS, STEP, norm
from .errors import GradientError

EPS32 = float(np.finfo(np.float32).eps)
TINY32 = float(np.finfo(np.float32).tiny)
# bounds that give no false alarm on minigrad's ops: benchmarks/false_alarms.py
_REORDERED = 1e-9  # of the greatest entry: what another memory order or another way to the gradient may change
_ROUNDINGS = 1e3  # of the result's own size: how many an op may make on its way
_MOVED = 64  # times what one rounding of the inputs was measured to change, or makes of each entry
_SPREAD = 8  # times the most that it changed in any gradient
_ROUNDING = 1e-12  # of the greatest entry: what two ways of computing a value may differ by


def check_value(subject, order=1):
    """The forward: finite, without side effects, the same bits twice, and the same from arrays as from Tensors.

    What it keeps between two calls is asked of the function alone, not of its derivatives (order > 1), which are
    made of the VJPs that were asked before.
    """
    x, constants = [a.copy() for a in subject.x], _kept_constants(subject)
    first = subject.value(*x)
    y = first.copy()
    _unwritten(subject, [*zip(subject.labels, x, subject.x, strict=True), *constants], "the function")
    if not np.isfinite(y).all():
        raise GradientError("not finite", subject, None, "the value is not finite here, so it has no derivative")
    if not _same_bits(y, subject.value(*x)):
        raise GradientError("not deterministic", subject, None, "the function gave two different values for one input")
    if order == 1:
        _run_elsewhere(subject)
    if not _same_bits(y, first):
        statement = "the value changes when the function runs at another input: it returns memory that it keeps"
        raise GradientError("aliased", subject, None, statement)
    if subject.vjp is None:
        from_tensors = np.asarray(array_of(subject.call(*map(Tensor, x))))
        same_kind = from_tensors.shape == y.shape and from_tensors.dtype == y.dtype
        if not same_kind or not _largest(from_tensors - y) <= _ROUNDING * _largest(y):
            raise GradientError("value", subject, None, "arrays and Tensors give different values")
    return y


def _run_elsewhere(subject):
    """Run the function nearby, and at its inputs in reverse order: what it keeps of them must not matter later."""
    nearby = [a * (1 - STEP) - STEP * (a == 0) for a in subject.x]
    with np.errstate(all="ignore"):
        subject.pullback(nearby)
        with contextlib.suppress(Exception):  # an input that it refuses leaves the nearby one as the last
            subject.pullback([np.array(np.flip(a)) for a in nearby])


def check_gradients(subject, g, order=1):
    """The list of gradients at subject.x for the upstream gradient g, held to everything but the numbers."""
    x, upstream, constants = [a.copy() for a in subject.x], g.copy(), _kept_constants(subject)
    y, pull = subject.pullback(x)
    before = y.copy()
    gradients = pull(upstream)
    for label, argument, gradient in zip(subject.labels, x, gradients, strict=True):
        _fits(subject, label, argument, gradient, g, order)
    labels = [*subject.labels, "the upstream gradient", "the output"]
    arrays = zip(labels, [*x, upstream, y], [*subject.x, g, before], strict=True)
    _unwritten(subject, [*arrays, *constants], "the VJP")
    kept = [np.array(gradient) for gradient in gradients]
    again = pull(upstream.copy())
    for i, label in enumerate(subject.labels):
        if not _same_bits(kept[i], again[i]):
            raise GradientError("not deterministic", subject, label, f"two runs of the VJP gave {label} two gradients")
        owners = [*zip(labels, [*x, upstream], strict=False)]
        owners += [(f"the gradient of {subject.labels[j]}", gradients[j]) for j in range(i)]
        owners += [("the gradient of the next run", a) for a in again]
        for owner, array in owners:
            if isinstance(gradients[i], np.ndarray) and np.shares_memory(gradients[i], array):
                raise GradientError(
                    "aliased", subject, label, f"the gradient of {label} shares its memory with {owner}: return a copy"
                )
    if order == 1:
        _check_memory(subject, pull, g, kept)
    return kept


def _check_memory(subject, pull, g, kept):
    """The gradients are those of this input, also after the function ran at another one."""
    _run_elsewhere(subject)
    for label, before, after in zip(subject.labels, kept, pull(g.copy()), strict=True):
        if not _same_bits(before, after):
            statement = (
                f"the gradient of {label} changes when the function runs at another input before the VJP does: "
                "the VJP reads what the function keeps; let it compute that from its arguments"
            )
            raise GradientError("stateful", subject, label, statement)


def check_each_vjp(subject, g):
    """The VJPs of an op as the sweep calls them: they write to nothing, and keep no buffer between two calls."""
    op = subject.fn
    if not isinstance(op, Op) or subject.vjp is not None:
        return
    arguments, parameters = op._bind(subject.arguments(subject.x), subject.keywords(subject.x))
    out = np.asarray(op.forward(*arguments, **parameters))
    for i in subject.argnums:
        label = subject.labels[subject.argnums.index(i)]
        runs = []
        for _ in range(2):
            copies = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
            given = [*copies, g.copy(), out.copy()]
            runs.append((op.vjps[i](given[-2], given[-1], *copies, **parameters), given))
            names = [*(op.names if not op.any_number else map(str, range(len(copies)))), "g", "the output"]
            arrays = [
                (name, a, b)
                for name, a, b in zip(names, given, [*arguments, g, out], strict=True)
                if isinstance(a, np.ndarray)
            ]
            _unwritten(subject, arrays, f"the VJP of {label}")
        (first, _), (second, _) = runs
        both = isinstance(first, np.ndarray) and isinstance(second, np.ndarray)
        if both and first.flags.writeable and np.shares_memory(first, second):
            raise GradientError("aliased", subject, label, f"the VJP of {label} returns the same memory in every call")


def check_accumulation(subject, g, gradients):
    """Where the function's result is used twice, its gradients add."""
    doubled = type(subject)(
        lambda *x, **parameters: np.add(subject.fn(*x, **parameters), subject.fn(*x, **parameters)),
        subject.inputs,
        subject.parameters,
        argnums=subject.argnums,
        name=subject.name,
    )
    _, pull = doubled.pullback(doubled.x)
    for position, (label, single, double) in enumerate(zip(subject.labels, gradients, pull(g), strict=True)):
        if not _largest(2 * single - double) <= _rounding(subject, position, g, single):
            raise GradientError(
                "accumulation",
                subject,
                label,
                f"the gradient of {label} through fn(x) + fn(x) is not twice that of one",
            )


def _rounding(subject, position, g, gradient):
    """How far two ways of computing the same gradient may be apart."""
    return _REORDERED * _largest(gradient) + _ROUNDINGS * EPS * norm(g) * max(1.0, _largest(subject.x[position]))


def check_layouts(subject, g, gradients):
    """The same value and gradients from column-major arrays and from views with gaps and negative steps."""
    y = subject.value(*subject.x)
    for name, layout, pullback in (
        ("column-major", partial(np.array, order="F"), _pullback_of_columns),
        ("non-contiguous", _with_gaps, _pullback_of_views),
    ):
        found, pull = pullback(subject)
        if found.shape != y.shape or not _largest(found - y) <= _REORDERED * _largest(y) + _ROUNDINGS * EPS:
            raise GradientError("layout", subject, None, f"the value changes where the arrays are {name}")
        for position, (expected, gradient) in enumerate(zip(gradients, pull(layout(g)), strict=True)):
            label, limit = subject.labels[position], _rounding(subject, position, g, expected)
            if gradient.shape != expected.shape or not _largest(gradient - expected) <= limit:
                raise GradientError(
                    "layout", subject, label, f"the gradient of {label} changes where the arrays are {name}", g=g
                )


def _pullback_of_columns(subject):
    return subject.pullback([np.array(a, order="F") for a in subject.x])


def _pullback_of_views(subject):
    """The pullback at views with gaps and negative steps: taken inside of the trace, as mg.vjp copies what it gets."""
    if subject.vjp is not None:
        return subject.pullback([_with_gaps(a) for a in subject.x])
    wide = [_wide(a) for a in subject.x]
    views = [_seconds(a) for a in subject.x]
    y, pulled = transform_vjp(lambda *whole: subject.call(*(a[i] for a, i in zip(whole, views, strict=True))), *wide)
    return np.asarray(array_of(y)), lambda g: [v[i] for v, i in zip(pulled(g), views, strict=True)]


def check_float32(subject, g, *, generator):
    """float32 stays float32, and its value and gradients are the float64 ones but for rounding.

    How far rounding reaches is measured: by how much the float64 results move when every input
    moves by one float32 rounding.
    """
    x = [a.astype(np.float32) for a in subject.x]
    g = g.astype(np.float32)
    y, pull = subject.pullback(x)
    if y.dtype != np.float32:
        raise GradientError("dtype", subject, None, f"float32 inputs give a {y.dtype} result")
    results = pull(g)
    exact = [a.astype(np.float64) for a in x]
    nearby = [a * (1 + EPS32 * generator.uniform(-1, 1, a.shape)) for a in exact]
    y64, pull64 = subject.pullback(exact)
    y_moved, pull_moved = subject.pullback(nearby)
    size = sum(float(np.sum(np.minimum(np.abs(a), 1))) for a in exact)  # of what may have cancelled
    limit = EPS32 * (_ROUNDINGS * _largest(y64) + _MOVED * size) + _MOVED * _largest(y_moved - y64) + TINY32
    if y.shape != y64.shape or not _largest(y - y64) <= limit:
        statement = f"the float32 value is off by {_largest(y - y64):.3g}, over {limit:.3g}"
        raise GradientError("float32", subject, None, statement)
    expected = pull64(g.astype(np.float64))
    moved = pull_moved(g * (1 + EPS32 * generator.uniform(-1, 1, g.shape)))
    scale = max(map(_largest, expected))
    for label, a, b, c in zip(subject.labels, results, expected, moved, strict=True):
        if a.dtype != np.float32:
            raise GradientError("dtype", subject, label, f"float32 inputs give {label} a {a.dtype} gradient")
        spread = max(_largest(d - e) for d, e in zip(moved, expected, strict=True))
        limit = _MOVED * (EPS32 * (_largest(b) + norm(g)) + _largest(c - b))
        limit += _SPREAD * (spread + EPS32 * scale) + TINY32
        if a.shape != b.shape or not _largest(a - b) <= limit:
            statement = f"the float32 gradient of {label} is off by {_largest(a - b):.3g}, over {limit:.3g}"
            raise GradientError("float32", subject, label, statement)


def _fits(subject, label, argument, gradient, g, order):
    """Shape, dtype and finiteness of one gradient."""
    shape, dtype = np.shape(gradient), getattr(gradient, "dtype", type(gradient).__name__)
    if shape != argument.shape:
        if shape == g.shape or len(shape) > argument.ndim:
            hint = ["it is not summed over the axes along which the input was broadcast"]
        elif shape == argument.shape[::-1]:
            hint = ["it is transposed"]
        else:
            hint = []
        statement = f"the gradient of {label} has shape {shape}, but {label} has {argument.shape}"
        raise GradientError("shape", subject, label, statement, diagnosis=hint, order=order)
    if dtype != argument.dtype:
        statement = f"the gradient of {label} has dtype {dtype}, but {label} has {argument.dtype}"
        raise GradientError("dtype", subject, label, statement, order=order)
    if not np.isfinite(gradient).all():
        raise GradientError("not finite", subject, label, f"the gradient of {label} is not finite", g=g, order=order)


def _unwritten(subject, arrays, writer):
    for label, now, before in arrays:
        if not _same_bits(now, before):
            raise GradientError("mutated", subject, label, f"{writer} wrote to {label}")


def _same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _largest(a):
    return float(np.max(np.abs(a), initial=0))


def _seconds(a):
    """The index of every second entry of an array twice as wide as a, backwards along the last axis."""
    return (..., slice(None, None, -2)) if a.ndim else 1


def _wide(a):
    """An array of which these entries are a."""
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]) if a.ndim else 2, np.nan)
    wide[_seconds(a)] = a
    return wide


def _with_gaps(a):
    """The same array as a view of a larger one."""
    return _wide(a)[_seconds(a)]


def _kept_constants(subject):
    """(name, array, its copy) of the arrays that don't move."""
    return [(name, a, a.copy()) for name, a in subject.constants()]
