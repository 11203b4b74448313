/** What a sample of a cube on a web server costs: round trips and bytes. */
import { expect } from 'chai';
import { ready, WavetableMatrix } from '../../src/index.js';
import { expectClose } from '../support/numbers.js';
import { rangeServer } from '../support/rangeserver.js';

const HEADER_BYTES = 256;
const ENTRY_BYTES = 64;
/** Requests that are under way together are one round trip; each answer takes so long that what does not wait for it is there by then. */
const DELAY_MS = 60;

describe('a cube of 10,000 nodes on a web server', () => {
  for (const [what, resolution] of [
    ['small nodes', [4, 4]],
    ['nodes of 16 KiB', [64, 64]],
  ] as const) {
    it(`${what}: opened and sampled once in 3 round trips, header, index, 8 nodes and 64 KiB`, async function () {
      this.timeout(20_000);
      await ready({ backend: 'wasm' });
      const [h, w] = resolution;
      const cube = new WavetableMatrix(25, 20, 20, { resolution: [h, w], channels: 1 });
      cube.setNodes(
        Array.from({ length: 10_000 }, (_, i) => {
          const place = [Math.floor(i / 400), Math.floor(i / 20) % 20, i % 20] as const;
          return [...place, new Float32Array(h * w).fill(Math.sin(i))] as const;
        }),
      );
      const want = await cube.sample(11.4, 7.5, 3.25).data();
      const bytes = await cube.toBytes('wvcb');
      cube.dispose();
      const server = await rangeServer();
      server.files.set('/cube.wvcb', { bytes, etag: '"1"' });
      server.always = { delayMs: DELAY_MS };
      try {
        const remote = await WavetableMatrix.open(`${server.url}/cube.wvcb`);
        const sample = await remote.sampleBatchAsync([[11.4, 7.5, 3.25]]);
        expectClose(await sample.data(), want, 1e-6);
        remote.dispose();
        const read = server.seen.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
        const bound = HEADER_BYTES + 8 + ENTRY_BYTES * 10_000 + 8 * 4 * h * w + 65_536;
        expect(read).to.be.at.most(bound);
        // Head, the rest of the index, and the nodes, whose ranges go out together.
        expect(server.seen.length).to.be.at.most(2 + 4);
        expect(server.rounds).to.be.at.most(3);
      } finally {
        await server.close();
      }
    });
  }
});
