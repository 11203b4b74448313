/** Options of saving, loading and converting: none is passed over in silence, and each that is promised gets where it is for. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  ArgumentError,
  convert,
  FormatError,
  inspect,
  load,
  OctaveHierarchy,
  open,
  ready,
  verify,
  WavetableMatrix,
} from '../../src/node.js';
import { failure } from '../support/failure.js';
import { handmadeZip, metadataEntry } from '../support/zips.js';

describe('options of files', () => {
  let folder: string;
  let cube: WavetableMatrix;
  const at = (name: string) => join(folder, name);

  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-options-'));
    cube = new WavetableMatrix(1, 1, 1, { resolution: 2, channels: 1 });
    await cube.save(at('cube.wvcb'));
  });
  after(async () => {
    cube.dispose();
    await rm(folder, { recursive: true });
  });

  it('that no format has are refused by name, by every format', async () => {
    for (const [name, format] of Object.entries({ npz: 'npz', wvcb: 'wvcb', h5: 'hdf5', zarr: 'zarr' })) {
      const error = await failure(cube.save(at(`misspelt.${name}`), { deflat: true }));
      expect(error, name).to.be.an.instanceof(ArgumentError);
      expect(error.message, name).to.include("'deflat'");
      if (name !== 'wvcb') expect(error.message, name).to.include(format === 'zarr' ? 'compressor' : format);
    }
    const text = await failure(cube.toBytes('npz', { deflate: 'no' }));
    expect(text).to.be.an.instanceof(ArgumentError);
  });

  it('stand where they are looked for: behind the bytes, under the ending’s name, and never nothing', async () => {
    const bytes = await cube.toBytes('h5');
    expect([...bytes]).to.deep.equal([...(await cube.toBytes('hdf5'))]);
    const error = await failure(WavetableMatrix.fromBytes(bytes.subarray(0, 600), { recover: true }));
    expect(error).to.be.an.instanceof(FormatError);
    expect(error.message).to.match(/^bytes: /);
    expect(await failure(cube.save(at('none.wvcb'), null as never))).to.be.an.instanceof(ArgumentError);
    expect((await failure(load(new Blob() as never))).message).to.include('open');
  });

  it('of loading that are misspelt, or of another kind, are refused by name', async () => {
    const path = at('cube.wvcb');
    const bytes = await cube.toBytes();
    const wrong = { recovr: true } as object;
    const calls: [string, (options: object) => Promise<unknown>][] = [
      ['WavetableMatrix.load', (options) => WavetableMatrix.load(path, options)],
      ['OctaveHierarchy.load', (options) => OctaveHierarchy.load(path, options)],
      ['load', (options) => load(path, options)],
      ['fromBytes', (options) => WavetableMatrix.fromBytes(bytes, 'bytes', options)],
      ['open', (options) => open(path, options)],
      ['convert', (options) => convert(path, at('converted.npz'), { ...options })],
    ];
    for (const [name, call] of calls) {
      for (const [options, word] of [
        [wrong, "'recovr'"],
        [{ recover: 'yes' }, 'recover must be true or false'],
        [{ verify: 0 }, 'verify must be true or false'],
      ] as const) {
        const error = await failure(call(options));
        expect(error, name).to.be.an.instanceof(ArgumentError);
        expect(error.message, name).to.include(word);
      }
    }
    for (const call of [inspect, verify]) {
      expect((await failure(call(path, wrong))).message).to.include("'recovr'");
    }
  });

  it('maxBytes goes to the reader of what is converted', async () => {
    const said = { format: 'wavecube', version: 1, width: 2, height: 1, depth: 1, user: {}, sparse: false };
    const large = metadataEntry(JSON.stringify({ ...said, resolution: [2048, 2048], channels: 1 }));
    await writeFile(at('large.npz'), handmadeZip([large]));
    expect(await failure(convert(at('large.npz'), at('large.wvcb')))).to.be.an.instanceof(FormatError);
    const { count } = await convert(at('large.npz'), at('large.wvcb'), { maxBytes: 2 ** 25 });
    expect(count).to.equal(0);
  });
});
