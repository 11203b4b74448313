/** The morphable instrument: recordings in, a cube of aligned cycles, sound out. Runs in Node and in browsers. */
export { type Arrangement, arrangeNotes } from './arrange.js';
export {
  frequencyAt,
  geometricTimes,
  type InstrumentAxes,
  instrumentAxes,
  pitchCoordinate,
  timeAt,
  timeCoordinate,
} from './axes.js';
export { buildInstrument, type Instrument, type InstrumentOptions } from './build.js';
export { alignmentPhases, cutNote } from './cut.js';
export { decodeSound, openDecoder, type Sound, type SoundDecoder } from './decode.js';
export { type FitOptions, type FoundCoordinates, findCoordinates, fineTune, relativeError } from './fit.js';
export { cycleFromHarmonics, type Harmonics, harmonicsOfCycle, resampleCycle } from './fourier.js';
export { type CellLevels, cellLevels } from './level.js';
export { cents, frequencyFromName, nameOfFrequency, velocityFromPath } from './names.js';
export { hearNote, type Note } from './note.js';
export { type Played, type Playing, playCycles } from './oscillator.js';
export { alignCycle, referencePhases } from './phase.js';
export { findPitch, type Pitch, type PitchOptions } from './pitch.js';
export { notePath, type PathPoint, type RenderOptions, renderPath } from './render.js';
export { encodeWav } from './wav.js';
