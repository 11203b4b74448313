/** The exports of the two binaries; src/backends/wasm/binary.ts gives their signatures to TypeScript. */
export { coordGrad } from './coordgrad';
export { scratchBytes } from './layout';
export { meanSquare, meanSquareGrad } from './meansquare';
export { sample } from './sample';
export { splat } from './splat';
export { setGrid } from './stencil';
export { waveletPass } from './wavelet';
