/** Arguments that several commands read. */
import { InvalidArgumentError, Option } from 'commander';

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

export const backendOption = (): Option =>
  new Option('--backend <name>', 'what computes').choices(['auto', 'wasm', 'cpu', 'webgpu']).default('auto');
