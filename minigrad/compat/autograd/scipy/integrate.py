"""scipy.integrate, see minigrad.scipy.integrate."""

from functools import partial

from minigrad.implicit import power_of_two
from minigrad.scipy import integrate as _integrate


def odeint(func, y0, t, args=(), *, tfirst=False, **options):
    """odeint of minigrad.scipy, whose tolerances hold for a gradient as it is, unless it is small beside atol."""
    atol = options.get("atol")
    unit = partial(power_of_two, below=100 * (1.49e-8 if atol is None else atol))
    return _integrate.solution(func, y0, t, args, tfirst, options, unit)


def __getattr__(name):
    return getattr(_integrate, name)
