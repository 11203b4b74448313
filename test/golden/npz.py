"""Makes npz.json: a cube as numpy writes one, for `load` to read. python3 test/golden/npz.py"""
import base64, io, json, pathlib
import numpy as np

header = {"format": "wavecube", "version": 1, "width": 2, "height": 1, "depth": 3, "resolution": [2, 2], "channels": 1,
          "dtype": "float32", "sparse": True, "boundary": {"x": "clamp", "y": "wrap", "z": "zero"}, "missing": "zero",
          "trainable": False, "blend": "linear", "periodic": {"h": False, "w": True}, "compression": None,
          "user": {"by": "numpy"}}
nodes = {(0, 0, 0): np.arange(4, dtype="<f4").reshape(2, 2, 1), (1, 0, 2): np.full((2, 2, 1), np.pi, "<f4")}
out = io.BytesIO()
np.savez_compressed(out, metadata=np.frombuffer(json.dumps(header).encode(), np.uint8),
                    **{f"nodes/{x}_{y}_{z}": v for (x, y, z), v in nodes.items()})
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps({"npz": base64.b64encode(out.getvalue()).decode()}) + "\n")
