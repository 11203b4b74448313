/** Damaged files of every format. WAVECUBE_LONG=1: 20,000 flips and 2,000 splices a format; test/support/fuzzmain.ts prints totals. */
import { expect } from 'chai';
import { ready } from '../../src/index.js';
import { AllocationError, Allocations } from '../support/allocations.js';
import { withoutLeaks } from '../support/backends.js';
import { FORMATS } from '../support/formats.js';
import { fuzzFormat, LONG, SHORT } from '../support/fuzzing.js';

const isLong = Boolean(process.env.WAVECUBE_LONG);

describe('damaged files', () => {
  before(() => ready({ backend: 'cpu' }));

  for (const { name, options = [], recovers, smallBytes = 4096, fewer = 1 } of FORMATS) {
    const counts = isLong ? LONG : { flips: SHORT.flips / fewer, splices: SHORT.splices / fewer };
    it(`${name}: cut at every byte, ${counts.flips} flips, ${counts.splices} splices: a typed error or the same cube; recovered, its nodes and the names of the others`, async function () {
      this.timeout(isLong ? 3_600_000 : 120_000);
      await withoutLeaks(async () => {
        const { sizes, totals } = await fuzzFormat(name, counts, [{}, ...options]);
        for (const size of sizes) expect(size, 'a small file').to.be.below(smallBytes);
        expect(totals.truncations.files).to.equal(sizes[0]);
        // Nothing of a file can miss at its end, and most damage spares most nodes.
        expect(totals.truncations.equal).to.equal(0);
        if (recovers)
          expect(totals.flips.part + totals.flips.whole, 'recovered').to.be.above(totals.flips.files / 2);
      });
    });
  }

  it('are read under a guard that finds what it must: huge buffers, copies, and errors that were caught', async () => {
    const allocations = new Allocations();
    const refused = async (body: () => unknown) => {
      const error = await allocations.within(1000, async () => body()).catch((e) => e);
      expect(error).to.be.instanceOf(AllocationError);
    };
    try {
      await refused(() => new Uint8Array(1001));
      await refused(() => new Float64Array(126));
      await refused(() => new Float32Array(200).slice(0, 100));
      await refused(() => Uint8Array.from({ length: 1001 }));
      await refused(() => {
        try {
          return new Uint8Array(2 ** 40);
        } catch {
          return null;
        }
      });
      expect(await allocations.within(1000, async () => new Uint8Array(900).length)).to.equal(900);
      expect(allocations.bytes).to.equal(900);
    } finally {
      allocations.stop();
    }
    expect(new Uint8Array(2000).slice().constructor).to.equal(Uint8Array);
  });
});
