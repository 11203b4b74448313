import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { build } from 'esbuild';
import { fileStorage } from '../../src/storage/file.js';
import { bytesOfVersion, seeded } from '../support/versions.js';

const MOMENTS = 100;
const LANES = 4;

describe('a writer that is killed', function () {
  this.timeout(180_000);
  let folder: string;
  let script: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-crash-'));
    script = join(folder, 'writer.mjs');
    // One plain module starts in a tenth of the time that the sources take.
    await build({
      entryPoints: [fileURLToPath(new URL('../support/crashwriter.ts', import.meta.url))],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'silent',
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /**
   * Lets a writer work on a path, and kills it a while after it said so. @returns what it said.
   * @param word 'b' or 'c': the time runs from the first write's begin, or from its commit.
   */
  function kill(path: string, version: number, word: string, afterMs: number): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [script, path, String(version)]);
      let said = '';
      let isTimed = false;
      let errors = '';
      child.stderr.on('data', (data) => {
        errors += data;
      });
      child.stdout.on('data', (data) => {
        said += data;
        if (isTimed || !said.includes(word)) return;
        isTimed = true;
        setTimeout(() => child.kill('SIGKILL'), afterMs);
      });
      child.on('error', reject);
      child.on('close', () => (errors ? reject(new Error(errors)) : resolve(said.trim().split('\n'))));
    });
  }

  it(`at ${MOMENTS} random moments, within commit too, leaves the old file or the new one, whole`, async () => {
    const killedIn: Record<string, number> = { b: 0, c: 0, d: 0 };
    const outcomes = { old: 0, new: 0 };
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        const random = seeded(2026 + lane);
        const own = await mkdtemp(join(folder, 'lane-'));
        const path = join(own, 'cube.wvcb');
        let version = 1;
        await writeFile(path, bytesOfVersion(version));
        for (let i = lane; i < MOMENTS; i += LANES) {
          const word = random() < 0.5 ? 'c' : 'b';
          const said = await kill(path, version, word, random() * (word === 'c' ? 10 : 50));
          const last = said.at(-1)!;
          const begun = Number(last.slice(1));
          killedIn[last[0]]++;
          // Before commit is called it is the old one for certain, after it has come back the new one.
          const possible = last[0] === 'b' ? [begun - 1] : last[0] === 'c' ? [begun - 1, begun] : [begun];
          const bytes = await readFile(path);
          const found = possible.find((v) => Buffer.compare(bytes, bytesOfVersion(v)) === 0);
          expect(found, `moment ${i}, ${last}: the file is neither the old one nor the new one`).to.be.a(
            'number',
          );
          if (last[0] === 'c') outcomes[found === begun ? 'new' : 'old']++;
          version = found!;
        }
        // A writer after them succeeds, and takes away what they left.
        const left = (await readdir(own)).length;
        await writeFile(join(own, 'kept.tmp'), '');
        await fileStorage.write(path, bytesOfVersion(5));
        expect(Buffer.compare(await readFile(path), bytesOfVersion(5))).to.equal(0);
        expect((await readdir(own)).sort(), `after ${left} files`).to.deep.equal(['cube.wvcb', 'kept.tmp']);
      }),
    );
    // Else the moments show less than they are to show.
    expect(killedIn.b, 'killed while writing').to.be.above(10);
    expect(killedIn.c, 'killed within commit').to.be.above(10);
    if (process.env.WAVECUBE_LONG) console.log(killedIn, outcomes);
  });

  it('beside another that writes the same path: the file is wholly one of either, always', async () => {
    const path = join(folder, 'both.wvcb');
    await writeFile(path, bytesOfVersion(1));
    const versions = Array.from({ length: 600 }, (_, i) => i);
    let isOver = false;
    const killing = Promise.all([kill(path, 1, 'd', 700), kill(path, 301, 'd', 900)]).then(() => {
      isOver = true;
    });
    let seen = 0;
    while (!isOver) {
      const bytes = await readFile(path);
      const found = versions.filter((v) => bytes.length === bytesOfVersionLength(v)).map(bytesOfVersion);
      expect(found.some((version) => Buffer.compare(version, bytes) === 0)).to.equal(true);
      seen++;
    }
    await killing;
    expect(seen).to.be.above(3);
  });
});

const lengths = new Map<number, number>();
function bytesOfVersionLength(version: number): number {
  if (!lengths.has(version)) lengths.set(version, bytesOfVersion(version).length);
  return lengths.get(version)!;
}
