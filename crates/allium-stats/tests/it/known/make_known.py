"""Writes known.json: samples and what SciPy and NumPy say of them.

Made with Python 3.11.7, NumPy 2.4.6, SciPy 1.17.1. Run from this directory: python make_known.py
"""

import json

import numpy as np
from scipy import stats

LEVELS = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0]


def samples():
    """Names, times and values: plain, tied, with gaps, nearly constant, short and long."""
    random = np.random.default_rng(20260215)
    yield "two points", [0, 1], [0.5, 0.75]
    yield "three points", [0, 1, 5], [1.0, 0.0, 0.25]
    yield "one dip", range(40), [1.0] * 20 + [0.0] + [1.0] * 19
    yield "ties of three values", range(60), random.choice([0.0, 0.5, 1.0], 60)
    yield "mostly up", range(184), np.where(random.random(184) < 0.8, 1.0, random.integers(0, 12, 184) / 12)
    yield "decline", range(184), np.clip(1 - 0.004 * np.arange(184) - 0.1 * random.random(184), 0, 1)
    yield "rise with gaps", np.flatnonzero(random.random(184) < 0.6), None
    yield "noise", range(101), random.normal(10, 3, 101)
    # Sixteenths are exact in few digits, so that reading the file cannot change them.
    yield "large offset", range(50), 1e9 + random.integers(0, 16, 50) / 16


def describe(name, x, y, weights):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    sen = stats.theilslopes(y, x, alpha=0.95)
    return {
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "weights": weights.tolist(),
        "mean": float(np.mean(y)),
        "weighted_mean": float(np.average(y, weights=weights)),
        "variance": float(np.var(y, ddof=1)),
        "levels": LEVELS,
        "quantiles": np.quantile(y, LEVELS, method="linear").tolist(),
        "mad": float(stats.median_abs_deviation(y)),
        "tau": float(stats.kendalltau(x, y).statistic),
        "slope": float(sen.slope),
        "low": float(sen.low_slope),
        "high": float(sen.high_slope),
    }


def main():
    random = np.random.default_rng(1)
    cases = []
    for name, x, y in samples():
        if y is None:
            y = np.clip(0.2 + 0.003 * np.asarray(x) + 0.2 * random.random(len(x)), 0, 1)
        cases.append(describe(name, x, y, random.integers(0, 1000, len(list(x))) + 1))
    with open("known.json", "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
