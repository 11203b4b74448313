"""Makes interpolation.json: cubic methods by SciPy and PyTorch, of seeded nodes at seeded coordinates.

    python3 test/golden/interpolation.py        # needs numpy, scipy and torch

All inputs are float32; SciPy's results are of float64 arithmetic.
"""
import json, pathlib
import numpy as np, torch
from scipy.interpolate import CubicHermiteSpline
from scipy.ndimage import map_coordinates

rng = np.random.default_rng(2024)
floats = lambda a: np.asarray(a, np.float32)
listed = lambda a: [float(f"{v:.9g}") for v in np.ravel(a)]

dims = (5, 6, 4)
nodes = floats(rng.uniform(-1, 1, dims))
coords = floats(rng.uniform(-3, np.array(dims) + 2, (48, 3)))
coords[:8] = np.round(coords[:8])
spline = {
    mode: listed(map_coordinates(nodes.astype(float), coords.T.astype(float), order=3, mode=mode))
    for mode in ("mirror", "grid-wrap")
}

# Inside the image; beyond it PyTorch clips taps, where clamp clips the coordinate.
image = floats(rng.uniform(-1, 1, (6, 7)))
places = floats(rng.uniform(0, 1, (40, 2)) * (np.array(image.shape) - 1))
places[:5] = np.round(places[:5])
scale = torch.tensor([image.shape[1] - 1, image.shape[0] - 1], dtype=torch.float64)
grid = torch.tensor(places[:, ::-1].copy(), dtype=torch.float64) * 2 / scale - 1
bicubic = torch.nn.functional.grid_sample(
    torch.tensor(image, dtype=torch.float64)[None, None], grid[None, None],
    mode="bicubic", padding_mode="border", align_corners=True)

values, tangents = floats(rng.uniform(-1, 1, 7)), floats(rng.uniform(-1, 1, 7))
line = floats(rng.uniform(0, 6, 30))
hermite = CubicHermiteSpline(np.arange(7), values.astype(float), tangents.astype(float))(line.astype(float))

out = {
    "spline": {"dims": dims, "nodes": listed(nodes), "coords": listed(coords), **spline},
    "bicubic": {"dims": image.shape, "nodes": listed(image), "coords": listed(places), "samples": listed(bicubic)},
    "hermite": {"values": listed(values), "tangents": listed(tangents), "coords": listed(line), "samples": listed(hermite)},
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
