"""Writes importance.json: the trials of random searches, and what Optuna 5.0.0's PED-ANOVA says of their parameters.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0 scipy==1.17.1
    venv/bin/python tests/reference/make_importance.py > tests/reference/importance.json
"""

import json
import math
import warnings

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution


def objective(trial):
    lr = trial.suggest_float("lr", 1e-4, 1, log=True)
    x = trial.suggest_float("x", -5, 5)
    rate = trial.suggest_float("rate", 0, 0.5, step=0.1)
    layers = trial.suggest_int("layers", 1, 4)
    units = trial.suggest_int("units", 8, 512, log=True)
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    trial.suggest_float("unused", 0, 1)
    loss = (math.log10(lr) + 2) ** 2 + 0.1 * abs(x) + rate + 0.2 * abs(layers - 2) + 0.1 * math.log(units / 64) ** 2
    if kind == "a":
        loss += 0.3 * trial.suggest_float("only_a", 0, 1)
    if kind == "b":
        loss += trial.suggest_float("range", 0, 2 if layers > 2 else 1)
    return round(loss, 3)


def as_json(d):
    if isinstance(d, CategoricalDistribution):
        return {"kind": "categorical", "choices": len(d.choices)}
    kind = "float" if isinstance(d, FloatDistribution) else "int"
    return {"kind": kind, "low": d.low, "high": d.high, "log": d.log, "step": d.step}


def case(n, direction, seed):
    study = optuna.create_study(direction=direction, sampler=optuna.samplers.RandomSampler(seed))
    study.optimize(lambda t: objective(t) * (1 if direction == "minimize" else -1), n_trials=n)
    importance = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    distributions, trials = [], []
    for t in study.trials:
        parameters = []
        for name, d in t.distributions.items():
            if (entry := as_json(d)) not in distributions:
                distributions.append(entry)
            parameters.append([name, distributions.index(entry), d.to_internal_repr(t.params[name])])
        trials.append({"value": t.value, "parameters": parameters})
    return {"direction": direction, "distributions": distributions, "trials": trials, "importance": importance}


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    print(json.dumps({"optuna": optuna.__version__, "cases": [case(120, "minimize", 1), case(60, "maximize", 2), case(11, "minimize", 3)]}))
