/** Sound files into samples: Ogg Vorbis and WAV, by what the bytes say, not by the name. */
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { FormatError } from '../errors.js';
import { WaveFile } from './wavefile.js';

export interface Sound {
  readonly sampleRateHz: number;
  /** Mono: the mean of the channels, full scale ±1. */
  readonly samples: Float32Array;
}

/** Decodes one sound file after the other; free it when done. */
export interface SoundDecoder {
  /**
   * @param source names the bytes in errors.
   * @throws FormatError if they are neither Ogg Vorbis nor WAV, or hold no sound. An Ogg file cut short gives what is
   * there of it.
   */
  decode(bytes: Uint8Array, source: string): Promise<Sound>;
  free(): void;
}

/** A decoder for many files: the Ogg one is a wasm module that is worth keeping. */
export function openDecoder(): SoundDecoder {
  let ogg: OggVorbisDecoder | undefined;
  return {
    async decode(bytes, source) {
      const magic = String.fromCharCode(...bytes.subarray(0, 4));
      if (magic === 'RIFF' || magic === 'RIFX' || magic === 'RF64') return decodeWav(bytes, source);
      if (magic !== 'OggS')
        throw new FormatError(source, `is neither Ogg Vorbis nor WAV (magic ${JSON.stringify(magic)})`);
      ogg ??= new OggVorbisDecoder();
      return decodeOgg(ogg, bytes, source);
    },
    free() {
      ogg?.free();
      ogg = undefined;
    },
  };
}

/** One whole sound file, as SoundDecoder.decode. */
export async function decodeSound(bytes: Uint8Array, source: string): Promise<Sound> {
  const decoder = openDecoder();
  try {
    return await decoder.decode(bytes, source);
  } finally {
    decoder.free();
  }
}

async function decodeOgg(decoder: OggVorbisDecoder, bytes: Uint8Array, source: string): Promise<Sound> {
  await decoder.ready;
  const { channelData, sampleRate, errors } = await decoder.decodeFile(bytes);
  await decoder.reset();
  if (errors.length > 0 || channelData.length === 0 || channelData[0].length === 0)
    throw new FormatError(
      source,
      `is not a whole Ogg Vorbis stream: ${errors[0]?.message ?? 'there is no audio in it'}`,
    );
  return { sampleRateHz: sampleRate, samples: mix(channelData) };
}

function decodeWav(bytes: Uint8Array, source: string): Sound {
  try {
    const wav = new WaveFile(bytes);
    wav.toBitDepth('32f');
    const got = wav.getSamples(false, Float32Array) as unknown as Float32Array | Float32Array[];
    const channels = Array.isArray(got) ? got : [got];
    return { sampleRateHz: (wav.fmt as { sampleRate: number }).sampleRate, samples: mix(channels) };
  } catch (cause) {
    throw new FormatError(source, `is not a WAV file that can be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function mix(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 1) return Float32Array.from(channels[0]);
  const samples = new Float32Array(channels[0].length);
  for (const channel of channels)
    for (let i = 0; i < samples.length; i++) samples[i] += channel[i] / channels.length;
  return samples;
}
