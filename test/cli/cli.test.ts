import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  convert,
  decodeNpy,
  MultiResolutionWavetableMatrix,
  OctaveHierarchy,
  ready,
} from '../../src/index.js';
import { decodeSound } from '../../src/instrument/decode.js';
import { encodeWav } from '../../src/instrument/wav.js';
import { wavecube } from '../support/cli.js';
import { pianoTone } from '../support/pianotone.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

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
      [['build'], /missing required argument 'dir'/],
      [['build', folder, '-o', 'a.h5'], /must end with \.npz/],
      [['sample'], /missing required argument 'cube'/],
      [['sample', cube, '0', '0', '0'], /required option.*--output/],
      [['sample', cube, '0', '0', '0', '-o', 'x.wav', '--sample-rate', '100'], /between 4000 and 384000/],
      [
        ['sample', cube, '0', '0', '0', '-o', 'x.wav', '-f', '24000', '--backend', 'cpu'],
        /must be below 24000/,
      ],
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
    await mkdir(join(folder, 'taken.png'));
    const missing = join(folder, 'missing.npz');
    const nowhere = join(folder, 'no', 'x.npz');
    for (const [args, names] of [
      [['build', folder, '-o', nowhere], `${nowhere}: the folder ${join(folder, 'no')} does not exist`],
      [['build', folder, '-o', join(cube, 'x.npz')], `${cube} is not a folder`],
      [['sample', cube, '0', '0', '0', '-o', join(folder, 'taken.png')], 'it is a folder'],
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

  it('build says in plain words what it leaves out, and which notes are off their names', async () => {
    const mixed = join(folder, 'mixed');
    await mkdir(mixed);
    const click = new Float32Array(48000);
    click[4800] = 1;
    for (const [name, bytes] of [
      ['A3.wav', encodeWav(pianoTone(220), 48000)],
      ['C4.wav', encodeWav(pianoTone(277.2), 48000)],
      ['click.wav', encodeWav(click, 48000)],
      ['empty.wav', new Uint8Array(0)],
      ['silent.wav', encodeWav(new Float32Array(48000), 48000)],
    ] as const)
      await writeFile(join(mixed, name), bytes);
    const one = join(folder, 'mixed.npz');
    const built = await wavecube('build', mixed, '-o', one, '--times', '1', '--backend', 'cpu');
    expect(built.code, built.stderr).to.equal(0);
    for (const says of [
      /left out: .*click\.wav: has no pitch: it sounds like noise or a click\n/,
      /left out: .*empty\.wav: is empty\n/,
      /left out: .*silent\.wav: is silent\n/,
      /off its name: .*C4\.wav: sounds at 277\.\d Hz, 10\d cents above C4; kept/,
    ])
      expect(built.stderr).to.match(says);
    expect(built.stderr).not.to.match(/A3\.wav/);
    expect(built.stdout).to.match(/1 velocity × 2 pitches \(A3 … C#4\) × 1 time\n/);
  });

  it('info and sample read hierarchies of octaves, and cubes of mixed resolutions on axes of their own', async () => {
    await ready({ backend: 'cpu' });
    const octaves = new OctaveHierarchy(2, 1, 1, { octaveLevels: [-2, 0], baseResolution: 8, channels: 1 });
    octaves.getMatrix(0).setNode(0, 0, 0, Array(64).fill(3));
    octaves.getMatrix(-2).setNode(0, 0, 0, Array(4).fill(1));
    const mixed = new MultiResolutionWavetableMatrix(2, 1, 1, {
      ...{ resolution: 2, channels: 1, autoCompress: false, axes: { x: { min: 10, max: 20 } } },
    });
    mixed.setNode(0, 0, 0, Array(12).fill(5), { resolution: [3, 4] });
    mixed.setNode(1, 0, 0, Array(4).fill(7));
    const [one, two, npy] = ['octaves.npz', 'mixed.npz', 'out.npy'].map((name) => join(folder, name));
    await writeFile(one, await octaves.toBytes());
    await writeFile(two, await mixed.toBytes());
    octaves.dispose();
    mixed.dispose();
    const told = await wavecube('info', one, '--backend', 'cpu');
    expect(told.stdout).to.match(/octave -2 +2 × 1 × 1 of \[2, 2, 1\] float32, 1 node, 16 bytes/);
    expect((await wavecube('info', two, '--backend', 'cpu')).stdout).to.match(/resolutions +3×4 1, 2×2 1;/);
    const sampleOf = async (...args: string[]) => {
      const { code, stderr } = await wavecube('sample', ...args, '-o', npy, '--backend', 'cpu');
      expect(code, stderr).to.equal(0);
      return (decodeNpy(new Uint8Array(await readFile(npy)), npy).data as Float32Array)[0];
    };
    expect(await sampleOf(one, '0', '0', '0')).to.be.closeTo(3, 1e-5);
    expect(await sampleOf(one, '0', '0', '0', '--octave', '-1')).to.be.closeTo(2, 1e-5);
    expect(await sampleOf(two, '12.5', '0', '0', '--method', 'nearest')).to.be.closeTo(5, 1e-5);
    expect(await sampleOf(two, '15', '0', '0')).to.be.closeTo(6, 1e-5);
    // Of a .wvcb the nodes around the place alone.
    const three = join(folder, 'octaves.wvcb');
    await convert(one, three);
    expect(await sampleOf(three, '0', '0', '0', '--octave', '-1')).to.be.closeTo(2, 1e-5);
  });

  it('sample warns of coordinates outside the grid', async () => {
    const npy = join(folder, 'outside.npy');
    const { code, stderr } = await wavecube('sample', cube, '7', '-1', '0', '-o', npy, '--backend', 'cpu');
    expect(code).to.equal(0);
    expect(stderr).to.match(/x 7 is outside the grid, where x runs from 0 to 1: clamped to 1/);
    expect(stderr).to.match(/y -1 .*: clamped to 0/);
    expect(stderr).not.to.match(/z 0/);
  });

  it('info of a cube that is no instrument tells its boundary, what is missing, and its metadata’s keys', async () => {
    const { ready, WavetableMatrix } = await import('../../src/node.js');
    await ready({ backend: 'cpu' });
    const plain = new WavetableMatrix(2, 1, 1, {
      resolution: 4,
      channels: 1,
      boundary: { x: 'wrap' },
      missing: 'renormalize',
      metadata: { room: { name: 'hall' }, source: 7 },
    });
    plain.setNode(0, 0, 0, new Float32Array(16));
    const path = join(folder, 'plain.npz');
    await plain.save(path);
    plain.dispose();
    const { stdout } = await wavecube('info', path, '--backend', 'cpu');
    expect(stdout).to.match(/node +\[4, 4, 1\] float32\n/);
    expect(stdout).to.match(/boundary +x wrap, y clamp, z clamp\n/);
    expect(stdout).to.match(/missing +renormalize: /);
    expect(stdout).to.match(/metadata +room, source /);
    const { boundary, missing } = JSON.parse(
      (await wavecube('info', path, '--json', '--backend', 'cpu')).stdout,
    );
    expect(boundary).to.deep.equal({ x: 'wrap', y: 'clamp', z: 'clamp' });
    expect(missing).to.equal('renormalize');
  });

  it('--version prints the package’s', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(await wavecube('--version')).to.deep.equal({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('--help of each command exits 0 and shows an example', async () => {
    for (const args of [['--help'], ['build', '--help'], ['serve', '--help'], ['sample', '--help']]) {
      const { code, stdout } = await wavecube(...args);
      expect(code).to.equal(0);
      expect(stdout).to.match(/Example/);
    }
  });
});
