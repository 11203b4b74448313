/** The user's metadata: what JSON holds comes back, and what it does not hold is refused by its name, in every format. */
import { expect } from 'chai';
import { parseJson } from '../../src/grid/files/json.js';
import { ArgumentError, FormatError, OctaveHierarchy, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { loadedFrom } from '../support/contents.js';
import { failure } from '../support/failure.js';

const FORMATS = ['npz', 'wvcb', 'hdf5'];

const circle: Record<string, unknown> = {};
circle.itself = circle;

const REFUSED: [string, unknown, RegExp][] = [
  ['NaN', { a: [0, { b: Number.NaN }] }, /metadata\.a\[1\]\.b must be JSON, which has no NaN/],
  ['∞', { a: Number.NEGATIVE_INFINITY }, /metadata\.a .* no -Infinity/],
  ['undefined', { a: undefined }, /metadata\.a .* no undefined/],
  ['a function', { a() {} }, /metadata\.a .* no function/],
  ['a bigint', { a: 1n }, /metadata\.a .* no bigint/],
  ['a symbol', { a: Symbol('s') }, /metadata\.a .* no symbol/],
  ['a key that is a symbol', { [Symbol('s')]: 1 }, /symbols/],
  ['a Date', { made: new Date(0) }, /metadata\.made .* no Date/],
  ['a Map', { a: new Map() }, /metadata\.a .* no Map/],
  ['a typed array', { a: new Float32Array(2) }, /metadata\.a .* no Float32Array/],
  ['a list with a hole', { a: new Array(1) }, /metadata\.a\[0\] .* no undefined/],
  ['what contains itself', circle, /nest no more than/],
];

eachBackend('metadata of the user in files', () => {
  const make = () => new WavetableMatrix(2, 1, 1, { resolution: 2, channels: 1 });

  for (const [name, metadata, message] of REFUSED) {
    it(`refuse ${name}, by its place`, () =>
      withoutLeaks(async () => {
        const cube = make();
        cube.metadata = metadata as Record<string, unknown>;
        const octaves = new OctaveHierarchy(2, 1, 1, { octaveLevels: [-1, 0], resolution: 2 });
        octaves.getMatrix(0).metadata = metadata as Record<string, unknown>;
        for (const saved of [cube, octaves]) {
          for (const format of FORMATS) {
            const error = await failure(saved.toBytes(format));
            expect(error, format).to.be.an.instanceof(ArgumentError);
            expect(error.message, format).to.match(message);
          }
          saved.dispose();
        }
      }));
  }

  it('keep what JSON holds, strange keys and letters too', () =>
    withoutLeaks(async () => {
      const metadata = JSON.parse(
        '{"__proto__":{"x":1},"ü\\u0000":["日本",null,true,-1.5e-300],"\\ud800":"\\udfff"}',
      );
      for (const format of FORMATS) {
        const cube = make();
        cube.metadata = metadata;
        const back = await loadedFrom(await cube.toBytes(format), format);
        expect(JSON.stringify(back.metadata), format).to.equal(JSON.stringify(metadata));
        cube.dispose();
        back.dispose();
      }
    }));

  it('are those of the moment of the save, whatever becomes of them while nodes are written', () =>
    withoutLeaks(async () => {
      for (const format of FORMATS) {
        const cube = make();
        cube.setNode(0, 0, 0, new Float32Array(4));
        const inner = { name: 'before' };
        cube.metadata = { inner };
        const writing = cube.toBytes(format);
        inner.name = 'after, and much longer';
        const back = await loadedFrom(await writing, format);
        expect(back.metadata, format).to.deep.equal({ inner: { name: 'before' } });
        cube.dispose();
        back.dispose();
      }
    }));
});

describe('JSON of a file', () => {
  it('that nests too deep is refused before anything walks through it', () => {
    const deep = (n: number) => `{"a":${'['.repeat(n)}"]}"${']'.repeat(n)}}`;
    expect(parseJson(deep(400), 'f')).to.be.an('object');
    expect(() => parseJson(deep(50_000), 'f')).to.throw(FormatError, /nests more than 500/);
    expect(() => parseJson(new Uint8Array([0x22, 0xff, 0x22]), 'f', 'is no JSON', 7))
      .to.throw(FormatError, /is no JSON/)
      .with.property('offset', 7);
  });
});
