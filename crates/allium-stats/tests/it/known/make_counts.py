"""Prints the table of tests/it/count.rs: tails of counts by SciPy 1.17.1. Run: python make_counts.py"""

from scipy import special, stats

for n, mean, dispersion in [(1, 0.5, 1.0), (8, 0.02, 1.3), (20, 3.0, 1.3), (30, 25.0, 2.0), (3, 10.0, 1.0), (150, 30.0, 1.5)]:
    if dispersion == 1.0:
        tail = stats.poisson.logsf(n - 1, mean)
    else:
        tail = stats.nbinom.logsf(n - 1, mean / (dispersion - 1), 1 / dispersion)
    print(f"    ({n}, {mean}, {dispersion}, {tail:.12}),")
print(special.gammaln(0.3), special.gammaln(123.4), special.gammaln(9001) - special.gammaln(121) - special.gammaln(8881))
