/** Sound files into samples: Ogg Vorbis and WAV, by what the bytes say, not by the name. */
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { FormatError } from '../errors.js';
import { decodeWav } from './wav.js';

export interface Sound {
  readonly sampleRateHz: number;
  /** [N], mono: the mean of the channels, full scale ±1. */
  readonly samples: Float32Array;
}

/** Decodes one sound file after the other; free it when done. */
export interface SoundDecoder {
  /**
   * @param bytes a whole .ogg (Vorbis) or .wav file: PCM of 8 to 32 bits, floats, A-law, µ-law, IMA ADPCM.
   * @param source names the bytes in errors.
   * @throws FormatError if they are neither Ogg Vorbis nor WAV, or hold no sound. A file cut short gives what is
   * there of it.
   */
  decode(bytes: Uint8Array, source: string): Promise<Sound>;
  /** Frees the Ogg decoder's memory; a later decode opens it again. */
  free(): void;
}

/** A decoder for many files: the Ogg one is a wasm module that is worth keeping. */
export function openDecoder(): SoundDecoder {
  let ogg: OggVorbisDecoder | undefined;
  return {
    async decode(bytes, source) {
      if (bytes.length === 0) throw new FormatError(source, 'is empty');
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

/**
 * Decodes one whole sound file, as SoundDecoder.decode does.
 * @throws FormatError if it is neither Ogg Vorbis nor WAV, or holds no sound.
 */
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

/** The mean of the channels. */
function mix(channels: readonly Float32Array[]): Float32Array {
  if (channels.length === 1) return Float32Array.from(channels[0]);
  const samples = new Float32Array(channels[0].length);
  for (const channel of channels)
    for (let i = 0; i < samples.length; i++) samples[i] += channel[i] / channels.length;
  return samples;
}
