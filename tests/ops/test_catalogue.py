"""The catalogue as a whole: no op without a spec, no VJP that no spec sweeps, and what holds for every op."""

import importlib
import inspect
import pkgutil
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.testing import assert_allclose, assert_array_equal
from support.gradients import leaf
from support.specification import Specs, all_specs

import minigrad as mg
from minigrad.catalogue import FAMILIES
from minigrad.operation import Op

HAVE_NO_SPEC = {  # but tests in test_transforms.py and test_distributed.py
    "checkpoint(arrays[0])",
    "_sum_over_ranks(x)",
}


@pytest.fixture(scope="module")
def specs():
    return all_specs()


def all_ops():
    """Every Op that minigrad's modules hold, once each."""
    modules = [importlib.import_module(m.name) for m in pkgutil.walk_packages(mg.__path__, "minigrad.")]
    return {id(value): value for module in modules for value in vars(module).values() if isinstance(value, Op)}.values()


DRAWN = {}  # of each spec, by its name


def drawn(spec):
    """A few calls of the spec's op, always the same."""

    @settings(max_examples=6, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(spec.inputs)
    def draw(call):
        DRAWN[spec.name].append(call)

    if spec.name not in DRAWN:
        DRAWN[spec.name] = []
        draw()
    return DRAWN[spec.name]


def test_every_public_op_has_a_spec(specs):
    assert set(mg.ops.__all__) - set(specs) == set()


def test_a_spec_that_no_test_would_run_is_refused():
    late = Specs()
    late.tests()
    with pytest.raises(RuntimeError, match="tanh: specify it above the line"):
        late.add("tanh", None, np.tanh)


def test_every_vjp_is_swept_by_a_spec(specs):
    """Also those of private ops: each argument with a VJP is on the tape of some spec."""
    swept = {pair for spec in specs.values() for pair in _vjps_on_tape(spec)}
    ours = {(id(op), i): f"{op.__name__}({op.argument(i)})" for op in all_ops() for i in _positions(op)}
    assert {name for key, name in ours.items() if key not in swept} == HAVE_NO_SPEC


def as_kind(make, value):
    """The value with each array in it, or list of integers or booleans, as what `make` makes of it."""
    if isinstance(value, np.ndarray) or (isinstance(value, list) and {type(x) for x in value} <= {int, bool}):
        return make(value)
    return type(value)(as_kind(make, x) for x in value) if type(value) in (list, tuple) else value


def test_what_needs_no_gradient_may_be_a_tensor(specs):
    """Each argument in turn: arrays, those in lists, and lists of integers and booleans."""
    tried = 0
    for spec in specs.values():
        for call in drawn(spec)[:2]:
            for i, argument in enumerate(call.arguments):

                def value(make, call=call, i=i, argument=argument, f=spec.fn):
                    return f(*call.arguments[:i], as_kind(make, argument), *call.arguments[i + 1 :], **call.parameters)

                if isinstance(argument, (np.ndarray, list, tuple)):
                    found, expected = value(mg.tensor), value(np.array)
                    assert_allclose(getattr(found, "data", found), expected, rtol=1e-12, err_msg=f"{spec.name} {i}")
                    tried += 1
    assert tried > 400


REAL_WEIGHTS = {"singular_value_gradient"}  # an op inside of derivatives, whose g is never complex


def test_every_op_is_right_on_complex_numbers_or_refuses_them(specs):
    """Right: the gradient of Re(sum(c y)) gives its slope along a complex direction. A refusal is a TypeError."""
    right = {name for name, spec in specs.items() if name not in REAL_WEIGHTS and _is_right(spec)}
    assert {"exp", "multiply", "matmul", "norm", "svd", "fft", "where"} <= right
    assert right.isdisjoint({"relu", "conv2d", "hypot", "sign", "erf", "clip"})


def _is_right(spec):
    """Whether the gradient at a complex input is right; False if the op refuses it. Raises for a wrong one."""
    call = drawn(spec)[0]
    rng = np.random.default_rng(0)
    x = [_complex(a, rng) if isinstance(a, np.ndarray) else a for a in call.arguments]
    u = [_complex(np.zeros(a.shape), rng) if np.iscomplexobj(a) else None for a in x]
    weights = []

    def along(*z):
        arguments = iter(z)
        y = spec.fn(*[a if v is None else next(arguments) for a, v in zip(x, u, strict=True)], **call.parameters)
        parts = [y] if not isinstance(y, (tuple, list)) else y
        weights[:] = weights or [_complex(np.ones(np.shape(part)), rng) for part in parts]
        return sum(np.sum(np.real(c * part)) for c, part in zip(weights, parts, strict=True))

    moved = [a for a, v in zip(x, u, strict=True) if v is not None]
    steps = [v * 1e-5 for v in u if v is not None]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            gradients = mg.grad(along, tuple(range(len(moved))))(*moved)
            ahead, behind = along(*map(np.add, moved, steps)), along(*map(np.subtract, moved, steps))
    except TypeError as error:
        if not re.search("complex|must be a number|has no VJP", str(error)):
            raise
        return False
    slope = sum(np.sum(np.real(g * step)) for g, step in zip(gradients, steps, strict=True))
    assert_allclose(slope, (ahead - behind) / 2, rtol=1e-5, atol=1e-9, err_msg=spec.name)
    return True


def _complex(a, rng):
    return a + 1j * rng.uniform(0.1, 0.9, a.shape) if a.dtype.kind == "f" else a


def _positions(op):
    return [0] if op.any_number else [i for i, vjp in enumerate(op.vjps) if vjp is not None]


def _vjps_on_tape(spec):
    """(op, position) of every VJP that the sweep of some inputs of the spec runs."""
    found = set()
    for call in drawn(spec):
        tensors = [mg.tensor(a, requires_grad=True) if _moves(spec, a, i) else a for i, a in enumerate(call.arguments)]
        pending = [getattr(spec.fn(*tensors, **call.parameters), "node", None)]
        while pending:
            node = pending.pop()
            if node is not None and node.op is not None:
                found.update((id(node.op), 0 if node.op.any_number else i) for i, p in enumerate(node.parents) if p)
                pending += node.parents
    return found


def _moves(spec, argument, i):
    chosen = spec.options.get("argnums", i)
    among = chosen if isinstance(chosen, tuple) else (chosen,)
    return isinstance(argument, np.ndarray) and argument.dtype.kind == "f" and i in among


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(np.std, ()), (np.var, ()), (np.median, ()), (np.diff, ()), (np.full_like, (2,)), (np.sum, ()), (np.cumsum, ())],
)
def test_a_list_will_do_for_an_array(function, arguments):
    result = getattr(mg.ops, function.__name__)([1.0, 4.0, 2.0], *arguments)
    assert_allclose(result, function([1.0, 4.0, 2.0], *arguments))
    assert_array_equal(mg.ops.cross([1.0, 0, 0], [0, 1.0, 0]), [0, 0, 1])
    assert_array_equal(mg.ops.matrix_power([[1.0, 2.0], [3.0, 4.0]], 0), np.eye(2))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.tensordot(x, x.T, ([5], [0])),
        lambda x: np.diff(x, axis=5),
        lambda x: np.swapaxes(x, 0, 5),
        lambda x: np.split(x, 1, axis=5),
        lambda x: np.sum(x, axis=5),
        lambda x: np.std(x, axis=5),
    ],
)
def test_an_axis_out_of_range_is_refused(call):
    with pytest.raises((np.exceptions.AxisError, IndexError)):
        call(mg.tensor(np.ones((2, 3)), requires_grad=True))


@pytest.mark.parametrize(
    ("function", "name", "options"),
    [
        (np.repeat, "a", {"repeats": 2}), (np.flip, "m", {}),
        (np.fliplr, "m", {}), (np.flipud, "m", {}), (np.rot90, "m", {}), (np.diagonal, "a", {}),
        (np.take, "a", {"indices": [0]}), (np.delete, "arr", {"obj": 0}),
        (np.tile, "A", {"reps": 2}), (np.rollaxis, "a", {"axis": 1}), (np.roll, "a", {"shift": 1}),
    ],
)  # fmt: skip
def test_the_array_goes_by_numpys_name(function, name, options):
    a = np.arange(6.0).reshape(2, 3)
    assert_array_equal(function(**{name: leaf(a)}, **options).data, function(**{name: a}, **options))
    with pytest.raises(TypeError, match=rf"^{function.__name__}\(.*\): missing .*'{name}'$"):
        getattr(mg.ops, function.__name__)(**options)
    assert name in inspect.signature(getattr(mg.ops, function.__name__)).parameters


@pytest.mark.parametrize("family", FAMILIES)
def test_help_lists_each_op_of_a_family_once(family):
    assert re.findall(r"\w+", mg.ops._paragraph(family))[1:] == getattr(mg.ops, family).__all__
    assert mg.ops._paragraph(family) in mg.__doc__
