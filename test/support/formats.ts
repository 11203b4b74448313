/** The formats under test, each on what it can keep. */
import { type FileFormat, formatFor } from '../../src/grid/files/persistence.js';
import '../../src/index.js';
import type { FormatCase } from './formatcases.js';

export interface FormatUnderTest {
  name: string;
  /** The options of save to be tried, beside none. */
  options?: readonly Record<string, unknown>[];
  /** Whether { recover: true } is known to save most nodes from most damage. */
  recovers?: boolean;
  /** Above what its file of the fuzzed cube never is. Default 4096. */
  smallBytes?: number;
  /** By how much fewer flips and splices CI tries, where each takes longer. Default 1. */
  fewer?: number;
  takes?(one: FormatCase): boolean;
}

export const FORMATS: readonly FormatUnderTest[] = [
  { name: 'hdf5', smallBytes: 8192, fewer: 4, recovers: true },
  { name: 'npz', options: [{ deflate: true }], recovers: true },
  { name: 'wvcb', recovers: true },
];

/** A registered format. */
export const formatNamed = (name: string): FileFormat => formatFor('test', name);
