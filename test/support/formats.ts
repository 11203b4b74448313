/** The formats under test, each on what it can keep. */
import { type FileFormat, formatFor } from '../../src/grid/persistence.js';
import '../../src/index.js';
import type { FormatCase } from './formatcases.js';

export interface FormatUnderTest {
  name: string;
  /** The options of save to be tried, beside none. */
  options?: readonly Record<string, unknown>[];
  /** Whether { recover: true } is known to save most nodes from most damage. */
  recovers?: boolean;
  takes?(one: FormatCase): boolean;
}

export const FORMATS: readonly FormatUnderTest[] = [{ name: 'npz', options: [{ deflate: true }] }];

/** A registered format. */
export const formatNamed = (name: string): FileFormat => formatFor('test', name);
