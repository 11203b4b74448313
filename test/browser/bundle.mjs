/** Bundles the tests that a browser can run into one module. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../support/command.mjs';
import { browserTestFiles } from '../support/test-files.mjs';

export async function bundleTests() {
  const files = ['test/browser/before.mjs', ...(await browserTestFiles()), 'test/browser/after.mjs'];
  const { outputFiles } = await build({
    stdin: {
      contents: files.map((file) => `import './${file}';`).join('\n'),
      resolveDir: root,
      sourcefile: 'tests.js',
    },
    absWorkingDir: root,
    bundle: true,
    ignoreAnnotations: true, // package.json's sideEffects would drop every test: nothing imports a name from it
    write: false,
    outfile: join(root, 'tests.js'),
    format: 'esm',
    platform: 'browser',
    target: 'chrome120',
    sourcemap: 'inline',
    logLevel: 'silent',
    define: {
      'process.env.WAVECUBE_LONG': JSON.stringify(process.env.WAVECUBE_LONG ?? ''),
      'process.env.NODE_ENV': '"test"',
    },
  }).catch((error) => {
    throw new Error(
      `${error.message}\nA test that needs Node.js is named *.node.test.ts, or lies in test/node.`,
    );
  });
  return outputFiles[0].text;
}
