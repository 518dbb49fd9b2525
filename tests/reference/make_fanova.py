"""Writes fanova.json: the trials of random searches, and what Optuna 5.0.0's fANOVA says of their parameters: mean and standard
deviation over the seeds of five forests.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0 scikit-learn==1.9.1
    venv/bin/python tests/reference/make_fanova.py > tests/reference/fanova.json
"""

import json
import math
import warnings

import numpy as np
import optuna
from make_importance import as_json


def branin(trial):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    trial.suggest_float("unused", -1, 1)
    return (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def additive(trial):
    return sum(2**-i * abs(trial.suggest_float(f"x{i}", 0, 1) - 0.3) for i in range(5))


def mixed(trial):
    # Two choices: of three or more, Optuna's one-hot columns have combinations that no trial can have.
    kind = trial.suggest_categorical("kind", ["a", "b"])
    layers, rate = trial.suggest_int("layers", 1, 6), trial.suggest_float("rate", 0, 0.5, step=0.1)
    return (2 if kind == "b" else 0) + 0.4 * (layers - 2) ** 2 + (4 * rate if kind == "a" else rate)


def case(function, n, seed):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    study.optimize(function, n_trials=n)
    evaluated = [
        optuna.importance.get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=s)) for s in range(5)
    ]
    distributions = dict(sorted(study.trials[0].distributions.items()))
    importance = {name: [np.mean([e[name] for e in evaluated]), np.std([e[name] for e in evaluated])] for name in distributions}
    trials = [[t.value, [d.to_internal_repr(t.params[name]) for name, d in distributions.items()]] for t in study.trials]
    return {
        "function": function.__name__,
        "distributions": {name: as_json(d) for name, d in distributions.items()},
        "trials": trials,
        "importance": importance,
    }


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    cases = [case(branin, 60, 1), case(additive, 60, 2), case(mixed, 60, 3)]
    print(json.dumps({"optuna": optuna.__version__, "cases": cases}))
