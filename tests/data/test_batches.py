"""minibatches and split: every row once, in the order of the generator, in the structure that was given."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.data import LabelledImages, minibatches, split


def rng(seed=0):
    return np.random.default_rng(seed)


@example(rows=11, size=4, shuffle=False, drop_last=True)
@example(rows=3, size=5, shuffle=False, drop_last=False)
@given(rows=st.integers(1, 20), size=st.integers(1, 25), shuffle=st.booleans(), drop_last=st.booleans())
def test_each_row_once_but_for_a_dropped_rest(rows, size, shuffle, drop_last):
    x = np.arange(2 * rows).reshape(rows, 2)
    if drop_last and size > rows:
        with pytest.raises(ValueError, match=f"batch_size must be from 1 to the {rows} rows, not {size}"):
            minibatches(x, size, rng=rng(), drop_last=True)
        return
    batches = list(minibatches((x, x[:, 0] // 2), size, rng=rng(), shuffle=shuffle, drop_last=drop_last))
    numbers = np.concatenate([labels for _, labels in batches])
    assert all(np.array_equal(a, x[labels]) for a, labels in batches)
    assert len(numbers) == (rows - rows % size if drop_last else rows)
    assert len(set(numbers)) == len(numbers)
    assert all(len(labels) == size for _, labels in batches[:-1])
    if not shuffle:
        np.testing.assert_array_equal(numbers, np.arange(len(numbers)))


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
@pytest.mark.parametrize("drop_last", [True, False])
def test_no_row_is_lost_where_the_size_is_a_small_integer_of_numpy(kind, drop_last):
    batches = list(minibatches(np.arange(250), kind(100), shuffle=False, drop_last=drop_last))
    np.testing.assert_array_equal(np.concatenate(batches), np.arange(200 if drop_last else 250))


def test_each_epoch_has_its_own_order_which_the_seed_gives():
    x, generator = np.arange(50), rng(3)
    first, second = (np.concatenate(list(minibatches(x, 7, rng=generator))) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, rng(3).permutation(50))


@pytest.mark.parametrize("make", [minibatches, mg.distributed.minibatches])
def test_each_loop_is_an_epoch(make):
    """Who makes them before the loop over the epochs, as PyTorch's DataLoader, would train in the first one alone."""
    x, generator, other = np.arange(50), rng(3), rng(3)
    batches = make((x, -x), 7, rng=generator)
    assert len(batches) == 8
    assert len(make(x, 7, rng=rng(), drop_last=True)) == 7
    for epoch in range(3):
        found = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        expected = np.concatenate([*make(x, 7, rng=other)])
        np.testing.assert_array_equal(found, [expected, -expected])
        assert generator.bit_generator.state == other.bit_generator.state, epoch
    for _ in batches:
        break  # the next loop begins anew
    assert len([*batches]) == 8
    in_order = make(x, 7, shuffle=False)
    np.testing.assert_array_equal(np.concatenate([*in_order, *in_order]), [*x, *x])


def test_the_order_is_drawn_at_the_call():
    generator = rng()
    minibatches(np.arange(5), 2, rng=generator)
    assert generator.random() != rng().random()


X, LABELS = np.arange(6.0).reshape(3, 2), np.arange(3)


@pytest.mark.parametrize(
    "arrays", [LabelledImages(X, LABELS), (X, LABELS), [X, LABELS], {"x": X, "labels": LABELS}, X], ids=type
)
def test_parts_have_the_structure_of_the_arrays_and_are_copies(arrays):
    for part in (*minibatches(arrays, 2, shuffle=False), *split(arrays, 0.5, rng=rng())):
        assert type(part) is type(arrays)
        if isinstance(arrays, dict):
            assert part.keys() == arrays.keys()
            part = tuple(part.values())
        x, labels = (part, None) if isinstance(arrays, np.ndarray) else part
        assert x.shape[1:] == (2,)
        assert labels is None or np.array_equal(x[:, 0], 2 * labels)
        assert not np.shares_memory(x, X)


@example(rows=2, fraction=0.5)
@given(rows=st.integers(2, 40), fraction=st.floats(0.01, 0.99))
def test_two_parts_are_the_whole(rows, fraction):
    if not 0 < int(rows * fraction) < rows:
        with pytest.raises(ValueError, match="split: fraction must leave a row to each part"):
            split(np.arange(rows), fraction, rng=rng())
        return
    first, second = split(np.arange(rows), fraction, rng=rng())
    assert len(first) == int(rows * fraction)
    assert sorted([*first, *second]) == list(range(rows))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: minibatches(X, 2), TypeError, "minibatches: rng must be a numpy.random.Generator, not None"),
        (lambda: minibatches(X, 2, rng=0), TypeError, "minibatches: rng must be a numpy.random.Generator, not 0"),
        (lambda: minibatches(X, 0, rng=rng()), ValueError, "minibatches: batch_size must be at least 1, not 0"),
        (lambda: minibatches(X, 2.0, rng=rng()), TypeError, "minibatches: batch_size must be an int, not 2.0"),
        (lambda: minibatches(X, True, rng=rng()), TypeError, "minibatches: batch_size must be an int, not True"),
        (lambda: minibatches(X, 2, rng=rng(), shuffle=1), TypeError, "minibatches: shuffle must be True or False"),
        (
            lambda: minibatches((X, X[:2]), 2, rng=rng()),
            ValueError,
            r"minibatches: the arrays must have the same number of rows; arrays\[0\] has 3, arrays\[1\] has 2",
        ),
        (lambda: minibatches((), 2, rng=rng()), ValueError, "minibatches: arrays is empty"),
        (lambda: minibatches({"x": [1]}, 2, rng=rng()), TypeError, r"arrays\['x'\] must be an array, not \[1\]$"),
        (lambda: minibatches(np.array(1.0), 2, rng=rng()), ValueError, "minibatches: arrays has no rows"),
        (
            lambda: minibatches(mg.tensor(X), 2, rng=rng()),
            TypeError,
            r"must be an array, not \(3, 2\); pass its .numpy\(\)",
        ),
        (lambda: split(X, 0.5, rng=None), TypeError, "split: rng must be a numpy.random.Generator, not None"),
        (lambda: split(X, "a", rng=rng()), TypeError, "split: fraction must be a number, not 'a'"),
        (lambda: split(X, True, rng=rng()), TypeError, "split: fraction must be a number, not True"),
        (lambda: split(X, 1, rng=rng()), ValueError, "split: fraction must leave a row to each part, not 1 of 3 rows"),
        (lambda: split(X, 0.1, rng=rng()), ValueError, "split: fraction must leave a row to each part, not 0.1 of 3"),
        (lambda: split(X, float("nan"), rng=rng()), ValueError, "split: fraction must leave a row to each part"),
    ],
)
def test_wrong_input_is_named_at_the_call(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
