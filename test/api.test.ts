import { expect } from 'chai';
import * as wavecube from '../src/index.js';

/** A change of the public names is a change of the API: meant, and in the CHANGELOG. */
describe('the public names', () => {
  it('are these', () => {
    expect(Object.keys(wavecube).sort()).to.deep.equal([
      'ArgumentError',
      'AutoCodec',
      'BOUNDARIES',
      'CompressedWavetable',
      'CoordinateError',
      'DCTCodec',
      'DeviceError',
      'DisposedError',
      'FFTCodec',
      'FormatError',
      'GaussianMixtureCodec',
      'LosslessCodec',
      'MissingNodeError',
      'PredictiveCodec',
      'QualityNotReachedError',
      'QuantizedCodec',
      'ShapeError',
      'WavecubeError',
      'WaveletCodec',
      'WavetableCodec',
      'WavetableMatrix',
      'decodeNpy',
      'encodeNpy',
      'encodePng',
      'gaussians',
      'inverseWaveletTransform',
      'irfft2',
      'meanSquare',
      'provideCodec',
      'provideFormat',
      'provideStorage',
      'ready',
      'resample',
      'rfft2',
      'trilinearInterpolate',
      'trilinearInterpolateGpu',
      'waveletTransform',
      'wavesOf',
    ]);
  });

  it('of a cube are these', () => {
    const names = Object.getOwnPropertyNames(wavecube.WavetableMatrix.prototype).filter(
      (n) => n !== 'constructor',
    );
    expect(names.sort().join(' ')).to.equal(
      'backend channels clone compressAll compressNode decompressAll decompressNode deleteNode depth dispose disposed downscaleNode dtype ' +
        'getCodec getCodecMap getCompressed getCompressionRatio getMemoryUsage getNode getResolution hasNode height nodeCount nodes normalized options positions resolution restoreNodes rowOf sample sampleBatch ' +
        'sampleChunks save setGlobalResolution setNode setNodes settle sparse splat storedNodes toBackend toBytes toTensor ' +
        'trainable trainableVariables upscaleNode visualizeSlice width',
    );
  });
});
