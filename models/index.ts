/** Layers for tf.layers and training loops over cubes: `wavecube/models`. */
export type { Samples } from './data.js';
export { type FitAxesOptions, fitAxes } from './fitaxes.js';
export { type FitCoordinatesOptions, type FitCoordinatesResult, fitCoordinates } from './fitcoordinates.js';
export { type FitNodesOptions, fitNodes, type Trainable } from './fitnodes.js';
export type { Progress, TrainingOptions, TrainingResult } from './loop.js';
export { OctaveLayer, type OctaveLayerArgs } from './octavelayer.js';
export { smoothness, totalVariation } from './regularizers.js';
export { WavetableLayer, type WavetableLayerArgs } from './wavetablelayer.js';
