/** The bars that the project set itself, beside what was measured. Nothing fails because of time. */
import { median } from './timing.mjs';

/** `ours`: Wavecube's time over the other's is at most `bar`. `theirs`: the other's over Wavecube's is at least `bar`. */
const BARS = [
  { test: 'W1', pass: 'forward', against: 'memory copy', ours: 3.5 },
  { test: 'W1', pass: 'forward', against: 'stock tfjs ops', theirs: 150 },
  { test: 'W1', pass: 'forward', against: 'best peer', ours: 0.9 },
  { test: 'W2', pass: 'forward', against: 'stock tfjs ops', theirs: 100 },
  { test: 'W2', pass: 'forward', against: 'best peer', ours: 0.5 },
  { test: 'W4', pass: 'forward', against: 'stock tfjs ops', theirs: 80 },
  { test: 'W4', pass: 'forward', against: 'best peer', ours: 1 },
  { test: 'W1', pass: 'train', against: 'best peer', ours: 0.8 },
  { test: 'W2', pass: 'train', against: 'best peer', ours: 0.35 },
  { test: 'W4', pass: 'train', against: 'best peer', ours: 0.5 },
  // The cpu backend's own bar: at most ten times wasm's time.
  { test: 'W1', pass: 'train', against: 'wavecube cpu', slower: 10 },
  { test: 'W2', pass: 'train', against: 'wavecube cpu', slower: 10 },
  { test: 'W4', pass: 'train', against: 'wavecube cpu', slower: 10 },
];

/** Agreement below which a contender counts: grid_sample normalises coordinates in float32. */
const AGREES = 1e-4;

export const agrees = (row) => row.error !== null && row.error <= AGREES;
const isPeer = ({ peer }) => !/^(wavecube|memory copy|stock tfjs ops)/.test(peer);

/** The fastest of numpy, PyTorch, JAX and jax-js that agrees. */
export function bestPeer(rows) {
  const timed = rows.filter((row) => isPeer(row) && row.times && agrees(row));
  return timed.sort((a, b) => median(a.times) - median(b.times))[0];
}

export function barRows(results, main) {
  return BARS.filter(({ test }) => results.some((r) => r.test.id === test)).map((bar) => {
    const rows = results.find((r) => r.test.id === bar.test).rows.filter(({ pass }) => pass === bar.pass);
    const ours = rows.find(({ peer }) => peer === main);
    const other =
      bar.against === 'best peer' ? bestPeer(rows) : rows.find(({ peer }) => peer === bar.against);
    const name = `${bar.test} ${passName(bar.pass)}`;
    const against = bar.against === 'best peer' && other ? `best peer (${other.peer})` : bar.against;
    const limit = bar.ours ?? bar.theirs ?? bar.slower;
    const wanted = bar.theirs ? `≥ ${limit}×` : `≤ ${limit}×`;
    const title = bar.ours ? `${name} / ${against}` : `${against} / ${name}`;
    if (!ours?.times || !other?.times) return [title, 'not measured', wanted, '–'];
    const [a, b] = [median(ours.times), median(other.times)];
    const ratio = bar.ours ? a / b : b / a;
    const ok = bar.theirs ? ratio >= limit : ratio <= limit;
    return [title, `${ratio.toPrecision(3)}×`, wanted, ok ? 'ok' : 'missed'];
  });
}

export const passName = (pass) => (pass === 'train' ? 'forward + backward' : pass);
