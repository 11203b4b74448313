"""Peers on one field: `peers.py FIELD.npy PEER TOLERANCE,TOLERANCE`. One JSON line a tolerance: the loosest level whose
verified error keeps the bound; ratio = raw bytes / encoded bytes of all planes, without any header for their shape."""
import json, sys, time
import numpy as np
import imagecodecs as ic

path, peer, tolerances = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
f = np.load(path)
low, rng = float(f.min()), float(f.max()) - float(f.min())
planes = [np.ascontiguousarray(f[..., c]) for c in range(f.shape[-1])]
unit = lambda p: ((p.astype(np.float64) - low) / rng).astype(np.float32)


def quantise(p, e):
    q = np.rint((p.astype(np.float64) - low) / (2 * e)).astype(np.uint16)
    return ic.zstd_encode(np.ascontiguousarray(q.view(np.uint8).reshape(-1, 2).T).tobytes(), level=19)


def dequantise(b, s, e):
    q = np.frombuffer(ic.zstd_decode(b), np.uint8).reshape(2, -1).T.copy().view(np.uint16)
    return (q.reshape(s) * (2 * e) + low).astype(np.float32)


# encode(plane, level), decode(bytes, shape, level), and the levels to search for a bound e
PEERS = {
    "zfp": (lambda p, t: ic.zfp_encode(p, level=t, mode="a"), lambda b, s, t: ic.zfp_decode(b), lambda e: (e / 4, e * 8)),
    "sz3": (lambda p, t: ic.sz3_encode(p, abs=t, mode="abs"), lambda b, s, t: ic.sz3_decode(b, s, np.float32), lambda e: (e / 4, e * 8)),
    "sperr": (lambda p, t: ic.sperr_encode(p, level=t, mode="pwe"), lambda b, s, t: ic.sperr_decode(b), lambda e: (e / 4, e * 8)),
    "quant+zstd19": (quantise, dequantise, lambda e: (e * .9999, e)),
    "jpegxl": (
        lambda p, t: ic.jpegxl_encode(unit(p), distance=t, photometric="gray"),
        lambda b, s, t: ic.jpegxl_decode(b).reshape(s).astype(np.float64) * rng + low,
        lambda e: (1e-3, 25),
    ),
}
encode, decode, levels = PEERS[peer]
steps = 2 if peer == "quant+zstd19" else 9
# quantise + zstd is one stream of all planes, as one would store it
if peer == "quant+zstd19":
    planes = [f]

for tolerance in tolerances:
    e = float(tolerance) * rng
    lo, hi = levels(e)
    best, tried = None, None
    for i in range(steps):
        level = (lo * hi) ** .5
        t0 = time.perf_counter()
        streams = [encode(p, level) for p in planes]
        t1 = time.perf_counter()
        g = [decode(b, p.shape, level) for b, p in zip(streams, planes)]
        t2 = time.perf_counter()
        g = g[0] if len(g) == 1 and planes[0] is f else np.stack(g, -1)
        d = f.astype(np.float64) - g
        error = float(np.abs(d).max())
        tried = min(error, tried) if tried is not None else error
        if error <= e:
            mse = float((d ** 2).mean())
            best = {
                "bytes": sum(map(len, streams)), "maxError": error, "psnr": 10 * np.log10(rng * rng / mse) if mse else None,
                "encodeMs": (t1 - t0) * 1e3, "decodeMs": (t2 - t1) * 1e3,
            }
            lo = level
        else:
            hi = level
    row = {"peer": peer, "pass": tolerance, "tolerance": float(tolerance), "bound": e}
    if best:
        row.update(best, ratio=f.nbytes / best["bytes"])
    else:
        row.update(rejected=True, leastError=tried / rng)
    print(json.dumps(row), flush=True)
