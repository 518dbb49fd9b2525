"""Writes metrics.json: random problems with ties and missing classes, and what scikit-learn's metrics are on them.

    python3 tests/reference/make_metrics.py > tests/reference/metrics.json
"""

import json
import sys
import warnings

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")  # of undefined values, which are among what is compared
random = np.random.default_rng(0)


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def averages(metric, target, predicted):
    return [metric(target, predicted, average=a) for a in ("macro", "micro", "weighted")]


def top_k(target, scores, k):
    # Of equal scores scikit-learn takes the last class: of classes in reverse order, the first.
    classes = scores.shape[1]
    return metrics.top_k_accuracy_score(classes - 1 - target, scores[:, ::-1], k=k, labels=range(classes))


def expected_calibration_error(confidence, right, bins):
    truth, mean = calibration_curve(right, confidence, n_bins=bins)
    bin_of = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    counts = np.bincount(bin_of, minlength=bins)
    return float(np.sum(counts[counts > 0] * np.abs(truth - mean)) / len(confidence))


def number(value):
    return None if np.isnan(value) else float(value)


def classification():
    classes, samples = int(random.integers(2, 6)), int(random.integers(6, 30))
    scores = np.round(random.normal(size=(samples, classes)) * 2, int(random.integers(0, 2)))  # ties
    target = random.integers(0, classes, samples)
    if random.random() < 0.3:
        target[target == classes - 1] = 0  # a class that no sample has
    predicted, probabilities = scores.argmax(axis=1), softmax(scores)
    labels = list(range(classes))
    confidence, right = probabilities.max(axis=1), predicted == target
    values = {
        "accuracy": metrics.accuracy_score(target, predicted),
        "confusion": metrics.confusion_matrix(target, predicted, labels=labels).tolist(),
        "precision": averages(metrics.precision_score, target, predicted),
        "recall": averages(metrics.recall_score, target, predicted),
        "f1": averages(metrics.f1_score, target, predicted),
        "f1_per_class": metrics.f1_score(target, predicted, labels=labels, average=None).tolist(),
        "log_loss": metrics.log_loss(target, probabilities, labels=labels),
        "calibration": expected_calibration_error(confidence, right, 10),
    }
    if classes > 2:
        values["top_2"] = top_k(target, scores, 2)
    problem = {"scores": scores.tolist(), "target": target.tolist(), "values": values}
    if classes > 2 and len(set(target)) == classes:
        sixteenths = random.multinomial(16, np.full(classes, 1 / classes), samples)  # exact, with ties
        problem["sixteenths"] = sixteenths.tolist()
        values["roc_auc"] = metrics.roc_auc_score(target, sixteenths / 16, multi_class="ovr")
        values["average_precision"] = metrics.average_precision_score(target, sixteenths / 16)
    return problem


def binary():
    samples = int(random.integers(4, 40))
    scores = np.round(random.random(samples), int(random.integers(1, 3)))  # ties, 0 and 1
    target = random.integers(0, 2, samples) if random.random() < 0.8 else np.full(samples, random.integers(0, 2))
    return {
        "scores": scores.tolist(),
        "target": target.tolist(),
        "values": {
            "roc_auc": number(metrics.roc_auc_score(target, scores)) if len(set(target)) == 2 else None,
            "average_precision": metrics.average_precision_score(target, scores),
            "log_loss": metrics.log_loss(target, scores, labels=[0, 1]),
            "calibration": expected_calibration_error(scores, target == 1, 7),
        },
    }


def regression():
    samples, outputs = int(random.integers(2, 30)), int(random.integers(1, 4))
    target = np.round(random.normal(size=(samples, outputs)) + 10.0 ** random.integers(0, 6), 3)
    if random.random() < 0.2:
        target[:, 0] = 1.5
    prediction = np.round(target + random.normal(size=target.shape) * 0.5, 3)
    if random.random() < 0.2:
        prediction = target
    return {
        "prediction": prediction.tolist(),
        "target": target.tolist(),
        "values": {
            "mae": metrics.mean_absolute_error(target, prediction),
            "rmse": metrics.root_mean_squared_error(target, prediction),
            "r2": metrics.r2_score(target, prediction),
        },
    }


json.dump({"classification": [classification() for _ in range(50)], "binary": [binary() for _ in range(25)],
           "regression": [regression() for _ in range(25)]}, sys.stdout, separators=(",", ":"))
print()
