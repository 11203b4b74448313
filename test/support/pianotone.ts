/** A tone like a piano string's: stiff, decaying partials, hammer knock, some noise. Seeded. */
export interface ToneOptions {
  stiffness?: number;
  gain?: number;
  seconds?: number;
  sampleRateHz?: number;
  seed?: number;
}

/** @param frequencyHz of the first partial. */
export function pianoTone(frequencyHz: number, options: ToneOptions = {}): Float32Array {
  const { stiffness = 2e-4, gain = 0.3, seconds = 1, sampleRateHz = 48000, seed = 1 } = options;
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const samples = new Float32Array(Math.round(seconds * sampleRateHz));
  const f0 = frequencyHz / Math.sqrt(1 + stiffness);
  for (let n = 1; n <= 60; n++) {
    const partialHz = n * f0 * Math.sqrt(1 + stiffness * n * n);
    if (partialHz > 0.42 * sampleRateHz) break;
    // The hammer strikes an eighth along the string; the soundboard hardly gives off the lowest bass partials.
    const strike = n % 8 === 0 ? 0.05 : 1;
    const board = partialHz < 60 ? 0.1 : 1;
    const level = (gain * strike * board * Math.exp((-n * frequencyHz) / 3000)) / Math.sqrt(n);
    const decay = 0.8 + frequencyHz / 500 + 0.2 * n;
    const phaseRad = 2 * Math.PI * random();
    const turn = (2 * Math.PI * partialHz) / sampleRateHz;
    // A damped rotation instead of a sine and an exponential for each sample.
    const damp = Math.exp(-decay / sampleRateHz);
    const [cos, sin] = [damp * Math.cos(turn), damp * Math.sin(turn)];
    let x = level * Math.cos(phaseRad);
    let y = level * Math.sin(phaseRad);
    for (let t = 0; t < samples.length; t++) {
      samples[t] += y;
      [x, y] = [x * cos - y * sin, x * sin + y * cos];
    }
  }
  for (let t = 0; t < samples.length; t++)
    samples[t] += gain * random() * (0.01 + Math.exp((-60 * t) / sampleRateHz));
  return samples;
}
