"""What programs import from autograd.util."""

from .test_util import check_grads

__all__ = ["func", "quick_grad_check"]


def func(f):
    """The function itself, of a method too."""
    return f


def quick_grad_check(fun, arg0, extra_args=(), kwargs=None, **options):
    """Check the first derivatives in the first argument, as `check_grads` does; the options change nothing."""
    # equivalent: 1 -> 0 because the first derivatives are checked in any case
    check_grads(lambda x: fun(x, *extra_args, **(kwargs or {})), order=1)(arg0)
