import { expect } from 'chai';
import { floatToHalf, halfToFloat, packHalves, unpackRow } from '../../src/ops/half.js';

describe('halves', () => {
  it('all 65,536 survive the way to float32 and back', () => {
    for (let h = 0; h < 65536; h++) {
      const f = halfToFloat(h);
      if (Number.isNaN(f)) expect(Number.isNaN(halfToFloat(floatToHalf(f)))).to.equal(true);
      else expect(floatToHalf(f), `half ${h}`).to.equal(h);
    }
  });

  it('a float goes to the nearest half, ties to even', () => {
    for (let h = 0; h < 0x7bff; h++) {
      const [low, high] = [halfToFloat(h), halfToFloat(h + 1)];
      const middle = (low + high) / 2;
      expect(floatToHalf(middle)).to.equal(h % 2 === 0 ? h : h + 1);
      expect(floatToHalf(low + (high - low) * 0.49)).to.equal(h);
      expect(floatToHalf(low + (high - low) * 0.51)).to.equal(h + 1);
    }
    expect(floatToHalf(65519.99)).to.equal(0x7bff);
    expect(floatToHalf(65520)).to.equal(0x7c00);
    expect(floatToHalf(-1e30)).to.equal(0xfc00);
    expect(floatToHalf(-0)).to.equal(0x8000);
    expect(floatToHalf(1e-30)).to.equal(0);
  });

  it('pack two a lane, an odd row’s last one alone', () => {
    const packed = packHalves([1, 2, 3, -1, -2, -3], 3);
    expect(packed.length).to.equal(4);
    const out = new Float32Array(4);
    unpackRow(packed, 1, 3, out, 1);
    expect([...out]).to.deep.equal([0, -1, -2, -3]);
  });
});
