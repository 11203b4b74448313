import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { wvcb } from '../../src/formats/wvcb.js';
import { contentsBytes } from '../../src/grid/files/saving.js';
import { load, memorySource, OctaveHierarchy } from '../../src/index.js';
import { CUBES, type Expected, expectedOf, SAME_BYTES } from '../golden/wvcb/cubes.js';
import expected from '../golden/wvcb/expected.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose } from '../support/numbers.js';

const pathOf = (name: string) => new URL(`../golden/wvcb/${name}.wvcb`, import.meta.url);

eachBackend('golden .wvcb files', () => {
  for (const name of Object.keys(CUBES)) {
    it(`${name}.wvcb is what it was made of`, () =>
      withoutLeaks(async () => {
        const made = await load(pathOf(name).href);
        const cubes =
          made instanceof OctaveHierarchy ? Object.entries(made.matrices) : [['cube', made] as const];
        const wanted: Record<string, Expected> = (expected as never)[name];
        expect(cubes.map(([key]) => key).sort()).to.deep.equal(Object.keys(wanted).sort());
        for (const [key, cube] of cubes) {
          const { nodes, ...found } = await expectedOf(cube);
          const { nodes: values, ...rest } = wanted[key];
          expect(JSON.parse(JSON.stringify(found))).to.deep.equal(rest);
          expect(Object.keys(nodes)).to.deep.equal(Object.keys(values));
          for (const [place, node] of Object.entries(nodes)) {
            expect(node.shape).to.deep.equal(values[place].shape);
            // Dense nodes are exact; decoders round.
            expectClose(node.values, values[place].values, name === 'mixed' ? 1e-5 : 0);
          }
        }
        made.dispose();
      }));
  }
});

eachBackend('bytes of golden .wvcb files', () => {
  for (const name of Object.keys(CUBES)) {
    it(`what ${name}.wvcb holds gives the same bytes again`, async () => {
      const bytes = new Uint8Array(await readFile(pathOf(name)));
      expect(bytes.length).to.be.below(6000);
      const contents = await wvcb.read(memorySource(bytes, name), {});
      expect(await contentsBytes(contents, wvcb, {})).to.deep.equal(bytes);
      if (!SAME_BYTES.includes(name)) return;
      const made = await CUBES[name]();
      expect(await made.toBytes('wvcb'), 'made anew').to.deep.equal(bytes);
      made.dispose();
    });
  }
}, ['cpu']);
