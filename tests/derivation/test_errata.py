"""The errata of docs/derivation.md: each slip of the document, and the number there that shows it."""

import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

from .literal import (
    CONVOLUTION,
    PARAMETERS,
    POOLING,
    WINDOW,
    backward,
    close,
    columns,
    convolve,
    forward,
    from_all_kernels,
    image_jacobian,
    kernel_jacobian,
    network,
    pooling_jacobian,
    unstacked,
    vec,
)
from .network import run

DOCUMENT = Path(__file__).parents[2] / "docs" / "derivation.md"
NET = network()
VALUES = forward(NET)
DENSE = backward(NET, VALUES)
A = np.arange(1.0, 13).reshape(3, 4)  # the appendix's matrices, with entries that tell them apart
BETA = np.array([[10.0, 20.0], [30.0, 40.0]])
APPENDIX = {"stride": (1, 2), "padding": (1, 1)}


@pytest.fixture
def shows(request):
    """Check that the row of this test's erratum says each of these; the row is named in the test's name."""
    number = request.function.__name__.split("_")[1]
    (row,) = re.findall(rf"^\| {number} \|.*$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    def check(*texts):
        assert texts
        missing = [text for text in texts if not re.search(rf"(?<![\w.]){re.escape(text)}(?![\w]|\.\d)", row)]
        assert missing == [], f"not in {row}"

    return check


def by(shape):
    return " x ".join(map(str, shape))


def test_E1_I_has_channels(shows):
    """Section 2: I is listed as one h_z x w_z matrix."""
    I = VALUES["I2"]
    shows(f"{I.size} entries", by(I.shape), f"only {I[0].size}")


def test_E2_convolution_is_a_cross_correlation(shows):
    """Section 2 and rep.2: * does not turn the kernel, as a convolution does."""
    Z, turned = convolve(A, BETA, **APPENDIX), convolve(A, BETA[::-1, ::-1], **APPENDIX)
    close(mg.conv2d(A[None], BETA[None, None], **APPENDIX)[0], Z)
    shows(f"z_11 = {Z[0, 0]:g}", f"would be {turned[0, 0]:g}")


def test_E3_W_is_never_updated(shows):
    """Section 3: the equations of gradient descent leave W out."""
    p = {name: NET[name] for name in PARAMETERS}
    gradients = {"W3": DENSE["W3"].T, "b3": DENSE["b3"]}
    for l in (1, 2):
        K_i = [unstacked(rows, NET[f"K{l}"][0, 0].shape) for rows in DENSE[f"K{l}"]]
        gradients |= {f"K{l}": np.stack(K_i, axis=1), f"b{l}": DENSE[f"b{l}"]}
    stepped = {name: p[name] - 0.02 * gradients[name] for name in p}
    as_printed = stepped | {"W3": p["W3"]}
    J, J_printed, J_all = (forward(NET | parameters)["J"] for parameters in (p, as_printed, stepped))
    shows(f"{p['W3'].size} of the {sum(map(np.size, p.values()))}")
    shows(f"from {J:.3f} to {J_printed:.3f}", f"to {J_all:.3f} with W")


def test_E4_one_matrix_for_all_channels_is_average_pooling_only(shows):
    """Section 3.1.3, first equation: maximum and L2-norm pooling have a Jacobian for each channel."""
    I, g = VALUES["I2"], DENSE["A2"]
    errors = {}
    for name in ("avg_pool2d", "max_pool2d", "l2_pool2d"):
        pool = getattr(mg, name)
        blocks = [mg.vec_jacobian(lambda X, f=pool: f(X, WINDOW[2], **POOLING[2]), I[j : j + 1]) for j in range(5)]
        right = np.stack([g_j @ block for g_j, block in zip(g, blocks, strict=True)])
        errors[name] = np.linalg.norm(g @ blocks[0] - right) / np.linalg.norm(right)
    assert errors["avg_pool2d"] < 1e-15
    shows(f"{errors['max_pool2d']:.2f} for maximum", f"{errors['l2_pool2d']:.2f} for L2")


def test_E5_slope_of_an_activation_depends_on_Z(shows):
    """Section 3.1.4: the derivative is said to depend on the entries of I_j."""

    Z = [root(lambda z: mg.silu(z) + 0.2, *bracket) for bracket in ((-10.0, -1.3), (-1.2, 0.0))]
    close(mg.silu(np.array(Z)), [-0.2, -0.2])
    slopes = [mg.grad(mg.silu)(z) for z in Z]
    shows("-0.2", *(f"{z:.4f}" for z in Z), *(f"{slope:.4f}" for slope in slopes))


def root(f, low, high):
    """Where f changes its sign, by halving."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if f(low) * f(middle) > 0 else (low, middle)
    return middle


def test_E6_kernel_jacobian_is_made_of_the_first_layer(shows):
    """Section 3.1.5: d_vZ_j/d_vK_ji is said to depend on A^[2]."""
    right = kernel_jacobian(VALUES["A1"][0], (2, 3), **CONVOLUTION[2])
    printed = kernel_jacobian(VALUES["A2"][0], (2, 3), **CONVOLUTION[2])
    shows(f"{by(right.shape)}, as dJ/d_vZ_j needs", f"A^[2] gives {by(printed.shape)}")
    assert right.shape[0] == VALUES["Z2"][0].size


def test_E7_second_factor_lacks_its_j(shows):
    """Sections 3.1.5 and 3.1.6: d_vZ/d_vK_ji instead of d_vZ_j/d_vK_ji."""

    def Z(K_ji):  # all channels of Z, as a function of one kernel's first channel
        K = mg.concatenate([K_ji, NET["K2"][:1, 1:]], axis=1)
        return mg.conv2d(VALUES["A1"], mg.concatenate([K, NET["K2"][1:]], axis=0), NET["b2"], **CONVOLUTION[2])

    printed = mg.vec_jacobian(Z, NET["K2"][:1, :1])
    rows = VALUES["Z2"][0].size
    close(printed[:rows], kernel_jacobian(VALUES["A1"][0], (2, 3), **CONVOLUTION[2]))
    assert not printed[rows:].any()
    shows(by(printed.shape), f"{len(printed) - rows} of its rows are 0", f"{by(DENSE['Z2'].shape)}", f"{rows} x 6")


def test_E8_bias_has_an_entry_for_each_kernel(shows):
    """Section 3.1.5: the row dJ/db ends at c^[1]."""
    right, printed = DENSE["b2"], DENSE["b2"][: len(VALUES["A1"])]
    shows(f"{printed.size} entries", f"{right.size} biases")


def test_E9_gradient_of_the_layer_below(shows):
    """Section 3.1.5: the sum over kernels is said to be the gradient w.r.t. A_i^[2]."""
    gradient = from_all_kernels(DENSE["Z2"], VALUES["A1"][0].shape, NET["K2"][:, 0], **CONVOLUTION[2])
    close(gradient, DENSE["A1"][0])
    shows(f"{gradient.size} entries, as A_i^[1]", f"A_i^[2] has {VALUES['A2'][0].size}")


def test_E10_columns_of_the_image_jacobian(shows):
    """Section 3.1.5: d_vZ_j/d_vA_i is said to be h_z w_z x h_a^[2] w_a^[2]."""
    right = image_jacobian(VALUES["A1"][0].shape, NET["K2"][0, 0], **CONVOLUTION[2])
    shows(by(right.shape), f"not {by((len(right), VALUES['A2'][0].size))}")


def test_E11_Z_does_not_depend_on_what_follows(shows):
    """Section 3.1.5: the left side of that Jacobian is d_vZ_j^[2]/d_vA_i^[2]."""
    right = image_jacobian(VALUES["A1"][0].shape, NET["K2"][0, 0], **CONVOLUTION[2])

    printed = mg.vec_jacobian(lambda A2: run(NET, A2=A2)["Z2"], VALUES["A2"])
    assert printed.shape == (75, 20)
    assert not printed.any()
    shows(f"norm {np.linalg.norm(right):.3f}", "is 0")


def test_E12_superscripts_of_the_first_layer(shows):
    """Section 3.1.6: dJ/d_vK_:i and its two factors carry [2]."""
    shows(f"{by(DENSE['K1'][0].shape)} for K_:i^[1]", f"{by(DENSE['K2'][0].shape)} for K_:i^[2]")


def test_E13_channels_of_the_image(shows):
    """Section 3.1.6: i runs to c^[1] instead of c^[0]."""
    channels, printed = len(DENSE["K1"]), len(VALUES["A1"])
    assert NET["K1"].shape[1] == len(VALUES["A0"]) == channels
    shows(f"{channels} channels", f"i = {printed}")


def test_E14_gradient_of_the_bias(shows):
    """Section 3.2, second line: the transpose of d_vZ^[2]/d_vb^[l]."""
    printed = mg.vec_jacobian(lambda b: mg.conv2d(VALUES["A1"], NET["K2"], b, **CONVOLUTION[2]), NET["b2"]).T
    close(printed.sum(1), np.full(5, 15.0))
    gradient = mg.grad(lambda b: np.sum(mg.conv2d(VALUES["A1"], NET["K2"], b, **CONVOLUTION[2])))(NET["b2"])
    close(gradient, printed @ np.ones(75))
    shows(by(printed.shape), f"{printed.sum():g} ones", f"{DENSE['b2'].size} x 1")


def test_E15_gradient_of_a_kernel_needs_a_reshape(shows):
    """Section 3.2, first line: the transpose of what was computed, dJ/d_vK_ji, is a column and no kernel."""
    row = DENSE["K2"][0][0]
    right, by_rows = unstacked(row[None], (2, 3))[0], row.reshape(2, 3)
    close(vec(right), row)
    error = np.linalg.norm(by_rows - right) / np.linalg.norm(right)
    shows(f"{by(row[:, None].shape)}", by(right.shape), f"error of {error:.2f}")


def test_E16_window_of_z41(shows):
    """Section 4, rep.1: the window of z_41 is printed upside down, and contradicts rep.2."""
    printed, right = np.array([[0, 0], [0, A[2, 0]]]), np.array([[0, A[2, 0]], [0, 0]])
    Z = mg.conv2d(A[None], BETA[None, None], **APPENDIX)[0]
    close(Z[3, 0], convolve(right, BETA)[0, 0])
    close(Z[3, 0], A[2, 0] * BETA[0, 1])
    shows(f"gives {convolve(printed, BETA)[0, 0]:g}", f"z_41 = {Z[3, 0]:g}")


def test_E17_columns_in_the_order_of_vec(shows):
    """Section 4, d_vZ/d_vbeta after eq.a1-3: columns 11, 12, 21, 22, against eq.a1-1 and vec(beta)."""
    right = columns(lambda E: convolve(A, E, **APPENDIX), (2, 2))
    close(mg.vec_jacobian(lambda b: mg.conv2d(A[None], b[None, None], **APPENDIX), BETA), right)
    printed = right[:, [0, 2, 1, 3]]
    z_32 = 4 + 2  # its place in vec(Z)
    shows(f"says {printed[z_32, 1]:g}", f"a_32 = {right[z_32, 1]:g}")


def test_E18_last_column_of_eq_a2_1(shows):
    """Section 4, eq.a2-1: the row of derivatives ends with d/dbeta_34."""
    J = mg.vec_jacobian(lambda a: mg.conv2d(a[None], BETA[None, None], **APPENDIX), A)
    close(J[-1, -1], BETA[0, 0])
    shows(by(BETA.shape), f"column {J.shape[1]}", f"beta_11 = {J[-1, -1]:g}")


def test_E19_a_product_of_two_images(shows):
    """Section 4, before eq.a2-2: a_23 A_12 stands where z_32 has a_23 beta_12."""

    def printed(A):
        return A[1, 1] * BETA[0, 0] + A[1, 2] * A[0, 1] + A[2, 1] * BETA[1, 0] + A[2, 2] * BETA[1, 1]

    Z = mg.grad(lambda A: mg.conv2d(A[None], BETA[None, None], **APPENDIX)[0, 2, 1])(A)
    shows(f"A_12 = {mg.grad(printed)(A)[1, 2]:g}", f"beta_12 = {Z[1, 2]:g}")


def test_E20_very_last_equation(shows):
    """Section 4, last equation: d_vZ/d_vbeta on the left of what is d_vZ/d_vA."""
    of_A = columns(lambda E: convolve(E, BETA, **APPENDIX), A.shape)
    of_beta = columns(lambda E: convolve(A, E, **APPENDIX), BETA.shape)
    shows(by(of_A.shape), by(of_beta.shape))


def test_E21_block_is_not_the_whole_jacobian(shows):
    """Section 3.1.3: the block d_vA_j/d_vI_j is called d_vA/d_vI."""
    whole = mg.vec_jacobian(lambda I: mg.avg_pool2d(I, WINDOW[2], **POOLING[2]), VALUES["I2"])
    block = pooling_jacobian(VALUES["I2"][0].shape, 2)
    close(whole, np.kron(np.eye(5), block))
    shows(by(block.shape), by(whole.shape))
