"""Makes wavelet.json: PyWavelets' coefficients of one seeded image, in Mallat's layout.

    python3 test/golden/wavelet.py        # needs PyWavelets and numpy

The image is the formula below, which test/ops/wavelet.test.ts repeats.
"""
import json, pathlib
import numpy as np, pywt

H, W, LEVELS = 16, 24, 2
y, x = np.mgrid[0:H, 0:W]
image = ((7 * y * y + 13 * x + 5 * x * y) % 64) / 64

def mallat(wavelet, mode):
    coefficients = pywt.wavedec2(image, wavelet, mode, LEVELS)
    array, _ = pywt.coeffs_to_array(coefficients)
    assert array.shape == (H, W)
    return array

cases = {
    "haar": mallat("haar", "periodization"), "db2": mallat("db2", "periodization"), "db3": mallat("db3", "periodization"),
    "db4": mallat("db4", "periodization"), "cdf53": mallat("bior2.2", "periodization"),
    "cdf97": mallat("bior4.4", "periodization"), "haar symmetric": mallat("haar", "symmetric"),
}
out = {name: [round(float(v), 8) for v in array.ravel()] for name, array in cases.items()}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
