/** The exports of the two binaries; src/backends/wasm/binary.ts gives their signatures to TypeScript. */
export { addBox } from './addbox';
export { coordGrad } from './coordgrad';
export { gaussians, gaussiansScratch } from './gaussians';
export { gaussiansGrad, gaussiansGradScratch } from './gaussiansgrad';
export { scratchBytes } from './layout';
export { meanSquare, meanSquareGrad } from './meansquare';
export { monotone } from './monotone';
export { monotoneBytes, setMonotoneGrid } from './monotoneblock';
export { monotonePlaceGrad, monotoneSplat } from './monotonegrad';
export { sample } from './sample';
export { separable, separableBytes } from './separable';
export { splat } from './splat';
export { setGrid } from './stencil';
export { tridiagonal } from './tridiagonal';
export { waveletPass } from './wavelet';
export { waves } from './waves';
export { wavesAdjoint } from './wavesadjoint';
