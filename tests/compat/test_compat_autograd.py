"""Programs written for HIPS autograd: the same numbers, and its module names."""

import gc
import importlib.util
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("autograd")

import autograd
import autograd.misc
import autograd.misc.fixed_points
import autograd.misc.optimizers
import autograd.numpy
import autograd.scipy.integrate
import autograd.scipy.special
import autograd.scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

import minigrad as mg
from minigrad.compat import autograd as ours
from minigrad.compat.autograd import alias, core, differential_operators, extend, misc, test_util, tracer, util
from minigrad.compat.autograd import numpy as our_numpy
from minigrad.compat.autograd.misc import fixed_points, optimizers
from minigrad.compat.autograd.numpy import linalg
from minigrad.compat.autograd.numpy.numpy_boxes import ArrayBox
from minigrad.compat.autograd.numpy.numpy_vjps import unbroadcast_f
from minigrad.compat.autograd.scipy import integrate, special, stats

THEIRS = SimpleNamespace(
    ag=autograd,
    operators=autograd.differential_operators,
    np=autograd.numpy,
    linalg=autograd.numpy.linalg,
    special=autograd.scipy.special,
    stats=autograd.scipy.stats,
    flatten=autograd.misc.flatten,
    optimizers=autograd.misc.optimizers,
    fixed_point=autograd.misc.fixed_points.fixed_point,
    odeint=autograd.scipy.integrate.odeint,
    tuple=autograd.builtins.tuple,
)
OURS = SimpleNamespace(
    ag=ours,
    operators=differential_operators,
    np=our_numpy,
    linalg=linalg,
    special=special,
    stats=stats,
    flatten=misc.flatten,
    optimizers=optimizers,
    fixed_point=fixed_points.fixed_point,
    odeint=integrate.odeint,
    tuple=ours.tuple,
)
X = np.array([0.3, -1.2, 2.0])
M = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])


def loss(lib):
    return lambda x: lib.np.sum(lib.np.sin(x) ** 2) + x[0] * x[1]


def of_lists(lib):
    return lambda x: lib.np.sum(lib.np.array([[x[0], 2.0], [x[1] ** 2, x[2]]]) ** 2) + lib.np.sum([x[0], x[1]])


def root(lib, tol):
    """By steps of descent, which end early: the derivatives are those of where they end."""
    return lambda a: lib.fixed_point(lambda a: lambda x: x - 0.05 * (x**2 - a), a, 10.0, lambda x, y: abs(x - y), tol)


def path(lib, **options):
    return lambda y, t, w: lib.np.sum(
        lib.odeint(lambda y, s, w: lib.np.sin(w * y) + s * y, y, t, lib.tuple((w,)), **options) ** 2
    )


PROGRAMS = {
    "grad": lambda l: l.ag.grad(loss(l))(X),
    "grad of the second": lambda l: l.ag.grad(lambda a, x: a * loss(l)(x), 1)(2.0, X),
    "grad of two": lambda l: l.ag.grad(lambda a, x: a * loss(l)(x), (0, 1))(2.0, X),
    "grad of a list": lambda l: l.ag.grad(lambda a, x: a * loss(l)(x), [0, 1])(2.0, X),
    "value_and_grad": lambda l: l.ag.value_and_grad(loss(l))(X),
    "grad_and_aux": lambda l: l.ag.grad_and_aux(lambda x: (loss(l)(x), 7.0))(X),
    "elementwise_grad": lambda l: l.ag.elementwise_grad(l.np.tanh)(X),
    "elementwise_grad twice": lambda l: l.ag.elementwise_grad(l.ag.elementwise_grad(l.np.tanh))(X),
    "jacobian": lambda l: l.ag.jacobian(lambda x: l.np.outer(x, x) @ x)(X),
    "hessian": lambda l: l.ag.hessian(loss(l))(X),
    "hessian of a vector": lambda l: l.ag.hessian(lambda x: l.np.sin(x) * x[0])(X),
    "hessian of the second": lambda l: l.ag.hessian(lambda a, x: a * loss(l)(x), 1)(2.0, X),
    "hessian_vector_product": lambda l: l.ag.hessian_vector_product(loss(l))(X, X),
    "hessian_vector_product of the second": lambda l: l.ag.hessian_vector_product(lambda a, x: a * loss(l)(x), 1)(
        2.0, X, X
    ),
    "hessian_tensor_product": lambda l: l.ag.hessian_tensor_product(loss(l))(X, X),
    "vector_jacobian_product": lambda l: l.ag.vector_jacobian_product(lambda x: x * x[0])(X, X),
    "make_hvp": lambda l: l.ag.make_hvp(loss(l))(X)[0](X),
    "tensor_jacobian_product of some axes": lambda l: l.ag.tensor_jacobian_product(lambda x: l.np.outer(x, x**3))(X, X),
    "tensor_jacobian_product": lambda l: l.ag.tensor_jacobian_product(lambda x: l.np.outer(x, x))(X, M),
    "r_": lambda l: l.ag.jacobian(lambda x: l.np.r_[x, 1.0, x[0]] * 2)(X),
    "c_": lambda l: l.ag.jacobian(lambda x: l.np.c_[x, x * x])(X),
    "norm of a list": lambda l: l.ag.grad(lambda x: l.np.linalg.norm([x[0], x[1] * 2]))(X),
    "order of a list": lambda l: l.ag.grad(lambda x: x[l.np.lexsort([x, 2 * x])[0]] ** 2)(X),
    "product of lists": lambda l: l.ag.grad(lambda x: l.np.linalg.multi_dot([[[x[0], 1.0]], [[x[1]], [2.0]]])[0, 0])(X),
    "shift of a list": lambda l: l.ag.grad(lambda x: l.np.fft.fftshift([x[0], x[1], 1.0])[1] ** 2)(X),
    "where of a condition with a gradient": lambda l: l.ag.grad(lambda x: l.np.sum(l.np.where(x, x**2, x)))(X),
    "where a list is not 0": lambda l: l.ag.grad(lambda x: x[l.np.where([x[0], 0.0, x[2]])[0]][1] ** 2)(X),
    "make_vjp": lambda l: l.ag.make_vjp(lambda x: x * x[0])(X)[0](X),
    "make_jvp": lambda l: l.ag.make_jvp(lambda x: x * x[0])(X)(X),
    "make_jvp_reversemode": lambda l: l.operators.make_jvp_reversemode(lambda x: x * x[0])(X)(X),
    "make_ggnvp": lambda l: l.ag.make_ggnvp(lambda x: x**2 * x[0])(X)(X[::-1].copy()),
    "deriv": lambda l: l.ag.deriv(lambda x: l.np.sin(x) * x)(1.2),
    "grad_named": lambda l: l.ag.grad_named(lambda a, b: l.np.sum(a * b**2), "b")(X, X),
    "dicts": lambda l: l.ag.grad(lambda p: l.np.sum(p["w"] ** 2) * p["b"])({"w": X, "b": 2.0}),
    "arrays of lists": lambda l: l.ag.grad(of_lists(l))(X),
    "linalg": lambda l: l.ag.grad(lambda a: l.linalg.slogdet(a)[1] + l.np.sum(l.linalg.solve(a, X)))(M),
    "special": lambda l: l.ag.grad(lambda x: l.special.gammaln(x) * l.special.expit(x) + l.special.logsumexp(x * X))(
        1.3
    ),
    "stats": lambda l: l.ag.grad(lambda x: l.np.sum(l.stats.norm.logpdf(X, x, 2.0)) + l.stats.norm.logcdf(x))(0.4),
    "mvn": lambda l: l.ag.grad(lambda m: l.stats.multivariate_normal.logpdf(X, m, M))(X[::-1].copy()),
    "lists side by side": lambda l: l.ag.jacobian(lambda x: l.np.stack([[x[0], 1.0], [x[1], x[2]]], 1))(X),
    "rows of a matrix in one": lambda l: l.ag.jacobian(lambda x: l.np.concatenate(l.np.outer(x, x)))(X),
    "stack of the values of a dict": lambda l: l.ag.jacobian(lambda x: l.np.stack({0: x, 1: x * x}.values()))(X),
    "flatten": lambda l: l.flatten({"b": [M, 2.0], "a": {"d": X, "c": (1.0, X)}})[0],
    "make_diagonal": lambda l: l.ag.jacobian(lambda x: l.np.make_diagonal(x, axis1=-1, axis2=-2))(X),
    "fixed point": lambda l: root(l, 1e-4)(2.0),
    "slope of a fixed point": lambda l: l.ag.grad(root(l, 1e-4))(2.0),
    "second derivative of a fixed point": lambda l: l.ag.grad(l.ag.grad(root(l, 1e-4)))(2.0),
    "fixed point that is met exactly": lambda l: l.ag.grad(
        lambda a: l.fixed_point(lambda a: lambda x: x / 2 + a, a, 0.0, lambda x, y: abs(x - y), 0.0)
    )(1.0),
    "coarse path": lambda l: l.ag.grad(path(l, rtol=0.01), (0, 1, 2))(X, np.array([0.0, 0.4, 0.7]), X + 1.0),
    "path": lambda l: l.ag.grad(path(l), (0, 1, 2))(X, np.array([0.0, 0.4, 0.7]), X + 1.0),
    "second derivative of a path": lambda l: l.ag.jacobian(
        lambda w: l.ag.grad(path(l, rtol=1e-3, atol=1e-3), 2)(X, np.array([0.0, 0.4]), w)
    )(X[:1]),
    "sgd": lambda l: l.optimizers.sgd(lambda x, i: 2 * x, X, num_iters=5),
    "rmsprop": lambda l: l.optimizers.rmsprop(lambda x, i: 2 * x, X, num_iters=5),
    "adam": lambda l: l.optimizers.adam(lambda x, i: [2 * x[0], x[1]], [X, M], num_iters=5)[0],
}


@pytest.mark.filterwarnings("ignore:.*slow for array inputs")
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_gives_the_same_numbers(program):
    mine, original = program(OURS), program(THEIRS)
    vectors = [np.concatenate([np.ravel(leaf) for leaf in mg.nest.flatten(value)]) for value in (mine, original)]
    assert_allclose(*vectors, rtol=1e-10, atol=1e-12)


Point = namedtuple("Point", "x y")


def test_a_nest_with_named_tuples_is_flattened():
    vector, unflatten = misc.flatten({"b": Point(X, 2.0), "a": [1.0]})
    assert_array_equal(vector, [1.0, *X, 2.0])
    assert unflatten(vector * 2)["b"].y == 4


def test_the_second_output_of_grad_and_aux_is_plain():
    gradient, aux = ours.grad_and_aux(lambda x: (np.sum(x * x), {"twice": [2 * x]}))(X)
    assert_array_equal(gradient, 2 * X)
    assert type(aux["twice"][0]) is np.ndarray


def test_gradients_by_name():
    found = ours.multigrad_dict(lambda a, b=2.0: np.sum(a * b))(X)
    assert_array_equal(found["a"], [2, 2, 2])
    assert_allclose(found["b"], np.sum(X))


def test_integers_count_as_real_numbers():
    assert_array_equal(ours.elementwise_grad(lambda x: x**2)(np.array([1, 2])), [2, 4])
    assert ours.grad(lambda x: x**2)(3) == 6


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_other_numbers_keep_their_dtype(dtype):
    assert_array_equal(
        ours.elementwise_grad(lambda x: x**2)(np.array([1, 2], dtype)), np.array([2, 4], dtype), strict=True
    )


def test_a_primitive_of_ones_own():
    @extend.primitive
    def scaled(x, factor, power=2):
        return factor * np.asarray(x) ** power

    with pytest.raises(NotImplementedError, match="scaled: no VJP has been defined for argument 0"):
        ours.grad(lambda x: np.sum(scaled(x, 3.0)))(X)
    extend.defvjp(scaled, lambda out, x, factor, power=2: lambda g: g * factor * power * x ** (power - 1), None)
    assert_allclose(ours.grad(lambda x: np.sum(scaled(x, 3.0, power=3)))(X), 9 * X**2)
    assert_allclose(ours.grad(ours.grad(lambda x: scaled(x, 3.0)))(1.5), 6)
    assert ours.grad(lambda a: np.sum(scaled(X, a)))(2.0) == 0
    assert_array_equal(scaled(X, 3.0), 3 * X**2)
    extend.defvjp_argnum(scaled, lambda argnum, out, arguments, options: lambda g: g * (argnum + 7.0))
    assert_array_equal(ours.grad(lambda x: np.sum(scaled(x, 3.0)))(X), [7.0] * 3)
    extend.defvjp_argnums(scaled, lambda argnums, out, arguments, options: lambda g: [g * (i + 8.0) for i in argnums])
    assert ours.grad(lambda a: np.sum(scaled(X, a)))(2.0) == 27


def test_a_primitive_may_return_a_nest():
    f = extend.primitive(lambda x, y: {"a": (x * y, np.arange(3)), "b": 3 * y[0]})

    def of_x(out, x, y):
        return lambda g: g["a"][0] * y + g["a"][1] * out["a"][1]  # integers have a gradient of 0

    extend.defvjp(f, of_x, lambda out, x, y: lambda g: g["a"][0] * x + g["b"] * np.array([3.0, 0, 0]))

    def loss(x, y):
        out = f(x, y)
        assert out["a"][1].dtype.kind == "i"
        return np.sum(out["a"][0] ** 2 * out["a"][1]) + out["b"] ** 2

    y = X + 1.0
    assert_allclose(ours.grad(loss)(X, y), 2 * X * y**2 * np.arange(3))
    assert_allclose(ours.grad(loss, 1)(X, y), 2 * X**2 * y * np.arange(3) + [18 * y[0], 0, 0])
    assert_allclose(ours.hessian(loss)(X, y), np.diag(2 * y**2 * np.arange(3)))
    assert f(X, y)["a"][1].tolist() == [0, 1, 2]
    waves = extend.primitive(lambda x: [np.exp(1j * x), x**2])  # a complex vector of both, and a real part again
    extend.defvjp(waves, lambda out, x: lambda g: np.real(g[0] * 1j * out[0]) + g[1] * 2 * x)
    assert_allclose(ours.grad(lambda x: np.sum(np.real(waves(x)[0]) + waves(x)[1]))(X), -np.sin(X) + 2 * X)


def test_a_primitive_that_is_broadcast():
    @extend.primitive
    def product(x, y):
        return np.asarray(x) * y

    makers = [lambda out, *xy, i=i: unbroadcast_f(xy[i], lambda g: g * xy[1 - i]) for i in range(2)]
    extend.defvjp(product, *makers)
    for x in (M, X, 2.0):
        found = ours.grad(lambda x: np.sum(product(x, M)))(x)
        assert_allclose(found, autograd.grad(lambda x: autograd.numpy.sum(x * M))(x))
        assert np.shape(found) == np.shape(x)


def test_numpys_functions_keep_their_derivatives():
    extend.defvjp(np.sin, lambda out, x: lambda g: g * 7.0)
    assert_allclose(ours.grad(np.sin)(0.5), np.cos(0.5))


def test_boxes_and_values():
    t = mg.tensor(X, requires_grad=True)
    assert isinstance(t, ArrayBox)
    assert isinstance({}, ours.builtins.DictBox)
    assert tracer.isbox(t) is True
    assert tracer.isbox(X) is False
    assert_array_equal(tracer.getval(t), X)
    assert tracer.getval(2.0) == 2.0
    assert ours.isinstance(t, (np.ndarray, list))
    assert ours.isinstance(t, ArrayBox)
    assert not ours.isinstance(t, list)
    assert_array_equal(t._value, X)
    assert_array_equal(extend.notrace_primitive(np.cos)(t), np.cos(X))


def test_checks_find_a_wrong_derivative():
    @extend.primitive
    def wrong(x):
        return np.asarray(x) ** 2

    extend.defvjp(wrong, lambda out, x: lambda g: g * x)
    test_util.check_grads(np.sin)(X)
    test_util.combo_check(np.multiply, [0, 1])([X, M], [X])
    with pytest.raises(AssertionError, match=r"\(VJP\) check of wrong failed"):
        test_util.check_grads(wrong)(X)

    @extend.primitive
    def doubled(x):
        return x * 2.0

    @extend.primitive
    def same(x):
        return x

    extend.defvjp(doubled, lambda out, x: lambda g: same(g) * 2.0)
    extend.defvjp(same, lambda out, x: lambda g: g * 1.01)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of vjp_doubled failed"):
        test_util.check_grads(doubled)(1.0)

    @extend.primitive
    def tripled(x):
        return x * 3.0

    extend.defvjp(tripled, lambda out, x: lambda g: doubled(g) * 1.5)
    test_util.check_grads(tripled, order=2)(1.0)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of vjp_vjp_tripled failed"):
        test_util.check_grads(tripled, order=3)(1.0)
    with pytest.raises(AssertionError, match="check of wrong"):
        test_util.combo_check(wrong)([X, M])

    @extend.primitive
    def third(x):  # whose second derivative alone is wrong
        return x**3

    extend.defvjp(third, lambda out, x: lambda g: g * 3 * x * same(x) * 1.0)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of vjp_third failed"):
        test_util.check_grads(third)(0.5)


def test_the_quick_check_of_old_programs_finds_a_wrong_derivative():
    @extend.primitive
    def scaled(x, factor, power=1):
        return factor * x**power

    extend.defvjp(scaled, lambda out, x, factor, power=1: lambda g: g * factor)
    util.quick_grad_check(scaled, X, (3.0,), verbose=False)
    with pytest.raises(AssertionError, match=r"\(VJP\) check of <lambda> failed"):
        util.quick_grad_check(scaled, X, (3.0,), {"power": 2})

    @extend.primitive
    def same(x):
        return x

    extend.defvjp(same, lambda out, x: lambda g: g * 2.0)  # of which a VJP is made here, whose derivative is wrong
    extend.defvjp(scaled, lambda out, x, factor: lambda g: g * same(factor * np.ones_like(x)))
    util.quick_grad_check(scaled, X, (3.0,))


def test_every_combination_of_arguments_and_options_is_checked():
    checked = []

    def power(x, y, exponent, factor):
        checked.append((*map(float, map(tracer.getval, (x, y))), exponent, factor))
        return factor * (x * y) ** exponent

    test_util.combo_check(power, [0, 1], order=1)([0.5, 1.5], [2.0], exponent=[2, 3], factor=[1.0])
    assert {(0.5, 2.0, 2, 1.0), (0.5, 2.0, 3, 1.0), (1.5, 2.0, 2, 1.0), (1.5, 2.0, 3, 1.0)} <= {*checked}


def test_what_counts_as_equal():
    test_util.check_equivalent({"a": X, "b": 1e6}, {"a": X + 1e-8, "b": 1e6 + 0.1})
    for a, b in ((X, 2 * X), (0.0, 1e-5), (1.0, 1.0 + 1e-5)):
        with pytest.raises(AssertionError):
            test_util.check_equivalent([a], [b])
    pairs = [(1.0, 1.0 + 1e-9), (0.0, 1e-9), (1e9, 1e9 + 1), (1.0, 1.0 + 1e-5), (-1.0, -2.0), (0.0, 5.0), (5.0, 0.0)]
    pairs += [(1.0, -1.0 - 1e-9), (0.0, 1e-6), (1e6 + 1, 1e6 - 1)]
    theirs = importlib.import_module("autograd.test_util").scalar_close
    assert [test_util.scalar_close(a, b) for a, b in pairs] == [theirs(a, b) for a, b in pairs]


INSTALLED = """
import importlib.util
import minigrad.compat.autograd as compat
compat.install()
compat.install()
import autograd.numpy as np, autograd.numpy.random as npr, autograd.scipy.stats.norm as norm
from autograd import grad
from autograd.misc.optimizers import adam
from autograd.scipy.special import gammaln
from autograd.numpy.linalg import solve
import autograd
assert autograd is compat
assert autograd.primitive(np.sin)(0.0) == 0 and autograd.core.primitive and autograd.wrap_util.unary_to_nary
assert isinstance(np.numpy_boxes.ArrayBox, type) and autograd.numpy is np
assert autograd.scipy.stats.norm and autograd.scipy.signal.convolve and autograd.scipy.integrate.odeint
print(grad(lambda x: np.sum(np.array([x, x**2])))(2.0), norm.pdf(0.0).round(3))
try:
    import autograd.nothing
except ModuleNotFoundError as error:
    print(error)
# pytest, which rewrites the assertions of files named so, finds it by its path
spec = importlib.util.spec_from_file_location("autograd.test_util", autograd.__path__[0] + "/test_util.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.check_grads(np.sin)(0.5)
"""


def test_installed_in_the_place_of_autograd():
    run = subprocess.run([sys.executable, "-c", INSTALLED], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["5.0 0.399", "autograd.nothing has no counterpart in minigrad.compat"]


def test_installing_beside_the_original_is_refused():
    with pytest.raises(RuntimeError, match="install: autograd has been imported; call it before that"):
        ours.install()


def test_full_arrays_and_windows():
    t = mg.tensor(2.0, requires_grad=True)
    assert our_numpy.full((2, 2), t).requires_grad
    assert_array_equal(our_numpy.full(2, 3.0), [3, 3])
    assert our_numpy.array(t, ndmin=2).shape == (1, 1)
    assert_array_equal(our_numpy.array([1, 2], float), [1.0, 2.0])
    assert our_numpy.pi == np.pi
    assert our_numpy.ascontiguousarray(t).shape == (1,)


def test_an_array_filled_like_another_has_a_gradient_where_the_originals_is_lost():
    assert_array_equal(ours.grad(lambda x: np.sum(our_numpy.full_like(M, x[1])))(X), [0, 9, 0])
    assert_array_equal(ours.grad(lambda x: np.sum(our_numpy.full_like([x[0], x[2]], x[1])))(X), [0, 2, 0])
    assert_array_equal(our_numpy.full_like(M, X, dtype=int), np.full_like(M, X, dtype=int), strict=True)
    assert_array_equal(our_numpy.full_like(np.array(["a", "b"]), "c"), ["c", "c"])
    assert_array_equal(our_numpy.full_like([1, 2], mg.tensor(3.5), shape=(2, 2)).data, [[3, 3], [3, 3]])


def test_where_of_lists_gives_lists():
    assert our_numpy.any([1])  # a name of NumPy's that has been looked up takes no builtin's place
    for np_ in (our_numpy, autograd.numpy):
        assert np_.where([True, False], [1.0, 2.0], y=[3.0, 4.0]) == [1.0, 4.0]
        assert type(np_.where(True, 1, 2)) is int
        assert_array_equal(np_.where(X > 0, [1, 2, 3], 0), [1, 0, 3])
        assert_array_equal(np_.where(X > 0), [[0, 2]])
    assert_array_equal(ours.grad(lambda x: np.sum(our_numpy.where(X > 0, [x, x, x], 0)))(2.0), 2)


def test_r_of_slices_is_numpys():
    assert_array_equal(our_numpy.r_[0:3], [0, 1, 2])
    assert_array_equal(our_numpy.c_[X, X], np.c_[X, X])


def test_names_joins_and_draws_are_as_in_the_original():
    from minigrad.compat import autograd
    from minigrad.compat.autograd import numpy as anp
    from minigrad.compat.autograd.scipy import stats

    assert autograd.grad.__name__ == "grad"
    np.testing.assert_array_equal(autograd.grad(lambda x: np.sum(anp.r_[x, 0:2] ** 2))(np.array([1.0, 2.0])), [2, 4])
    assert stats.dirichlet.rvs(np.ones(3), random_state=0).shape == (1, 3)
    assert not hasattr(stats.norm, "no_such_name")


class _Counted(tracer.Node):
    """Says what was computed."""

    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        texts = dict(zip(parent_argnums, (parent.text for parent in parents), strict=True))
        self.text = f"{fun.__name__}({', '.join(texts.get(i, str(a)) for i, a in enumerate(args))})"

    def initialize_root(self, text):
        self.text = text


def test_a_trace_makes_a_node_for_each_op():
    value, node = tracer.trace(_Counted.new_root("x"), lambda x: (np.sin(x) + 2.0) * np.sin(1.0), 0.5)
    assert node.text == f"multiply(add(sin(x), 2.0), {np.sin(1.0)})"
    assert_allclose(value, (np.sin(0.5) + 2) * np.sin(1))
    assert tracer.trace(_Counted.new_root("x"), lambda x: 3.0, 0.5) == (3.0, None)
    assert tracer.trace(_Counted.new_root("x"), lambda x: mg.tensor(3.0), 0.5) == (3.0, None)
    value, node = tracer.trace(_Counted.new_root("x"), ours.grad(lambda x: x**3), 2.0)
    assert value == 12
    assert "x" in node.text


def test_a_trace_of_a_gradient_has_what_was_computed_on_the_way():
    told = []

    def traced(lib):
        class Told(importlib.import_module(f"{lib.__name__}.tracer").Node):
            def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
                told[-1].append((fun.__name__, float(value), len(parents)))

            def initialize_root(self, x):
                told.append([])

        start = Told.new_root(1.0)
        function = lambda x: lib.numpy.sin(x + x) * 3.0  # noqa: E731
        return importlib.import_module(f"{lib.__name__}.tracer").trace(start, lib.grad(function), 1.0)[0]

    assert_allclose(traced(autograd), traced(ours))
    there, here = told
    assert here == [(name, value, parents) for name, value, parents in there]


def test_tolerances_hold_for_gradients_that_are_small_beside_them():
    for factor in (1.0, 1e-3, 1e-6, 1e-12):
        assert_allclose(ours.grad(lambda a, c=factor: c * root(OURS, 1e-6)(a))(2.0), factor / 8**0.5, rtol=1e-2)
        found = ours.grad(lambda y, c=factor: c * path(OURS)(y, np.array([0.0, 0.4]), X + 1.0))(X)
        assert_allclose(found, factor * ours.grad(path(OURS))(X, np.array([0.0, 0.4]), X + 1.0), rtol=1e-5)
    with pytest.raises(TypeError, match="odeint: Dfun does not hold for the adjoint equation"):
        integrate.odeint(lambda y, t: -y, X, [0.0, 1.0], Dfun=lambda y, t: -1.0)
    assert integrate.quad(lambda x: x, 0, 1)[0] == 0.5


def test_operators_of_ones_own():
    from minigrad.compat.autograd.wrap_util import unary_to_nary

    halved = unary_to_nary(lambda f, x, by: f(x) / by)
    assert halved(lambda a, b: a - b, (1, 0), 2.0)(1, 5) == -2
    assert halved(lambda a, b: a - b, 1, by=4.0)(1, 5) == -1


def test_other_diagonals_are_refused():
    with pytest.raises(NotImplementedError, match="make_diagonal: offset must be 0, and the axes -1 and -2"):
        our_numpy.make_diagonal(X, offset=1)


@pytest.mark.parametrize("value", [0.0, np.zeros((2, 1)), {"x": [1.0, np.ones(2)], "y": (np.ones(2) * 1j,)}])
def test_the_vector_space_of_a_nest_is_that_of_the_original(value):
    here, there = extend.vspace(value), autograd.extend.vspace(value)
    assert here.size == there.size
    assert here == extend.vspace(here.randn())
    assert here != extend.vspace([value])
    assert here != value
    drawn = []
    for space, flatten in ((here, misc.flatten), (there, autograd.misc.flatten)):
        np.random.seed(0)  # noqa: NPY002
        drawn.append(flatten(space.randn())[0])
    assert_array_equal(*drawn)
    for a, b in zip(*(mg.nest.flatten(here.randn()) for _ in range(2)), strict=True):
        parts = [np.real(a), np.real(b), *([np.imag(a), np.imag(b)] if np.iscomplexobj(a) else [])]
        assert len(np.unique(parts)) == np.size(parts)
    x, y = here.randn(np.random.default_rng(0)), here.randn(np.random.default_rng(1))
    assert not np.any(mg.ravel_nest(here.add(x, here.scalar_mul(x, -1.0)))[0])
    assert_allclose(here.inner_prod(x, y), there.inner_prod(x, y), rtol=1e-14)
    assert here.inner_prod(here.zeros(), x) == 0
    basis = list(here.standard_basis())
    assert [[here.inner_prod(a, b) for a in basis] for b in basis] == np.eye(here.size).tolist()
    for ours_, theirs in [
        (here.ones(), there.ones()),
        (here.covector(x), there.covector(x)),
        (basis[-1], [*there.standard_basis()][-1]),
    ]:
        assert_array_equal(mg.ravel_nest(ours_)[0], autograd.misc.flatten(theirs)[0])


@pytest.mark.parametrize("value", [M, X * 1j, np.float32(2.0)])
def test_the_vector_space_of_an_array_has_its_shape(value):
    here, there = extend.vspace(value), autograd.extend.vspace(value)
    assert (here.shape, here.ndim, here.dtype) == (there.shape, there.ndim, there.dtype)
    assert extend.vspace({"a": value}).shape == {"a": np.shape(value)}


def test_operators_say_what_they_return():
    def foo(x):
        return x

    assert ours.grad.__name__ == "grad"
    assert "gradient" in ours.grad.__doc__
    assert ours.grad(foo, 1).__name__ == autograd.grad(foo, 1).__name__
    assert ours.grad(foo, 1).__doc__.startswith("    grad of function foo with")


def test_scipys_special_functions_are_a_file_as_there():
    path = Path(ours.__file__).with_name("scipy") / "special.py"
    spec = importlib.util.spec_from_file_location("loaded_by_its_path", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert_allclose(ours.grad(module.gammaln)(2.5), autograd.grad(autograd.scipy.special.gammaln)(2.5), rtol=1e-14)


def test_where_needs_both_branches_or_none():
    assert_array_equal(our_numpy.where(X > 0), np.where(X > 0))
    for branches in ((X,), (None, X)):
        with pytest.raises(ValueError, match="either both or neither"):
            our_numpy.where(X > 0, *branches)


def test_full_of_a_tensor_takes_a_dtype():
    filled = our_numpy.full((2,), mg.tensor(3.0, requires_grad=True), dtype=np.float32)
    assert filled.requires_grad
    assert_array_equal(filled.data, np.full((2,), 3.0, np.float32), strict=True)
    assert our_numpy.full((2,), filled[0]).dtype == np.float32
    assert our_numpy.full((2,), filled[0], np.dtype(float)).dtype == float


def test_an_optimiser_calls_back_with_the_nest_the_step_and_its_gradient():
    seen = []
    loss = lambda x, i: x["a"] ** 2 * (i + 1)  # noqa: E731
    optimizers.sgd(ours.grad(loss), {"a": 3.0}, lambda *given: seen.append(given), num_iters=2, step_size=0.5, mass=0.0)
    assert [(x["a"], i, g["a"]) for x, i, g in seen] == [(3.0, 0, 6.0), (0.0, 1, 0.0)]


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam"])
def test_every_optimiser_calls_back_as_the_original_does(name):
    told = []
    for lib in (THEIRS, OURS):
        seen = []
        callback = lambda x, i, g, seen=seen: seen.append([*x["w"], i, *g["w"]])  # noqa: E731
        getattr(lib.optimizers, name)(lambda p, i: {"w": p["w"] * (i + 2)}, {"w": X}, callback, num_iters=3)
        told.append(seen)
    assert_allclose(*told, rtol=1e-12)


def test_the_maker_of_all_vjps_gets_the_argument_the_result_and_what_came_in():
    @extend.primitive
    def scaled(x, y, factor=1.0):
        return factor * x * y

    def maker(argnum, out, arguments, options):
        assert out == 24.0
        return lambda g: g * options["factor"] * arguments[1 - argnum]

    extend.defvjp_argnum(scaled, maker)
    assert ours.grad(scaled)(2.0, 4.0, factor=3.0) == 12.0
    assert ours.grad(scaled, 1)(2.0, 4.0, factor=3.0) == 6.0


def test_the_maker_of_the_vjps_of_several_arguments_runs_once_for_all():
    calls = []

    @extend.primitive
    def product(x, k, y, z, power=1):
        return k * (x * y) ** power * z

    def maker(argnums, out, arguments, options):
        calls.append((argnums, type(out)))
        x, k, y, z = arguments
        slope = k * options["power"] * (x * y) ** (options["power"] - 1) * z
        return lambda g: (g * {0: slope * y, 2: slope * x, 3: k * (x * y) ** options["power"]}[i] for i in argnums)

    extend.defvjp_argnums(product, maker)

    def loss(x, y, z):
        return np.sum(product(x, 3.0, y, z, power=2))

    for found in ours.grad(loss, (0, 1, 2))(X, X + 1, X + 2), ours.grad(loss, (0, 1, 2))(X, X + 1, X + 2):
        assert_allclose(found[0], 6 * X * (X + 1) ** 2 * (X + 2))
        assert_allclose(found[1], 6 * X**2 * (X + 1) * (X + 2))
        assert_allclose(found[2], 3 * X**2 * (X + 1) ** 2)
    assert calls == [((0, 2, 3), np.ndarray)] * 2
    gc.collect()
    gc.disable()
    try:
        mixed = ours.grad(lambda y: np.sum(ours.grad(lambda x, y: loss(x, y, y * 0 + 1), (0, 1))(X, y)[0]))(X + 1)
        assert not [value for value in gc.get_objects() if isinstance(value, extend._Form)]  # no cycle holds one
    finally:
        gc.enable()
    assert_allclose(mixed, 12 * X * (X + 1))


def test_diagonals_of_several_matrices_are_those_of_the_original():
    d = np.arange(6.0).reshape(2, 3)
    expected = autograd.numpy.make_diagonal(d, axis1=-1, axis2=-2)
    assert_array_equal(our_numpy.make_diagonal(d, axis1=-1, axis2=-2), expected)


def test_a_jvp_is_taken_at_the_point_along_the_vector():
    x, v = np.array([0.3, 1.2]), np.array([2.0, -1.0])
    for name in ("make_jvp", "make_jvp_reversemode"):
        here, there = (getattr(module, name) for module in (differential_operators, autograd.differential_operators))
        found, expected = here(our_numpy.sin)(x)(v), there(autograd.numpy.sin)(x)(v)
        assert isinstance(found, tuple) == isinstance(expected, tuple)
        assert_allclose(found, expected)


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_convolutions_along_some_axes_are_those_of_the_original(mode):
    there = importlib.import_module("autograd.scipy.signal").convolve
    here = importlib.import_module("minigrad.compat.autograd.scipy.signal").convolve
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(6, 5, 2)), rng.normal(size=(3, 2, 2))
    for x, y, options in (
        (a[:, :, 0], b[:, :, 0], {}),
        (a, b, {"axes": ([0], [0]), "dot_axes": ([2], [2])}),
        (a, b, {"axes": ([0, 1], [0, 1]), "dot_axes": ([2], [2])}),
        (a, b[:, 0], {"axes": ([0], [0])}),
    ):
        assert_allclose(here(x, y, mode=mode, **options), there(x, y, mode=mode, **options))


def test_only_the_names_of_autograd_are_found():
    finder = ours._Finder()
    assert finder.find_spec("autograd.numpy").name == "autograd.numpy"
    assert finder.find_spec("autograd").loader is finder
    assert finder.find_spec("autograd").submodule_search_locations == []
    assert finder.find_spec("autograd_gamma") is None
    assert finder.create_module(finder.find_spec("autograd.numpy")) is our_numpy


@pytest.mark.parametrize("options", [{"offset": 1, "axis1": -1, "axis2": -2}, {"offset": 0, "axis1": 0, "axis2": 1}])
def test_an_offset_and_other_axes_are_each_refused(options):
    with pytest.raises(NotImplementedError, match="make_diagonal"):
        our_numpy.make_diagonal(np.ones(3), **options)


def test_a_vector_space_scales_by_any_number():
    x = {"a": np.array([1.0, 3.0])}
    assert_array_equal(extend.vspace(x).scalar_mul(x, 2.0)["a"], [2.0, 6.0])


def test_the_vjp_of_a_later_argument_alone():
    @extend.primitive
    def product(x, y):
        return x * y

    extend.defvjp(product, lambda out, x, y: lambda g: g * x, argnums=(1,))
    assert ours.grad(product, 1)(3.0, 5.0) == 3.0


def test_a_primitive_that_is_not_traced_takes_arrays_and_others():
    @extend.notrace_primitive
    def length(x, scale):
        return len(x) * scale

    assert ours.grad(lambda x: np.sum(x) * length(x, 2.0))(np.ones(3)).tolist() == [6.0] * 3


@pytest.fixture
def _the_name_of_the_class():
    names = mg.Tensor.__module__, mg.Tensor.__qualname__
    yield
    mg.Tensor.__module__, mg.Tensor.__qualname__ = names


@pytest.mark.usefixtures("_the_name_of_the_class")
def test_install_puts_one_finder_first_unless_autograd_is_loaded(monkeypatch):
    def finders():
        return [i for i, finder in enumerate(sys.meta_path) if type(finder) is ours._Finder]

    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if type(finder) is not ours._Finder])
    with pytest.raises(RuntimeError, match="install: autograd has been imported; call it before that"):
        ours.install()
    assert not finders()
    for loaded in (None, ours):
        monkeypatch.delitem(sys.modules, "autograd", raising=False)
        if loaded is not None:
            monkeypatch.setitem(sys.modules, "autograd", loaded)
        ours.install()
        assert finders() == [0]
    assert str(type(mg.tensor(1.0))) == str(type(autograd.numpy.numpy_boxes.ArrayBox(1.0, 0, None)))


def test_an_array_of_tensors_has_as_many_axes_as_are_asked_for():
    t = mg.tensor(2.0, requires_grad=True)
    made = our_numpy.array([t, 3.0], ndmin=3)
    assert made.requires_grad
    assert_array_equal(made.data, np.array([2.0, 3.0], ndmin=3))


def test_an_optimiser_of_vectors_becomes_one_of_nests():
    def descend(gradient, x, callback=None, num_iters=3):
        for i in range(num_iters):
            g = gradient(x, i)
            if callback:
                callback(x, i, g)
            x = x - 0.1 * g
        return x

    found = []
    for lib in (THEIRS, OURS):
        seen = []
        optimizer = lib.optimizers.unflatten_optimizer(descend)
        callback = lambda x, i, g, seen=seen: seen.append((x["w"], i, g["b"]))  # noqa: E731
        result = optimizer(lambda p, i: {"w": 2 * p["w"], "b": p["b"] * i}, {"w": X, "b": 1.0}, callback)
        found.append((*result["w"], result["b"], *np.ravel([seen[-1][0], seen[-1][2] * np.ones(3)])))
        assert_allclose(optimizer(lambda p, i: p, {"w": X})["w"], 0.9**3 * X)
    assert_allclose(*found, rtol=1e-12)


def test_gradients_by_name_of_every_kind_of_parameter():
    def f(a, /, b, *more, c=2.0, **named):
        return np.sum(a * b) * more[0] * c * named["d"]

    found = ours.multigrad_dict(f)(X, 2.0, 3.0, d=5.0)
    assert_array_equal(found["a"], np.full(3, 60.0))
    assert_allclose((*found["more"], found["c"], found["named"]["d"]), np.sum(2 * X) * np.array([10.0, 15.0, 6.0]))


@pytest.mark.parametrize(("argnum", "kind"), [(1, IndexError), ("x", TypeError), ((0, 2), IndexError)])
def test_an_argnum_that_is_not_there_is_named(argnum, kind):
    with pytest.raises(kind, match=r"^grad: argnum must be the place of an argument, of which 1 were given, not "):
        ours.grad(lambda x: x, argnum)(1.0)


def test_a_primitive_whose_derivatives_are_defined_by_methods():
    @core.primitive
    def f(x, y, z):
        return x**2 * y * z

    f.defgrad(lambda out, x, y, z: lambda g: g * 2 * x * y * z)
    f.defvjp(lambda g, out, vs, gvs, x, y, z: g * x**2 * z * vs.ones() * gvs.ones(), argnum=1)
    f.defvjp_is_zero(argnums=(2,))
    assert ours.grad(f, (0, 1, 2))(3.0, 2.0, 1.0) == (12.0, 9.0, 0.0)

    @core.primitive
    def total(x):
        return np.sum(x)

    total.defvjp(lambda g, out, vs, gvs, x: g * vs.ones() * gvs.size)
    assert_array_equal(ours.grad(total)(X), [1, 1, 1])


def test_the_type_of_a_box_is_that_of_arrays():
    kinds = []
    ours.grad(lambda x: kinds.append(ours.type(x)) or np.sum(x))(X)
    assert kinds == [np.ndarray]
    assert ours.type([]) is list


def test_a_primitive_of_no_boxes_returns_what_the_function_returns():
    assert extend.primitive(lambda x, base=10: f"{x} {base}")(2, base=3) == "2 3"
    assert extend.primitive(lambda x: (x, [x]))(2.0) == (2.0, [2.0])


def test_a_function_of_a_nest_as_one_of_vectors():
    example = {"b": X, "a": 2.0}
    function, unflatten, vector = importlib.import_module(f"{misc.__name__}.flatten").flatten_func(
        lambda p, factor: [p["b"] * factor, p["a"]], example
    )
    assert_array_equal(vector, [2.0, *X])
    assert_array_equal(unflatten(vector)["b"], X)
    assert_array_equal(function(vector, 3.0), [*(3 * X), 2.0])


def test_an_alias_has_the_names_of_a_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "another_json", None)
    made = alias.alias("another_json", "json")
    assert sys.modules["another_json"] is made
    assert made.__name__ == "another_json"
    assert made.dumps({}) == "{}"


def test_an_array_of_objects_among_which_are_boxes_keeps_them():
    def f(x):
        return np.sum(our_numpy.array(our_numpy.array([1.0, x[0], x[1] ** 2], dtype=object).ravel(), dtype=float) ** 2)

    assert_allclose(ours.grad(f)(X), [2 * X[0], 4 * X[1] ** 3, 0])


def test_plain_arrays_are_made_by_numpy():
    assert our_numpy.asarray(X) is X
    assert our_numpy.array(M, order="F").flags.f_contiguous
    assert_array_equal(our_numpy.pad(X, 1, "edge"), np.pad(X, 1, "edge"))


def test_arrays_of_several_shapes_are_joined_and_put_into_blocks():
    for join in (lambda np_, x: np_.block([x, x[:2]]), lambda np_, x: np_.vstack(tup=[x, x])):
        assert_array_equal(join(our_numpy, mg.tensor(X)).data, join(np, X))
    assert our_numpy.stack({0: X, 1: X}.values(), 1).shape == (3, 2)


NESTED = [
    lambda np_, x: np_.vstack([[x[0], x[1]], [1.0, 2.0]]),
    lambda np_, x: np_.hstack([[x[0], x[1]], [1.0, 2.0]]),
    lambda np_, x: np_.concatenate([[[x[0], 1.0]], [[x[1], x[2]]]], 1),
    lambda np_, x: np_.stack([[x[0], x[1]], [1.0, 2.0]], 1),
    lambda np_, x: np_.concatenate([[x[0]], [x[1], 2.0]]),
    lambda np_, x: np_.concatenate(([[x[0], 1.0]], [[x[1], x[2]]]), axis=1),
    lambda np_, x: np_.column_stack([[x[0], x[1]], [1.0, x[2]]]),
    lambda np_, x: np_.einsum("i,i", [x[0], x[1]], np.ones(2)),
    lambda np_, x: np_.subtract([x[0], x[1]], 1.0),
    lambda np_, x: np_.maximum([x[0], x[1]], [2.0, -3.0]),
    lambda np_, x: np_.asfortranarray([x[0], 2.0]),
    lambda np_, x: np_.row_stack([[x[0], x[1]], [1.0, 2.0]]),
    lambda np_, x: x * (3 if np_.isscalar(x[0]) and not np_.isscalar(x) and np_.isscalar(2.0) else 2),
]


@pytest.mark.filterwarnings("ignore:.*row_stack")
@pytest.mark.parametrize("f", NESTED)
def test_lists_of_boxes_inside_of_lists(f):
    gradients = [lib.ag.grad(lambda x, lib=lib: lib.np.sum(f(lib.np, x) ** 2))(X) for lib in (THEIRS, OURS)]
    assert_allclose(*gradients)


def test_a_ufunc_keeps_its_methods():
    assert_array_equal(ours.grad(lambda x: our_numpy.multiply.reduce(x))(M[0]), M[0].prod() / M[0])
    assert (our_numpy.add.identity, our_numpy.exp.nin) == (0, 1)


def test_the_names_of_core_and_extend():
    assert_allclose(core.make_jvp(np.sin, 0.5)(2.0), (np.sin(0.5), 2 * np.cos(0.5)))
    for module in (core, extend):
        for name in ("defjvp", "defjvp_argnum", "defjvp_argnums", "def_linear"):
            assert getattr(module, name)(module.primitive(np.sin), lambda *_: None) is None
        assert module.defvjp_argnums is extend.defvjp_argnums
    assert core.isbox(mg.tensor(1.0))
    assert core.getval(mg.tensor(1.0)) == 1


def test_diagonals_of_matrices_of_matrices():
    d = np.arange(12.0).reshape(2, 2, 3)
    made = our_numpy.make_diagonal(d, axis1=-1, axis2=-2)
    assert_array_equal(np.diagonal(made, axis1=-1, axis2=-2), d)
    assert np.sum(made) == np.sum(d)


def _of_a_kind_of_its_own(lib):
    """Sums of bells as values of a kind of their own, which is no array: a sum of them, and a class of boxes."""

    class Bells:
        def __init__(self, heights):
            self.heights = heights

        @lib.extend.primitive
        def __call__(self, x):
            return sum([h * np.exp(-((x - place) ** 2)) for place, h in self.heights.items()], 0.0)

        def __add__(self, other):
            return lib.extend.vspace(self).add(self, other)

        def __mul__(self, a):
            return lib.extend.vspace(self).scalar_mul(self, a)

    class BellsBox(lib.extend.Box, Bells):
        @property
        def heights(self):
            return self._value.heights

    class Space(lib.extend.VSpace):
        def __init__(self, value):
            pass

        def zeros(self):
            return Bells({})

        def _add(self, f, g):
            both = {**f.heights, **g.heights}
            return Bells({place: f.heights.get(place, 0.0) + g.heights.get(place, 0.0) for place in both})

        def _scalar_mul(self, f, a):
            return Bells({place: h * a for place, h in f.heights.items()})

    BellsBox.register(Bells)
    Space.register(Bells)
    function = importlib.import_module(f"{lib.__name__}.util").func
    lib.extend.defvjp(function(Bells.__call__), lambda out, f, x: lambda g: Bells({x: 1.0}) * g)
    return Bells


def _fitted(lib):
    bells = _of_a_kind_of_its_own(lib)
    loss = lambda f, y: sum((f(float(x)) - y[x] - len(f.heights)) ** 2 for x in range(3))  # noqa: E731
    f = bells({0.5: 1.0})
    for _ in range(3):
        f = f + lib.grad(loss)(f, X) * -0.1
    return sorted(f.heights.items())


def test_a_gradient_in_a_kind_of_value_that_is_no_array():
    assert_allclose(_fitted(ours), _fitted(autograd), rtol=1e-13)
    bells = _of_a_kind_of_its_own(ours)
    with pytest.raises(
        NotImplementedError, match="grad: in Bells it is for numbers alone, and can't be differentiated"
    ):
        ours.grad(lambda a: ours.grad(lambda f: a * f(1.0))(bells({0.0: 1.0})).heights[1.0])(2.0)
    assert ours.grad(lambda f: 3.0)(bells({0.0: 1.0})).heights == {}
    with pytest.raises(ValueError, match=r"grad: the function must return a scalar, not shape \(2,\)"):
        ours.grad(lambda f: f(np.ones(2)))(bells({0.0: 1.0}))
