"""Fit generalised linear models with SciPy's minimisers, and compare with scikit-learn's own answers.

A model is its negative log likelihood, as a few lines of NumPy: `value_and_grad` gives SciPy the gradient, `hvp` the
products with the Hessian. The data come with scikit-learn: wines by their chemistry, and the progress of
diabetes.
"""

import numpy as np
from command_line import needed

import minigrad as mg

minimize = needed("scipy.optimize", "examples").minimize
datasets, linear_model = needed("sklearn.datasets", "examples"), needed("sklearn.linear_model", "examples")

TOLERANCE = 1e-10  # of the gradient, here and for scikit-learn
BAR = 24  # letters


def softmax_regression(x, labels, c=1.0):
    """(the loss, the number of parameters): softmax of x @ w + b, with w's squared norm over 2 c."""
    features, classes = x.shape[1], labels.max() + 1

    def loss(parameters):
        w, b = mg.reshape(parameters[:-classes], (features, classes)), parameters[-classes:]
        return mg.softmax_cross_entropy(x @ w + b, labels) * len(x) + np.sum(w * w) / (2 * c)

    return loss, (features + 1) * classes


def poisson_regression(x, counts, alpha=1.0):
    """(the loss, the number of parameters): counts of mean e**(x @ w + b), with alpha / 2 times w's squared norm."""

    def loss(parameters):
        w, b = parameters[:-1], parameters[-1]
        log_mean = x @ w + b
        return np.mean(np.exp(log_mean) - counts * log_mean) + alpha / 2 * np.sum(w * w)

    return loss, x.shape[1] + 1


def fit(loss, size):
    """The parameters of the least loss, by Newton's method with conjugate gradients in a trust region."""
    start, options = np.zeros(size), {"gtol": TOLERANCE, "maxiter": 1000}
    f, product = mg.value_and_grad(loss), lambda p, v: mg.hvp(loss, p, v)
    return minimize(f, start, jac=True, hessp=product, method="trust-ncg", options=options)


def standardised(x):
    """Columns of mean 0 and variance 1."""
    return (x - x.mean(0)) / x.std(0)


def table(title, names, ours, theirs):
    """Lines of coefficients: ours, theirs, and a bar for ours."""
    yield f"  {title:28} {'minigrad':>9} {'sklearn':>9}"
    scale = BAR / 2 / np.abs(ours).max()
    for name, a, b in zip(names, ours, theirs, strict=True):
        start, end = sorted([BAR // 2, BAR // 2 + round(a * scale)])
        yield f"  {name[:28]:28} {a:9.5f} {b:9.5f}  {(' ' * start + '#' * (end - start)).ljust(BAR)}".rstrip()


def main():
    """Fit both; print the coefficients of one class and of one model; return the largest differences."""
    wine, diabetes = datasets.load_wine(), datasets.load_diabetes()
    x, labels = standardised(wine.data), wine.target
    found = fit(*softmax_regression(x, labels))
    w = found.x[: -labels.max() - 1].reshape(x.shape[1], -1)
    theirs = linear_model.LogisticRegression(C=1.0, tol=TOLERANCE, max_iter=10000).fit(x, labels).coef_.T
    differences = [np.abs(w - theirs).max()]
    print(f"softmax regression of 178 wines: {found.nit} steps, gradient {np.linalg.norm(found.jac):.1e}")
    print(*table("first cultivar", wine.feature_names, w[:, 0], theirs[:, 0]), sep="\n")

    x, counts = standardised(diabetes.data), diabetes.target
    found = fit(*poisson_regression(x, counts))
    theirs = linear_model.PoissonRegressor(alpha=1.0, tol=TOLERANCE, max_iter=10000).fit(x, counts).coef_
    differences.append(np.abs(found.x[:-1] - theirs).max())
    print(f"Poisson regression of 442 patients: {found.nit} steps, gradient {np.linalg.norm(found.jac):.1e}")
    print(*table("progress in a year", diabetes.feature_names, found.x[:-1], theirs), sep="\n")
    print("largest differences:", ", ".join(f"{difference:.1e}" for difference in differences))
    return differences


if __name__ == "__main__":
    main()
