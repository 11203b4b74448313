/** Files that earlier versions wrote are read for ever: every version of the npz layout, against what was saved. */
import { expect } from 'chai';
import { OctaveHierarchy, type WavetableMatrix } from '../../src/index.js';
import one from '../golden/npz/v1.json' with { type: 'json' };
import two from '../golden/npz/v2.json' with { type: 'json' };
import three from '../golden/npz/v3.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fromBase64 } from '../support/base64.js';
import { loadedFrom, type Saved } from '../support/contents.js';

interface Golden {
  name: string;
  npz: string;
  size: readonly number[];
  metadata: unknown;
  options?: Readonly<Record<string, unknown>>;
  nodes?: Readonly<Record<string, string>>;
  basis?: string;
  levels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Nodes as test/golden/npz/make.ts writes them. */
async function nodesOf(cube: WavetableMatrix): Promise<Record<string, string>> {
  const hex = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  const nodes: Record<string, string> = {};
  for await (const node of cube.storedNodes()) {
    const place = `${node.x}_${node.y}_${node.z}`;
    if ('compressed' in node) nodes[place] = hex(node.compressed);
    else {
      const { buffer, byteOffset, byteLength } = node.values;
      const name = node.tangent ? `${node.tangent} ${place}` : place;
      nodes[name] = `[${node.shape}] ${hex(new Uint8Array(buffer, byteOffset, byteLength))}`;
    }
  }
  return nodes;
}

async function expectGolden(saved: Saved, golden: Golden): Promise<void> {
  expect([saved.width, saved.height, saved.depth]).to.deep.equal(golden.size);
  expect(saved.metadata).to.deep.equal(golden.metadata);
  if (saved instanceof OctaveHierarchy) {
    expect(saved.basis).to.equal(golden.basis);
    expect(saved.octaves.map(String).sort()).to.deep.equal(Object.keys(golden.levels!).sort());
    for (const octave of saved.octaves) {
      expect(await nodesOf(saved.getMatrix(octave))).to.deep.equal(golden.levels![octave]);
    }
    return;
  }
  // Later versions may know more options.
  for (const [name, value] of Object.entries(golden.options!)) {
    expect((saved.options as Record<string, unknown>)[name], name).to.deep.equal(value);
  }
  expect(await nodesOf(saved as WavetableMatrix)).to.deep.equal(golden.nodes);
}

eachBackend('golden files', () => {
  for (const { version, files } of [one, two, three]) {
    for (const golden of files as readonly Golden[]) {
      for (const options of [{}, { recover: true }, { verify: false }]) {
        it(`npz, version ${version}: ${golden.name}, ${JSON.stringify(options)}`, () =>
          withoutLeaks(async () => {
            const saved = await loadedFrom(fromBase64(golden.npz), 'golden.npz', options);
            await expectGolden(saved, golden);
            saved.dispose();
          }));
      }
    }
  }
});
