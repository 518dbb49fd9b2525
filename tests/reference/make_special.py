"""Values of special functions by mpmath, in tests/ops/test_special.cpp held against xgrad's.

    python3 tests/reference/make_special.py > tests/reference/special.json
"""
import json
import random

import mpmath as mp

mp.mp.dps = 50
random.seed(1)


def spread(low, high):
    return 10 ** random.uniform(low, high)


def regularized(a, lower, upper):
    return mp.gammainc(a, lower, upper, regularized=True)


def repeat(f, count=12):
    return [f() for _ in range(count)]


FUNCTIONS = {
    "log2": (mp.log, lambda: [spread(-300, 300)]),
    "log10": (mp.log10, lambda: [spread(-300, 300)]),
    "exp2": (lambda x: mp.mpf(2) ** x, lambda: [random.uniform(-1000, 1000)]),
    "asinh": (mp.asinh, lambda: [random.choice([-1, 1]) * spread(-12, 12)]),
    "acosh": (mp.acosh, lambda: [1 + spread(-8, 12)]),
    "atanh": (mp.atanh, lambda: [random.choice([-1, 1]) * spread(-12, -0.01)]),
    "hypot": (mp.hypot, lambda: [spread(-200, 200), spread(-200, 200)]),
    "logaddexp": (lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), lambda: [random.uniform(1, 700), random.uniform(1, 700)]),
    "logaddexp2": (lambda a, b: mp.log(mp.mpf(2) ** a + mp.mpf(2) ** b, 2), lambda: [random.uniform(1, 900), random.uniform(1, 900)]),
    "erfinv": (mp.erfinv, lambda: [random.choice([random.uniform(-1, 1), 1 - spread(-15, -1), spread(-12, -1)])]),
    "i0": (lambda x: mp.besseli(0, x), lambda: [random.choice([-1, 1]) * spread(-3, 2.8)]),
    "i1": (lambda x: mp.besseli(1, x), lambda: [random.choice([-1, 1]) * spread(-3, 2.8)]),
    "i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), lambda: [random.choice([-1, 1]) * spread(-3, 4)]),
    "i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), lambda: [random.choice([-1, 1]) * spread(-3, 4)]),
    "sinc": (mp.sincpi, lambda: [random.choice([-1, 1]) * spread(-8, 1)]),
    "xlogy": (lambda x, y: x * mp.log(y), lambda: [spread(-5, 5), spread(0.1, 300)]),
    "gammainc": (lambda a, x: regularized(a, 0, x), lambda: (lambda a: [a, a * spread(-0.7, 0.3)])(spread(-2, 2))),
    "gammaincc": (lambda a, x: regularized(a, x, mp.inf), lambda: (lambda a: [a, a * spread(-0.3, 0.5)])(spread(-2, 2))),
    "beta": (mp.beta, lambda: [spread(-2, 2), spread(-2, 2)]),
    "betaln": (lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), lambda: [spread(0.5, 5), spread(0.5, 5)]),
}


def beta_share(a, b, x):
    return mp.betainc(a, b, 0, x, regularized=True)


def beta_point():
    a, b = spread(-1.5, 2), spread(-1.5, 2)
    odds = a / b * mp.e ** (random.uniform(-2, 2) / mp.sqrt(max(1, min(a, b))))
    return [a, b, float(odds / (1 + odds))]


def by(f, orders):
    """A derivative by parameters."""
    def derivative(*point):
        with mp.workdps(80):
            return mp.diff(f, point, orders)
    return derivative


lower_gamma, gamma_point = FUNCTIONS["gammainc"][0], lambda: (lambda a: [a, a * spread(-0.7, 0.4)])(spread(-2, 3))
FUNCTIONS |= {
    "gammainc by a": (by(lower_gamma, (1, 0)), gamma_point),
    "gammainc by a and a": (by(lower_gamma, (2, 0)), gamma_point),
    "betainc": (beta_share, beta_point),
    "betainc by a": (by(beta_share, (1, 0, 0)), beta_point),
    "betainc by b": (by(beta_share, (0, 1, 0)), beta_point),
    "betainc by a and a": (by(beta_share, (2, 0, 0)), beta_point),
    "betainc by a and b": (by(beta_share, (1, 1, 0)), beta_point),
    "betainc by b and b": (by(beta_share, (0, 2, 0)), beta_point),
}
FUNCTIONS["log2"] = (lambda x: mp.log(x, 2), FUNCTIONS["log2"][1])

result = {}
for name, (f, sample) in FUNCTIONS.items():
    points = repeat(sample)
    result[name] = [[*point, float(f(*(mp.mpf(x) for x in point)))] for point in points]
print("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in result.items()) + "\n}")
