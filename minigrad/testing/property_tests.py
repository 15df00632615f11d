"""`gradtest`: a function of arrays becomes a property test of its derivatives, which pytest collects."""

import functools
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import DidNotReproduce, Flaky

from ..errors import brief
from .array_strategies import ROUND
from .checked_function import CheckedFunction
from .errors import GradientError
from .gradient_checks import prove
from .options import Options
from .strategies import Call
from .subgradient_check import prove_subgradient

_QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)
_ABOUT_THE_CALL = ("vjp", "argnums", "name")
_ABOUT_NUMBERS = tuple(name for name in Options._fields if name != "seed")
_ROUNDS = 8  # in each of them another kind of input is the simplest, see strategies
_made: Counter[str] = Counter()  # tests of one description, in the order of their module


def as_call(drawn: Any) -> Call:
    """What a strategy drew as a call: a `Call` as it is, a tuple as arguments, else as the only argument.

    >>> as_call((1.0, 2.0))
    Call(arguments=(1.0, 2.0), parameters={})
    """
    if isinstance(drawn, Call):
        return drawn
    return Call(drawn if isinstance(drawn, tuple) else (drawn,), {})


def gradtest(
    *strategies: st.SearchStrategy, kink: bool = False, seed: int = 0, **options: Any
) -> Callable[[Callable], Callable[[], None]]:
    """Turn a function of arrays into a property test of its derivatives: `@gradtest(strategy)`.

    strategies: what to call the function with: one of arrays, of tuples of arguments or of `Call`s;
                or several, one for each argument
    kink:       the inputs are kinks: check as `check_subgradient` does
    seed:       of the random upstream gradients and directions
    options:    of `check_grads`: order, vjp, argnums, rtol, atol, float32, layouts, exact, nondet_tol, name. The order
                is 2 by default, 1 if a `vjp` is given. With kink there are vjp, argnums and name only

    The result is a Hypothesis test without arguments, which pytest collects by its name. It takes `@settings`,
    `@seed`, `@reproduce_failure` and `@example(what the strategy draws)`, above and below. The number
    of examples is that of Hypothesis's profile (`--minigrad-profile`). It raises GradientError for
    the smallest inputs found. The function itself is its attribute `.fn`. For an op, write
    `test_f = gradtest(strategy)(f)`. Raises TypeError and ValueError for what is no strategy and no option.

    >>> test_sine = mg.testing.gradtest(mg.testing.strategies.tensors())(np.sin)
    >>> test_sine()
    """
    _check_options(strategies, kink, options)
    drawing = strategies[0] if len(strategies) == 1 else st.tuples(*strategies)
    call_options = {name: options[name] for name in _ABOUT_THE_CALL if name in options}
    numbers = {"order": 2 if options.get("vjp") is None else 1} | options
    checking = Options(seed=seed, **{name: numbers[name] for name in _ABOUT_NUMBERS if name in numbers})
    checking.checked("gradtest")

    def decorate(fn):
        if not callable(fn):
            raise TypeError(f"gradtest: decorate a function, not {brief(fn)}")

        def check(drawn):
            call = as_call(drawn)
            function = CheckedFunction(fn, call.arguments, call.parameters, **call_options)
            if kink:
                prove_subgradient(function, seed)
            else:
                prove(function, checking)

        name = getattr(fn, "__qualname__", type(fn).__qualname__)
        module = sys._getframe(1).f_globals.get("__name__")
        return _as_hypothesis_test(
            check, fn, drawing, f"{module} {name} {drawing} {kink} {checking.order} {sorted(options)}"
        )

    return decorate


def _check_options(strategies: tuple, kink: bool, options: dict[str, Any]) -> None:
    """Refuse what is no strategy, no option, or no position."""
    if not strategies:
        raise TypeError("gradtest: needs a strategy for the inputs, as in @gradtest(strategies.tensors())")
    for strategy in strategies:
        if not isinstance(strategy, st.SearchStrategy):
            text = getattr(strategy, "__name__", brief(strategy))
            raise TypeError(f"gradtest: {text} is no strategy; write gradtest(strategies.tensors())(function)")
    known = _ABOUT_THE_CALL if kink else _ABOUT_THE_CALL + _ABOUT_NUMBERS
    if unknown := [name for name in options if name not in known]:
        raise TypeError(f"gradtest: {unknown[0]} is not among its options{' for a kink' * kink}: {', '.join(known)}")
    argnums = options.get("argnums")
    if argnums is not None and not _are_positions(argnums):
        raise TypeError(f"gradtest: argnums must be a position or a tuple of positions, not {brief(argnums)}")


def _are_positions(value: Any) -> bool:
    places = value if isinstance(value, tuple) and value else (value,)
    # equivalent: any factor because the caller asks for the truth of it
    return all(isinstance(place, int) and not isinstance(place, bool) and place >= 0 for place in places)


def _as_hypothesis_test(check: Callable, fn: Callable, drawing: st.SearchStrategy, identity: str) -> Callable[[], None]:
    """The check as a Hypothesis test with fn's name; what decorators have set on fn is kept."""
    functools.update_wrapper(check, fn, updated=())
    set_on_fn = vars(fn).items() if hasattr(fn, "__dict__") else ()
    vars(check).update({name: value for name, value in set_on_fn if "hypothesis" in name})
    # names its entries in the database, where the source of `check` would be the same for all
    _made[identity] += 1  # equivalent: 1 -> 2 because only that numbers differ counts
    made = _made[identity]
    vars(check)["_hypothesis_internal_add_digest"] = f"{identity} {made}".encode()
    failures: list[GradientError] = []

    @functools.wraps(check)
    def remembering(drawn):
        try:
            check(drawn)
        except GradientError as error:
            failures[:] = [error]
            raise

    vars(remembering).pop("__wrapped__")  # pytest would read the arguments of fn from it as fixtures
    inner: Any = given(drawing)(remembering)

    def test():
        """Run the inner test, in several rounds, with the decorators that were put above."""
        decorated = {name: value for name, value in vars(test).items() if "hypothesis" in name}
        chosen = _kept_settings(decorated["_hypothesis_internal_use_settings"])
        draws = not {Phase.generate, Phase.reuse}.isdisjoint(chosen.phases)
        rounds = _ROUNDS if draws and chosen.max_examples >= 2 * _ROUNDS else 1
        for number in range(rounds):
            vars(inner).update(decorated)
            vars(remembering)["_hypothesis_internal_add_digest"] = f"{identity} {made} {number}".encode()
            _start_round(inner, chosen, number, rounds)
            token = ROUND.set(number)
            try:
                inner()
            except Flaky as flaky:
                raise _only_sometimes(failures[0]) from flaky
            except DidNotReproduce:  # another round may
                if number == rounds - 1:
                    raise
            finally:
                ROUND.reset(token)

    functools.update_wrapper(test, inner)
    test.fn = fn  # type: ignore[attr-defined]
    return test


def _start_round(inner: Any, chosen: settings, number: int, rounds: int) -> None:
    """Give a Hypothesis test its share of the examples; those of `@example` run in the first round."""
    share = chosen.max_examples // rounds + (number < chosen.max_examples % rounds)
    phases = [phase for phase in chosen.phases if number == 0 or phase is not Phase.explicit]
    inner._hypothesis_internal_use_settings = settings(chosen, max_examples=share, phases=phases)
    # equivalent: without number and because the first round draws as well from another seed
    if number and inner._hypothesis_internal_use_seed is not None:
        inner._hypothesis_internal_use_seed = f"{inner._hypothesis_internal_use_seed} {number}"


def _kept_settings(chosen: settings) -> settings:
    """The settings of the user or the profile, with what gradtest needs unless the user chose it.

    A check of a large array takes longer than Hypothesis's default deadline. Several bugs at once would be raised as
    a group, which is no GradientError. The phase "explain" runs a hundred more examples for a note.
    """
    default = settings()
    explained = chosen.phases != default.phases
    return settings(
        chosen,
        deadline=None if chosen.deadline == default.deadline else chosen.deadline,
        suppress_health_check={*chosen.suppress_health_check, *_QUIET},
        report_multiple_bugs=False,
        phases=[phase for phase in chosen.phases if explained or phase is not Phase.explain],
    )


def _only_sometimes(error: GradientError) -> GradientError:
    """What is raised for a check that fails once and passes for the same input later."""
    error.kind = "not deterministic"
    statement = f"{error.op}: the check failed once and passed when it was repeated with the same input"
    error.args = (f"{statement}; the failure was\n{error.args[0]}",)
    return error
