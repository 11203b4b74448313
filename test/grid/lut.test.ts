import { expect } from 'chai';
import { WavetableMatrix } from '../../src/index.js';
import golden from '../golden/lut3d.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fromBase64 } from '../support/base64.js';

/** The formula of test/golden/lut3d.py. */
const lut = (r: number, g: number, b: number) => [
  r * r,
  0.5 * g + 0.5 * Math.sqrt(r * b),
  1 - 0.75 * b * (1 - 0.5 * g),
];

eachBackend('a 33³ colour cube', () => {
  it('applied to an image equals ffmpeg’s lut3d=interp=trilinear within 1/255', () =>
    withoutLeaks(async () => {
      const n = golden.size;
      const cube = new WavetableMatrix(n, n, n, { resolution: 1, channels: 3, sparse: false });
      for (let r = 0; r < n; r++) {
        for (let g = 0; g < n; g++) {
          for (let b = 0; b < n; b++) cube.setNode(r, g, b, lut(r / (n - 1), g / (n - 1), b / (n - 1)));
        }
      }
      const image = fromBase64(golden.image);
      const want = fromBase64(golden.ffmpeg);
      const out = cube.sampleBatch(Float32Array.from(image, (v) => (v / 255) * (n - 1)));
      const got = await out.data();
      let worst = 0;
      for (let i = 0; i < want.length; i++)
        worst = Math.max(worst, Math.abs(Math.round(got[i] * 255) - want[i]));
      expect(worst).to.be.at.most(1);
      out.dispose();
      cube.dispose();
    }));
});
