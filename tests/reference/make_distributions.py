"""What torch.distributions computes, and SciPy where that does not, for tests/distributions/test_distributions.cpp.

    python3 tests/reference/make_distributions.py > tests/reference/distributions.json
"""
import json
import math

import numpy as np
import scipy.stats as S
import torch
import torch.distributions as D

torch.set_default_dtype(torch.float64)
t = torch.tensor
COUNTS = [0.0, 1.0, 2.0, 5.0]
LINE = [-2.5, -0.3, 0.4, 3.1]
HALF = [0.1, 0.9, 2.2, 7.0]
UNIT = [0.05, 0.3, 0.5, 0.93]
COVARIANCE = [[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]]
COVARIANCE2 = [[1.0, 0.2, 0.0], [0.2, 2.0, 0.1], [0.0, 0.1, 1.5]]

# name, parameters, those of another to diverge from, values
CASES = [
    ("Normal", {"loc": [0.5, -1.0, 2.0, 0.0], "scale": [1.5, 0.3, 2.0, 1.0]}, {"loc": 0.2, "scale": 1.1}, LINE),
    ("LogNormal", {"loc": [0.5, -1.0, 0.2, 0.0], "scale": [0.5, 0.3, 0.9, 1.0]}, {"loc": 0.2, "scale": 1.1}, HALF),
    ("Laplace", {"loc": [0.5, -1.0, 2.0, 0.0], "scale": [1.5, 0.3, 2.0, 1.0]}, {"loc": 0.2, "scale": 1.1}, LINE),
    ("Cauchy", {"loc": [0.5, -1.0, 2.0, 0.0], "scale": [1.5, 0.3, 2.0, 1.0]}, {"loc": 0.2, "scale": 1.1}, LINE),
    ("StudentT", {"df": [0.7, 1.5, 3.0, 30.0], "loc": 0.3, "scale": [1.5, 0.3, 2.0, 1.0]}, None, LINE),
    ("Uniform", {"low": [-3.0, -1.0, 0.0, 2.0], "high": [1.0, 0.5, 2.0, 4.0]}, {"low": -5.0, "high": 6.0}, LINE),
    ("Exponential", {"rate": [0.2, 1.0, 3.0, 0.5]}, {"rate": 0.8}, HALF),
    ("Gamma", {"concentration": [0.3, 1.0, 4.5, 20.0], "rate": [0.5, 1.0, 2.0, 3.0]}, {"concentration": 2.0, "rate": 1.3}, HALF),
    ("Chi2", {"df": [0.8, 2.0, 5.0, 30.0]}, {"df": 3.0}, HALF),
    ("Beta", {"concentration1": [0.4, 1.0, 3.0, 12.0], "concentration0": [0.7, 2.0, 1.0, 5.0]}, {"concentration1": 1.5, "concentration0": 2.5}, UNIT),
    ("Dirichlet", {"concentration": [[0.4, 1.0, 3.0], [2.0, 5.0, 0.7]]}, {"concentration": [1.5, 2.5, 1.0]}, [[0.2, 0.3, 0.5], [0.1, 0.85, 0.05]]),
    ("Bernoulli", {"probs": [0.0, 0.3, 0.8, 1.0]}, {"probs": 0.4}, [0.0, 1.0, 0.0, 1.0]),
    ("Bernoulli", {"logits": [-3.0, 0.0, 0.8, 40.0]}, {"probs": 0.4}, [0.0, 1.0, 0.0, 1.0]),
    ("Geometric", {"probs": [0.1, 0.3, 0.8, 0.5]}, {"probs": 0.4}, COUNTS),
    ("Poisson", {"rate": [0.3, 1.0, 4.5, 20.0]}, {"rate": 2.0}, COUNTS),
    ("Binomial", {"total_count": 7, "probs": [0.1, 0.3, 0.8, 0.5]}, {"total_count": 7, "probs": 0.4}, COUNTS),
    ("Categorical", {"probs": [[0.2, 0.5, 0.3], [3.0, 0.0, 1.0]]}, {"probs": [0.3, 0.3, 0.4]}, [2, 0]),
    ("Categorical", {"logits": [[0.2, 0.5, 0.3], [3.0, -1.0, 1.0]]}, {"probs": [0.3, 0.3, 0.4]}, [1, 2]),
    ("Multinomial", {"total_count": 6, "probs": [[0.2, 0.5, 0.3], [3.0, 0.0, 1.0]]}, None, [[1.0, 3.0, 2.0], [6.0, 0.0, 0.0]]),
    ("MultivariateNormal", {"loc": [0.1, -0.5, 2.0], "covariance_matrix": COVARIANCE}, {"loc": [0.3, 0.2, 1.0], "covariance_matrix": COVARIANCE2}, [[0.0, 0.0, 1.0], [1.0, -2.0, 3.0]]),
    ("MultivariateNormal", {"loc": [0.1, -0.5, 2.0], "precision_matrix": COVARIANCE}, None, [[0.0, 0.0, 1.0], [1.0, -2.0, 3.0]]),
]


SCIPY = {
    "StudentT": lambda df, loc, scale: S.t(df, loc, scale),
    "Gamma": lambda concentration, rate: S.gamma(concentration, scale=1 / rate),
    "Chi2": lambda df: S.chi2(df),
    "Beta": lambda concentration1, concentration0: S.beta(concentration1, concentration0),
    "Bernoulli": lambda probs=None, logits=None: S.bernoulli(torch.sigmoid(t(logits)).numpy() if probs is None else probs),
    "Geometric": lambda probs: S.geom(probs, -1),
    "Poisson": lambda rate: S.poisson(rate),
    "Binomial": lambda total_count, probs: S.binom(total_count, probs),
}
PAIRS = [
    (D.Laplace(0.5, 1.5), D.Normal(0.3, 1.2)), (D.Uniform(0.2, 1.7), D.Normal(0.3, 1.2)), (D.Exponential(0.8), D.Normal(0.3, 1.2)),
    (D.Gamma(2.5, 1.3), D.Normal(0.3, 1.2)), (D.Beta(1.5, 2.5), D.Normal(0.3, 1.2)), (D.Uniform(0.2, 1.7), D.Exponential(0.7)),
    (D.Gamma(2.5, 1.3), D.Exponential(0.7)), (D.Beta(1.5, 2.5), D.Exponential(0.7)), (D.Exponential(0.8), D.Gamma(1.8, 0.6)),
]


def by_scipy(name, parameters, what, at):
    """SciPy's value, or None where it has none."""
    if name not in SCIPY:
        return None
    found = SCIPY[name](**{key: np.array(value) if isinstance(value, list) else value for key, value in parameters.items()})
    return t(np.asarray({"cdf": found.cdf, "icdf": found.ppf, "entropy": found.entropy}[what](*(x.numpy() for x in at)), dtype=float))


def tensors(parameters):
    return {name: t(value) if isinstance(value, (list, float)) else value for name, value in parameters.items()}


def numbers(x):
    return {"shape": list(x.shape), "values": [v if math.isfinite(v) else str(v) for v in x.double().flatten().tolist()]}


result = []
for name, parameters, other, values in CASES:
    held = tensors(parameters)
    wanted = [v.requires_grad_() for k, v in held.items() if torch.is_tensor(v) and k != "total_count"]
    d = getattr(D, name)(**held, validate_args=False)
    case = {"name": name, "parameters": parameters, "value": values}
    log_prob = d.log_prob(t(values))
    case["log_prob"] = numbers(log_prob)
    upstream = torch.sin(torch.arange(1, log_prob.numel() + 1.0)).reshape(log_prob.shape)
    safe = torch.where(torch.isfinite(log_prob), log_prob, torch.zeros_like(log_prob))
    case["gradients"] = [numbers(g) for g in torch.autograd.grad((safe * upstream).sum(), wanted, allow_unused=True)] if name not in ("Bernoulli", "Categorical", "Multinomial", "MultivariateNormal") else []
    for what in ("mean", "variance"):
        case[what] = numbers(getattr(d, what))
    for what, at in (("entropy", ()), ("cdf", (t(values),)), ("icdf", (t([0.05, 0.3, 0.6, 0.99]),))):
        try:
            case[what] = numbers(getattr(d, what)(*at))
        except NotImplementedError:
            value = by_scipy(name, parameters, what, at)
            if value is not None:
                case[what] = numbers(value)
    if other is not None:
        case["other"] = other
        case["kl"] = numbers(D.kl_divergence(d, getattr(D, name)(**tensors(other))))
    result.append(case)
result.append({"name": "pairs", "kl": [D.kl_divergence(p, q).item() for p, q in PAIRS]})
print("[\n" + ",\n".join(json.dumps(case) for case in result) + "\n]")
