import { expect } from 'chai';
import { crc32, crc32c } from '../src/checksum.js';

/** The module anew, as it is where `WebAssembly` is `replaced`. */
async function anew(replaced: unknown, query: string): Promise<typeof import('../src/checksum.js')> {
  const own = globalThis.WebAssembly;
  Object.defineProperty(globalThis, 'WebAssembly', { value: replaced, configurable: true, writable: true });
  try {
    const module: typeof import('../src/checksum.js') = await import(`../src/checksum.js?${query}`);
    module.crc32c(new Uint8Array(5000)); // Compiles, or finds that it cannot.
    return module;
  } finally {
    Object.defineProperty(globalThis, 'WebAssembly', { value: own, configurable: true, writable: true });
  }
}

const bytes = Uint8Array.from({ length: 70_001 }, (_, i) => Math.imul(i, 2654435761) >>> 13);

describe('checksums without WebAssembly', () => {
  it('are the same where it is missing', async () => {
    const without = await anew(undefined, 'missing');
    expect(without.crc32c).not.to.equal(crc32c);
    expect(without.crc32c(bytes, 7)).to.equal(crc32c(bytes, 7));
    expect(without.crc32(bytes, 7)).to.equal(crc32(bytes, 7));
  });

  it('are the same where it refuses to compile, which is asked for once', async () => {
    let asked = 0;
    const refusing = {
      Module: class {
        constructor() {
          asked++;
          throw new EvalError('Refused to compile: Content Security Policy');
        }
      },
    };
    const without = await anew(refusing, 'refused');
    expect(asked).to.equal(1);
    expect(without.crc32c(bytes)).to.equal(crc32c(bytes));
    expect(without.crc32(bytes)).to.equal(crc32(bytes));
  });

  it('import compiles nothing, and short inputs need nothing compiled', async () => {
    const own = WebAssembly.Module;
    let asked = 0;
    WebAssembly.Module = class extends own {
      constructor(source: BufferSource) {
        super(source);
        asked++;
      }
    };
    try {
      const fresh: typeof import('../src/checksum.js') = await import(`../src/checksum.js?${'lazy'}`);
      fresh.crc32c(bytes.subarray(0, 300));
      expect(asked).to.equal(0);
      expect(fresh.crc32c(bytes)).to.equal(crc32c(bytes));
      expect(fresh.crc32(bytes)).to.equal(crc32(bytes));
      expect(asked).to.equal(1);
    } finally {
      WebAssembly.Module = own;
    }
  });
});
