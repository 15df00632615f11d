"""`gradtest`: a function of arrays becomes a full property test of its derivatives."""

from functools import update_wrapper

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .checks import check_grads, check_subgradient
from .strategies import Call

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


def as_call(drawn):
    """What a strategy drew as a call: a `Call` as it is, a tuple as arguments, else as the only argument."""
    if isinstance(drawn, Call):
        return drawn
    return Call(drawn if isinstance(drawn, tuple) else (drawn,), {})


def gradtest(*strategies, order=2, kink=False, **options):
    """Turn a function of arrays into a property test of its derivatives: `@gradtest(strategy)`.

    strategies: what to call the function with: one of arrays, of tuples of arguments or of `Call`s;
                or several, one an argument
    order:      how many derivatives to check (1 if a `vjp` is given)
    kink:       the inputs are kinks: hold the VJP to the one-sided slopes instead
    options:    of `check_vjp`: vjp, argnums, rtol, float32, name

    The test takes no argument, so pytest collects it by its name; the number of examples is that of
    Hypothesis's profile (`--minigrad-profile`). It raises GradientError for the smallest inputs found.
    The function itself stays within reach as `.fn`. For an op, write `test_f = gradtest(strategy)(f)`.
    """
    if not strategies:
        raise TypeError("gradtest: needs a strategy for the inputs, as in @gradtest(strategies.tensors())")
    drawing = strategies[0] if len(strategies) == 1 else st.tuples(*strategies)
    order = order if options.get("vjp") is None else 1

    def decorate(fn):
        def check(drawn):
            call = as_call(drawn)
            if kink:
                check_subgradient(fn, *call.arguments, **options, **call.parameters)
            else:
                check_grads(fn, *call.arguments, order=order, **options, **call.parameters)

        property_test = settings(deadline=None, suppress_health_check=_QUIET)(given(drawing)(check))

        def test():
            property_test()

        # all of functools.wraps but __wrapped__, from which pytest would read the arguments of fn as fixtures
        update_wrapper(test, fn, updated=())
        vars(test).pop("__wrapped__")
        vars(test).update(fn=fn, hypothesis=vars(property_test)["hypothesis"])
        return test

    return decorate
