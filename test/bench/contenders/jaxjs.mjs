/** @jax-js/jax in Node: eight gathers, fused by its jit, on the fastest device that it starts. */
import { blockUntilReady, defaultDevice, grad, init, jit, numpy as np } from '@jax-js/jax';
import { measure } from '../timing.mjs';
import { forwardError, readCase, say, trainError } from './entry.mjs';

const peer = '@jax-js/jax';
const test = await readCase();
// Without names it asks for navigator, which Node 20 lacks.
const started = await (typeof navigator === 'undefined' ? init('cpu', 'wasm') : init());
defaultDevice(['webgpu', 'wasm', 'cpu'].find((device) => started.includes(device)));
const { dims, payload, samples, cells } = test;
const array = (values, shape) => np.array(values).reshape(shape);
const nodes = array(test.nodes, [cells, payload]);
const coords = array(test.coords, [samples, 3]);
await blockUntilReady([nodes.ref, coords.ref]);

/** An argument is consumed by its last use; `.ref` keeps it for another. */
function sample(nodes, coords) {
  const axes = dims.map((n, j) => {
    const r = coords.ref.slice([], j);
    const base = np.minimum(np.floor(r.ref), n - 2);
    const upper = r.sub(base.ref);
    const weights = [np.subtract(1, upper.ref), upper];
    const index = base.astype(np.int32);
    return { weights, indices: [index.ref, index.add(1)] };
  });
  coords.dispose();
  let out;
  for (let k = 0; k < 8; k++) {
    const pick = [k >> 2, (k >> 1) & 1, k & 1];
    const [x, y, z] = axes.map((axis, j) => axis.indices[pick[j]].ref);
    const [u, v, w] = axes.map((axis, j) => axis.weights[pick[j]].ref);
    const cell = x.mul(dims[1]).add(y).mul(dims[2]).add(z);
    const term = nodes.ref.slice(cell, []).mul(u.mul(v).mul(w).reshape([samples, 1]));
    out = out ? out.add(term) : term;
  }
  nodes.dispose();
  return out;
}

const forward = jit(sample);
const train = jit(grad((g, c) => np.mean(np.square(sample(g, c))), { argnums: [0, 1] }));

async function attempt(pass, work) {
  try {
    say({ peer, pass, ...(await work()) });
  } catch (error) {
    say({ peer, pass, skipped: String(error.message).split('\n')[0].slice(0, 120) });
  }
}

await attempt('forward', async () => {
  const out = await forward(nodes.ref, coords.ref).data();
  const times = await measure(async () => {
    (await blockUntilReady(forward(nodes.ref, coords.ref))).dispose();
  });
  return { error: forwardError(test, out), times };
});
if (test.passes.includes('train')) {
  await attempt('train', async () => {
    const [g, c] = train(nodes.ref, coords.ref);
    const error = trainError(test, await g.data(), await c.data());
    const times = await measure(async () => {
      for (const x of await blockUntilReady(train(nodes.ref, coords.ref))) x.dispose();
    });
    return { error, times };
  });
}
