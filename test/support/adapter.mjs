/**
 * Which WebGPU adapter Node finds. Asked in a process of its own (`probeAdapter`): a broken Vulkan driver can take
 * the process with it.
 */
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findSwiftShader } from './chromium.mjs';
import { run } from './command.mjs';

const MARK = 'adapter:';
/** Where the dynamic linker looks by itself; named, so that a browser's own copies of libraries come after them. */
const SYSTEM_LIBRARIES = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];

/** Resolves to { name, software }, or null where there is no adapter. */
async function probeAdapter(env = {}) {
  const { output } = await run(process.execPath, [fileURLToPath(import.meta.url)], {
    env,
    timeoutMs: 30_000,
  });
  const line = output.split('\n').find((l) => l.startsWith(MARK));
  return line ? JSON.parse(line.slice(MARK.length)) : null;
}

/** Environment in which Node finds a WebGPU adapter: the hardware's if there is one, else SwiftShader. */
export async function webgpuEnvironment() {
  const hardware = await probeAdapter();
  if (hardware && !hardware.software) return { env: {}, name: hardware.name };
  const driver = findSwiftShader();
  if (driver === null) return { env: {}, name: null };
  const plain = { VK_DRIVER_FILES: driver };
  const found = await probeAdapter(plain);
  if (found) return { env: plain, name: found.name };
  // Chromium brings a Vulkan loader too, for a machine that has none. Only then: the path changes other programs' libraries.
  const libraries = [process.env.LD_LIBRARY_PATH, ...SYSTEM_LIBRARIES, dirname(driver)];
  const env = { ...plain, LD_LIBRARY_PATH: libraries.filter(Boolean).join(delimiter) };
  return { env, name: (await probeAdapter(env))?.name ?? null };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const adapter = await create([]).requestAdapter();
  if (adapter) {
    const { vendor, architecture, description } = adapter.info;
    const name = description || `${vendor} ${architecture}`;
    const software = /swiftshader|llvmpipe|software/i.test(`${architecture} ${description}`);
    console.log(MARK + JSON.stringify({ name, software }));
  }
  process.exit(0); // Dawn keeps the process alive
}
