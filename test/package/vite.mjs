/** A Vite page in the new user's project, holding the README's example. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import { watchPage } from '../browser/page.mjs';
import { serve } from '../browser/serve.mjs';

const LIMIT_MS = 120_000;
const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>new user</title>
<script type="module">
  import('./example.mjs').then(() => { document.title = 'done'; });
</script>
`;

export async function buildPage(folder, example) {
  await writeFile(join(folder, 'index.html'), PAGE);
  await writeFile(join(folder, 'example.mjs'), example);
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { outDir: 'page', emptyOutDir: true },
  });
  return join(folder, 'page');
}

/** Opens the built page; resolves to what it logged. */
export async function openPage(browser, page, folder) {
  const routes = { '/': page, '/wasm/': join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm/dist') };
  const server = await serve(routes);
  try {
    const finished = (tab) =>
      tab.waitForFunction(() => document.title === 'done', null, { timeout: LIMIT_MS });
    const { lines, complaints } = await watchPage(browser, `${server.url}/`, { finished, limitMs: LIMIT_MS });
    if (complaints.length) throw new Error(`the page's console:\n${complaints.join('\n')}`);
    return lines.join('\n');
  } finally {
    await server.close();
  }
}
