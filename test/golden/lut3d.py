"""Makes lut3d.json: an image and what ffmpeg's lut3d (interp=trilinear) makes of it with a 33-node cube.

    python3 test/golden/lut3d.py        # needs ffmpeg and numpy

The cube is the formula below, which test/grid/lut.test.ts repeats.
"""
import base64, json, pathlib, subprocess, tempfile
import numpy as np

SIZE, WIDTH, HEIGHT = 33, 64, 48

def lut(r, g, b):
    return r * r, 0.5 * g + 0.5 * np.sqrt(r * b), 1 - 0.75 * b * (1 - 0.5 * g)

rng = np.random.default_rng(7)
y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
image = np.stack([x * 255 / (WIDTH - 1), y * 255 / (HEIGHT - 1), (x + y) % 32 * 8], -1)
image[HEIGHT // 2:] = rng.integers(0, 256, (HEIGHT - HEIGHT // 2, WIDTH, 3))
image = image.round().astype(np.uint8)

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    v = np.arange(SIZE) / (SIZE - 1)
    b, g, r = np.meshgrid(v, v, v, indexing="ij")  # .cube: red runs fastest
    table = np.stack(lut(r, g, b), -1).reshape(-1, 3)
    lines = [f"LUT_3D_SIZE {SIZE}"] + ["%.7f %.7f %.7f" % tuple(row) for row in table]
    (folder / "a.cube").write_text("\n".join(lines) + "\n")
    frame = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}"]
    out = subprocess.run(
        ["ffmpeg", "-v", "error", *frame, "-i", "-", "-vf", f"lut3d=file={folder / 'a.cube'}:interp=trilinear",
         "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        input=image.tobytes(), stdout=subprocess.PIPE, check=True).stdout

assert len(out) == image.size
golden = {"width": WIDTH, "height": HEIGHT, "size": SIZE,
          "image": base64.b64encode(image.tobytes()).decode(), "ffmpeg": base64.b64encode(out).decode()}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
