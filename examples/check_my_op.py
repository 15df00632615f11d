"""Check the derivative of an op of your own: `gradtest` finds a wrong VJP, explains it, and passes the right one.

The op sums a moving window over a signal. Its first VJP counts the windows from the end of the
signal instead of its start. That is right if the windows cover the signal exactly, and wrong if entries are left over.
"""

import numpy as np
from command_line import needed

import minigrad as mg

st = needed("hypothesis.strategies", "testing")
strategies = mg.testing.strategies


def positions(size, width, stride):
    """The indices that each window reads: (windows, width)."""
    count = (size - width) // stride + 1
    return np.arange(count)[:, None] * stride + np.arange(width)


@mg.op
def moving_sum(x, *, width, stride):
    """y[i] = x[i * stride] + ... + x[i * stride + width - 1]."""
    return np.sum(x[positions(len(x), width, stride)], axis=1)


@moving_sum.vjp("x")
def wrong(g, y, x, width, stride):
    """Add each g to the entries of its window, counted from the end of the signal."""
    rest = (len(x) - width) % stride
    where = rest + positions(len(x) - rest, width, stride)
    return mg.ops.scatter(np.broadcast_to(g[:, None], where.shape), where, x.shape)


def right(g, y, x, width, stride):
    """Add each g to the entries of its window."""
    where = positions(len(x), width, stride)
    return mg.ops.scatter(np.broadcast_to(g[:, None], where.shape), where, x.shape)


@st.composite
def signals(draw):
    """A signal, a window that fits into it, and a stride."""
    x = draw(strategies.tensors(min_dims=1, max_dims=1, min_side=2, max_side=9))
    return strategies.Call((x,), {"width": draw(st.integers(1, len(x))), "stride": draw(st.integers(1, 3))})


def main():
    """Check the op with the wrong VJP, and then with the right one."""
    test = mg.testing.gradtest(signals())(moving_sum)
    try:
        test()
    except mg.testing.GradientError as error:
        print(f"GradientError: {error}\n")
    moving_sum.vjp("x", right)
    test()
    print("With the windows counted from the start: first and second derivative proven.")


if __name__ == "__main__":
    main()
