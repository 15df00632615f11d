"""A function and its inputs as a check sees them: what is differentiated, copied, cast and put in its place."""

import functools

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import GradientError, check_grads, check_vjp, complex_parts
from minigrad.testing.checked_function import CheckedFunction, parameter_names, shaped_as

x = np.array([0.5, -1.0])


def checked(fn, *inputs, **parameters):
    return CheckedFunction(fn, inputs, parameters)


def same(a, b):
    """Whether two leaves have the same type, dtype and entries."""
    return type(a) is type(b) and getattr(a, "dtype", None) == getattr(b, "dtype", None) and np.array_equal(a, b)


def test_an_upstream_gradient_has_the_form_of_the_result():
    g = np.array([1.0, 2.0])
    assert shaped_as(x, g) is g
    assert same(shaped_as(x + 1j, np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([1 - 2j, 3 - 4j]))
    result = {"a": x.reshape(2, 1), "n": np.array([3, 4]), "b": [np.float32(2), np.array([1j]), mg.tensor(x)], "s": "s"}
    found = shaped_as(result, np.arange(1.0, 8.0))
    assert same(found["a"], np.array([[1.0], [2.0]]))
    assert same(found["n"], np.array([0, 0]))
    assert same(np.asarray(found["b"][0]), np.array(3, np.float32))
    assert same(found["b"][1], np.array([4 - 5j]))
    assert same(found["b"][2], np.array([6.0, 7.0]))
    assert found["s"] == "s"


def test_complex_results_of_a_given_vjp_in_a_nest():
    def fn(z):
        return {"square": z * z, "n": np.array([1, 2]), "real": [np.abs(z) ** 2]}

    def vjp(g, out, z, factor=1.0):
        return 2 * z * g["square"] * factor + 2 * np.conj(z) * g["real"][0]

    check_vjp(fn, x + 2j, vjp=vjp)
    with pytest.raises(GradientError, match="WRONG"):
        check_vjp(fn, x + 2j, vjp=functools.partial(vjp, factor=1 + 1e-6))


CONSTANTS = {
    "array": np.array([1.5]), "complex": np.array([1j]), "ints": np.array([1, 2]), "count": np.int64(3),
    "number": 0.1, "scalar": np.float64(0.1), "z": np.complex128(1j),
    "nest": [0.1, np.int64(2), {"a": np.array([0.1]), "word": "word", "on": np.True_}],
}  # fmt: skip


def test_constants_are_as_they_would_be_beside_inputs_of_a_dtype():
    function = CheckedFunction(lambda *_, **__: None, (x, CONSTANTS["number"]), CONSTANTS, argnums=0)
    (first, number), rest = function.arguments([x])
    assert first is x
    assert number == 0.1
    assert all(same(rest[name], CONSTANTS[name]) for name in CONSTANTS if name != "nest")
    (_, number), rest = function.arguments([x.astype(np.float32)])
    assert same(number, 0.1)  # weak in NumPy
    assert same(rest["array"], np.array([1.5], np.float32))
    assert same(rest["complex"], np.array([1j], np.complex64))
    assert same(rest["ints"], CONSTANTS["ints"])
    assert same(rest["count"], 3)
    assert same(rest["number"], 0.1)
    assert same(rest["scalar"], np.float32(0.1))
    assert same(rest["z"], np.complex64(1j))
    number, count, inner = rest["nest"]
    assert same(number, np.float32(0.1))
    assert same(count, 2)
    assert same(inner["a"], np.array([0.1], np.float32))
    assert inner["word"] == "word"
    assert inner["on"] is np.True_


def test_a_nest_of_which_one_array_is_differentiated():
    weight = mg.tensor(x, requires_grad=True)
    nest = {"w": weight, "mean": mg.tensor([0.5]), "rate": 0.1, "count": np.int64(2), "b": np.float32([1])}
    function = checked(lambda nest: nest["w"] * nest["mean"] * nest["rate"] * nest["count"] * nest["b"], nest)
    assert function.labels == ["nest['w']"]
    assert function.argnums == [0]
    ((given,), _) = function.arguments([x])
    assert given["w"] is x
    assert same(given["mean"], np.array([0.5]))
    assert same(given["count"], np.int64(2))
    assert same(given["b"], np.float32([1]))
    ((given,), _) = function.arguments([x.astype(np.float32)])
    assert same(given["mean"], np.array([0.5], np.float32))
    assert same(given["rate"], np.float32(0.1))
    assert same(given["count"], 2)
    np.testing.assert_array_equal(function.value(2 * x), x * 0.2)
    check_vjp(function.fn, nest)
    check_vjp(lambda x, nest: x * nest["w"], x, nest, argnums=0)


@pytest.mark.parametrize(
    ("inputs", "parameters", "labels"),
    [
        ((x, 0.5, 3, np.arange(2), "a", None, True), {}, ["input 0", "input 1"]),
        (([0.5, x], 2), {"rate": 0.5, "w": x}, ["input 0[1]", "w"]),
        (({"a": x, "b": mg.tensor(x, requires_grad=True), "c": mg.tensor(x)},), {}, ["input 0['b']"]),
        (({"a": x, "c": mg.tensor(x)},), {}, ["input 0['a']", "input 0['c']"]),
        ((mg.tensor(x), np.float32(1), x + 1j), {"o": (x, [x])}, ["input 0", "input 1", "input 2", "o[0]", "o[1][0]"]),
    ],
)  # fmt: skip
def test_what_is_differentiated(inputs, parameters, labels):
    assert checked(lambda *_, **__: None, *inputs, **parameters).labels == labels


def test_chosen_inputs_are_differentiated_whatever_they_are():
    def choose(argnums, *inputs):
        return CheckedFunction(lambda a, b: None, inputs, {}, argnums=argnums)

    assert choose(1, x, [0.5, x]).labels == ["b[0]", "b[1]"]
    assert choose((1, 0), x, x).labels == ["b", "a"]
    assert choose([0], x, x).argnums == [0]
    for argnums in (2, -1, "a", 1, "w"):
        with pytest.raises(TypeError, match=f"argnums {argnums!r} is not a floating-point input"):
            CheckedFunction(lambda a, b, w: None, (x, [3]), {"w": x}, argnums=argnums)


def test_inputs_of_an_op_by_keyword_stand_in_their_positions():
    k, b = np.ones((2, 1, 1, 1)), np.ones(2)
    image = np.ones((1, 2, 2))
    function = checked(mg.conv2d, image, b=b, k=k, stride=2)
    assert (function.names, function.labels) == (["x", "k", "b"], ["x", "k", "b"])
    arguments, parameters = function.arguments(function.x)
    assert [a.shape for a in arguments] == [(1, 2, 2), (2, 1, 1, 1), (2,)]
    assert parameters["stride"] == 2
    assert not {"x", "k", "b"} & set(parameters)
    assert checked(mg.conv2d, image, k=k).names == ["x", "k"]
    check_vjp(mg.sum, np.outer(x, x), axis=0, where=x > 0)  # which `sum` itself does not name
    check_grads(mg.prod, x, initial=2.0)
    with pytest.raises(TypeError, match=r"sin\(x\) takes 1 argument, not 2"):
        check_vjp(mg.sin, x, x)
    assert checked(mg.conv2d, image, k, stride=2).names == ["x", "k"]
    several = mg.op(lambda *arrays, axis=0: sum(arrays))
    several.vjp("arrays", lambda i, g, out, *arrays, axis: g)
    assert checked(several, x, x, axis=1).labels == ["arrays[0]", "arrays[1]"]
    assert checked(several, x, x, axis=x).labels == ["arrays[0]", "arrays[1]"]
    assert parameter_names(several) == ([], ["axis"])


def test_names_of_parameters():
    assert parameter_names(mg.conv2d)[0] == ["x", "k", "b"]
    assert parameter_names(np.add) == (["x1", "x2"], [])
    assert parameter_names(np.sin) == (["x"], [])
    assert parameter_names(lambda a, /, b=1, *rest, c, **more: a) == (["a", "b"], ["c"])
    assert parameter_names(max) == ([], [])  # like many a function in C, it tells nothing
    assert checked(np.add, x, x).labels == ["x1", "x2"]
    assert checked(lambda a, *rest: a, x, x, x).labels == ["a", "input 1", "input 2"]
    partial = functools.partial(functools.partial(np.add, x), x)
    assert (checked(np.sin, x).name, checked(partial, x).name) == ("sin", "add")
    assert checked(Layer(), x).name == "Layer"
    assert CheckedFunction(np.sin, (x,), {}, name="mine").name == "mine"


class Layer:
    """Holds a parameter, and Tensors that need no gradient."""

    def __init__(self):
        self.w, self.mean = mg.tensor([2.0, 3.0], requires_grad=True), mg.tensor([0.5, 0.25])

    def __call__(self, x):
        return x * self.w - self.mean


def test_what_a_function_holds_is_differentiated_unless_the_inputs_are_chosen():
    def vjp(g, y, x):
        return g * layer.w

    layer = Layer()
    assert checked(layer, x).labels == ["x", "w"]
    assert CheckedFunction(layer, (x,), {}, argnums=0).labels == ["x"]
    assert CheckedFunction(layer, (x,), {}, vjp=vjp).labels == ["x"]
    single = x.astype(np.float32)
    for function in (CheckedFunction(layer, (x,), {}, argnums=0), CheckedFunction(layer, (x,), {}, vjp=vjp)):
        assert function.value(single).dtype == np.float32  # so are the parameters
        np.testing.assert_array_equal(function.value(x), [0.5, -3.25])
    np.testing.assert_array_equal(checked(layer, x).value(x, 2 * x), [0, 1.75])
    assert layer.w.data.dtype == layer.mean.data.dtype == np.float64
    check_vjp(layer, x, vjp=vjp, float32=False)
    layer.bias = mg.tensor([7.0, 8.0], requires_grad=True)
    np.testing.assert_array_equal(
        checked(lambda x: layer(x) - layer.bias, x).value(x, [1.0, 2.0], [3.0, 4.0]), [-3, -6.25]
    )


def test_a_tensor_that_a_function_holds_and_writes_to_is_itself_again():
    mean = mg.tensor([0.5, 0.25])

    def fn(x):
        y = x - mean
        mean._array[...] = 7.0
        return y

    function = checked(fn, x)
    for _ in range(2):
        function.value(x)
    np.testing.assert_array_equal(mean.data, [0.5, 0.25])
    with pytest.raises(GradientError) as error:
        check_vjp(fn, x)
    assert error.value.kind == "not deterministic"


class Marked(np.ndarray):
    pass


def test_the_caller_keeps_its_arrays_and_the_function_gets_arrays_of_their_type():
    def fn(x, constant, tensor):
        assert isinstance(constant, Marked)
        assert isinstance(tensor, np.ndarray)
        constant *= 2
        tensor *= 2
        return x * constant

    constant, tensor = np.ones(2).view(Marked), mg.tensor(x, requires_grad=True)
    function = CheckedFunction(fn, (x, constant, tensor), {}, argnums=0)
    assert [name for name, _ in function.given_arrays()] == ["x", "constant", "tensor"]
    assert [name for name, _ in checked(fn, x, {"a": [x, 1]}, tensor=x).given_arrays()] == [
        *("x", "constant['a'][0]", "tensor")
    ]
    function.value(x)
    assert constant.tolist() == [1, 1]
    assert tensor.tolist() == x.tolist()


def test_an_object_that_counts_its_uses_is_the_same_one_in_each_call():
    class Count:
        def __init__(self):
            self.scale, self.uses = np.array(2.0), 0

        def __call__(self):
            self.uses += 1
            return self.scale * self.uses

    with pytest.raises(GradientError) as error:
        check_vjp(lambda x, count: x * count(), x, Count(), argnums=0)
    assert error.value.kind == "not deterministic"


def test_what_a_function_returns_is_an_array_for_its_vjp_and_may_be_a_tensor_that_needs_a_gradient():
    def vjp(g, out, x):
        assert type(out) is np.ndarray
        return g * 2 * x

    scale = np.array([1.0, 2.0])
    check_vjp(lambda x: x * x * mg.tensor(1, dtype=x.dtype), x, vjp=vjp)
    check_vjp(lambda x: np.sum(x * x), x, vjp=vjp)
    needing = lambda x: x * mg.tensor(scale.astype(x.dtype), requires_grad=True)  # noqa: E731
    check_vjp(needing, x)
    check_vjp(needing, x, vjp=lambda g, out, x: g * scale.astype(x.dtype))
    check_vjp(lambda x: [needing(x)], x, vjp=lambda g, out, x: g[0] * scale.astype(x.dtype))


def test_what_of_an_op_is_differentiated():
    """What has a VJP, and is no list; with a given VJP all."""
    scaled = mg.op(lambda parts, w, n: parts[0] * w * n, name="scaled")
    for name in ("parts", "w"):
        scaled.vjp(name, lambda g, out, parts, w, n: g)
    assert checked(scaled, [x, x], x, 2.0).labels == ["w"]
    assert CheckedFunction(scaled, ([x], x, x), {}, vjp=lambda *_: x).labels == ["parts[0]", "w", "n"]
    assert CheckedFunction(lambda a, *, w: a, (x,), {"w": x}, vjp=lambda *_: x).labels == ["a"]


def test_what_a_message_shows_and_what_has_no_derivative():
    function = checked(lambda x, i: x, x, 3)
    function.shown = {"g1": 2 * x}
    assert list(function.given()) == ["g1", "x", "i"]
    for result in (None, ["a"], {"n": 1}, []):
        with pytest.raises(TypeError, match="a check needs a function that returns arrays, not"):
            checked(lambda x, result=result: result, x).value(x)
    with pytest.raises(TypeError, match="the result has dtype int64; only floating point has a derivative"):
        checked(np.argmax, x).value(x)


def test_an_op_of_the_differentiated_arrays():
    function = CheckedFunction(lambda a, n, b: a * n + b, (x, 3, 2 * x), {}, vjp=lambda g, out, a, n, b: (g * n, g))
    op = function.as_op()
    np.testing.assert_array_equal(op(x, 2 * x), 5 * x)
    assert op.__name__ == "<lambda>"
    assert [g.tolist() for g in mg.vjp(op, x, 2 * x)[1](x)] == [(3 * x).tolist(), x.tolist()]


def test_derivatives_of_a_given_vjp_of_complex_numbers():
    """The VJP of a third power, z**3, which is 3 z**2, also of its derivative; and one that is wrong in the second."""
    z = np.array([0.5 + 1j, -1.0 + 0.25j])
    check_grads(lambda z: z * z * z, z, vjp=lambda g, out, z: g * 3 * out / z, order=2)
    with pytest.raises(GradientError, match="second derivative"):
        check_grads(
            lambda z: z * z * z,
            z,
            order=2,
            vjp=lambda g, out, z: g * 3 * z * (z if isinstance(z, np.ndarray) else z.detach()),
        )
    check_grads(
        lambda x, y: np.sin(x) * y, x, 2 * x, order=2, vjp=lambda g, out, x, y: (g * np.cos(x) * y, g * np.sin(x))
    )
    check_grads(lambda x: np.abs(1j * x + 1) ** 2, x, order=2, vjp=lambda g, out, x: 2 * g * x)


@pytest.mark.parametrize(
    ("value", "obstacle"),
    [
        (0.5, "has no VJP"), (np.float32(1), "has no VJP"), (x, "has no VJP"),
        (np.arange(2), "has dtype int64"), (np.int8(1), "has dtype int8"), ("a", "is of type str"),
    ],
)  # fmt: skip
def test_why_nothing_can_be_differentiated(value, obstacle):
    without = mg.op(lambda z: z, name="without")
    with pytest.raises(TypeError, match=f"without: none of the 1 inputs can be differentiated: z {obstacle}$"):
        checked(without, value)
    with pytest.raises(TypeError, match=r"none of the 0 inputs can be differentiated$"):
        checked(lambda: None)


def test_the_gradients_that_a_given_vjp_returns():
    def gradients(answer, *inputs):
        function = CheckedFunction(lambda *inputs: x, inputs, {}, vjp=lambda g, out, *inputs: answer)
        return function.pullback(function.x)[1](x)

    assert gradients(x, x)[0] is x
    assert gradients((x,), x)[0] is x
    assert [*map(np.shape, gradients((x, 1.0), x, 2.0))] == [(2,), ()]
    assert [g.tolist() for g in gradients([x, 2 * x], [x, x])] == [x.tolist(), (2 * x).tolist()]
    assert [g.tolist() for g in gradients([[x, 2 * x]], [x, x])] == [x.tolist(), (2 * x).tolist()]
    assert gradients(([x],), [x])[0] is x
    assert gradients({"a": x}, {"a": x})[0] is x
    assert [g.tolist() for g in gradients(([x, 2 * x], 3 * x), [x, x], x)] == [(i * x).tolist() for i in (1, 2, 3)]
    with pytest.raises(
        GradientError, match=r"(?s)^<lambda>: the VJP returned masked_array\(.* for input 1\['a'\], not an array"
    ):
        gradients((x, {"a": np.ma.array(x)}), x, {"a": x})
    assert gradients(x + 1j, x + 0j)[0].tolist() == [[0.5, -1.0], [-1.0, -1.0]]
    for answer, inputs, count in (((x, x), (x,), 2), (x, (x, x), 1), ((x, x, x), (x, x), 3)):
        with pytest.raises(TypeError, match=f"the VJP returned {count} gradients for {len(inputs)} inputs"):
            gradients(answer, *inputs)
    for answer, said in ((None, "None"), ({"b": 1.0}, "{'b': 1.0}"), ("w" * 200, "'" + "w" * 79)):
        with pytest.raises(GradientError, match=f"the VJP returned {said} for input 0") as error:
            gradients(answer, x)
        assert ("a `return` is missing" in error.value.diagnosis) == (answer is None)
    with pytest.raises(GradientError, match=r"for input 0\['a'\], not an array"):
        gradients({"b": x}, {"a": x})


def test_what_a_vjp_raises_is_told_but_for_a_write():
    def raising(error):
        def vjp(g, out, x):
            raise error

        function = CheckedFunction(np.sin, (x,), {}, vjp=vjp)
        return lambda: function.pullback([x])[1](x)

    with pytest.raises(GradientError, match="the VJP raised KeyError: 'k'"):
        raising(KeyError("k"))()
    with pytest.raises(GradientError, match="the VJP raised TypeError: read-only"):
        raising(TypeError("read-only"))()
    with pytest.raises(GradientError, match="the VJP raised ValueError: shapes"):
        raising(ValueError("shapes"))()
    with pytest.raises(ValueError, match=r"^output array is read-only$"):
        raising(ValueError("output array is read-only"))()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_complex_arrays_and_their_parts(shape):
    z = np.reshape(np.arange(np.prod(shape)) + 1j * (1 - np.arange(np.prod(shape))), shape)
    parts = complex_parts.in_parts(z)
    assert parts.shape == (*shape, 2)
    np.testing.assert_array_equal(parts[..., 1], z.imag)
    for given in (parts, parts[..., ::-1].copy()[..., ::-1], np.asfortranarray(parts), parts.astype(np.float32)):
        found = complex_parts.joined(given)
        assert type(found) is np.ndarray
        assert found.dtype == np.result_type(given, np.complex64)
        np.testing.assert_array_equal(found, z)
        np.testing.assert_array_equal(complex_parts.upstream(given), z.conj())
    np.testing.assert_array_equal(complex_parts.gradient_in_parts(complex_parts.upstream(parts)), parts)
    np.testing.assert_array_equal(complex_parts.in_parts(z.real), z.real)
    complex_parts.joined(parts)[...] = 7 + 2j  # is written to the parts
    assert set(parts.ravel()) == ({7.0, 2.0} if z.size else set())
