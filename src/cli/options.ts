/** Arguments that several commands read. */
import { InvalidArgumentError, Option } from 'commander';
import type { Quality } from '../codecs/quality.js';

export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = finiteNumber(text);
  if (value <= 0) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

export function count(text: string): number {
  const value = finiteNumber(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number, 1 or more.');
  return value;
}

export function powerOfTwoCount(text: string): number {
  const value = count(text);
  if (value < 16 || 2 ** Math.round(Math.log2(value)) !== value)
    throw new InvalidArgumentError('It must be a power of two, 16 or more.');
  return value;
}

/** From telephone sound to eight times a studio's; a .wav's header holds whole numbers. */
export function sampleRate(text: string): number {
  const value = count(text);
  if (value < 4000 || value > 384000)
    throw new InvalidArgumentError('It must be between 4000 and 384000 Hz.');
  return value;
}

export function portNumber(text: string): number {
  const value = finiteNumber(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  return value;
}

const UNITS: Record<string, number> = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const BINARY_UNITS: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Bytes of 65536, 64MB (10⁶ each) or 1GiB (2³⁰). */
export function byteSize(text: string): number {
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?)([kKMGT]?B|[KMGT]iB)?$/.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? BINARY_UNITS[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new InvalidArgumentError('It must be a size in whole bytes, as 65536, 64MB or 1GiB.');
  return bytes;
}

/** A bound on the error, as the library takes it: 0.95, maxAbs=1e-3, lossless. */
export function qualityBound(text: string): Quality {
  const wrong = new InvalidArgumentError(
    'It must be a number above 0 and up to 1, or one of maxAbs=1e-3, maxRel=1e-2, psnr=40, bytes=4096, lossless.',
  );
  if (text === 'lossless') return { lossless: true };
  const [, name, number] = /^(?:(maxAbs|maxRel|psnr|bytes)=)?(\S+)$/.exec(text) ?? [];
  const value = Number(number ?? Number.NaN);
  if (!Number.isFinite(value) || value <= 0) throw wrong;
  if (name === undefined) {
    if (value > 1) throw wrong;
    return value;
  }
  if (name === 'bytes' && !Number.isInteger(value)) throw wrong;
  return { [name]: value } as Quality;
}

export const backendOption = (): Option =>
  new Option('--backend <name>', 'what computes').choices(['auto', 'wasm', 'cpu', 'webgpu']).default('auto');
