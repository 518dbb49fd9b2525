"""Writes preprocessing.json: small tables, and what scikit-learn's preprocessing makes of them.

    python3 tests/reference/make_preprocessing.py > tests/reference/preprocessing.json
"""

import json
import sys
import warnings

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OneHotEncoder, StandardScaler

warnings.simplefilter("ignore")
random = np.random.default_rng(0)


def plain(x):
    return [[None if np.isnan(v) else float(v) for v in row] for row in np.asarray(x, dtype=float)]


def problem():
    samples, features = int(random.integers(2, 12)), int(random.integers(1, 4))
    x = np.round(random.normal(size=(samples, features)) * 10.0 ** random.integers(-2, 4, features) + random.integers(-5, 6), 2)
    if random.random() < 0.3:
        x[:, 0] = 0.1  # constant, but for rounding
    x[random.random(x.shape) < 0.15] = np.nan
    x[0] = np.where(np.isnan(x[0]), 1.0, x[0])  # no feature of NaN alone
    y = np.round(random.normal(size=(3, features)) * 100, 2)
    labels = [random.choice(["b", "a", "\u00e9", "B", "aa"]) for _ in range(samples)]
    other = random.integers(-12, 12, samples)
    return {
        "x": plain(x), "y": plain(y), "labels": labels, "numbers": other.tolist(),
        "standard": plain(StandardScaler().fit(x).transform(y)),
        "centred": plain(StandardScaler(with_std=False).fit(x).transform(x)),
        "min_max": plain(MinMaxScaler((-1, 2)).fit(x).transform(y)),
        "clipped": plain(MinMaxScaler(clip=True).fit(x).transform(y)),
        "mean": plain(SimpleImputer().fit_transform(x)),
        "median": plain(SimpleImputer(strategy="median").fit_transform(x)),
        "most_frequent": plain(SimpleImputer(strategy="most_frequent").fit_transform(x)),
        "constant": plain(SimpleImputer(strategy="constant", fill_value=-7).fit_transform(x)),
        "encoded": LabelEncoder().fit_transform(labels).tolist(),
        "one_hot": plain(OneHotEncoder(sparse_output=False).fit_transform(
            np.array([labels, other], dtype=object).T)),
    }


json.dump([problem() for _ in range(20)], sys.stdout, separators=(",", ":"))
print()
