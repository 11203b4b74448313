/** Files that can be told apart to the byte. */

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of 64 KB to 3 MB, so that some are written in one go and some in several. */
export function bytesOfVersion(version: number): Uint8Array {
  const length = version % 3 === 0 ? 3_000_000 + version : 65_536 + 1000 * version;
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + 1, 2654435761) ^ (version * 0x9e3779b9);
  return new Uint8Array(words.buffer, 0, length);
}

/** Where its many small writes begin and end. */
export function piecesOfVersion(version: number, length: number): [from: number, to: number][] {
  const random = seeded(version);
  const pieces: [number, number][] = [];
  for (let from = 0; from < length; ) {
    const to = Math.min(length, from + 1 + Math.floor(random() ** 4 * length * 0.3));
    pieces.push([from, to]);
    from = to;
  }
  return pieces;
}
