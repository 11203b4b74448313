/** What one place (Node, a page, the package checks) gave: its passes, failures and skips, printed as they come. */
import { seconds } from './command.mjs';

export const BACKENDS = ['cpu', 'wasm', 'webgpu'];
const SHOWN_IN_FULL = 20;

export class Results {
  passed = [];
  failed = [];
  skipped = [];
  ended = false;
  events = 0;
  current = 'loading the tests';
  #suite = { tests: 0, failed: 0, started: Date.now() };

  constructor(where) {
    this.where = where;
  }

  /** Takes one event of test/support/report.mjs. */
  take({ kind, title, error }) {
    this.events++;
    if (kind === 'start') this.current = title;
    if (kind === 'passed') this.pass(title);
    if (kind === 'skipped') this.skipped.push({ where: this.where, title });
    if (kind === 'failed') this.fail(title, error);
    if (kind === 'passed' || kind === 'failed') this.#suite.tests++;
    if (kind === 'failed') this.#suite.failed++;
    if (kind === 'suite') this.#closeSuite(title);
    if (kind === 'end') this.ended = true;
  }

  pass(title) {
    this.passed.push({ where: this.where, title });
  }

  fail(title, error) {
    this.failed.push({ where: this.where, title, error });
    // One cause can fail hundreds of tests: the first ones tell it, the summary names all.
    if (this.failed.length <= SHOWN_IN_FULL) console.log(`  ✗ ${title}\n${indent(error, 6)}`);
    if (this.failed.length === SHOWN_IN_FULL) console.log('  … further failures are named in the summary');
  }

  /** Runs one check that stands for itself; it fails by throwing. */
  async check(title, body) {
    const started = Date.now();
    try {
      const note = await body();
      this.pass(title);
      console.log(`  ✓ ${title}${note ? `: ${note}` : ''} (${seconds(started)})`);
      return true;
    } catch (error) {
      this.fail(title, error.message);
      return false;
    }
  }

  /** A backend counts as run if a test under a suite that ends in its name passed: `sample [wasm]`, `wasm`. */
  checkBackends(names = BACKENDS) {
    for (const name of names) {
      const suite = new RegExp(`(^|[^\\w-])${name}[)\\]]?( ›|$)`);
      if (this.passed.some(({ title }) => suite.test(title))) this.pass(`${name} ran`);
      else
        this.fail(
          `${name} ran`,
          `no test passed on ${name} in ${this.where}; the suite must run on ${BACKENDS.join(', ')}`,
        );
    }
  }

  #closeSuite(title) {
    const { tests, failed, started } = this.#suite;
    if (tests > 0) console.log(`  ${failed ? '✗' : '✓'} ${title}: ${tests} tests (${seconds(started)})`);
    this.#suite = { tests: 0, failed: 0, started: Date.now() };
  }
}

export function indent(text, width) {
  return String(text).trim().replace(/^/gm, ' '.repeat(width));
}
