import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { decodeSound } from '../../src/instrument/decode.js';
import { encodeWav } from '../../src/instrument/wav.js';
import { pianoTone } from '../support/pianotone.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function wavecube(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx/esm', 'src/cli/main.ts', ...args],
      { cwd: root },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
      },
    );
  });
}

describe('the wavecube command', function () {
  this.timeout(60_000);
  let folder: string;
  let cube: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wavecube-cli-'));
    cube = join(folder, 'cube.npz');
    for (const [name, frequencyHz, gain] of [
      ['lowv1.wav', 220, 0.1],
      ['lowv2.wav', 220, 0.4],
      ['highv1.wav', 330, 0.1],
    ] as const)
      await writeFile(join(folder, name), encodeWav(pianoTone(frequencyHz, { gain, seconds: 1.2 }), 48000));
    await writeFile(join(folder, 'broken.wav'), 'RIFF and nothing more');
    const built = await wavecube(
      'build',
      folder,
      '-o',
      cube,
      '--size',
      '256',
      '--times',
      '3',
      '--backend',
      'cpu',
    );
    expect(built.code, built.stderr).to.equal(0);
    expect(built.stderr).to.match(/left out: .*broken\.wav: is not a WAV file/);
    expect(built.stdout).to.match(/2 velocities × 2 pitches \(A3 … E4\) × 3 times/);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it('build leaves nothing but the cube behind, and info tells its axes', async () => {
    expect((await readdir(folder)).filter((name) => !name.endsWith('.wav'))).to.deep.equal(['cube.npz']);
    const { code, stdout } = await wavecube('info', cube, '--json', '--backend', 'cpu');
    expect(code).to.equal(0);
    const facts = JSON.parse(stdout);
    expect(facts).to.deep.include({ grid: [2, 2, 3], node: [1, 256, 1], nodes: 9 });
    const { velocities, frequenciesHz, sampleRateHz } = facts.metadata.instrument;
    expect(velocities).to.deep.equal([1, 2]);
    expect(sampleRateHz).to.equal(48000);
    expect(frequenciesHz[0]).to.be.closeTo(220, 1);
    expect(frequenciesHz[1]).to.be.closeTo(330, 1);
    const table = await wavecube('info', cube, '--backend', 'cpu');
    expect(table.stdout).to.match(/nodes +9 of 12/);
  });

  it('sample writes a note, a picture and an array', async () => {
    const [wav, png, npy] = ['note.wav', 'cycle.png', 'cycle.npy'].map((name) => join(folder, 'out', name));
    await mkdir(join(folder, 'out'));
    const outcomes = await Promise.all([
      wavecube('sample', cube, '0.5', '0', '0', '-o', wav, '--duration', '0.5', '--backend', 'cpu'),
      wavecube('sample', cube, '0.5', '0.5', '1', '-o', png, '--backend', 'cpu'),
      wavecube('sample', cube, '1', '0', '1', '-o', npy, '--backend', 'cpu'),
    ]);
    for (const { code, stderr } of outcomes) expect(code, stderr).to.equal(0);
    const { samples, sampleRateHz } = await decodeSound(await readFile(wav), wav);
    expect(sampleRateHz).to.equal(48000);
    expect(samples.length).to.be.closeTo(24000, 300);
    expect(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).to.be.within(0.02, 1);
    expect([...(await readFile(png)).subarray(1, 4)]).to.deep.equal([...Buffer.from('PNG')]);
    const array = await readFile(npy);
    expect(array.toString('latin1', 0, 128)).to.include("'shape': (1, 256, 1)");
    expect(array.length).to.equal(128 + 256 * 4);
  });

  it('a wrong call exits 2 and says what is wrong', async () => {
    for (const [args, says] of [
      [['sample', cube, '0', 'zero', '0', '-o', 'x.wav'], /'zero'.*must be a number/],
      [['sample', cube, '0', '0', '0', '-o', 'x.mp3'], /must end with \.wav, \.png, \.npy/],
      [['build', folder], /required option.*--output/],
      [['info', cube, '--backend', 'abacus'], /abacus/],
      [['dance'], /unknown command 'dance'/],
      [[], /Usage: wavecube/],
    ] as const) {
      const { code, stderr } = await wavecube(...args);
      expect(stderr).to.match(says);
      expect(code, args.join(' ')).to.equal(2);
    }
  });

  it('a failure exits 1 with one line that names the file', async () => {
    const missing = join(folder, 'missing.npz');
    for (const [args, names] of [
      [['info', missing, '--backend', 'cpu'], missing],
      [['info', join(folder, 'lowv1.wav'), '--backend', 'cpu'], 'lowv1.wav'],
      [['build', join(folder, 'nowhere'), '-o', 'x.npz', '--backend', 'cpu'], 'nowhere'],
      [
        ['sample', cube, '0', '0', '0', '-o', join(folder, 'no', 'x.npy'), '--backend', 'cpu'],
        join('no', 'x.npy'),
      ],
    ] as const) {
      const { code, stderr } = await wavecube(...args);
      expect(code, stderr).to.equal(1);
      expect(stderr).to.include(names);
      expect(stderr.trim().split('\n')).to.have.length(1);
    }
  });

  it('--help of each command exits 0 and shows an example', async () => {
    for (const args of [['--help'], ['build', '--help'], ['info', '--help'], ['sample', '--help']]) {
      const { code, stdout } = await wavecube(...args);
      expect(code).to.equal(0);
      expect(stdout).to.match(/Example/);
    }
  });
});
