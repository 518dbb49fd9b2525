"""Holds the best values of two samplers against each other: the JSON files of samplers.cpp and optuna_functions.py.

    venv/bin/python compare_samplers.py xgrad.json optuna.json

Regret is the best value minus the minimum of the function. "Worse" and "better" are decided by Wilcoxon's rank-sum test,
two-sided, at p < 0.01, of our regret against Optuna's times 1.1 for "worse" (a margin of 10 %), or as it is for "better".
"""

import json
import sys

import numpy as np
from scipy.stats import ranksums

MINIMUM = {"branin": 0.397887, "hartmann6": -3.32237, "sphere": 0, "rosenbrock": 0, "mixed": 0}

ours, theirs = (json.load(open(path)) for path in sys.argv[1:3])
print("| function | trials | median regret, xgrad | median regret, Optuna | p, as they are | p, with the margin | |")
print("|---|---|---|---|---|---|---|")
for name in theirs:
    a, b = (np.array(side[name]) - MINIMUM[name] for side in (ours, theirs))
    for i, trials in enumerate((25, 50, 100, 200)):
        x, y = np.median(a[:, i]), np.median(b[:, i])
        plain, margin = ranksums(a[:, i], b[:, i]), ranksums(a[:, i], 1.1 * b[:, i])
        verdict = "worse" if margin.pvalue < 0.01 and margin.statistic > 0 else "better" if plain.pvalue < 0.01 and plain.statistic < 0 else ""
        print(f"| {name} | {trials} | {x:.4g} | {y:.4g} | {plain.pvalue:.3f} | {margin.pvalue:.3f} | {verdict} |")
