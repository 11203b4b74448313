/** A browser bundle of one entry, as esbuild makes it in the new user's project. */
import { builtinModules } from 'node:module';
import { build } from 'esbuild';

/** Throws if the bundle needs a Node built-in; resolves to its size in KiB, tfjs left out. */
export async function bundleEntry(folder, entry) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: `export * from '${entry}';`, resolveDir: folder },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
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
  return Math.round(outputFiles[0].contents.length / 1024);
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
