import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { compressCommand } from '../../src/cli/compress.js';
import { convertCommand } from '../../src/cli/convert.js';
import { splitCommand } from '../../src/cli/split.js';
import { verifyCommand } from '../../src/cli/verify.js';
import { convert, load, ready, WavetableMatrix } from '../../src/index.js';
import { refused, startWavecube, wavecube } from '../support/cli.js';
import { expectSameContents, plainContents, type Saved } from '../support/contents.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { smooth } from '../support/fields.js';
import { random, randomArray } from '../support/numbers.js';

const COMMANDS = {
  convert: convertCommand,
  split: splitCommand,
  compress: compressCommand,
  verify: verifyCommand,
};

describe('commands on files of cubes', function () {
  this.timeout(120_000);
  let folder: string;
  const at = (...names: string[]) => join(folder, ...names);

  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-files-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** Runs it and expects that it went well. */
  async function done(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await wavecube(...args);
    expect(code, stderr).to.equal(0);
    return stdout;
  }

  const holding = async <T>(saved: Promise<Saved>, use: (saved: Saved) => Promise<T>): Promise<T> => {
    const one = await saved;
    try {
      return await use(one);
    } finally {
      one.dispose();
    }
  };

  /** A cube with a codec's node, a dense one, tangents, and a gap. */
  async function rich(): Promise<WavetableMatrix> {
    const made = makeCube({
      dims: [2, 2, 2],
      resolution: [6, 7],
      missingPart: 0.2,
      metadata: { of: 'files' },
    });
    giveTangents(made);
    const [[x, y, z]] = made.cube.positions();
    await made.cube.compressNode(x, y, z, { method: 'quantized', quality: 0.5 });
    return made.cube;
  }

  it('convert brings a cube from format to format, bit for bit', async () => {
    const cube = await rich();
    await cube.save(at('rich.npz'));
    const before = await plainContents(cube.contents());
    cube.dispose();
    const said = await done('convert', at('rich.npz'), at('rich.wvcb'));
    expect(said).to.match(/rich\.wvcb: \d+ nodes, [\d,]+ bytes\n$/);
    await done('convert', at('rich.wvcb'), at('rich.h5'));
    await done('convert', at('rich.h5'), at('back.npz'), '--deflate');
    for (const name of ['rich.wvcb', 'rich.h5', 'back.npz'])
      await holding(load(at(name)), (saved) => expectSameContents(before, saved, name));
    expect((await readdir(folder)).filter((name) => name.includes('.tmp'))).to.deep.equal([]);
  });

  it('convert brings dense cubes to Zarr and back', async () => {
    const { cube } = makeCube({ dims: [2, 2, 2], resolution: [3, 4], metadata: { of: 'zarr' } });
    await cube.save(at('dense.wvcb'));
    const before = await plainContents(cube.contents());
    cube.dispose();
    await done('convert', at('dense.wvcb'), at('dense.zarr'));
    await done('convert', `${at('dense.zarr')}/`, at('dense.h5'));
    await holding(load(at('dense.h5')), async (saved) => {
      expect((await plainContents(saved.contents())).nodes).to.deep.equal(before.nodes);
      expect(saved.metadata).to.deep.equal({ of: 'zarr' });
    });
  });

  it('info tells the same of a cube in whatever file, and of .wvcb without its nodes', async () => {
    const cube = await rich();
    const { nodes, denseBytes } = cube.getMemoryUsage();
    const tangents = [...cube.positions()].filter(([x, y, z]) => cube.getTangents(x, y, z)).length * 3;
    await cube.save(at('told.npz'));
    cube.dispose();
    await convert(at('told.npz'), at('told.wvcb'));
    await convert(at('told.npz'), at('told.h5'));
    await convert(at('told.npz'), at('told'), { format: 'wvcb', shardBytes: 4096 });
    const told = await Promise.all(
      ['told.npz', 'told.wvcb', 'told.h5', 'told'].map(async (name) =>
        JSON.parse(await done('info', at(name), '--json')),
      ),
    );
    for (const { file, ...facts } of told) {
      const { file: _, ...first } = told[0];
      expect(facts).to.deep.equal(first);
      expect(facts).to.deep.include({ grid: [2, 2, 2], node: [6, 7, 2], nodes, tangents, denseBytes });
      expect(facts.metadata).to.deep.equal({ of: 'files' });
      expect(facts.codecs.quantized.nodes).to.equal(1);
      expect(facts.codecs.dense.nodes).to.equal(nodes - 1);
      expect(facts.storedBytes).to.equal(denseBytes - 4 * 84 + facts.codecs.quantized.bytes);
      expect(file.checks.lost).to.deep.equal([]);
    }
    expect(told.map(({ file }) => [file.format, file.checks.nodes])).to.deep.equal([
      ['npz', 'read'],
      ['wvcb', 'not read'],
      ['hdf5', 'read'],
      ['wvcb', 'not read'],
    ]);
    const [, one, , many] = told;
    expect(one.file).to.include({
      version: 1,
      generation: 1,
      sizeBytes: (await readFile(at('told.wvcb'))).length,
    });
    expect(many.file.shards.length).to.be.above(1);
    // Payloads are not looked at.
    const bytes = await readFile(at('told.wvcb'));
    bytes.fill(7, bytes.length - 1000);
    await writeFile(at('told.wvcb'), bytes);
    expect(JSON.parse(await done('info', at('told.wvcb'), '--json'))).to.deep.equal(one);
  });

  it('split and convert are each other’s inverse, and what is lost with a shard is told', async () => {
    const { cube } = makeCube({ dims: [3, 3, 2], resolution: 16 });
    await cube.save(at('whole.wvcb'));
    const before = await plainContents(cube.contents());
    cube.dispose();
    const said = await done('split', at('whole.wvcb'), at('shards'), '--shard-bytes', '8KiB');
    const shards = (await readdir(at('shards'))).filter((name) => name.startsWith('shard-')).sort();
    expect(shards.length).to.be.above(3);
    expect(said).to.match(new RegExp(`18 nodes in ${shards.length} files`));
    await done('convert', `${at('shards')}/`, at('again.wvcb'));
    await holding(load(at('again.wvcb')), (saved) => expectSameContents(before, saved));
    expect(await readFile(at('again.wvcb'))).to.deep.equal(await readFile(at('whole.wvcb')));

    await rm(at('shards', shards[1]));
    const { code, stdout } = await wavecube('verify', at('shards'), '--json');
    expect(code).to.equal(1);
    const [{ nodes, damage }] = JSON.parse(stdout);
    expect(nodes + damage.length).to.equal(18);
    for (const { file } of damage) expect(file).to.include(shards[1]);
    const refused = await wavecube('convert', at('shards'), at('rest.npz'));
    expect([refused.code, existsSync(at('rest.npz'))]).to.deep.equal([1, false]);
    expect(refused.stderr)
      .to.match(/^convert .*\n?wavecube: |^wavecube: /)
      .and.include('recover');
    const rest = await wavecube('convert', at('shards'), at('rest.npz'), '--recover');
    expect(rest.code).to.equal(1);
    expect(rest.stderr.match(/^lost: /gm)).to.have.length(damage.length);
    await holding(load(at('rest.npz')), async (saved) => {
      const { nodes: left } = await plainContents(saved.contents());
      for (const [place, bits] of left) expect(bits).to.equal(before.nodes.get(place));
      expect(left.size).to.equal(nodes);
    });
  });

  it('verify says of each file whether it is whole, and what is damaged', async () => {
    const { cube } = makeCube({ dims: [2, 2, 1], resolution: 8 });
    await cube.save(at('good.wvcb'));
    await cube.save(at('good.npz'));
    cube.dispose();
    const bytes = await readFile(at('good.wvcb'));
    bytes[bytes.length - 20] ^= 1;
    await writeFile(at('bad.wvcb'), bytes);
    const whole = await wavecube('verify', at('good.wvcb'), at('good.npz'));
    expect([whole.code, whole.stdout]).to.deep.equal([
      0,
      [
        `${at('good.wvcb')}: whole: 4 nodes, 2,048 bytes\n`,
        `${at('good.npz')}: whole: 4 nodes, 2,048 bytes\n`,
      ].join(''),
    ]);
    const some = await wavecube('verify', at('bad.wvcb'), at('none.wvcb'), at('good.npz'));
    expect(some.code).to.equal(1);
    const damaged = `damaged: ${at('bad.wvcb')}: node (1, 1, 0) at byte ${(bytes.length - 512).toLocaleString('en')}: `;
    expect(some.stdout).to.include(damaged);
    expect(some.stdout).to.include(`${at('bad.wvcb')}: 1 damaged; whole: 3 nodes, 1,536 bytes\n`);
    expect(some.stdout).to.include(`${at('good.npz')}: whole`);
    expect(some.stderr).to.include(`${at('none.wvcb')}: `);
    const json = JSON.parse((await wavecube('verify', at('bad.wvcb'), '--json')).stdout);
    expect(json).to.have.length(1);
    expect(json[0]).to.include({ file: at('bad.wvcb'), format: 'wvcb', kind: 'cube', nodes: 3, bytes: 1536 });
    expect(json[0].damage[0]).to.include({ x: 1, y: 1, z: 0, offset: bytes.length - 512 });
  });

  it('compress leaves what load, compressAll and save leave, and reports it', async () => {
    const cube = new WavetableMatrix(2, 2, 1, { resolution: 12, channels: 2 });
    cube.setNode(0, 0, 0, smooth([12, 12, 2]).values);
    cube.setNode(0, 1, 0, smooth([12, 12, 2], 0.5).values);
    cube.setNode(1, 0, 0, randomArray(288, random(1)));
    cube.setNode(1, 1, 0, new Float32Array(288).fill(Number.NaN));
    await cube.save(at('dense.npz'));
    const quality = { maxAbs: 1e-4 };
    const reports = await cube.compressAll({ method: 'dct', quality });
    const args = ['--method', 'dct', '--quality', 'maxAbs=1e-4', '--backend', 'cpu'];
    const told = await done('compress', at('dense.npz'), at('small.wvcb'), ...args);
    await holding(load(at('small.wvcb')), (saved) => expectSameContents(cube, saved));
    cube.dispose();
    const dct = reports.filter(({ codec }) => codec === 'dct').length;
    expect(dct).to.be.within(1, 3);
    expect(told).to.match(new RegExp(`^dct +${dct} node`, 'm'));
    expect(told).to.match(/^left as is +\d node.?: not taken$/m);
    const facts = JSON.parse(await done('compress', at('dense.npz'), at('json.wvcb'), ...args, '--json'));
    const storedBytes = reports.reduce((sum, report) => sum + report.storedBytes, 0);
    expect(facts).to.deep.include({
      nodes: 4,
      denseBytes: 4 * 1152,
      storedBytes,
      ratio: (4 * 1152) / storedBytes,
    });
    expect(facts.codecs.dct.nodes).to.equal(dct);
    expect(facts.kept['not taken']).to.equal(1);
    // In the place of what is read, at another quality.
    await copyFile(at('dense.npz'), at('self.npz'));
    await done('compress', at('self.npz'), at('self.npz'), '--method', 'lossless', '--quality', 'lossless');
    await holding(load(at('dense.npz')), async (original) =>
      holding(load(at('self.npz')), async (packed) => {
        expect((packed as WavetableMatrix).getCodec(0, 0, 0)).to.equal('lossless');
        const [a, b] = [original, packed].map((one) => (one as WavetableMatrix).getNode(0, 0, 0));
        expect(await b.data()).to.deep.equal(await a.data());
        a.dispose();
        b.dispose();
      }),
    );
  });

  it('a wrong call exits 2 and says what is wrong; a failure exits 1, and writes nothing', async () => {
    const one = at('one.npz');
    const { cube } = makeCube({ dims: [1, 1, 1] });
    await cube.save(one);
    cube.dispose();
    await mkdir(at('other'));
    await writeFile(at('other', 'text'), 'of something else');
    const names = (await readdir(folder)).sort();
    const out = at('out.wvcb');
    for (const [args, code, says] of [
      [['convert', one], 2, /missing required argument 'out'/],
      [['convert', one, at('out.wav')], 2, /must end with \.npz, \.wvcb, \.h5, \.hdf5, \.zarr/],
      [['convert', one, out, '--deflate'], 2, /--deflate is for \.npz/],
      [['convert', at('none.npz'), out], 1, /none\.npz: there is no such file or folder/],
      [['convert', one, at('no', 'out.wvcb')], 1, /the folder .*no does not exist/],
      [['convert', at('other'), out], 1, /other/],
      [['split', one, at('out')], 2, /required option '--shard-bytes <size>'/],
      [['split', one, at('out'), '--shard-bytes', '64 MB'], 2, /must be a size in whole bytes/],
      [['split', one, at('out'), '--shard-bytes', '64mb'], 2, /must be a size in whole bytes/],
      [['split', one, at('out'), '--shard-bytes', '0.3B'], 2, /must be a size in whole bytes/],
      [['split', one, one, '--shard-bytes', '64MB'], 1, /is a file, and what goes there is a folder/],
      [['split', one, folder, '--shard-bytes', '64MB'], 1, /is a folder of other things/],
      [['compress', one, out, '--quality', '1.5'], 2, /must be a number above 0 and up to 1, or one of/],
      [['compress', one, out, '--quality', 'maxAbs=-1'], 2, /must be a number above 0/],
      [['compress', one, out, '--quality', 'maxabs=1'], 2, /must be a number above 0/],
      [['compress', one, out, '--quality', 'bytes=1.5'], 2, /must be a number above 0/],
      [['compress', one, at('out.zarr')], 2, /\.zarr holds dense nodes only/],
      [['compress', one, out, '--method', 'zip', '--backend', 'cpu'], 1, /method must be one of/],
      [['verify'], 2, /missing required argument 'file'/],
    ] as const) {
      const [name, ...rest] = args;
      const outcome = await refused(COMMANDS[name](), rest);
      expect(outcome.says, args.join(' ')).to.match(says);
      expect(outcome.code, args.join(' ')).to.equal(code);
    }
    expect((await readdir(folder)).sort()).to.deep.equal(names);
  });

  it('Ctrl-C and SIGTERM in the middle leave neither output nor temporary file, and the old one as it was', async function () {
    if (process.platform === 'win32') this.skip();
    const place = at('interrupted');
    const big = at('big.npz');
    const cube = new WavetableMatrix(8, 8, 8, { resolution: [64, 128], channels: 4 });
    const values = randomArray(64 * 128 * 4, random(3));
    for (let i = 0; i < 512; i++) cube.setNode(i >> 6, (i >> 3) & 7, i & 7, values);
    await cube.save(big);
    cube.dispose();
    await mkdir(place);
    for (const [signal, code, name, command] of [
      ['SIGINT', 130, 'out.wvcb', ['convert']],
      ['SIGTERM', 143, 'old.npz', ['convert', '--deflate']],
      ['SIGINT', 130, 'out.zarr', ['convert']],
      ['SIGINT', 130, 'out.h5', ['convert']],
      ['SIGINT', 130, 'old.wvcb', ['compress', '--method', 'dct', '--backend', 'cpu']],
      ['SIGINT', 130, 'shards', ['split', '--shard-bytes', '1MB']],
    ] as const) {
      await writeFile(join(place, 'old.npz'), 'old');
      await writeFile(join(place, 'old.wvcb'), 'old');
      const running = startWavecube(command[0], big, join(place, name), ...command.slice(1));
      // Until something of it is there.
      while (readdirSync(place, { recursive: true }).length <= 2 && running.child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 1));
      running.child.kill(signal);
      expect(await running.ended, `${command[0]} ${name}: ${running.stderr}`).to.equal(code);
      const left = await readdir(place, { recursive: true });
      expect(left.filter((one) => one !== 'shards').sort(), `${command[0]} ${name}`).to.deep.equal([
        'old.npz',
        'old.wvcb',
      ]);
      for (const one of ['old.npz', 'old.wvcb'])
        expect(await readFile(join(place, one), 'utf8')).to.equal('old');
    }
  });
});
