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
      'ChangedError',
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
      'NotResidentError',
      'OctaveHierarchy',
      'PredictiveCodec',
      'QualityNotReachedError',
      'QuantizedCodec',
      'ShapeError',
      'StorageError',
      'WavecubeError',
      'WaveletCodec',
      'WavetableCodec',
      'WavetableMatrix',
      'adaptiveResolution',
      'compact',
      'convert',
      'decodeNpy',
      'encodeNpy',
      'encodePng',
      'gaussians',
      'inspect',
      'inverseWaveletTransform',
      'irfft2',
      'load',
      'meanSquare',
      'memorySource',
      'open',
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
      'verify',
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
      'axisPositions axisVariables backend channels checkAlive clone compressAll compressNode contents decompressAll ' +
        'decompressNode deleteNode depth dispose disposed downscaleNode dtype getCodec getCodecMap getCompressed ' +
        'getCompressionRatio getMemoryUsage getNode getResolution getTangents hasNode height leavePending lost nodeCount nodes ' +
        'normalized options positions prefetch resolution restoreNodes rowOf sample sampleBatch sampleBatchAsync sampleChunks ' +
        'save saveChanges setEach setGlobalResolution setNode setNodes setTangents settle sparse splat storedNodes toBackend ' +
        'toBytes toTensor trainable trainableVariables upscaleNode visualizeSlice watchNode width',
    );
    expect(namesOf(wavecube.MultiResolutionWavetableMatrix)).to.equal(
      'adaptNode getResolutionMap options setNode setNodes',
    );
  });

  it('of a hierarchy are these', () => {
    expect(namesOf(wavecube.OctaveHierarchy)).to.equal(
      'axisVariables backend basis channels clone compressAll contents depth dispose disposed getCompressionRatio getMatrix ' +
        'getMemoryUsage height lost matrices nodePosition normalized octaves prefetch reconstruct resolution sampleAtOctave ' +
        'sampleBatchAtOctave sampleBatchAtOctaveAsync sampleBatchBlended sampleBatchBlendedAsync sampleBatchMultiOctave ' +
        'sampleBlended sampleMultiOctave save setFromField setFromWavetable settle stored toBackend toBytes trainableVariables ' +
        'width',
    );
  });

  it('of wavecube/models are these', () => {
    expect(Object.keys(models).sort().join(' ')).to.equal(
      'OctaveLayer WavetableLayer fitAxes fitCoordinates fitNodes smoothness totalVariation',
    );
  });
});
