"""Wilcoxon's signed-rank test, paired by seed, on what coarse_to_fine.cpp wrote.

    venv/bin/python compare_coarse_to_fine.py coarse_to_fine.json
"""

import json
import sys

import numpy as np
from scipy.stats import wilcoxon

results = json.load(open(sys.argv[1]))
print("| function | grid | random | zoom | random beats grid, p | zoom beats random, p |")
print("|---|---|---|---|---|---|")
for name, values in results.items():
    medians = " | ".join(f"{np.median(values[s]):.3g}" for s in ("grid", "random", "zoom"))
    cells = []
    for better, worse in (("random", "grid"), ("zoom", "random")):
        a, b = np.array(values[better]), np.array(values[worse])
        cells.append(f"{np.mean(a < b):.0%} of seeds, {wilcoxon(a, b).pvalue:.1e}")
    print(f"| {name} | {medians} | {' | '.join(cells)} |")
