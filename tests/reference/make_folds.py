"""Writes folds.json: the validation parts of scikit-learn's KFold and StratifiedKFold.

    python3 tests/reference/make_folds.py > tests/reference/folds.json
"""

import json
import sys
import warnings

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

warnings.simplefilter("ignore")  # of classes with fewer samples than folds
random = np.random.default_rng(0)
problems = []
for _ in range(20):
    folds = int(random.integers(2, 6))
    labels = np.concatenate([np.zeros(folds, int), random.integers(-1, 3, int(random.integers(5, 30)))])
    random.shuffle(labels)
    problems.append({
        "labels": labels.tolist(), "folds": folds,
        "plain": [v.tolist() for _, v in KFold(folds).split(labels)],
        "stratified": [v.tolist() for _, v in StratifiedKFold(folds).split(labels, labels)],
    })
json.dump(problems, sys.stdout, separators=(",", ":"))
print()
