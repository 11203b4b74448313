/** Public names, nothing else. */
import { installCpu } from './backends/cpu/index.js';
import { ready } from './backends/ready.js';
import { AutoCodec } from './codecs/auto.js';
import { OWN_CODECS } from './codecs/own.js';
import { provideCodec, provideMethod } from './codecs/registry.js';
import { hdf5 } from './formats/hdf5.js';
import { npz } from './formats/npz.js';
import { wvcb } from './formats/wvcb.js';
import { zarr } from './formats/zarr.js';
import { provideCubeMaker, provideFormat, provideStorage } from './grid/files/persistence.js';
import { cubeFrom, openedCubeFrom } from './grid/files/restore.js';
import { provideBackend } from './ops/device.js';
import { downloadStorage, indexedDbStorage } from './storage/browser.js';
import { fileStorage } from './storage/file.js';
import { httpStorage } from './storage/http.js';

export type { ReadyOptions } from './backends/ready.js';
export {
  type DecodeContext,
  type DecodeOptions,
  type EncodeOptions,
  type Form,
  type HostWavetable,
  WavetableCodec,
} from './codecs/codec.js';
export { CompressedWavetable, type Decodable, type FromBytesOptions } from './codecs/compressed.js';
export { DCTCodec, type DCTOptions } from './codecs/dct.js';
export { FFTCodec, type FFTOptions, wavesOf } from './codecs/fft.js';
export {
  GaussianMixtureCodec,
  type GaussianMixtureOptions,
  type GaussianMixtureParams,
} from './codecs/gaussian.js';
export { LosslessCodec } from './codecs/lossless.js';
export type { HostTensor, NodeShape, Parameters } from './codecs/parameters.js';
export { PredictiveCodec } from './codecs/predictive.js';
export type { Achieved, Quality, Target } from './codecs/quality.js';
export { QuantizedCodec, type QuantizedDtype, type QuantizedOptions } from './codecs/quantized.js';
export { type Method, provideCodec } from './codecs/registry.js';
export { WaveletCodec, type WaveletCodecOptions } from './codecs/wavelet.js';
export {
  ArgumentError,
  ChangedError,
  CoordinateError,
  DeviceError,
  DisposedError,
  FormatError,
  MissingNodeError,
  NotResidentError,
  QualityNotReachedError,
  ShapeError,
  StorageError,
  WavecubeError,
} from './errors.js';
export { decodeNpy, encodeNpy, type NpyArray, type NpyDtype } from './formats/npy.js';
export { encodePng } from './formats/png.js';
export type { CompressAllOptions, CompressionOptions, NodeReport } from './grid/compression.js';
export type { Coordinates } from './grid/coordinates.js';
export {
  type AppendableSource,
  type Folder,
  memorySource,
  type Sink,
  type Source,
} from './grid/files/bytestream.js';
export { compact } from './grid/files/compact.js';
export type {
  Contents,
  CubeContents,
  CubeOptions,
  LostNode,
  OctavesContents,
} from './grid/files/contents.js';
export {
  type Converted,
  type ConvertOptions,
  type ConvertProgress,
  convert,
} from './grid/files/converting.js';
export {
  type Inspected,
  type InspectedCube,
  type InspectOptions,
  inspect,
  type NodeCounts,
} from './grid/files/inspecting.js';
export { load, open } from './grid/files/load.js';
export type { NodeSource, StoredEntry } from './grid/files/nodesource.js';
export {
  type FileFormat,
  type Opened,
  provideFormat,
  provideStorage,
  type ReadOptions,
  type SourceOptions,
  type Storage,
} from './grid/files/persistence.js';
export { restoreCube } from './grid/files/restore.js';
export type { StoredNode } from './grid/files/storednodes.js';
export { type Damage, type Verified, type VerifyOptions, verify } from './grid/files/verifying.js';
export type { PrefetchOptions } from './grid/lazy/asyncsampling.js';
export type { PrefetchOctavesOptions } from './grid/lazy/octavesampling.js';
export type { Openable, OpenOptions } from './grid/lazy/open.js';
export { type MemoryUsage, WavetableMatrix } from './grid/matrix.js';
export { type InterpolationMethod, METHODS } from './grid/methods.js';
export {
  type MultiResolutionOptions,
  MultiResolutionWavetableMatrix,
  type SetNodeOptions,
} from './grid/multiresolution.js';
export type { Octaves } from './grid/octaves/blend.js';
export type {
  OctaveBasis,
  OctaveHierarchyOptions,
  OctaveOffset,
  OctaveOptions,
} from './grid/octaves/levels.js';
export type { StoredHierarchy } from './grid/octaves/stored.js';
export { OctaveHierarchy } from './grid/octaves.js';
export type { Blend, MatrixOptions, Missing, MixedOptions, Resolution } from './grid/options.js';
export {
  type AdaptiveOptions,
  type AdaptiveResolution,
  adaptiveResolution,
} from './grid/resolution/adaptive.js';
export { type SampleGridOptions, sampleGrid } from './grid/samplegrid.js';
export type { SampleOptions } from './grid/sampling/sampling.js';
export type { TangentWavetables } from './grid/tangents.js';
export { trilinearInterpolate, trilinearInterpolateGpu } from './grid/trilinear.js';
export type { Colormap, SliceOptions } from './grid/visualize.js';
export type { Wavetable } from './grid/wavetable.js';
export type { AxisOption } from './interpolation/axis.js';
export { BOUNDARIES, type Boundary } from './interpolation/stencil.js';
export { irfft2, rfft2 } from './ops/fourier.js';
export { gaussians } from './ops/gaussians.js';
export { meanSquare } from './ops/meansquare.js';
export { resample } from './ops/resample.js';
export { inverseWaveletTransform, type WaveletOptions, waveletTransform } from './ops/wavelet.js';
export type { WaveletFamily, WaveletMode } from './ops/waveletfilters.js';

export { AutoCodec, ready };

provideBackend('cpu', { install: installCpu });
for (const backend of ['wasm', 'webgpu']) provideBackend(backend, { start: () => ready({ backend }) });
for (const codec of OWN_CODECS) provideCodec(codec);
provideMethod(new AutoCodec());
provideCubeMaker(cubeFrom, openedCubeFrom);
for (const format of [npz, wvcb, hdf5, zarr]) provideFormat(format);
for (const storage of [fileStorage, indexedDbStorage, downloadStorage, httpStorage]) provideStorage(storage);
