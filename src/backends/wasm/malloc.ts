/**
 * tfjs takes what `_malloc` returns for an address and writes there. Out of memory that is 0, or, as tfjs 4.22.0's
 * allocator adds address and size in 32 bits, a small free block whose end wraps past 4 GiB. Both become an error
 * here, before tfjs has recorded anything.
 */
import { DeviceError } from '../../errors.js';

export interface MallocModule {
  _malloc(bytes: number): number;
  _free(at: number): void;
}

/** The allocator's sizes are signed; a page of the heap is left to round up. */
export const MOST_BYTES = 2 ** 31 - 2 ** 16;

const exhausted = (bytes: number): DeviceError =>
  new DeviceError(
    `wasm heap exhausted: there is no room for ${bytes} bytes in one piece (${MOST_BYTES} at most, 4 GiB in all); dispose ` +
      'tensors, sample in smaller batches (sampleChunks), or hold less (sparse, float16, a lower resolution)',
  );

/** Replaces `_malloc` of emscripten's module by one that throws DeviceError where it would fail. */
export function guardMalloc(module: MallocModule, memory: WebAssembly.Memory): void {
  // Emscripten's stub replaces itself at its first call, and would replace the guard.
  module._free(module._malloc(1));
  const malloc = module._malloc.bind(module);
  module._malloc = (bytes) => {
    if (bytes > MOST_BYTES) throw exhausted(bytes);
    const at = malloc(bytes) >>> 0;
    if (at + bytes > memory.buffer.byteLength) {
      // The block is a real one, only smaller.
      module._free(at);
      throw exhausted(bytes);
    }
    if (at === 0 && bytes > 0) throw exhausted(bytes);
    return at;
  };
}
