import { expect } from 'chai';
import * as models from '../models/index.js';
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
      'METHODS',
      'MissingNodeError',
      'MultiResolutionWavetableMatrix',
      'OctaveHierarchy',
      'PredictiveCodec',
      'QualityNotReachedError',
      'QuantizedCodec',
      'ShapeError',
      'WavecubeError',
      'WaveletCodec',
      'WavetableCodec',
      'WavetableMatrix',
      'adaptiveResolution',
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
      'restoreCube',
      'rfft2',
      'sampleGrid',
      'trilinearInterpolate',
      'trilinearInterpolateGpu',
      'waveletTransform',
      'wavesOf',
    ]);
  });

  const namesOf = (type: { prototype: object }) =>
    Object.getOwnPropertyNames(type.prototype)
      .filter((n) => n !== 'constructor')
      .sort()
      .join(' ');

  it('of a cube are these', () => {
    expect(namesOf(wavecube.WavetableMatrix)).to.equal(
      'axisPositions axisVariables backend channels checkAlive clone compressAll compressNode decompressAll decompressNode deleteNode depth ' +
        'dispose disposed downscaleNode dtype getCodec getCodecMap getCompressed getCompressionRatio getMemoryUsage getNode getResolution ' +
        'getTangents hasNode height leavePending nodeCount nodes normalized options positions resolution restoreNodes rowOf sample sampleBatch ' +
        'sampleChunks save setEach setGlobalResolution setNode setNodes setTangents settle sparse splat storedNodes toBackend toBytes ' +
        'toTensor trainable trainableVariables upscaleNode visualizeSlice watchNode width',
    );
    expect(namesOf(wavecube.MultiResolutionWavetableMatrix)).to.equal(
      'adaptNode getResolutionMap options setNode setNodes',
    );
  });

  it('of a hierarchy are these', () => {
    expect(namesOf(wavecube.OctaveHierarchy)).to.equal(
      'axisVariables backend basis channels clone compressAll depth dispose disposed getCompressionRatio getMatrix getMemoryUsage height ' +
        'matrices nodePosition normalized octaves reconstruct resolution sampleAtOctave sampleBatchAtOctave sampleBatchBlended ' +
        'sampleBatchMultiOctave sampleBlended sampleMultiOctave save setFromField setFromWavetable settle stored toBackend toBytes ' +
        'trainableVariables width',
    );
  });

  it('of wavecube/models are these', () => {
    expect(Object.keys(models).sort().join(' ')).to.equal(
      'OctaveLayer WavetableLayer fitAxes fitCoordinates fitNodes smoothness totalVariation',
    );
  });
});
