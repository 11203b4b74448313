import { expect } from 'chai';
import { FormatError } from '../../src/errors.js';
import { decodeSound } from '../../src/instrument/decode.js';
import { encodeWav } from '../../src/instrument/wav.js';
import { WaveFile } from '../../src/instrument/wavefile.js';

const LEFT = Float64Array.from({ length: 480 }, (_, t) => 0.8 * Math.sin((2 * Math.PI * t) / 48));
const RIGHT = Float64Array.from({ length: 480 }, (_, t) => 0.4 * Math.cos((2 * Math.PI * t) / 32));
const MONO = LEFT.map((sample, t) => (sample + RIGHT[t]) / 2);

/** A stereo file of LEFT and RIGHT; integers of `bits` bits, or floats. */
function stereo(code: string, container = 'RIFF'): WaveFile {
  const bits = Number(code);
  const integer = code !== '32f' && code !== '64';
  const quantise = (sample: number): number =>
    integer ? Math.round(sample * 2 ** (bits - 1)) + (bits === 8 ? 128 : 0) : sample;
  const wav = new WaveFile();
  wav.fromScratch(2, 44100, code, [LEFT.map(quantise), RIGHT.map(quantise)], { container });
  return wav;
}

function expectMono(samples: Float32Array, tolerance: number): void {
  expect(samples.length).to.equal(MONO.length);
  samples.forEach((sample, t) => {
    if (!(Math.abs(sample - MONO[t]) <= tolerance)) expect.fail(`sample ${t}: ${sample}, not ${MONO[t]}`);
  });
}

describe('a WAV file', () => {
  it('is decoded to the mean of its channels within half a step of its bits, from either byte order', async () => {
    for (const [code, step] of [
      ['8', 2 ** -7],
      ['16', 2 ** -15],
      ['24', 2 ** -23],
      ['32', 2 ** -23], // a float32 holds no more
      ['32f', 2 ** -23],
      ['64', 2 ** -23],
    ] as const)
      for (const container of ['RIFF', 'RIFX']) {
        const { samples, sampleRateHz } = await decodeSound(stereo(code, container).toBuffer(), code);
        expect(sampleRateHz).to.equal(44100);
        expectMono(samples, 0.51 * step);
      }
  });

  it('may be extensible: its subformat tells floats from integers', async () => {
    for (const [code, subformat] of [
      ['32f', 3],
      ['16', 1],
    ] as const) {
      const plain = stereo(code).toBuffer();
      // fmt with 24 bytes more: size of the extension, valid bits, channels, GUID.
      const extension = new Uint8Array(24);
      const view = new DataView(extension.buffer);
      view.setUint16(0, 22, true);
      view.setUint16(8, subformat, true);
      const data = new TextDecoder('latin1').decode(plain).indexOf('data');
      const bytes = new Uint8Array([...plain.subarray(0, 36), ...extension, ...plain.subarray(data)]);
      const fields = new DataView(bytes.buffer);
      fields.setUint32(16, 40, true);
      fields.setUint16(20, 0xfffe, true);
      expectMono((await decodeSound(bytes, 'extensible')).samples, code === '16' ? 2 ** -15 : 2 ** -23);
    }
  });

  it('may be A-law, µ-law or IMA ADPCM', async () => {
    const alaw = stereo('16');
    alaw.toALaw();
    expectMono((await decodeSound(alaw.toBuffer(), 'A-law')).samples, 0.03);
    const mulaw = stereo('16');
    mulaw.toMuLaw();
    expectMono((await decodeSound(mulaw.toBuffer(), 'µ-law')).samples, 0.03);
    // IMA ADPCM is written in blocks of 505 samples.
    const tone = Float64Array.from({ length: 4 * 505 }, (_, t) => 0.5 * Math.sin((2 * Math.PI * t) / 60));
    const ima = new WaveFile();
    ima.fromScratch(
      1,
      8000,
      '16',
      tone.map((sample) => Math.round(sample * 32767)),
    );
    ima.toIMAADPCM();
    const { samples } = await decodeSound(ima.toBuffer(), 'ADPCM');
    expect(samples.length).to.be.at.least(3 * 505);
    for (let t = 100; t < 3 * 505; t++) expect(samples[t], `${t}`).to.be.closeTo(tone[t], 0.1);
  });

  it('at an odd place of its buffer, with an odd length or cut short gives the whole samples that are there', async () => {
    const whole = encodeWav(new Float32Array([0.5, -0.25, 0.125]), 8000);
    const shifted = new Uint8Array(whole.length + 1);
    shifted.set(whole, 1);
    for (const [bytes, count] of [
      [shifted.subarray(1), 3],
      [whole.subarray(0, whole.length - 2), 2],
      [Buffer.from(shifted.buffer, 1), 3],
    ] as const) {
      const { samples } = await decodeSound(bytes, 'short');
      expect(samples.length).to.equal(count);
      expect(samples[0]).to.be.closeTo(0.5, 1e-6);
      expect(samples[1]).to.be.closeTo(-0.25, 1e-6);
    }
  });

  it('that is none, or holds nothing, is refused by name', async () => {
    const none = encodeWav(new Float32Array(0), 8000);
    const strange = stereo('16').toBuffer();
    strange[20] = 85; // MP3 in a WAV
    for (const [bytes, says] of [
      [new Uint8Array(0), /^a\.wav: is empty$/],
      [new TextEncoder().encode('hello'), /neither Ogg Vorbis nor WAV \(magic "hell"\)/],
      [new TextEncoder().encode('RIFF and no more'), /^a\.wav: is not a WAV file that can be read/],
      [none, /^a\.wav: is a WAV file without samples$/],
      [strange, /format 85 of 16 bits/],
    ] as const) {
      const error = await decodeSound(bytes, 'a.wav').catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(FormatError);
      expect((error as Error).message).to.match(says);
    }
  });
});
