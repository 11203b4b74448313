"""NumPy, PyTorch and JAX on one case, from coordinates to result: `peers.py FOLDER [THREADS]`.

Reads what cases.mjs wrote and prints JSON lines as contenders/entry.mjs says. A library that is not installed says so.
"""
import json
import sys
import time
from pathlib import Path

import numpy as np

FOLDER = Path(sys.argv[1])
THREADS = int(sys.argv[2]) if len(sys.argv) > 2 else 2
CASE = json.loads((FOLDER / 'case.json').read_text())
DIMS, F, N = CASE['dims'], CASE['payload'], CASE['samples']
NODES = np.fromfile(FOLDER / 'nodes.f32', np.float32).reshape(-1, F)
COORDS = np.fromfile(FOLDER / 'coords.f32', np.float32).reshape(-1, 3)
PICKS = [[k >> 2, (k >> 1) & 1, k & 1] for k in range(8)]
TRAIN = 'train' in CASE['passes']


def timed(run, calls=1):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) * 1e3 / calls


def measure(run):
    """timing.mjs's rule."""
    first = timed(run)
    if first > 20_000:
        return [first]
    if first > 1_500:
        return [timed(run) for _ in range(1 if first > 5_000 else 3)]
    calls, spent, last = 1, first, first
    while calls < 3 or spent < 500:
        last = timed(run)
        calls, spent = calls + 1, spent + last
    together = max(1, int(np.ceil(5 / last)))
    return [timed(run, together) for _ in range(7)]


def worst(pairs):
    got, want = np.array(pairs, np.float64).T
    error = float(np.abs(got - want).max() / np.abs(want).max())
    return error if np.isfinite(error) else None


def report(peer, name, run, check):
    try:
        error = check(*run())
        row = {'error': error, 'times': measure(run)}
    except (RuntimeError, MemoryError, ValueError, TypeError) as reason:
        row = {'skipped': str(reason).splitlines()[0][:120]}
    print(json.dumps({'peer': peer, 'pass': name, **row}), flush=True)


def forward(peer, run):
    def check(out):
        out = np.asarray(out)
        assert out.shape == (N, F), out.shape
        return worst([(out[i, f], want) for i, f, want in CASE['points']])

    report(peer, 'forward', lambda: (run(),), check)


def train(peer, run):
    """run() -> node gradient [cells, F], coordinate gradient [N, 3]; <node gradient, nodes> = 2 * loss."""

    def check(nodes, coords):
        nodes, coords = np.asarray(nodes), np.asarray(coords)
        energy = float(np.sum(nodes * NODES, dtype=np.float64))
        pairs = [(coords[i, j], g[j]) for i, *g in CASE['slopes'] for j in range(3)]
        return max(worst([(energy, 2 * CASE['loss'])]), worst(pairs))

    if TRAIN:
        report(peer, 'train', run, check)


def with_numpy():
    top = np.array(DIMS) - 2

    def sample():
        base = np.minimum(np.floor(COORDS).astype(np.int64), top)
        upper = (COORDS - base).astype(np.float32)
        out = np.zeros((N, F), np.float32)
        for pick in PICKS:
            x, y, z = (base + pick).T
            weight = np.where(pick, upper, 1 - upper).prod(1)
            out += NODES[(x * DIMS[1] + y) * DIMS[2] + z] * weight[:, None]
        return out

    forward('numpy', sample)


def with_torch():
    import torch

    torch.set_num_threads(THREADS)

    class MeanSquare(torch.autograd.Function):
        """mean(x**2) in one pass each way, as Wavecube's meanSquare."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            flat = x.reshape(-1)
            return torch.dot(flat, flat) / flat.numel()

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return x * (dy * (2 / x.numel()))

    nodes, coords = torch.from_numpy(NODES), torch.from_numpy(COORDS)
    top, picks = torch.tensor(DIMS) - 2, torch.tensor(PICKS)
    scale = 2 / (torch.tensor(DIMS) - 1)

    def bag(nodes, coords):
        base = torch.minimum(coords.detach().floor().long(), top)
        upper = (coords - base)[:, None]
        at = base[:, None] + picks
        weight = torch.where(picks[None] == 1, upper, 1 - upper).prod(-1)
        cell = (at[..., 0] * DIMS[1] + at[..., 1]) * DIMS[2] + at[..., 2]
        return torch.nn.functional.embedding_bag(cell, nodes, per_sample_weights=weight, mode='sum')

    def grid_sample(volume, coords):
        place = (coords * scale - 1).flip(-1).reshape(1, N, 1, 1, 3)
        return torch.nn.functional.grid_sample(volume, place, align_corners=True)

    def gradients(sample, nodes):
        nodes, at = nodes.clone().requires_grad_(True), coords.clone().requires_grad_(True)

        def run():
            nodes.grad = at.grad = None
            MeanSquare.apply(sample(nodes, at)).backward()
            return nodes.grad, at.grad

        return run

    volume = nodes.reshape(*DIMS, F).permute(3, 0, 1, 2).contiguous()[None]
    forward('torch embedding_bag', lambda: bag(nodes, coords))
    train('torch embedding_bag', gradients(bag, nodes))

    # Its layout is [1, F, X, Y, Z]; the checks see it through views, which cost nothing.
    forward('torch grid_sample', lambda: grid_sample(volume, coords)[0, :, :, 0, 0].T)
    step = gradients(grid_sample, volume)

    def step_rows():
        nodes, at = step()
        return nodes[0].flatten(1).T, at

    train('torch grid_sample', step_rows)


def with_jax():
    import jax
    import jax.numpy as jnp

    nodes, coords = jnp.asarray(NODES), jnp.asarray(COORDS)
    top = jnp.asarray(DIMS) - 2

    def gather(nodes, coords):
        base = jnp.minimum(jnp.floor(coords).astype(jnp.int32), top)
        upper = coords - base
        out = 0
        for pick in PICKS:
            x, y, z = (base + jnp.array(pick)).T
            weight = jnp.prod(jnp.where(jnp.array(pick) == 1, upper, 1 - upper), axis=1)
            out = out + nodes[(x * DIMS[1] + y) * DIMS[2] + z] * weight[:, None]
        return out

    sample = jax.jit(gather)
    step = jax.jit(jax.grad(lambda g, c: jnp.mean(gather(g, c) ** 2), argnums=(0, 1)))
    forward('jax jit', lambda: sample(nodes, coords).block_until_ready())
    train('jax jit', lambda: jax.block_until_ready(step(nodes, coords)))


for use in (with_numpy, with_torch, with_jax):
    try:
        use()
    except ImportError as missing:
        print(json.dumps({'peer': use.__name__[5:], 'skipped': f'not installed ({missing.name})'}), flush=True)
