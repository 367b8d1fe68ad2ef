"""Exact tails of compound Poisson sums on a lattice (Panjer recursion, plain Python 3), for tests/it/compound.rs."""

import math

CASES = [
    ([(3.0, 70), (1.5, 131), (0.4, 293)], [700, 1200, 2000, 4000]),
    ([(20.0, 5), (6.0, 37), (2.0, 163), (1.0, 311), (0.5, 457)], [1500, 2500, 4000]),
    ([(0.05 * k, 11 * k + 3) for k in range(1, 30)], [6000, 8000, 10000]),
]


def ln_tail(jumps, x):
    total = sum(mean for mean, _ in jumps)
    p = [math.exp(-total)] + [0.0] * (x + 20000)
    for s in range(1, len(p)):
        p[s] = sum(mean * size * p[s - size] for mean, size in jumps if size <= s) / s
    return math.log(math.fsum(reversed(p[x:])))


for jumps, amounts in CASES:
    print(jumps, [(x, round(ln_tail(jumps, x), 6)) for x in amounts])
