import { expect } from 'chai';
import { ChangedError, FormatError } from '../../../src/errors.js';
import { blobSource } from '../../../src/grid/files/blobsource.js';
import { failure } from '../../support/failure.js';
import fc from '../../support/properties.js';

describe('sources of blobs', () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => (i * i) >>> 3);

  it('read what is in them, and nothing beyond', async () => {
    const source = blobSource(new Blob([bytes.subarray(0, 4000), bytes.subarray(4000)]));
    expect(source.sizeBytes).to.equal(10_000);
    await fc.assert(
      fc.asyncProperty(fc.nat(10_000), fc.nat(10_000), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const read = await source.read(from, to - from);
        expect([...read]).to.deep.equal([...bytes.subarray(from, to)]);
        expect(read.byteOffset % 4).to.equal(0);
      }),
      { numRuns: 30 },
    );
    expect(await failure(source.read(9_999, 2))).to.be.instanceOf(FormatError);
    const reason = new Error('enough');
    expect(await failure(source.read(0, 1, AbortSignal.abort(reason)))).to.equal(reason);
  });

  it('are called what the file is called', () => {
    expect(blobSource(new File([bytes], 'mine.wvcb')).name).to.equal('mine.wvcb');
    expect(blobSource(new Blob([bytes])).name).to.equal('a blob');
  });

  it('of a file that was changed since it was picked are ChangedErrors', async () => {
    const blob = {
      size: 10,
      slice: (): unknown => ({ arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) }),
    };
    expect(await failure(blobSource(blob as Blob).read(0, 10))).to.be.instanceOf(ChangedError);
    blob.slice = () => new Blob([bytes.subarray(0, 9)]);
    expect(await failure(blobSource(blob as Blob).read(0, 10))).to.be.instanceOf(ChangedError);
  });
});
