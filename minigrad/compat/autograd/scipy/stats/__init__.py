"""scipy.stats, see minigrad.scipy.stats. Each distribution is a module as well."""

import sys

from minigrad.scipy.stats import beta, chi2, dirichlet, gamma, multivariate_normal, norm, poisson, t

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]

for _name in __all__:
    sys.modules[f"{__name__}.{_name}"] = globals()[_name]
