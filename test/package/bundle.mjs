/** A browser bundle of one entry, as esbuild makes it in the new user's project. */
import { builtinModules } from 'node:module';
import { build } from 'esbuild';

/** Loaded at first use; a bundler that splits must keep them out of what every page loads. */
const LATE = /node_modules\/h5wasm\//;

/** Throws if the bundle needs a Node built-in; resolves to the size in KiB of what is loaded at once, tfjs left out. */
export async function bundleEntry(folder, entry) {
  const { metafile } = await build({
    stdin: { contents: `export * from '${entry}';`, resolveDir: folder },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    splitting: true,
    outdir: folder,
    logLevel: 'silent',
    external: ['@tensorflow/*'], // what tfjs does with built-ins is its own affair
    plugins: [builtInsAsImports],
  });
  const imports = Object.entries(metafile.inputs).flatMap(([file, { imports: list }]) =>
    list.map(({ path, external }) => ({ file, path, external })),
  );
  const nodeOnly = imports.filter(({ path, external }) => external && isBuiltIn(path));
  if (nodeOnly.length) {
    throw new Error(
      nodeOnly.map(({ file, path }) => `${file} imports ${path}, which no browser has`).join('\n'),
    );
  }
  const first = Object.keys(metafile.outputs).find((file) => metafile.outputs[file].entryPoint);
  const atOnce = loadedAtOnce(metafile.outputs, first);
  const early = atOnce.flatMap((file) =>
    Object.keys(metafile.outputs[file].inputs).filter((f) => LATE.test(f)),
  );
  if (early.length) throw new Error(`${early.join(', ')} must be loaded at first use, not at once`);
  return Math.round(atOnce.reduce((sum, file) => sum + metafile.outputs[file].bytes, 0) / 1024);
}

/** A bundle's file and all that it imports, but for dynamic imports. */
function loadedAtOnce(outputs, first, known = new Set()) {
  if (known.has(first)) return [];
  known.add(first);
  const next = outputs[first].imports.filter(
    ({ kind, external }) => kind === 'import-statement' && !external,
  );
  return [first, ...next.flatMap(({ path }) => loadedAtOnce(outputs, path, known))];
}

const isBuiltIn = (path) => path.startsWith('node:') || builtinModules.includes(path);

/** Left to itself esbuild stops at the first built-in; as external imports they can all be named. */
const builtInsAsImports = {
  name: 'built-ins-as-imports',
  setup(builder) {
    builder.onResolve(
      { filter: new RegExp(`^(node:.*|${builtinModules.join('|')})$`) },
      async ({ path, ...rest }) => {
        if (rest.pluginData === 'asked') return undefined;
        const { pluginData, ...where } = rest;
        // A package of that name, or a "browser" field that takes the import out, goes before the built-in.
        const own = await builder.resolve(path, { ...where, pluginData: 'asked' });
        return own.errors.length ? { path, external: true } : own;
      },
    );
  },
};
