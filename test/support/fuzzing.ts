/** The damaged files of one format, as CI reads them and in full. */
import { plainContents } from './contents.js';
import { type Damage, flips, fuzz, fuzzCube, splices, type Totals, truncations } from './fuzz.js';

export interface Counts {
  flips: number;
  splices: number;
}

export const SHORT: Counts = { flips: 1000, splices: 120 };
export const LONG: Counts = { flips: 20_000, splices: 2000 };

/**
 * Every truncation of a file, and so many flips and splices, shared among the ways to write it.
 * @param ways options of save; the first is that of the truncations.
 * @returns totals by kind of damage, and the size of the files.
 */
export async function fuzzFormat(
  format: string,
  counts: Counts,
  ways: readonly Record<string, unknown>[] = [{}],
): Promise<{ sizes: number[]; totals: Record<string, Totals> }> {
  const [cube, second] = [await fuzzCube(), await fuzzCube(1)];
  const originals = [await plainContents(cube.contents()), await plainContents(second.contents())];
  const files = await Promise.all(ways.map((how) => cube.toBytes(format, how)));
  const others = await Promise.all(ways.map((how) => second.toBytes(format, how)));
  cube.dispose();
  second.dispose();
  const share = (count: number) => Math.ceil(count / files.length);
  const each = (make: (bytes: Uint8Array, i: number) => Iterable<Damage>) =>
    (function* () {
      for (const [i, bytes] of files.entries()) yield* make(bytes, i);
    })();
  return {
    sizes: files.map(({ length }) => length),
    totals: {
      truncations: await fuzz(format, truncations(files[0]), originals),
      flips: await fuzz(
        format,
        each((bytes, i) => flips(bytes, share(counts.flips), i + 1)),
        originals,
      ),
      splices: await fuzz(
        format,
        each((bytes, i) => splices(bytes, share(counts.splices), others[i], i + 1)),
        originals,
      ),
    },
  };
}
