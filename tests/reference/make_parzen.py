"""Writes parzen.json: Parzen estimators of Optuna 5.0.0 on fixed observations, their bandwidths, weights and log densities.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0 scipy==1.17.1
    venv/bin/python tests/reference/make_parzen.py > tests/reference/parzen.json
"""

import functools
import json

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

PARAMETERS = _ParzenEstimatorParameters(
    prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False, weights=default_weights, multivariate=True
)

# Of equal observations one has the wide bandwidth; numpy's default sort leaves open which.
np.argsort = functools.partial(np.argsort, kind="stable")


def as_json(d):
    if isinstance(d, CategoricalDistribution):
        return {"kind": "categorical", "choices": len(d.choices)}
    kind = "float" if isinstance(d, FloatDistribution) else "int"
    return {"kind": kind, "low": d.low, "high": d.high, "log": d.log, "step": d.step}


def case(name, space, observations, queries):
    estimator = _ParzenEstimator({k: np.array(v, dtype=float) for k, v in observations.items()}, space, PARAMETERS)
    mixture = estimator._mixture_distribution
    return {
        "name": name,
        "space": [as_json(d) for d in space.values()],
        "observations": [list(map(float, observations[k])) for k in space],
        "queries": [list(map(float, queries[k])) for k in space],
        "sigmas": [list(getattr(d, "sigma", [])) for d in mixture.distributions],
        "weights": list(mixture.weights),
        "log_pdf": list(estimator.log_pdf({k: np.array(v, dtype=float) for k, v in queries.items()})),
    }


def random_case(name, n, seed):
    rng = np.random.RandomState(seed)
    space = {
        "x": FloatDistribution(-5, 10),
        "lr": FloatDistribution(1e-4, 1, log=True),
        "rate": FloatDistribution(0, 0.5, step=0.1),
        "layers": IntDistribution(1, 4),
        "units": IntDistribution(32, 512, log=True),
        "kind": CategoricalDistribution(["a", "b", "c"]),
    }

    def draw(m):
        return {
            "x": rng.uniform(-5, 10, m),
            "lr": np.exp(rng.uniform(np.log(1e-4), 0, m)),
            "rate": rng.randint(0, 6, m) * 0.1,
            "layers": rng.randint(1, 5, m),
            "units": np.round(np.exp(rng.uniform(np.log(32), np.log(512), m))),
            "kind": rng.randint(0, 3, m),
        }

    return case(name, space, draw(n), draw(8))


def main():
    unit = {"x": FloatDistribution(0, 1)}
    grid = {"x": [0.0, 0.013, 0.25, 0.5, 0.987, 1.0]}
    cases = [
        case("none", unit, {"x": []}, grid),
        case("one", unit, {"x": [0.3]}, grid),
        case("two", unit, {"x": [0.3, 0.8]}, grid),
        case("vector", unit, {"x": [0.1, 0.15, 0.4, 0.9, 0.41, 0.0, 1.0]}, grid),
        case("equal", unit, {"x": [0.5, 0.5, 0.5]}, grid),
        random_case("mixed, 5", 5, 1),
        random_case("mixed, 25", 25, 2),
        random_case("mixed, 26", 26, 3),
        random_case("mixed, 150", 150, 4),
    ]
    print(json.dumps({"optuna": optuna.__version__, "cases": cases}))


if __name__ == "__main__":
    main()
