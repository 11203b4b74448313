/**
 * fast-check for all property tests: the same cases in every run, so that a run of CI says something of the change and not of its luck.
 * WAVECUBE_LONG=1 draws new ones each time; a failure prints its seed.
 */
import fc from 'fast-check';

const long = Boolean(globalThis.process?.env?.WAVECUBE_LONG);
fc.configureGlobal(long ? {} : { seed: 20261122 });

export default fc;
