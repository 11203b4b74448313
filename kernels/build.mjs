/**
 * Builds the kernels into modules that the package ships, so that no file has to be found or fetched at run time:
 *   kernels/wasm/index.ts   → src/backends/wasm/binary.generated.ts    two binaries (unshared, shared memory), base64
 *   kernels/webgpu/*.wgsl   → src/backends/webgpu/shaders.generated.ts one string a file, comments and indents off
 *   kernels/checksum        → src/checksum.generated.ts                one binary with its own memory, base64
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const built = join(here, 'wasm', 'build');

const common = [
  join(here, 'wasm', 'index.ts'),
  ...['-O3', '--runtime', 'stub', '--importMemory', '--noExportMemory', '--noAssert', '--use', 'abort='],
  ...['--enable', 'simd', '--enable', 'bulk-memory', '--initialMemory', '0'],
];
const flavours = {
  unshared: [],
  shared: ['--sharedMemory', '--maximumMemory', '65536', '--enable', 'threads'],
};

async function compile(name, flags) {
  const out = join(built, `${name}.wasm`);
  const text = join(built, `${name}.wat`);
  const { error, stderr } = await asc.main([...common, ...flags, '-o', out, '-t', text]);
  if (error) throw new Error(`kernels/wasm (${name}): ${error.message}\n${stderr}`);
  // The memory is tfjs's heap: a data segment would be written over it, memory.grow would detach its views.
  const wat = await readFile(text, 'utf8');
  for (const forbidden of ['(data', 'memory.grow']) {
    if (wat.includes(forbidden))
      throw new Error(`kernels/wasm (${name}): "${forbidden}" would damage the heap of tfjs`);
  }
  return readFile(out);
}

async function wasm() {
  await mkdir(built, { recursive: true });
  let source = '// Built by kernels/build.mjs from kernels/wasm.\n';
  for (const [name, flags] of Object.entries(flavours)) {
    const bytes = await compile(name, flags);
    source += `export const ${name} =\n  '${bytes.toString('base64')}';\n`;
    console.log(`kernels/wasm    ${name.padEnd(10)} ${bytes.length} bytes`);
  }
  await writeFile(join(root, 'src/backends/wasm/binary.generated.ts'), source);
}

/** Above it, a page's main thread may not compile a module synchronously. */
const SYNC_BYTES = 4096;

async function checksum() {
  await mkdir(built, { recursive: true });
  const out = join(built, 'checksum.wasm');
  const { error, stderr } = await asc.main([
    join(here, 'checksum', 'index.ts'),
    ...['-O3', '--runtime', 'stub', '--noAssert', '--use', 'abort=', '--enable', 'simd'],
    ...['--enable', 'bulk-memory', '--initialMemory', '1', '--maximumMemory', '1', '-o', out],
  ]);
  if (error) throw new Error(`kernels/checksum: ${error.message}\n${stderr}`);
  const bytes = await readFile(out);
  if (bytes.length > SYNC_BYTES)
    throw new Error(`kernels/checksum: ${bytes.length} bytes, above ${SYNC_BYTES}`);
  const source = `// Built by kernels/build.mjs from kernels/checksum.\nexport const binary =\n  '${bytes.toString('base64')}';\n`;
  await writeFile(join(root, 'src/checksum.generated.ts'), source);
  console.log(`kernels/checksum           ${bytes.length} bytes`);
}

async function webgpu() {
  const folder = join(here, 'webgpu');
  const files = (await readdir(folder)).filter((f) => f.endsWith('.wgsl')).sort();
  let source = '// Built by kernels/build.mjs from kernels/webgpu.\nexport const shaders = {\n';
  for (const file of files) {
    const text = (await readFile(join(folder, file), 'utf8'))
      .split('\n')
      .map((line) => line.replace(/\/\/.*$/, '').trim())
      .filter(Boolean)
      .join('\n');
    const name = file.replace('.wgsl', '').replace(/-(\w)/g, (_, c) => c.toUpperCase());
    source += `  ${name}:\n    ${JSON.stringify(text)},\n`;
  }
  await writeFile(join(root, 'src/backends/webgpu/shaders.generated.ts'), `${source}};\n`);
  console.log(`kernels/webgpu  ${files.length} shaders`);
}

// `node kernels/build.mjs webgpu` builds only that.
const targets = { wasm, webgpu, checksum };
const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets);
await Promise.all(asked.map((name) => targets[name]()));
