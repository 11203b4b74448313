"""Cubics on uneven positions as SciPy has them: python3 test/golden/axis.py > test/golden/axis.json"""

import json
import sys

import numpy as np
from scipy.interpolate import CubicHermiteSpline

rng = np.random.default_rng(7)
positions = np.cumsum(rng.uniform(0.2, 1.5, 8)) - 2
values = rng.uniform(-1, 1, 8)
tangents = rng.uniform(-1, 1, 8)
inner = np.sort(rng.uniform(positions[1], positions[-2], 12))
whole = np.sort(rng.uniform(positions[0], positions[-1], 12))
# np.gradient has the slope of the parabola through three neighbours.
slopes = np.gradient(values, positions)
json.dump(
    {
        "positions": positions.tolist(),
        "values": values.tolist(),
        "tangents": tangents.tolist(),
        "inner": inner.tolist(),
        "whole": whole.tolist(),
        "catmullRom": CubicHermiteSpline(positions, values, slopes)(inner).tolist(),
        "cardinal075": CubicHermiteSpline(positions, values, 1.5 * slopes)(inner).tolist(),
        "hermite": CubicHermiteSpline(positions, values, tangents)(whole).tolist(),
    },
    sys.stdout,
)
print()
