"""The synthetic fields that codecs are measured on: [512, 512, 4] float32, seeded; `photo` is scikit-image's astronaut and
camera, whatever the seed. `python fields.py OUTDIR SEED NAME,NAME` writes one .npy each."""
import os, sys
import numpy as np

H = W = 512
C = 4
y, x = np.meshgrid((np.arange(H) + .5) / H, (np.arange(W) + .5) / W, indexing="ij")


def bump(r, smin, smax):  # a rotated Gaussian of peak 1
    mx, my = r.uniform(.15, .85, 2)
    sx, sy = np.exp(r.uniform(np.log(smin), np.log(smax), 2))
    t = r.uniform(0, np.pi)
    dx, dy = x - mx, y - my
    u = (dx * np.cos(t) + dy * np.sin(t)) / sx
    v = (-dx * np.sin(t) + dy * np.cos(t)) / sy
    return np.exp(-.5 * (u * u + v * v))


def gaussians(n, smin, smax, seed):
    r = np.random.default_rng(seed)
    f = np.zeros((H, W, C))
    for _ in range(n):
        f += bump(r, smin, smax)[..., None] * r.normal(size=C)
    return f


def compact8(seed):  # scalar amplitude and phase: channel c reads A G cos(phase - c pi/2)
    r = np.random.default_rng(seed)
    f = np.zeros((H, W, C))
    for _ in range(8):
        f += (bump(r, .02, .12) * r.uniform(.5, 2))[..., None] * np.cos(r.uniform(0, 2 * np.pi) - np.arange(C) * np.pi / 2)
    return f


def spectrum(beta, seed):  # power ~ k^-beta
    r = np.random.default_rng(seed)
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(H) * H, np.fft.fftfreq(W) * W, indexing="ij"))
    k[0, 0] = 1
    plane = lambda: np.real(np.fft.ifft2(np.fft.fft2(r.normal(size=(H, W))) * k ** (-beta / 2)))
    return np.stack([plane() for _ in range(C)], -1)


def discs(seed):
    r = np.random.default_rng(seed)
    f = np.zeros((H, W, C))
    for _ in range(24):
        m = (x - r.uniform()) ** 2 + (y - r.uniform()) ** 2 < r.uniform(.02, .15) ** 2
        f[m] += r.normal(size=C)
    return f


def waves(n, on_bin, seed):  # on the bins of a Fourier transform, or between them: not periodic in the frame
    r = np.random.default_rng(seed)
    f = np.zeros((H, W, C))
    for _ in range(n):
        kx, ky = r.integers(-40, 41, 2) if on_bin else r.uniform(-40, 40, 2)
        f += np.cos(2 * np.pi * (kx * x + ky * y) + r.uniform(0, 2 * np.pi))[..., None] * r.normal(size=C)
    return f


def noisy(f, part, seed):
    return f + np.random.default_rng(seed).normal(size=f.shape) * part * (f.max() - f.min())


def photo():
    from skimage import data
    return np.concatenate([data.astronaut() / 255., data.camera()[..., None] / 255.], -1)


def fields(seed):
    return {
        "gauss12": lambda: gaussians(12, .02, .12, seed),
        "gauss200": lambda: gaussians(200, .008, .05, seed + 1),
        "smooth_k4": lambda: spectrum(4, seed + 2),
        "rough_k8_3": lambda: spectrum(8 / 3, seed + 3),
        "discs": lambda: discs(seed + 4),
        "waves24": lambda: waves(24, True, seed + 5),
        "photo": photo,
        "gauss8c": lambda: compact8(seed + 7),
        "gauss12n": lambda: noisy(gaussians(12, .02, .12, seed), .01, seed + 8),
        "waves_off": lambda: waves(24, False, seed + 9),
        "noise": lambda: np.random.default_rng(seed + 6).normal(size=(H, W, C)),
    }


if __name__ == "__main__":
    out, seed, names = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
    os.makedirs(out, exist_ok=True)
    for name in names:
        f = np.ascontiguousarray(fields(seed)[name]().astype(np.float32))
        np.save(os.path.join(out, name + ".npy"), f)
