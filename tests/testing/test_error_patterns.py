"""The sentences on a wrong gradient: each mistake is recognised alone, and nothing is said that is not so."""

import numpy as np
import pytest

from minigrad.testing.error_patterns import constant_factor, diagnose

RNG = np.random.default_rng(3)
N = RNG.uniform(0.5, 1.5, (4, 5)) * RNG.choice([-1.0, 1.0], (4, 5))
X = RNG.uniform(0.5, 1.5, (4, 5)) * np.resize([1.0, -1.0, -1.0], (4, 5))
X[1, 2] = X[3, 1] = 0.0
SQUARE = N[:, :4]
IMAGES = RNG.uniform(0.5, 1.5, (2, 5, 6))


def shifted(a, shift, axis):
    """What was at i is now at i + shift; zeros come after it."""
    moved = np.zeros_like(a)
    at = [slice(None)] * a.ndim
    before, after = list(at), list(at)
    before[axis] = slice(None, -shift) if shift > 0 else slice(-shift, None)
    after[axis] = slice(shift, None) if shift > 0 else slice(None, shift)
    moved[tuple(after)] = a[tuple(before)]
    return moved


def with_wrong(a, *places, factor=1.5):
    wrong = a.copy()
    for place in places:
        wrong[place] *= factor
    return wrong


@pytest.mark.parametrize(
    ("analytic", "numeric", "sentences"),
    [
        (0 * N, N, ["the VJP gives 0 everywhere"]),
        (-N, N, ["it has the opposite sign"]),
        (-1.00001 * N, N, ["it is -1.00001 times the numeric gradient in every entry"]),
        (2 * N, N, ["it is 2 times the numeric gradient in every entry"]),
        (1.000001 * N, N, ["it is 1.000001 times the numeric gradient in every entry"]),
        (1e-9 * N, N, ["it is 1e-09 times the numeric gradient in every entry"]),
        (np.float32(N).astype(np.float64), N, ["it looks rounded to float32"]),
        (SQUARE.T, SQUARE, ["it is transposed (the last two axes exchanged)"]),
        (np.swapaxes(IMAGES[:, :, :5], 1, 2), IMAGES[:, :, :5], ["it is transposed (the last two axes exchanged)"]),
        (N[::-1], N, ["it is reversed along axis 0"]),
        (N[:, ::-1], N, ["it is reversed along axis 1"]),
        (IMAGES[:1, :, ::-1], IMAGES[:1], ["it is reversed along axis 2"]),
        (N[0] + 0.25, N[0], ["it is the numeric gradient plus 0.25 in every entry"]),
        (N - 1e-3, N, ["it is the numeric gradient plus -0.001 in every entry"]),
        *(
            (
                shifted(N, shift, axis),
                N,
                [f"it is the numeric gradient shifted by {shift} along axis {axis}: an offset is wrong"],
            )
            for shift in (1, -1, 2, -2)
            for axis in (0, 1)
        ),
        (2 * N[0, :2], N[0, :2], ["it is 2 times the numeric gradient in every entry"]),
        (2 * np.abs(X), np.abs(X), ["it is 2 times the numeric gradient in every entry"]),  # some entries are 0
        (N[:2, :2][::-1], N[:2, :2], ["it is reversed along axis 0"]),
        (N * (1 + 1e-9 * X), N, []),  # none is wrong
        (N[:1] * (1 + 1e-9 * X[:1]), N[:1], []),
        (np.array([2.0]), np.array([1.0]), []),  # of one entry all is a factor
        (np.array([1.0, 2.0]), np.array([0.0, 0.0]), []),
        (np.array([3.0, 3.0]), np.array([0.0, 0.0]), ["it is the numeric gradient plus 3 in every entry"]),
        (with_wrong(IMAGES, ...) * IMAGES, IMAGES, []),  # each entry is wrong, without a pattern
    ],
)
def test_a_mistake_in_every_entry(analytic, numeric, sentences):
    assert diagnose(analytic, numeric, np.ones_like(numeric)) == sentences


@pytest.mark.parametrize(
    ("analytic", "numeric", "sentences"),
    [
        (np.where(X < 0, 3 * N, N), N, ["11 of 20 entries are wrong", "it is wrong exactly where the input is < 0"]),
        (np.where(X > 0, 3 * N, N), N, ["7 of 20 entries are wrong", "it is wrong exactly where the input is > 0"]),
        (np.where(X == 0, 3 * N, N), N, ["2 of 20 entries are wrong", "it is wrong exactly where the input is = 0"]),
        (
            np.where(X > 0, 0, N),
            N,
            [
                "7 of 20 entries are wrong",
                "it is wrong exactly where the input is > 0",
                "the wrong entries are 0 where they should not be",
            ],
        ),
        (
            N,
            np.where(X < 0, 0, N),
            [
                "11 of 20 entries are wrong",
                "it is wrong exactly where the input is < 0",
                "the wrong entries should be 0",
            ],
        ),
        (
            with_wrong(N, (1, 2), (1, 3), (2, 3)),
            N,
            ["3 of 20 entries are wrong"],
        ),
        (
            with_wrong(N, (2, 1), (2, 3)),
            N,
            ["2 of 20 entries are wrong", "it is wrong only at index 2 of axis 0, of size 4"],
        ),
        (
            with_wrong(N, (0, 1), (1, 0), (3, 2), (2, 4)),
            N,
            ["4 of 20 entries are wrong", "it is wrong only at the border of the last two axes"],
        ),
        (
            with_wrong(IMAGES, (1, 0, 1), (1, 1, 0), (1, 4, 2), (1, 2, 5)),
            IMAGES,
            [
                "4 of 60 entries are wrong",
                "it is wrong only at the border of the last two axes",
                "it is wrong only at index 1 of axis 0, of size 2",
            ],
        ),
        (with_wrong(IMAGES, (0, 1, 1), (1, 2, 2)), IMAGES, ["2 of 60 entries are wrong"]),
        (
            with_wrong(IMAGES[0, :2, :2], (0, 1), (1, 0)),
            IMAGES[0, :2, :2],
            ["2 of 4 entries are wrong"],  # all are at the border
        ),
        (
            with_wrong(N[0], 0, 4),
            N[0],
            ["2 of 5 entries are wrong", "it is wrong only at the border of the last two axes"],
        ),
        (
            with_wrong(N[:1], (0, 2), (0, 1)),
            N[:1],
            ["2 of 5 entries are wrong"],  # of an axis of one entry nothing is said
        ),
        (
            with_wrong(with_wrong(N, (1, 2), (2, 1)), (1, 3), factor=0.0),
            N,
            ["3 of 20 entries are wrong"],
        ),
        (
            with_wrong(N, (1, 2), (2, 1), (1, 3)),
            with_wrong(N, (1, 3), factor=0.0),
            ["3 of 20 entries are wrong"],
        ),
        (
            -np.abs(N),
            with_wrong(-np.abs(N), (1, 2), (2, 1), factor=1e-8),
            ["2 of 20 entries are wrong", "the wrong entries should be 0"],
        ),
        (
            np.array([0.0, 2.0, 3.0, 0.0]),
            np.zeros(4),
            ["2 of 4 entries are wrong", "the wrong entries should be 0"],
        ),
        (with_wrong(1e-200 * N, (1, 2), (2, 1)), 1e-200 * N, ["2 of 20 entries are wrong"]),
    ],
)
def test_a_mistake_in_some_entries(analytic, numeric, sentences):
    x = X if X.shape == numeric.shape else np.ones_like(numeric)
    assert diagnose(analytic, numeric, x) == sentences


def test_an_entry_is_wrong_by_more_than_a_millionth_of_the_largest():
    largest = np.unravel_index(np.abs(N).argmax(), N.shape)
    other = with_wrong(N, (1, 2), (2, 1))
    assert diagnose(with_wrong(other, largest, factor=1 + 2e-6), N, X)[0] == "3 of 20 entries are wrong"
    assert diagnose(with_wrong(other, largest, factor=1 + 0.5e-6), N, X)[0] == "2 of 20 entries are wrong"


def test_a_mistake_in_the_upstream_gradient():
    def said(two, half):
        return diagnose(3 * N, N, X, multiples={2.0: two, 0.5: half})

    factor = "it is 3 times the numeric gradient in every entry"
    assert said(6 * N, 1.5 * N) == [factor]
    assert said(3 * N, 3 * N) == ["it does not depend on the upstream gradient g"]
    assert said(12 * N, 0.75 * N) == ["it is not linear in the upstream gradient g"]
    assert said(6 * N, 3 * N) == said(3 * N, 1.5 * N) == ["it is not linear in the upstream gradient g"]
    flat = np.array([3.0, 0.0])
    assert diagnose(flat, 0 * flat, flat, multiples={2.0: flat}) == ["it does not depend on the upstream gradient g"]
    assert diagnose(0 * N, N, X, multiples={2.0: 0 * N}) == ["the VJP gives 0 everywhere"]


def test_gradients_of_two_inputs_that_are_exchanged():
    other = RNG.normal(size=N.shape)
    others = [("x2", RNG.normal(size=N.shape)), ("x3", other), ("x4", other[:2])]
    assert diagnose(other, N, X, others=others) == ["it is the gradient of x3"]
    assert diagnose(2 * N, N, X, others=[("x2", 2 * N)]) == ["it is 2 times the numeric gradient in every entry"]


def test_a_constant_factor_is_told_alone():
    assert constant_factor(3 * N, N) == "it is 3 times the numeric gradient in every entry"
    assert constant_factor(with_wrong(N, (1, 1)), N) is None
    assert constant_factor(1.5 * N, with_wrong(N, (1, 1), factor=1 + 1e-5)) is None


def test_a_factor_near_one_is_told_if_the_entries_agree_on_it():
    noise = RNG.uniform(-1, 1, N.shape)
    assert (
        constant_factor(1.000001 * N + 3e-10 * noise, N) == "it is 1.000001 times the numeric gradient in every entry"
    )
    assert constant_factor(1.000001 * N + 3e-8 * noise, N) is None
    assert constant_factor(2 * N + 3e-7 * noise, N) is not None
    assert constant_factor(2 * N + 3e-5 * noise, N) is None
