"""Minimises ten standard functions by SciPy: what test_minimize.cpp holds xgrad's minima and numbers of evaluations against.

    python3 tests/reference/make_minimize.py > tests/reference/minimize.json
"""
import json
import warnings

import numpy as np
import scipy.optimize
import torch


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def beale(x):
    return (1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2 + (2.625 - x[0] + x[0] * x[1] ** 3) ** 2


def wood(x):
    return (100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + 90 * (x[3] - x[2] ** 2) ** 2 + (1 - x[2]) ** 2
            + 10.1 * ((x[1] - 1) ** 2 + (x[3] - 1) ** 2) + 19.8 * (x[1] - 1) * (x[3] - 1))


def powell(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def goldstein_price(x):
    a, b = x[0], x[1]
    return ((1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a ** 2 - 14 * b + 6 * a * b + 3 * b ** 2))
            * (30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a ** 2 + 48 * b - 36 * a * b + 27 * b ** 2)))


FUNCTIONS = {  # with where to begin
    "rosenbrock": (rosenbrock, [-1.2, 1]),
    "rosenbrock in 4": (rosenbrock, [0] * 4),
    "beale": (beale, [1, 1]),
    "himmelblau": (lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2, [0, 0]),
    "wood": (wood, [-3, -1, -3, -1]),
    "powell": (powell, [3, -1, 0, 1]),
    "goldstein-price": (goldstein_price, [-0.5, -0.5]),
    "styblinski-tang": (lambda x: 0.5 * (x ** 4 - 16 * x ** 2 + 5 * x).sum(), [-1, -2, -3, -1, -2]),
    "quadratic": (lambda x: 0.5 * (torch.arange(1, 21) ** 2 * x ** 2).sum() - x.sum(), [1] * 20),
    "logistic": (lambda x: torch.log1p(torch.exp(-x[0] - 2 * x[1])) + torch.log1p(torch.exp(x[0] - x[1]))
                 + torch.log1p(torch.exp(x[1])) + 0.01 * (x ** 2).sum(), [2, -2]),
}
METHODS = {"L-BFGS-B": {"gtol": 1e-6, "ftol": 1e-15, "maxiter": 15000, "maxfun": 100000},
           "Newton-CG": {"xtol": 1e-9},
           "Nelder-Mead": {"xatol": 1e-6, "fatol": 1e-6, "maxiter": 100000, "maxfev": 100000}}


def minimize(function, x0, method, options):
    def value_and_gradient(x):
        x = torch.tensor(x, requires_grad=True)
        y = function(x)
        return y.item(), torch.autograd.grad(y, x)[0].numpy()

    def hessian_product(x, v):
        return torch.autograd.functional.hvp(function, torch.tensor(x), torch.tensor(v))[1].numpy()

    x0 = np.array(x0, dtype=float)
    if method == "Nelder-Mead":
        return scipy.optimize.minimize(lambda x: function(torch.tensor(x)).item(), x0, method=method, options=options)
    return scipy.optimize.minimize(value_and_gradient, x0, jac=True, method=method, options=options,
                                   hessp=hessian_product if method == "Newton-CG" else None)


results = {}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of Newton-CG, where rounding ends it
    for name, (function, x0) in FUNCTIONS.items():
        results[name] = {"x0": x0}
        for method, options in METHODS.items():
            found = minimize(function, x0, method, options)
            results[name][method] = {"x": found.x.tolist(), "value": float(found.fun), "evaluations": int(found.nfev)}
print(json.dumps(results, indent=1))
