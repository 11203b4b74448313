/** Sound files into samples: Ogg Vorbis and WAV, by what the bytes say, not by the name. */
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import wavefile from 'wavefile';
import { FormatError } from '../errors.js';

export interface Sound {
  readonly sampleRateHz: number;
  /** Mono: the mean of the channels, full scale ±1. */
  readonly samples: Float32Array;
}

/**
 * Decodes a whole sound file.
 * @param source names the bytes in errors.
 * @throws FormatError if they are neither Ogg Vorbis nor WAV, or damaged.
 */
export async function decodeSound(bytes: Uint8Array, source: string): Promise<Sound> {
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic === 'OggS') return decodeOgg(bytes, source);
  if (magic === 'RIFF' || magic === 'RIFX' || magic === 'RF64') return decodeWav(bytes, source);
  throw new FormatError(source, `is neither Ogg Vorbis nor WAV (magic ${JSON.stringify(magic)})`);
}

async function decodeOgg(bytes: Uint8Array, source: string): Promise<Sound> {
  const decoder = new OggVorbisDecoder();
  try {
    await decoder.ready;
    const { channelData, sampleRate, errors } = await decoder.decodeFile(bytes);
    if (errors.length > 0 || channelData.length === 0)
      throw new FormatError(source, `is not a whole Ogg Vorbis stream: ${errors[0]?.message ?? 'no audio in it'}`);
    return { sampleRateHz: sampleRate, samples: mix(channelData) };
  } finally {
    decoder.free();
  }
}

function decodeWav(bytes: Uint8Array, source: string): Sound {
  try {
    const wav = new wavefile.WaveFile(bytes);
    wav.toBitDepth('32f');
    const got = wav.getSamples(false, Float32Array) as unknown as Float32Array | Float32Array[];
    const channels = Array.isArray(got) ? got : [got];
    return { sampleRateHz: (wav.fmt as { sampleRate: number }).sampleRate, samples: mix(channels) };
  } catch (cause) {
    throw new FormatError(source, `is not a WAV file that can be read: ${(cause as Error).message}`, { cause });
  }
}

function mix(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 1) return Float32Array.from(channels[0]);
  const samples = new Float32Array(channels[0].length);
  for (const channel of channels) for (let i = 0; i < samples.length; i++) samples[i] += channel[i] / channels.length;
  return samples;
}
