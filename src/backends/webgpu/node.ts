/**
 * WebGPU for Node: the optional package `webgpu` (Dawn) put where browsers have it, on globalThis and
 * navigator.gpu. Only called where there is no navigator.gpu yet.
 */
import { DeviceError } from '../../errors.js';

interface Dawn {
  create(options: string[]): object;
  globals: Record<string, unknown>;
}

/** Not a literal, so that bundlers for the browser do not follow it. */
const PACKAGE = ['web', 'gpu'].join('');

async function loadDawn(): Promise<Dawn> {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ PACKAGE)) as Dawn;
  } catch (cause) {
    const missing = /MODULE_NOT_FOUND$/.test((cause as { code?: string }).code ?? '');
    throw new DeviceError(
      missing
        ? 'useWebGPU: Node has no WebGPU of its own; install Dawn for it: npm install webgpu'
        : `useWebGPU: the package webgpu does not load here (${(cause as Error).message}); it ships binaries for ` +
            'Linux, macOS and Windows on x64 and arm64',
      { cause },
    );
  }
}

/** Node ≥ 21 has a navigator (behind a getter, so it is extended, not replaced); Node 20 has none. */
export async function provideNavigatorGpu(): Promise<void> {
  const { create, globals } = await loadDawn();
  Object.assign(globalThis, globals);
  if (typeof navigator === 'undefined') {
    const value = { userAgent: `Node.js/${process.versions.node.split('.')[0]}` };
    Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true });
  }
  // Held by navigator: Dawn's devices do not keep the instance alive.
  Object.defineProperty(navigator, 'gpu', { value: create([]), configurable: true, writable: true });
}
