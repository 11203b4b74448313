"""Writes fourier.json: NumPy's rfft2 and irfft2 of small seeded arrays, as Wavecube lays a spectrum out. python fourier.py"""

import json
from pathlib import Path

import numpy as np

out = []
for seed, shape in enumerate([(1, 1, 1, 1), (2, 3, 4, 1), (1, 5, 7, 2), (1, 6, 2, 3), (2, 4, 5, 4)]):
    x = np.round(np.random.default_rng(seed).uniform(-1, 1, shape), 3)
    y = np.fft.rfft2(x, axes=(1, 2))
    odd = 0.5 * y + (0.25 + 0.25j)
    back = np.fft.irfft2(odd, s=shape[1:3], axes=(1, 2))
    spectrum = np.concatenate([y.real, y.imag], -1)
    out.append(
        {
            "shape": shape,
            "x": x.ravel().tolist(),
            "spectrum": np.round(spectrum, 7).ravel().tolist(),
            "back": np.round(back, 7).ravel().tolist(),
        }
    )
Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
