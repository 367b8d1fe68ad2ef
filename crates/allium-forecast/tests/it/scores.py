"""Known answers for scores.rs, each from its definition. NumPy only."""
import itertools
import numpy as np

levels = np.arange(1, 20) / 20


def crps(quantiles, truth):
    d = truth - np.asarray(quantiles)
    return 2 * np.mean(np.maximum(levels * d, (levels - 1) * d))


known = [crps(levels, 0.5), crps(levels, 1.0), crps(np.full(19, 0.8), 0.3), crps(levels**2, 0.0)]

p = np.array([0.1, 0.4, 0.35, 0.8, 0.4, 0.4])
event = np.array([0, 0, 1, 1, 1, 0])
pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(p[event == 1], p[event == 0])]
known += [np.mean(pairs), np.mean((p - event) ** 2)]

p = np.array([0.05, 0.08, 0.55, 0.52, 0.51, 1.0])
event = np.array([0, 1, 1, 0, 1, 1])
groups = [np.array([0, 1]), np.array([2, 3, 4]), np.array([5])]
known.append(sum(len(g) * abs(p[g].mean() - event[g].mean()) for g in groups) / len(p))

print(", ".join(repr(float(value)) for value in known))
