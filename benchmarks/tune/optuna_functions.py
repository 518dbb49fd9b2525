"""Optuna's side of samplers.cpp: best value after 25, 50, 100 and 200 trials of its TPESampler with default options.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0 scipy==1.17.1
    venv/bin/python optuna_functions.py --seeds 100 > optuna.json
"""

import argparse
import json
import math

import optuna

HARTMANN_A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
HARTMANN_P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def floats(trial, dimensions, low, high):
    return [trial.suggest_float(f"x{i}", low, high) for i in range(dimensions)]


def branin(trial):
    x = trial.suggest_float("x", -5, 10)
    y = trial.suggest_float("y", 0, 15)
    return (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(trial):
    x = floats(trial, 6, 0, 1)
    total = 0.0
    for alpha, a, p in zip([1, 1.2, 3, 3.2], HARTMANN_A, HARTMANN_P):
        total -= alpha * math.exp(-sum(a[i] * (x[i] - p[i]) ** 2 for i in range(6)))
    return total


def sphere(trial):
    return sum(x * x for x in floats(trial, 10, -5, 5))


def rosenbrock(trial):
    x = floats(trial, 10, -5, 5)
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(9))


def mixed(trial):
    lr = trial.suggest_float("lr", 1e-5, 1, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    kind = trial.suggest_categorical("kind", ["plain", "dropout", "none"])
    loss = (math.log10(lr) + 2.5) ** 2 + 0.1 * abs(layers - 3)
    if kind == "plain":
        loss += 0.5 + 0.1 * (trial.suggest_float("x", -5, 5) - 1) ** 2
    elif kind == "dropout":
        width = trial.suggest_int("width", 1, 128, log=True)
        loss += 0.1 * (math.log2(width) - 5) ** 2 + 10 * (trial.suggest_float("rate", 0, 0.5, step=0.1) - 0.2) ** 2
    else:
        loss += 1
    for i in range(layers):
        loss += 0.05 * math.log(trial.suggest_int(f"units_{i}", 8, 512, log=True) / 64) ** 2
    return loss


def best(objective, seed):
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=200)
    values = [trial.value for trial in study.trials]
    return [min(values[:n]) for n in (25, 50, 100, 200)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    functions = [branin, hartmann6, sphere, rosenbrock, mixed]
    print(json.dumps({f.__name__: [best(f, seed) for seed in range(options.seeds)] for f in functions}))
