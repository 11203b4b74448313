/** WAV files: samples into one, and out of one. `wavefile` knows the chunks; samples are read here, in one loop. */
import { ArgumentError, check, FormatError } from '../errors.js';
import { WaveFile } from './wavefile.js';

const FULL_SCALE = 2 ** 23 - 1;

/**
 * A mono 24-bit PCM WAV. Levels are kept; a sound beyond full scale is turned down as a whole, never clipped.
 * @param samples [N], full scale ±1.
 * @param sampleRateHz rounded to a whole number, as the format asks.
 * @returns the bytes of the file.
 * @throws ArgumentError for samples that are not finite.
 */
export function encodeWav(samples: Float32Array, sampleRateHz: number): Uint8Array {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  check(samples.every(Number.isFinite), () => new ArgumentError('encodeWav: samples must be finite'));
  const scale = FULL_SCALE / Math.max(1, peak);
  const wav = new WaveFile();
  wav.fromScratch(
    1,
    Math.round(sampleRateHz),
    '24',
    Int32Array.from(samples, (sample) => Math.round(sample * scale)),
  );
  return wav.toBuffer();
}

/** What `wavefile`'s types call an object. */
interface Fmt {
  readonly audioFormat: number;
  readonly numChannels: number;
  readonly sampleRate: number;
  readonly blockAlign: number;
  /** Of WAVE_FORMAT_EXTENSIBLE: its first number is the true audioFormat. */
  readonly subformat: readonly number[];
}

const EXTENSIBLE = 0xfffe;
const FLOAT = 3;
/** Compressed formats that `wavefile` turns into 16 bits. */
const EXPAND: Record<number, (wav: WaveFile) => void> = {
  6: (wav) => wav.fromALaw('16'),
  7: (wav) => wav.fromMuLaw('16'),
  17: (wav) => wav.fromIMAADPCM('16'),
};

type Read = (view: DataView, at: number, little: boolean) => number;

/** Samples of 1, 2, 3, 4 bytes, ±1. Fewer bits than a container has lie at its top, so that its own scale holds. */
const INTEGER: Record<number, Read> = {
  1: (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  2: (view, at, little) => view.getInt16(at, little) / 2 ** 15,
  3: (view, at, little) =>
    ((view.getInt8(little ? at + 2 : at) << 16) |
      (view.getUint8(at + 1) << 8) |
      view.getUint8(little ? at : at + 2)) /
    2 ** 23,
  4: (view, at, little) => view.getInt32(at, little) / 2 ** 31,
};
const FLOATING: Record<number, Read> = {
  4: (view, at, little) => view.getFloat32(at, little),
  8: (view, at, little) => view.getFloat64(at, little),
};

/**
 * Decodes PCM of 8 to 32 bits, floats of 32 and 64, A-law, µ-law and IMA ADPCM; a file cut short gives what is there.
 * @returns mono: the mean of the channels, [N], full scale ±1.
 * @throws FormatError if it is no such file, or holds no samples.
 */
export function decodeWav(
  bytes: Uint8Array,
  source: string,
): { sampleRateHz: number; samples: Float32Array } {
  const { wav, fmt } = open(bytes, source);
  const { numChannels, sampleRate } = fmt;
  const format = fmt.audioFormat === EXTENSIBLE ? fmt.subformat[0] : fmt.audioFormat;
  const width = fmt.blockAlign / numChannels;
  const read = (format === FLOAT ? FLOATING : format === 1 ? INTEGER : {})[width];
  check(
    read !== undefined && sampleRate > 0,
    () =>
      new FormatError(
        source,
        `is not a WAV file that can be read: format ${format} of ${8 * width} bits at ${sampleRate} Hz`,
      ),
  );
  const { samples: data, chunkSize } = wav.data as { samples: Uint8Array; chunkSize: number };
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  // An odd chunk is padded, and the pad is no sample.
  const samples = new Float32Array(Math.floor(Math.min(data.length, chunkSize) / fmt.blockAlign));
  check(samples.length > 0, () => new FormatError(source, 'is a WAV file without samples'));
  const little = wav.container !== 'RIFX';
  for (let i = 0, at = 0; i < samples.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < numChannels; channel++, at += width) sum += read(view, at, little);
    samples[i] = sum / numChannels;
  }
  return { sampleRateHz: sampleRate, samples };
}

function open(bytes: Uint8Array, source: string): { wav: WaveFile; fmt: Fmt } {
  try {
    const wav = new WaveFile(bytes);
    EXPAND[(wav.fmt as Fmt).audioFormat]?.(wav);
    return { wav, fmt: wav.fmt as Fmt };
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\.$/, '');
    throw new FormatError(source, `is not a WAV file that can be read: ${reason}`, { cause });
  }
}
