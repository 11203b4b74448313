"""Makes pchip.json: SciPy's PchipInterpolator on the cells that have two neighbours, uniform and not.

    python3 test/golden/pchip.py        # needs scipy and numpy
"""
import json, pathlib
import numpy as np
from scipy.interpolate import PchipInterpolator

rng = np.random.default_rng(11)
cases = []
for name, knots in {
    "uniform": np.arange(12.0),
    "random": np.cumsum(rng.uniform(0.1, 1, 12)),
    "geometric": 1.7 ** np.arange(12),
}.items():
    values = rng.uniform(-1, 1, 12)
    values[4:8] = np.sort(values[4:8])
    values[9] = values[8]
    knots, values = knots.astype(np.float32).astype(float), values.astype(np.float32).astype(float)
    cells = rng.integers(1, 10, 40)
    fractions = rng.integers(0, 65, 40) / 64
    at = knots[cells] + fractions * (knots[cells + 1] - knots[cells])
    pchip = PchipInterpolator(knots, values)
    cases.append({
        "name": name, "knots": knots.tolist(), "values": values.tolist(), "cells": cells.tolist(),
        "fractions": fractions.tolist(), "want": [round(float(v), 9) for v in pchip(at)],
        "slopes": [round(float(v), 8) for v in pchip(at, 1) * (knots[cells + 1] - knots[cells])],
    })
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
