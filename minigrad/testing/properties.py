"""`gradtest`: a function of arrays becomes a full property test of its derivatives."""

import sys
from collections import Counter
from functools import update_wrapper

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from . import checks
from .strategies import Call
from .subject import Subject

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
_ABOUT_THE_CALL = ("vjp", "argnums", "name")
_ABOUT_NUMBERS = ("order", "rtol", "float32")
_made: Counter[str] = Counter()  # tests of one description, in the order of their module


def as_call(drawn):
    """What a strategy drew as a call: a `Call` as it is, a tuple as arguments, else as the only argument."""
    if isinstance(drawn, Call):
        return drawn
    return Call(drawn if isinstance(drawn, tuple) else (drawn,), {})


def gradtest(*strategies, kink=False, seed=0, **options):
    """Turn a function of arrays into a property test of its derivatives: `@gradtest(strategy)`.

    strategies: what to call the function with: one of arrays, of tuples of arguments or of `Call`s;
                or several, one an argument
    kink:       the inputs are kinks: hold the VJP to the one-sided slopes instead
    seed:       of the random upstream gradient and directions
    options:    of `check_grads`: order, vjp, argnums, rtol, float32, name. The order is 2 by default, 1
                if a `vjp` is given. With kink there are no order, rtol and float32

    It is a Hypothesis test without arguments, which pytest collects by its name; it takes `@settings`,
    `@seed`, `@reproduce_failure` and `@example(what the strategy draws)`, above and below. The number
    of examples is that of Hypothesis's profile (`--minigrad-profile`). It raises GradientError for
    the smallest inputs found. The function itself stays within reach as `.fn`. For an op, write
    `test_f = gradtest(strategy)(f)`. Raises TypeError without a strategy, and for any other option.
    """
    if not strategies:
        raise TypeError("gradtest: needs a strategy for the inputs, as in @gradtest(strategies.tensors())")
    known = _ABOUT_THE_CALL if kink else _ABOUT_THE_CALL + _ABOUT_NUMBERS
    if unknown := [name for name in options if name not in known]:
        raise TypeError(f"gradtest: {unknown[0]} is not among its options{' for a kink' * kink}: {', '.join(known)}")
    drawing = strategies[0] if len(strategies) == 1 else st.tuples(*strategies)
    call_options = {name: options[name] for name in _ABOUT_THE_CALL if name in options}
    order = options.get("order", 2 if options.get("vjp") is None else 1)

    def decorate(fn):
        def check(drawn):
            call = as_call(drawn)
            subject = Subject(fn, call.arguments, call.parameters, **call_options)
            if kink:
                checks.prove_subgradient(subject, seed)
            else:
                checks.prove(subject, order, options.get("rtol", checks.RTOL), seed, options.get("float32", True))

        name = getattr(fn, "__qualname__", type(fn).__qualname__)
        module = sys._getframe(1).f_globals.get("__name__")
        return _as_hypothesis_test(check, fn, drawing, f"{module} {name} {drawing} {kink} {order} {sorted(options)}")

    return decorate


def _as_hypothesis_test(check, fn, drawing, identity):
    """The check as a Hypothesis test with fn's name; what decorators have left on fn holds for it."""
    update_wrapper(check, fn, updated=())
    del check.__wrapped__  # from which pytest would read the arguments of fn as fixtures
    left = {name: value for name, value in vars(fn).items() if "hypothesis" in name} if hasattr(fn, "__dict__") else {}
    vars(check).update(left)
    parent = left.get("_hypothesis_internal_use_settings") or settings()
    check._hypothesis_internal_use_settings = settings(
        parent,
        deadline=None,
        suppress_health_check=_QUIET,
        report_multiple_bugs=False,  # they would be no GradientError but a group
        phases=[phase for phase in parent.phases if phase is not Phase.explain],  # 100 examples for a note
    )
    # the name of its entries in the database, where it would be the source of `check`, the same for all
    _made[identity] += 1
    check._hypothesis_internal_add_digest = f"{identity} {_made[identity]}".encode()
    test = given(drawing)(check)
    test.fn = fn
    return test
