#!/usr/bin/env python3
"""Writes tests/golden/tasks/evaluation.json: measures of random answers, by scikit-learn, torchmetrics, SciPy and statsmodels.

Usage: make_evaluation_golden.py [FILE]. Made with scikit-learn 1.9.1, torchmetrics 1.9.0, SciPy 1.17.1 and statsmodels 0.15.0.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, top_k_accuracy_score
from statsmodels.stats.contingency_tables import mcnemar
from torchmetrics.functional.classification import multiclass_calibration_error

CLASSES = 12
PICTURES = 400
BINS = 15


def answers(seed):
    """Probabilities of a network that is somewhat right and too sure of it, and the classes."""
    random = np.random.default_rng(seed)
    targets = random.integers(CLASSES, size=PICTURES)
    logits = random.normal(0, 1.5, (PICTURES, CLASSES))
    logits[np.arange(PICTURES), targets] += 2
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return targets, probabilities


def main():
    path = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "tests/golden/tasks/evaluation.json")
    targets, probabilities = answers(20121206)
    order = np.argsort(-probabilities, axis=1)[:, :5]
    matrix = confusion_matrix(targets, order[:, 0], labels=range(CLASSES))
    error = multiclass_calibration_error(torch.from_numpy(probabilities), torch.from_numpy(targets), CLASSES, n_bins=BINS, norm="l1")
    intervals = []
    for hits, trials in [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (42, 100), (840, 2000), (1378, 2000), (20530, 50000)]:
        interval = binomtest(hits, trials).proportion_ci(method="wilson")
        intervals.append({"hits": hits, "trials": trials, "low": interval.low, "high": interval.high})
    tests = []
    for first, second in [(0, 0), (1, 0), (3, 3), (0, 8), (2, 9), (14, 10), (1, 23), (12, 13), (5, 20), (30, 12), (400, 310), (7, 70)]:
        exact = first + second < 25
        result = mcnemar([[0, first], [second, 0]], exact=exact, correction=True)
        tests.append({"first": first, "second": second, "exact": exact, "p_value": float(result.pvalue)})
    golden = {
        "classes": CLASSES,
        "targets": targets.tolist(),
        "answers": order.tolist(),
        "probabilities": [[float(f"{p:.9g}") for p in row[top]] for row, top in zip(probabilities, order)],
        "top1": accuracy_score(targets, order[:, 0]),
        "top5": top_k_accuracy_score(targets, probabilities, k=5, labels=range(CLASSES)),
        "confusion": matrix.tolist(),
        "expected_calibration_error": float(error),
        "intervals": intervals,
        "mcnemar": tests,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
