"""Compare gradient checkers: `python benchmarks/checkers.py` gives right and wrong VJPs to those that are installed.

A case is a NumPy function and its VJP, given to each library as its own custom operation and
checked with its own checker at its default settings. A right VJP that is refused is a false alarm, a wrong one
that is accepted a miss. Checkers of one input: minigrad.testing.check_vjp, torch.autograd.gradcheck,
autograd.test_util.check_grads, jax.test_util.check_grads. minigrad.testing.gradtest draws 20 inputs (profile dev).
"""

import argparse
import importlib.util
import time
import warnings

import numpy as np
from checker_cases import CASES
from hypothesis import settings

from minigrad.testing import check_vjp, gradtest


def by_minigrad(case):
    """minigrad's checker."""
    forward, vjp = case.make()
    check_vjp(forward, *case.x, vjp=vjp)


def by_gradtest(case):
    """minigrad's property test, with the examples of the profile dev."""
    forward, vjp = case.make()
    test = gradtest(case.draws, vjp=vjp)(lambda *x: forward(*x))
    settings(max_examples=20, database=None, derandomize=False)(test)()


def by_torch(case):
    """PyTorch's, of a torch.autograd.Function."""
    import torch

    forward, vjp = case.make()

    class Custom(torch.autograd.Function):
        @staticmethod
        def forward(context, *x):
            y = torch.from_numpy(np.array(forward(*(a.numpy() for a in x))))
            context.save_for_backward(y, *x)
            return y

        @staticmethod
        def backward(context, g):
            y, *x = (a.detach().numpy() for a in context.saved_tensors)
            return tuple(torch.from_numpy(np.asarray(v, order="C")) for v in vjp(g.numpy(), y, *x))

    torch.autograd.gradcheck(Custom.apply, [torch.tensor(a, requires_grad=True) for a in case.x])


def by_autograd(case):
    """autograd's, of a primitive."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    forward, vjp = case.make()
    custom = primitive(forward)
    pulls = [lambda y, *x, i=i: lambda g: vjp(np.array(g), y, *x)[i] for i in range(len(case.x))]
    defvjp(custom, *pulls)
    check_grads(lambda *x: custom(*x), modes=["rev"], order=1)(*map(np.array, case.x))


def by_jax(case):
    """JAX's, of a custom_vjp that calls back to NumPy."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    forward, vjp = case.make()
    like = lambda a: jax.ShapeDtypeStruct(np.shape(a), np.float64)  # noqa: E731
    out = like(forward(*case.x))

    @jax.custom_vjp
    def custom(*x):
        return jax.pure_callback(lambda *x: np.asarray(forward(*map(np.array, x))), out, *x)

    def backward(kept, g):
        y, x = kept
        return jax.pure_callback(lambda *a: tuple(vjp(*map(np.array, a))), tuple(map(like, x)), g, y, *x)

    custom.defvjp(lambda *x: (custom(*x), (custom(*x), x)), backward)
    check_grads(custom, case.x, order=1, modes=["rev"])


CHECKERS = {
    "gradtest": by_gradtest,
    "check_vjp": by_minigrad,
    "torch": by_torch,
    "autograd": by_autograd,
    "jax": by_jax,
}


def accepted(check, case):
    """Whether a checker passes the case; whatever it raises is a refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check(case._replace(x=tuple(a.copy() for a in case.x)))
        except Exception:
            return False
    return True


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkers", nargs="*", choices=[*CHECKERS], help="those to run; by default all installed")
    wanted = parser.parse_args().checkers
    own = ("gradtest", "check_vjp")
    checkers = {name: check for name, check in CHECKERS.items() if name in (wanted or CHECKERS)}
    checkers = {name: check for name, check in checkers.items() if name in own or importlib.util.find_spec(name)}
    misses, alarms, seconds = (dict.fromkeys(checkers, 0) for _ in range(3))
    print(f"{'':48}" + "".join(f"{name:>12}" for name in checkers))
    for case in CASES:
        cells = []
        for name, check in checkers.items():
            np.random.seed(0)  # noqa: NPY002 (autograd's checker draws from it)
            start = time.perf_counter()
            passed = accepted(check, case)
            seconds[name] += time.perf_counter() - start
            misses[name] += passed and not case.good
            alarms[name] += not passed and case.good
            cells.append("ok" if passed == case.good else "FALSE ALARM" if case.good else "MISSED")
        print(f"{'right' if case.good else 'wrong':7}{case.name:41}" + "".join(f"{cell:>12}" for cell in cells))
    right = sum(case.good for case in CASES)
    for title, counts in ((f"misses of {len(CASES) - right}", misses), (f"false alarms of {right}", alarms)):
        print(f"{title:48}" + "".join(f"{count:>12}" for count in counts.values()))
    print(f"{'seconds':48}" + "".join(f"{s:>12.2f}" for s in seconds.values()))


if __name__ == "__main__":
    main()
